import Columnar

extension TypeSyntax {
    /// The type that this text names. Throws for numbers out of range and for types that no column can hold here.
    func bound() throws(SQLError) -> DataType { DataType(try boundKind(), nullable: nullable) }

    private func boundKind() throws(SQLError) -> TypeKind {
        switch kind {
        case .plain(let name, let numbers): return try plainKind(name, numbers)
        case .interval(let units): return units.isYearMonth ? .intervalYearMonth : .intervalDayTime
        case .array, .multiset, .map, .row: throw SQLError("type \(description) is not supported", at: range, hint: "columns hold single values")
        case .named(let name):
            throw SQLError("unknown type '\(name.text)'", at: range, hint: nearNameHint(name.text, among: TypeSyntax.plain.keys.sorted()))
        }
    }

    private func plainKind(_ name: String, _ numbers: [Int]) throws(SQLError) -> TypeKind {
        switch name {
        case "CHAR": return .char(try filledLength(numbers, or: "VARCHAR"))
        case "VARCHAR": return .varchar(try length(numbers))
        case "STRING": return .string
        case "BINARY": return .binary(try filledLength(numbers, or: "VARBINARY"))
        case "VARBINARY": return .varbinary(try length(numbers))
        case "BYTES": return .bytes
        case "BOOLEAN": return .boolean
        case "TINYINT": return .tinyint
        case "SMALLINT": return .smallint
        case "INT": return .integer
        case "BIGINT": return .bigint
        case "FLOAT": return .float
        case "DOUBLE": return .double
        case "DATE": return .date
        case "DECIMAL":
            let precision = numbers.first ?? 10, scale = numbers.count > 1 ? numbers[1] : 0
            guard (1...38).contains(precision), (0...precision).contains(scale) else {
                throw SQLError("DECIMAL takes 1 to 38 digits, of which at most all are decimals", at: range)
            }
            return .decimal(precision: precision, scale: scale)
        case "TIME": return .time(min(3, try fraction(numbers, otherwise: 0)))
        case "TIMESTAMP": return .timestamp(try fraction(numbers, otherwise: 6))
        case "TIMESTAMP_LTZ": return .timestampLTZ(try fraction(numbers, otherwise: 6))
        default: throw SQLError("type \(name) is not supported", at: range)
        }
    }

    private func length(_ numbers: [Int]) throws(SQLError) -> Int {
        let length = numbers.first ?? 1
        guard length >= 1 else { throw SQLError("the length must be at least 1", at: range) }
        return length
    }

    /// Of a type whose values are filled up to their length.
    private func filledLength(_ numbers: [Int], or other: String) throws(SQLError) -> Int {
        let length = try length(numbers)
        guard length <= 1 << 20 else {
            throw SQLError("\(description) fills every value up to \(length): more than \(1 << 20) is not supported", at: range, hint: "\(other) holds values as they are")
        }
        return length
    }

    private func fraction(_ numbers: [Int], otherwise: Int) throws(SQLError) -> Int {
        let digits = numbers.first ?? otherwise
        guard (0...9).contains(digits) else { throw SQLError("a time has 0 to 9 decimals", at: range) }
        return digits
    }
}

extension IntervalUnitsSyntax {
    var isYearMonth: Bool { first == .year || first == .month || first == .quarter }
}
