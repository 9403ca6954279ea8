import CKernels
import Columnar
import Glibc

/// Format `raw` reads: one column, each line as it is.
final class RawReader: LineReader {
    private let checksText: Bool
    var mayHoldNonASCII = false
    var isLast = false
    var wantsMore: Bool { false }
    var skippedRows: Int { 0 }
    var skippedValues: Int { 0 }

    init(_ schema: Schema) { checksText = schema.types.first?.kind.isCharacter ?? false }

    func read(
        _ text: UnsafePointer<UInt8>, from: Int, to: Int, limit: Int, maximumRows: Int, into fill: ColumnFill
    ) throws(MalformedRow) -> Int {
        var at = from
        while at < to, at < limit, fill.count < maximumRows {
            guard let newline = memchr(text + at, 0x0A, to - at) else { return at }
            let length = (text + at).distance(to: UnsafePointer(newline.assumingMemoryBound(to: UInt8.self)))
            if !fill.types.isEmpty {
                if checksText, mayHoldNonASCII, ck_is_utf8(text + at, length) == 0 { throw MalformedRow(offset: at, rowStart: at, "the line is not UTF-8") }
                fill.setBytes(0, fill.count, text + at, length)
            }
            fill.count += 1
            at += length + 1
        }
        return at
    }
}

/// Format `raw` writes: one column, each value as it is, then a newline. NULL is an empty line.
final class RawWriter: RowWriter {
    private let column: Int

    init(column: Int) { self.column = column }

    func write(_ batch: Batch, rows: UnsafeBufferPointer<Int32>?, to text: TextBuffer) throws(MalformedValue) {
        let lane = Lane(batch.columns[column], index: column)
        for index in 0..<(rows?.count ?? batch.count) {
            let row = rows.map { Int($0[index]) } ?? index
            if !lane.isNull(row) {
                let (bytes, count) = lane.text(row)
                text.append(bytes, count)
            }
            text.append(0x0A)
        }
    }
}
