/// The shared files `~/.aws/config` and `~/.aws/credentials`, one profile's settings over both; the credentials file wins.
/// Source: "Shared config and credentials files", AWS SDKs and Tools Reference Guide.
struct ProfileFiles: Sendable {
    private let profiles: [String: [String: String]]
    private let sessions: [String: [String: String]]
    let home: String?
    /// The profile that is asked for: named, or `AWS_PROFILE`, or `default`.
    let selected: String

    init(_ surroundings: Surroundings, profile: String?) {
        selected = profile ?? surroundings.variable("AWS_PROFILE") ?? surroundings.variable("AWS_DEFAULT_PROFILE") ?? "default"
        let home = surroundings.variable("HOME")
        self.home = home
        func contents(_ variable: String, _ name: String) -> String {
            guard var path = surroundings.variable(variable) ?? home.map({ $0 + "/.aws/" + name }) else { return "" }
            if path.hasPrefix("~/"), let home { path = home + path.dropFirst() }
            return surroundings.file(path).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        var profiles: [String: [String: String]] = [:], sessions: [String: [String: String]] = [:]
        for (section, values) in Self.sections(contents("AWS_CONFIG_FILE", "config")) {
            let words = section.split(separator: " ", maxSplits: 1).map { $0.trimmed }
            if words.count == 2, words[0] == "profile" {
                profiles[words[1], default: [:]].merge(values) { _, new in new }
            } else if words.count == 2, words[0] == "sso-session" {
                sessions[words[1], default: [:]].merge(values) { _, new in new }
            } else if section == "default" {
                profiles["default", default: [:]].merge(values) { _, new in new }
            }
        }
        for (section, values) in Self.sections(contents("AWS_SHARED_CREDENTIALS_FILE", "credentials")) {
            profiles[section, default: [:]].merge(values) { _, new in new }
        }
        self.profiles = profiles
        self.sessions = sessions
    }

    /// A section `[sso-session name]`.
    func session(_ name: String) -> [String: String]? { sessions[name] }

    subscript(profile: String) -> [String: String]? { profiles[profile] }

    /// Of the selected profile.
    func value(_ name: String) -> String? { profiles[selected]?[name] }

    /// `[section]`, then `name = value`; `#` and `;` begin comments; indented lines belong to the value above and are passed over.
    static func sections(_ text: String) -> [(name: String, values: [String: String])] {
        var sections: [(name: String, values: [String: String])] = []
        for line in text.split(whereSeparator: \.isNewline) {
            guard let first = line.first, !first.isWhitespace, first != "#", first != ";" else { continue }
            if first == "[" {
                guard let end = line.firstIndex(of: "]") else { continue }
                sections.append((line[line.index(after: line.startIndex)..<end].trimmed, [:]))
            } else if let equals = line.firstIndex(of: "="), !sections.isEmpty {
                var value = line[line.index(after: equals)...]
                if let comment = value.startOfComment { value = value[..<comment] }
                sections[sections.count - 1].values[line[..<equals].trimmed.lowercased()] = value.trimmed
            }
        }
        return sections
    }
}

extension StringProtocol {
    var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }
}

extension Substring {
    /// A comment behind a value stands after a space.
    fileprivate var startOfComment: Index? {
        var previous: Character?
        for index in indices {
            if let previous, previous == " " || previous == "\t", self[index] == "#" || self[index] == ";" { return index }
            previous = self[index]
        }
        return nil
    }
}
