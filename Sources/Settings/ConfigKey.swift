/// One configuration key: its name, type, default, and a line for the documentation. Declared in `Options/`, listed in `Catalogue`.
package struct ConfigKey<Value: ConfigValue>: Sendable {
    package let name: String
    package let fallback: Value
    package let documentation: String
    /// Names under which files may still give it. The newer name wins where one source has both.
    package let formerNames: [String]
    private let bounds: Bounds?

    private struct Bounds: Sendable {
        let words: String
        let holds: @Sendable (Value) -> Bool
    }

    init(_ name: String, _ fallback: Value, formerly formerNames: [String] = [], _ documentation: String) {
        (self.name, self.fallback, self.formerNames, self.documentation) = (name, fallback, formerNames, documentation)
        bounds = nil
    }

    init(
        _ name: String, _ fallback: Value, formerly formerNames: [String] = [], must words: String, _ holds: @escaping @Sendable (Value) -> Bool,
        _ documentation: String
    ) {
        (self.name, self.fallback, self.formerNames, self.documentation) = (name, fallback, formerNames, documentation)
        bounds = Bounds(words: words, holds: holds)
    }

    /// Nil when the text is not of this key's type or out of its bounds.
    func parse(_ text: String) -> Value? {
        guard let value = Value(configText: text), bounds?.holds(value) ?? true else { return nil }
        return value
    }

    /// What a value must be, for error messages: `an integer, at least 1`.
    var expected: String {
        guard let bounds else { return Value.expected }
        return "\(Value.expected), \(bounds.words)"
    }
}

extension ConfigKey where Value == Int {
    init(_ name: String, _ fallback: Int, formerly formerNames: [String] = [], atLeast least: Int, _ documentation: String) {
        self.init(name, fallback, formerly: formerNames, must: "at least \(least)", { $0 >= least }, documentation)
    }

    init(port name: String, _ fallback: Int, formerly formerNames: [String] = [], _ documentation: String) {
        self.init(name, fallback, formerly: formerNames, must: "a port from 0 to 65535", { (0...65535).contains($0) }, documentation)
    }
}

/// A key without its type, for the catalogue: what can be said and checked about a text.
package protocol AnyConfigKey: Sendable {
    var name: String { get }
    var formerNames: [String] { get }
    var documentation: String { get }
    /// Nil when there is no default.
    var fallbackText: String? { get }
    var typeName: String { get }
    /// Nil when `text` is a value for this key, else what was expected.
    func problem(with text: String) -> String?
}

extension ConfigKey: AnyConfigKey {
    package var fallbackText: String? { fallback.configText }
    package var typeName: String { Value.typeName }
    package func problem(with text: String) -> String? { parse(text) == nil ? expected : nil }
}
