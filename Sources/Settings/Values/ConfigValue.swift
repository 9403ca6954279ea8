/// A type that a configuration value can have. Text in, text out; what is written out reads back equal.
package protocol ConfigValue: Sendable, Equatable {
    /// Nil when the text is none of these.
    init?(configText: String)
    /// Nil for the absence of a value.
    var configText: String? { get }
    /// For error messages: `a duration such as 10 s`.
    static var expected: String { get }
    /// For the documentation, as Flink names it: `Duration`.
    static var typeName: String { get }
}

extension String: ConfigValue {
    package init?(configText: String) { self = configText }
    package var configText: String? { self }
    package static var expected: String { "text" }
    package static var typeName: String { "String" }
}

extension Int: ConfigValue {
    package init?(configText: String) { self.init(configText) }
    package var configText: String? { String(self) }
    package static var expected: String { "an integer" }
    package static var typeName: String { "Integer" }
}

extension Double: ConfigValue {
    package init?(configText: String) {
        guard let value = Double(configText), value.isFinite else { return nil }
        self = value
    }
    package var configText: String? { "\(self)" }
    package static var expected: String { "a number" }
    package static var typeName: String { "Double" }
}

extension Bool: ConfigValue {
    package init?(configText: String) {
        switch configText.lowercased() {
        case "true": self = true
        case "false": self = false
        default: return nil
        }
    }
    package var configText: String? { self ? "true" : "false" }
    package static var expected: String { "true or false" }
    package static var typeName: String { "Boolean" }
}

extension Optional: ConfigValue where Wrapped: ConfigValue {
    package init?(configText: String) {
        guard let value = Wrapped(configText: configText) else { return nil }
        self = .some(value)
    }
    package var configText: String? { self?.configText }
    package static var expected: String { Wrapped.expected }
    package static var typeName: String { Wrapped.typeName }
}

/// Flink's list syntax: `a;b;c`. A YAML list is brought into it.
extension Array: ConfigValue where Element: ConfigValue {
    package init?(configText: String) {
        self = []
        for part in configText.split(separator: ";") {
            guard let element = Element(configText: trimmed(part)) else { return nil }
            append(element)
        }
    }
    package var configText: String? { compactMap(\.configText).joined(separator: ";") }
    package static var expected: String { "a list separated by semicolons, each \(Element.expected)" }
    package static var typeName: String { "List<\(Element.typeName)>" }
}

/// A closed set of words. Case does not matter, and `_` and `-` are the same, so that `EXACTLY_ONCE` and `exactly-once` both mean `exactlyOnce`.
package protocol ConfigChoice: ConfigValue, CaseIterable, RawRepresentable where RawValue == String {
    /// Other words for a case, in lower case with `-`.
    static var aliases: [String: Self] { get }
}

extension ConfigChoice {
    package static var aliases: [String: Self] { [:] }

    package init?(configText: String) {
        let word = Self.plain(configText)
        guard let value = Self.allCases.first(where: { Self.plain($0.rawValue) == word }) ?? Self.aliases[word] else { return nil }
        self = value
    }

    package var configText: String? { rawValue }
    package static var expected: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
    package static var typeName: String { "Enum" }

    private static func plain(_ text: String) -> String { String(text.lowercased().map { $0 == "_" ? "-" : $0 }) }
}

/// Without ASCII white space at both ends.
func trimmed(_ text: some StringProtocol) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\n" || $0 == "\r\n" }
    guard let first = text.firstIndex(where: { !isSpace($0) }), let last = text.lastIndex(where: { !isSpace($0) }) else { return "" }
    return String(text[first...last])
}
