import Columnar

/// Turns lines of text into rows. One object a file range, on one thread.
package protocol LineReader: AnyObject {
    /// Decodes rows from `text[from..<to]`, where `text[to - 1]` is a newline and 64 bytes behind `to` may be read, until the fill
    /// has `maximumRows` rows or a row would start at `limit` or later. Returns where the next row starts.
    func read(
        _ text: UnsafePointer<UInt8>, from: Int, to: Int, limit: Int, maximumRows: Int, into fill: ColumnFill
    ) throws(MalformedRow) -> Int

    /// Set while a part of the text was not seen to be plain ASCII: rows must then be checked to be UTF-8.
    var mayHoldNonASCII: Bool { get set }

    /// `read` stopped in front of a row that ends behind `to`.
    var wantsMore: Bool { get }
    /// Set for the last text of a file: a row that is still open is then malformed.
    var isLast: Bool { get set }

    /// Rows that were dropped, and single values that became NULL, because `ignore-parse-errors` is set.
    var skippedRows: Int { get }
    var skippedValues: Int { get }
}

/// Why a row cannot be read, at an offset into the text that was being read.
package struct MalformedRow: Error {
    package var offset: Int
    /// Where its row begins.
    package var rowStart: Int
    package var message: String

    package init(offset: Int, rowStart: Int, _ message: String) {
        self.offset = offset
        self.rowStart = rowStart
        self.message = message
    }
}

/// Turns rows into text.
package protocol RowWriter: AnyObject {
    /// Appends the lines of the batch's rows; of those in `rows` only, when given.
    func write(_ batch: Batch, rows: UnsafeBufferPointer<Int32>?, to text: TextBuffer) throws(MalformedValue)
}

/// A value that a format cannot hold.
package struct MalformedValue: Error {
    package var message: String
    package init(_ message: String) { self.message = message }
}
