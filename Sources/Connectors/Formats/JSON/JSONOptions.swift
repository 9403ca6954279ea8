/// How timestamps are written in text formats (`json.timestamp-format.standard`).
package enum TimestampStandard: Sendable {
    /// `yyyy-MM-dd HH:mm:ss[.f]`
    case sql
    /// `yyyy-MM-ddTHH:mm:ss[.f]`
    case iso8601

    var separator: UInt8 { self == .sql ? 0x20 : 0x54 }
}

/// The options of `'format' = 'json'`; names and defaults are Flink's.
package struct JSONOptions: Sendable {
    package var failOnMissingField = false
    package var ignoreParseErrors = false
    package var timestamps = TimestampStandard.sql
    /// `json.encode.decimal-as-plain-number`
    package var plainDecimals = false
    /// `json.encode.ignore-null-fields`
    package var ignoreNullFields = false

    package init() {}
}
