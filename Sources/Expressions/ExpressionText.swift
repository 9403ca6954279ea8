import Columnar

extension Expression: CustomStringConvertible {
    /// As SQL, with columns as `$0`; for errors and plans.
    package var description: String {
        switch self {
        case .column(let index, _): return "$\(index)"
        case .literal(let value, let type): return value.text(as: type)
        case .cast(let inner, let type, let safe): return "\(safe ? "TRY_CAST" : "CAST")(\(inner) AS \(type.kind))"
        case .conditional(let branches, let otherwise, _):
            return "CASE " + branches.map { "WHEN \($0.condition) THEN \($0.value) " }.joined() + "ELSE \(otherwise) END"
        case .call(let name, let arguments, _):
            let isWord = name.first?.isLetter ?? false
            if arguments.count == 2, !isWord || ["AND", "OR", "LIKE", "SIMILAR TO"].contains(name) || name.hasSuffix("DISTINCT FROM") {
                return "(\(arguments[0]) \(name) \(arguments[1]))"
            }
            if arguments.count == 1, name.hasPrefix("IS ") { return "\(arguments[0]) \(name)" }
            return "\(name)(\(arguments.map(\.description).joined(separator: ", ")))"
        }
    }
}

extension Value {
    /// As a SQL literal of the type.
    func text(as type: DataType) -> String {
        switch self {
        case .null: return "NULL"
        case .boolean(let flag): return flag ? "TRUE" : "FALSE"
        case .double(let number): return "\(number)"
        case .integer(let number):
            switch type.kind.family {
            case .date, .time, .timestamp: return "\(type.kind) '\(cell(as: type))'"
            case .interval: return "INTERVAL '\(cell(as: type))'"
            default: return "\(number)"
            }
        case .decimal: return cell(as: type)
        case .bytes(let bytes):
            return type.kind.isBinary ? "x'\(bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())'"
                : "'\(String(decoding: bytes, as: UTF8.self))'"
        }
    }

    /// As a cast to STRING gives it.
    private func cell(as type: DataType) -> String {
        let column = Column.of(type, [self])
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { target in
            let start = target.baseAddress.unsafelyUnwrapped
            return String(decoding: target[..<CastText.write(column, row: 0, into: start)], as: UTF8.self)
        }
    }
}
