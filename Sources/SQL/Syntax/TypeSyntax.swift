/// A type as written in a column definition or a CAST.
struct TypeSyntax {
    indirect enum Kind {
        /// A type that its name and numbers say fully: `INT`, `DECIMAL(10, 2)`, `TIMESTAMP_LTZ(3)`. The name is the shortest of
        /// Flink's synonyms, in upper case: `INT` for INTEGER, `STRING`, `BYTES`, `DECIMAL` for DEC and NUMERIC, `DOUBLE` for
        /// DOUBLE PRECISION, `TIMESTAMP_LTZ` for TIMESTAMP WITH LOCAL TIME ZONE, `TIMESTAMP` for … WITHOUT TIME ZONE.
        case plain(String, [Int])
        case interval(IntervalUnitsSyntax)
        case array(TypeSyntax)
        case multiset(TypeSyntax)
        case map(TypeSyntax, TypeSyntax)
        case row([Field])
        /// A name that no built-in type has.
        case named(ObjectNameSyntax)
    }

    struct Field {
        let name: NameSyntax
        let type: TypeSyntax
    }

    let kind: Kind
    /// False after NOT NULL.
    let nullable: Bool
    let range: SourceRange

    /// Names of the plain types with how many numbers each may take.
    static let plain: [String: ClosedRange<Int>] = [
        "CHAR": 0...1, "VARCHAR": 0...1, "STRING": 0...0, "BINARY": 0...1, "VARBINARY": 0...1, "BYTES": 0...0, "BOOLEAN": 0...0,
        "DECIMAL": 0...2, "TINYINT": 0...0, "SMALLINT": 0...0, "INT": 0...0, "BIGINT": 0...0, "FLOAT": 0...0, "DOUBLE": 0...0,
        "DATE": 0...0, "TIME": 0...1, "TIMESTAMP": 0...1, "TIMESTAMP_LTZ": 0...1, "TIMESTAMP_TZ": 0...1, "NULL": 0...0, "VARIANT": 0...0,
    ]

    static let synonyms = ["INTEGER": "INT", "DEC": "DECIMAL", "NUMERIC": "DECIMAL", "CHARACTER": "CHAR", "BOOL": "BOOLEAN", "REAL": "FLOAT"]
}

/// `YEAR TO MONTH`, `DAY(3) TO SECOND(6)`, `SECOND`.
struct IntervalUnitsSyntax: Equatable {
    let first: TimeUnitSyntax
    let last: TimeUnitSyntax?
    /// Digits of the first unit, and after the second's point; nil when not written.
    let precision: Int?
    let fraction: Int?
}

/// What time is counted in: in intervals, EXTRACT, CEIL/FLOOR and TIMESTAMPADD/-DIFF.
enum TimeUnitSyntax: String, CaseIterable {
    case year = "YEAR", quarter = "QUARTER", month = "MONTH", week = "WEEK", day = "DAY", hour = "HOUR", minute = "MINUTE", second = "SECOND"
    case millisecond = "MILLISECOND", microsecond = "MICROSECOND", nanosecond = "NANOSECOND"
    case decade = "DECADE", century = "CENTURY", millennium = "MILLENNIUM", epoch = "EPOCH"
    case dayOfWeek = "DOW", dayOfYear = "DOY", isoDayOfWeek = "ISODOW", isoYear = "ISOYEAR"

    /// Also the plural (`DAYS`), which Flink takes in intervals, and the older `SQL_TSI_DAY`.
    init?(keyword: String) {
        var word = keyword
        if word.hasPrefix("SQL_TSI_") { word.removeFirst(8) }
        if let unit = TimeUnitSyntax(rawValue: word) {
            self = unit
        } else if word.hasSuffix("S"), let unit = TimeUnitSyntax(rawValue: String(word.dropLast())) {
            self = unit
        } else {
            return nil
        }
    }
}
