/// A SQL type with its nullability, and how its values lie in memory (`physical`).
///
/// Names and limits are Flink's. `STRING` is `varchar(Int.max32)`, `BYTES` is `varbinary(Int.max32)`.
package struct DataType: Hashable, Codable, Sendable {
    package var kind: TypeKind
    package var isNullable: Bool

    package init(_ kind: TypeKind, nullable: Bool = true) {
        self.kind = kind
        self.isNullable = nullable
    }

    package func nullable(_ flag: Bool) -> DataType { DataType(kind, nullable: flag) }
}

package indirect enum TypeKind: Hashable, Codable, Sendable {
    /// The type of a bare `NULL`; a column of it holds nothing but nulls.
    case null
    case boolean, tinyint, smallint, integer, bigint, float, double
    case decimal(precision: Int, scale: Int)
    case char(Int), varchar(Int)
    case binary(Int), varbinary(Int)
    /// Days since 1970-01-01.
    case date
    /// Milliseconds of the day, shown with `precision` decimals (0…3).
    case time(Int)
    /// Ticks since 1970-01-01 00:00:00 without a zone; see `TimeUnit.of(precision:)` for the tick.
    case timestamp(Int)
    /// Ticks since the epoch, UTC; shown in the session's zone.
    case timestampLTZ(Int)
    /// Months.
    case intervalYearMonth
    /// Milliseconds.
    case intervalDayTime

    package static let string = TypeKind.varchar(Int(Int32.max))
    package static let bytes = TypeKind.varbinary(Int(Int32.max))
}

/// The length of one tick of a `TIMESTAMP(p)`: 64 bits hold every year from 0001 to 9999 in milliseconds and microseconds,
/// and 1677 to 2262 in nanoseconds.
package enum TimeUnit: Int64, Sendable {
    case milliseconds = 1_000
    case microseconds = 1_000_000
    case nanoseconds = 1_000_000_000

    @inlinable package var ticksPerSecond: Int64 { rawValue }
    @inlinable package var ticksPerMillisecond: Int64 { rawValue / 1_000 }

    package static func of(precision: Int) -> TimeUnit {
        switch precision {
        case ...3: .milliseconds
        case ...6: .microseconds
        default: .nanoseconds
        }
    }
}

/// How the values of a column lie in memory: `width` bytes a row, or offsets into a run of bytes.
package enum PhysicalType: UInt8, Sendable {
    case bool = 0, int8, int16, int32, int64, int128, float32, float64, bytes

    /// Bytes a row in the values buffer; for `.bytes` the width of one offset.
    @inlinable package var width: Int {
        switch self {
        case .bool, .int8: 1
        case .int16: 2
        case .int32, .float32, .bytes: 4
        case .int64, .float64: 8
        case .int128: 16
        }
    }
}

extension TypeKind {
    package var physical: PhysicalType {
        switch self {
        case .null, .boolean: .bool
        case .tinyint: .int8
        case .smallint: .int16
        case .integer, .date, .time, .intervalYearMonth: .int32
        case .bigint, .timestamp, .timestampLTZ, .intervalDayTime: .int64
        case .float: .float32
        case .double: .float64
        case .decimal: .int128
        case .char, .varchar, .binary, .varbinary: .bytes
        }
    }

    package var isCharacter: Bool {
        switch self { case .char, .varchar: true; default: false }
    }

    package var isBinary: Bool {
        switch self { case .binary, .varbinary: true; default: false }
    }

    package var isInteger: Bool {
        switch self { case .tinyint, .smallint, .integer, .bigint: true; default: false }
    }

    package var isNumeric: Bool {
        switch self { case .float, .double, .decimal: true; default: isInteger }
    }

    package var isTimestamp: Bool {
        switch self { case .timestamp, .timestampLTZ: true; default: false }
    }

    /// The tick of a timestamp type; nil for every other type.
    package var timeUnit: TimeUnit? {
        switch self { case .timestamp(let p), .timestampLTZ(let p): .of(precision: p); default: nil }
    }
}

extension DataType: CustomStringConvertible {
    /// As Flink prints it: `VARCHAR(2147483647)`, `TIMESTAMP(3) NOT NULL`.
    package var description: String { kind.description + (isNullable ? "" : " NOT NULL") }
}

extension TypeKind: CustomStringConvertible {
    package var description: String {
        switch self {
        case .null: "NULL"
        case .boolean: "BOOLEAN"
        case .tinyint: "TINYINT"
        case .smallint: "SMALLINT"
        case .integer: "INT"
        case .bigint: "BIGINT"
        case .float: "FLOAT"
        case .double: "DOUBLE"
        case .decimal(let precision, let scale): "DECIMAL(\(precision), \(scale))"
        case .char(let length): "CHAR(\(length))"
        case .varchar(let length): "VARCHAR(\(length))"
        case .binary(let length): "BINARY(\(length))"
        case .varbinary(let length): "VARBINARY(\(length))"
        case .date: "DATE"
        case .time(let precision): "TIME(\(precision))"
        case .timestamp(let precision): "TIMESTAMP(\(precision))"
        case .timestampLTZ(let precision): "TIMESTAMP_LTZ(\(precision))"
        case .intervalYearMonth: "INTERVAL YEAR TO MONTH"
        case .intervalDayTime: "INTERVAL DAY TO SECOND(3)"
        }
    }
}
