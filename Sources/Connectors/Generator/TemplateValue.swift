/// The arguments of a template's calls: JSON.
indirect enum TemplateValue: Equatable, Sendable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([TemplateValue])
    case object([String: TemplateValue])

    var number: Double? { if case .number(let value) = self { value } else { nil } }
    var text: String? { if case .text(let value) = self { value } else { nil } }
    var list: [TemplateValue]? { if case .list(let values) = self { values } else { nil } }

    subscript(key: String) -> TemplateValue? { if case .object(let values) = self { values[key] } else { nil } }

    /// As it stands in the rendered line.
    var rendered: String {
        switch self {
        case .null: "null"
        case .flag(let value): value ? "true" : "false"
        case .number(let value): value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
        case .text(let value): value
        case .list(let values): values.map(\.rendered).joined(separator: ",")
        case .object: "[object Object]"
        }
    }

    /// Comma-separated values up to the end. Nil: malformed.
    static func parse(arguments text: String) -> [TemplateValue]? {
        var parser = Parser(characters: Array(text))
        return parser.values(until: nil)
    }

    private struct Parser {
        let characters: [Character]
        var at = 0
        var depth = 0

        mutating func values(until end: Character?) -> [TemplateValue]? {
            var values: [TemplateValue] = []
            skipSpace()
            if take(end) { return values }
            while true {
                guard let value = value() else { return nil }
                values.append(value)
                skipSpace()
                if take(",") { continue }
                return take(end) ? values : nil
            }
        }

        private mutating func skipSpace() { while at < characters.count, characters[at].isWhitespace { at += 1 } }

        /// Nil stands for the end of the text.
        private mutating func take(_ character: Character?) -> Bool {
            guard let character else { return at == characters.count }
            guard at < characters.count, characters[at] == character else { return false }
            at += 1
            return true
        }

        private mutating func value() -> TemplateValue? {
            skipSpace()
            guard at < characters.count, depth < 100 else { return nil }
            depth += 1
            defer { depth -= 1 }
            switch characters[at] {
            case "[":
                at += 1
                return values(until: "]").map { .list($0) }
            case "{":
                at += 1
                return object()
            case "\"", "'": return string().map { .text($0) }
            default:
                let start = at
                while at < characters.count, !",]}".contains(characters[at]), !characters[at].isWhitespace { at += 1 }
                let word = String(characters[start..<at])
                switch word {
                case "true": return .flag(true)
                case "false": return .flag(false)
                case "null": return .null
                default: return Double(word).map { .number($0) }
                }
            }
        }

        private mutating func object() -> TemplateValue? {
            var values: [String: TemplateValue] = [:]
            skipSpace()
            if take("}") { return .object(values) }
            while true {
                skipSpace()
                guard at < characters.count, let key = string() else { return nil }
                skipSpace()
                guard take(":"), let value = value() else { return nil }
                values[key] = value
                skipSpace()
                if take(",") { continue }
                return take("}") ? .object(values) : nil
            }
        }

        private mutating func string() -> String? {
            let quote = characters[at]
            guard quote == "\"" || quote == "'" else { return nil }
            at += 1
            var text = ""
            while at < characters.count, characters[at] != quote {
                if characters[at] == "\\", at + 1 < characters.count {
                    at += 1
                    text.append(characters[at] == "n" ? "\n" : characters[at] == "t" ? "\t" : characters[at])
                } else { text.append(characters[at]) }
                at += 1
            }
            return take(quote) ? text : nil
        }
    }
}
