import Columnar

extension FunctionCatalogue {
    /// The narrowest type that holds the values of all: of CASE, COALESCE, IN, UNION. Nil when there is none. NULL alone stays NULL.
    package static func leastRestrictive(_ types: [DataType]) -> DataType? {
        var kind = TypeKind.null
        for type in types {
            guard let wider = TypeKind.common(kind, type.kind) else { return nil }
            kind = wider
        }
        return DataType(kind, nullable: types.contains { $0.isNullable || $0.kind == .null })
    }

    /// What two values are cast to before they are compared; nil when they cannot be. Beyond `leastRestrictive`, text beside a
    /// date, a time, a timestamp or a boolean is read as one.
    package static func comparable(_ a: DataType, _ b: DataType) -> (DataType, DataType)? {
        func both(_ kind: TypeKind) -> (DataType, DataType) { (DataType(kind, nullable: a.isNullable), DataType(kind, nullable: b.isNullable)) }
        if a.kind.isCharacter, b.kind.isCharacter { return (a, b) }
        if let common = TypeKind.common(a.kind, b.kind) { return both(common) }
        if a.kind.isCharacter, b.kind.isReadFromText { return both(b.kind) }
        if b.kind.isCharacter, a.kind.isReadFromText { return both(a.kind) }
        return nil
    }

    /// Whether `CAST(from AS to)` is a cast at all; whether a value survives it shows when it runs.
    package static func castSupported(from: TypeKind, to: TypeKind) -> Bool {
        if from == to || from == .null { return true }
        switch (from.family, to.family) {
        case (.text, .interval): return false
        case (.text, _), (_, .text): return true
        case (.number, .number), (.boolean, .boolean), (.boolean, .number), (.number, .boolean), (.bytes, .bytes): return true
        case (.date, .date), (.date, .timestamp), (.timestamp, .date), (.timestamp, .time), (.timestamp, .timestamp): return true
        case (.time, .time), (.time, .timestamp): return true
        case (.interval, .interval): return from.physical == to.physical
        case (.interval, .number): return to.isInteger
        case (.number, .interval): return from.isInteger
        default: return false
        }
    }
}

extension TypeKind {
    enum Family { case null, boolean, number, text, bytes, date, time, timestamp, interval }

    var family: Family {
        switch self {
        case .null: .null
        case .boolean: .boolean
        case .tinyint, .smallint, .integer, .bigint, .float, .double, .decimal: .number
        case .char, .varchar: .text
        case .binary, .varbinary: .bytes
        case .date: .date
        case .time: .time
        case .timestamp, .timestampLTZ: .timestamp
        case .intervalYearMonth, .intervalDayTime: .interval
        }
    }

    var isDecimal: Bool { if case .decimal = self { true } else { false } }
    var isExact: Bool { isInteger || isDecimal }
    var isInterval: Bool { family == .interval }
    var isReadFromText: Bool { [.date, .time, .timestamp, .boolean].contains(family) }

    /// Precision and scale of exact numbers: integers count as decimals without decimals.
    var digits: (precision: Int, scale: Int)? {
        switch self {
        case .tinyint: (3, 0)
        case .smallint: (5, 0)
        case .integer: (10, 0)
        case .bigint: (19, 0)
        case .decimal(let precision, let scale): (precision, scale)
        default: nil
        }
    }

    /// Characters or bytes that a value may have.
    var length: Int? {
        switch self {
        case .char(let n), .varchar(let n), .binary(let n), .varbinary(let n): n
        default: nil
        }
    }

    private var integerRank: Int {
        switch self { case .tinyint: 1; case .smallint: 2; case .integer: 3; default: 4 }
    }

    static func common(_ a: TypeKind, _ b: TypeKind) -> TypeKind? {
        if a == b || b == .null { return a }
        if a == .null { return b }
        switch (a, b) {
        case _ where a.isInteger && b.isInteger: return a.integerRank >= b.integerRank ? a : b
        case _ where a.isExact && b.isExact:
            guard let x = a.digits, let y = b.digits else { return nil }
            let scale = max(x.scale, y.scale)
            return decimal(adjusting: max(x.precision - x.scale, y.precision - y.scale) + scale, scale: scale)
        case _ where a.isNumeric && b.isNumeric: return a == .double || b == .double || a.isDecimal || b.isDecimal ? .double : .float
        case (.char, _) where b.isCharacter, (.varchar, _) where b.isCharacter: return .varchar(max(a.length ?? 0, b.length ?? 0))
        case _ where a.isBinary && b.isBinary: return .varbinary(max(a.length ?? 0, b.length ?? 0))
        case (.time(let p), .time(let q)): return .time(max(p, q))
        case (.timestamp(let p), .timestamp(let q)): return .timestamp(max(p, q))
        case (.timestamp(let p), .timestampLTZ(let q)), (.timestampLTZ(let p), .timestamp(let q)), (.timestampLTZ(let p), .timestampLTZ(let q)):
            return .timestampLTZ(max(p, q))
        case (.date, _) where b.isTimestamp: return b
        case (_, .date) where a.isTimestamp: return a
        default: return nil
        }
    }

    /// Flink's cut to 38 digits: whole digits are kept first, then at least 6 decimals.
    static func decimal(adjusting precision: Int, scale: Int) -> TypeKind {
        guard precision > 38 else { return .decimal(precision: precision, scale: scale) }
        let whole = precision - scale
        return .decimal(precision: 38, scale: max(38 - whole, min(scale, 6)))
    }

    /// The result type of an arithmetic operator over two numbers; nil when one is none.
    static func arithmetic(_ sign: String, _ a: TypeKind, _ b: TypeKind) -> TypeKind? {
        guard a.isNumeric, b.isNumeric else { return nil }
        guard a.isDecimal || b.isDecimal, let x = a.digits, let y = b.digits else {
            return sign == "%" && a.isExact && b.isExact ? b : common(a, b)
        }
        switch sign {
        case "*": return decimal(adjusting: x.precision + y.precision + 1, scale: x.scale + y.scale)
        case "/":
            let scale = max(6, x.scale + y.precision + 1)
            return decimal(adjusting: x.precision - x.scale + y.scale + scale, scale: scale)
        case "%":
            let scale = max(x.scale, y.scale)
            return decimal(adjusting: min(x.precision - x.scale, y.precision - y.scale) + scale, scale: scale)
        default:
            let scale = max(x.scale, y.scale)
            return decimal(adjusting: max(x.precision - x.scale, y.precision - y.scale) + scale + 1, scale: scale)
        }
    }
}
