/// The options of `'format' = 'csv'`; names and defaults are Flink's.
package struct CSVOptions: Sendable {
    package var delimiter: UInt8 = 0x2C
    /// Nil: `csv.disable-quote-character`.
    package var quote: UInt8? = 0x22
    package var escape: UInt8?
    /// Nil: nothing is read as NULL (and NULL is written as nothing).
    package var nullLiteral: [UInt8]?
    package var ignoreParseErrors = false
    /// Lines that begin with `#` are passed over.
    package var allowComments = false
    /// `csv.write-bigdecimal-in-scientific-notation` = false
    package var plainDecimals = false

    package init() {}

    /// Whether a newline always ends a row, so that a file may be cut into splits at any byte.
    package var rowsAreLines: Bool { quote == nil && escape == nil }
}
