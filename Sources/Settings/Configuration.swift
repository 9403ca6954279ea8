/// The values that were set, and the defaults of all others. A value: changing it gives another one.
///
/// Names are the current ones; old names were translated where they came in. Values of declared keys have been checked where they came in, so reading
/// them cannot fail.
package struct Configuration: Equatable, Sendable {
    private struct Setting: Equatable {
        let value: String
        let origin: Origin
    }

    private var settings: [String: Setting] = [:]

    /// About unknown names, one line each, in the order found. Never a reason to stop.
    package internal(set) var warnings: [String] = []

    package init() {}

    /// As shipped from another process by `values`. Throws for values that this process does not understand.
    package init(values: [String: String]) throws(ConfigError) {
        try apply(values.sorted { $0.key < $1.key }.map { Entry(name: $0.key, value: $0.value, origin: .program) })
    }

    package func get<Value>(_ key: ConfigKey<Value>) -> Value {
        precondition(Catalogue.key(named: key.name) != nil, "\(key.name) is missing in the catalogue")
        guard let setting = settings[key.name] else { return key.fallback }
        guard let value = key.parse(setting.value) else { preconditionFailure("\(key.name) was not checked when it was set") }
        return value
    }

    package func isSet<Value>(_ key: ConfigKey<Value>) -> Bool { settings[key.name] != nil }

    /// The text of any name, declared or not (`metrics.reporter.prom.port`), default included.
    package func text(_ name: String) -> String? { settings[name]?.value ?? Catalogue.key(named: name)?.fallbackText }

    /// Where the value was set; nil for a default.
    package func origin(of name: String) -> Origin? { settings[name]?.origin }

    package func setting(_ name: String, to value: String, origin: Origin = .set(line: nil)) throws(ConfigError) -> Configuration {
        var changed = self
        try changed.apply([Entry(name: name, value: value, origin: origin)])
        return changed
    }

    package func setting<Value>(_ key: ConfigKey<Value>, to value: Value) throws(ConfigError) -> Configuration {
        var changed = self
        changed.settings[key.name] = nil
        guard let text = value.configText else { return changed }
        return try changed.setting(key.name, to: text, origin: .program)
    }

    /// `RESET 'name'`: as it is in `base` again; nil for everything.
    package func resetting(_ name: String?, to base: Configuration) -> Configuration {
        guard let name else { return base }
        var changed = self
        let former = Catalogue.keys(formerly: name).map(\.name)
        for name in former.isEmpty ? [name] : former { changed.settings[name] = base.settings[name] }
        return changed
    }

    /// What was set, secrets included, under current names: for other processes of the cluster, never for people.
    package var values: [String: String] { settings.mapValues(\.value) }

    /// What was set, sorted by name, secrets masked: for people.
    package var masked: [(name: String, value: String)] {
        settings.map { ($0.key, Secrets.masked($0.value.value, of: $0.key)) }.sorted { $0.0 < $1.0 }
    }
}

/// One name and value as found, before old names are translated.
struct Entry: Equatable {
    let name: String
    let value: String
    let origin: Origin
}

extension Configuration {
    /// Puts the entries of one source over what is there. Within one source a current name beats an old one, else the last wins.
    mutating func apply(_ entries: [Entry]) throws(ConfigError) {
        var problems: [String] = []
        var given: Set<String> = []
        for entry in entries where Catalogue.keys(formerly: entry.name).isEmpty {
            given.insert(entry.name)
            if let key = Catalogue.key(named: entry.name) {
                if let expected = key.problem(with: entry.value) {
                    problems.append(ConfigError.badValue(entry.value, of: entry.name, at: entry.origin, expected: expected))
                }
            } else if let warning = Catalogue.warning(about: entry.name) {
                warnings.append("\(entry.origin): \(warning)")
            }
            settings[entry.name] = Setting(value: entry.value, origin: entry.origin)
        }
        for entry in entries {
            for key in Catalogue.keys(formerly: entry.name) where !given.contains(key.name) {
                if let expected = key.problem(with: entry.value) {
                    problems.append(ConfigError.badValue(entry.value, of: entry.name, at: entry.origin, expected: expected))
                }
                settings[key.name] = Setting(value: entry.value, origin: entry.origin)
            }
        }
        if !problems.isEmpty { throw ConfigError(problems) }
    }
}
