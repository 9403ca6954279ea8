/// One value outside a column: a literal, a default, a cell on its way to being printed.
///
/// Integers of every width, dates, times, timestamps (ticks of their type) and intervals are `.integer`.
package enum Value: Hashable, Codable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    /// The unscaled value; the scale is the type's.
    case decimal(Int128)
    /// UTF-8 of a character type, or the bytes of a binary one.
    case bytes([UInt8])

    package static func string(_ text: String) -> Value { .bytes(Array(text.utf8)) }

    package var isNull: Bool { self == .null }
}
