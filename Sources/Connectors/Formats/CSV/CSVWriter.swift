import CKernels
import Columnar

/// Writes rows as CSV, bytes as Flink's Jackson writes them.
///
/// Text is quoted when it is longer than 24 characters or holds a character up to the greatest of delimiter, quote and newline
/// (so a timestamp is, for its space; Jackson's "loose" check). Numbers and booleans never are. NULL is the null literal.
package final class CSVWriter: RowWriter {
    private let options: CSVOptions
    private let columns: [Int]
    private let nullLiteral: [UInt8]
    private let firstSafe: UInt8
    /// The text of the last timestamp of a column: neighbours in a batch are often the same.
    private struct Memo {
        var ticks: Int64
        var length: Int
    }
    private let memos: UnsafeMutablePointer<Memo>
    private let memoText: UnsafeMutablePointer<UInt8>
    private static let memoStride = 64

    /// Writes `columns` (all, when nil) of batches of this schema.
    package init(_ schema: Schema, columns: [Int]? = nil, options: CSVOptions = CSVOptions()) {
        self.options = options
        self.columns = columns ?? Array(schema.fields.indices)
        self.nullLiteral = options.nullLiteral ?? []
        self.firstSafe = max(options.delimiter, options.quote ?? 0, 0x0A) &+ 1
        self.memos = .allocate(capacity: max(schema.count, 1))
        memos.initialize(repeating: Memo(ticks: 0, length: 0), count: schema.count)
        self.memoText = .allocate(capacity: max(schema.count, 1) * CSVWriter.memoStride)
    }

    deinit {
        memos.deallocate()
        memoText.deallocate()
    }

    package func write(_ batch: Batch, rows: UnsafeBufferPointer<Int32>?, to text: TextBuffer) throws(MalformedValue) {
        let kinds = columns.map { FieldKind(batch.columns[$0].type.kind) }
        for index in 0..<(rows?.count ?? batch.count) {
            let row = rows.map { Int($0[index]) } ?? index
            for place in columns.indices {
                if place > 0 {
                    text.reserve(1)[0] = options.delimiter
                    text.count += 1
                }
                append(batch.columns[columns[place]], kinds[place], columns[place], row, to: text)
            }
            text.reserve(1)[0] = 0x0A
            text.count += 1
        }
    }

    @inline(__always)
    private func append(_ column: Column, _ kind: FieldKind, _ index: Int, _ row: Int, to text: TextBuffer) {
        guard !column.isNull(row) else { return nullLiteral.withUnsafeBufferPointer { if let base = $0.baseAddress { text.append(base, $0.count) } } }
        switch kind {
        case .string:
            let slice = column.slice(row)
            // An empty buffer has memory all the same: slices point into a run.
            appendText(slice.baseAddress.unsafelyUnwrapped, slice.count, to: text)
        case .timestamp, .timestampLTZ: appendTimestamp(column, index, row, to: text)
        case .double: text.count += DoubleText.write(column.pointer(Double.self)[row], into: text.reserve(DoubleText.maximumLength))
        case .int64: text.count += IntegerText.write(column.pointer(Int64.self)[row], into: text.reserve(IntegerText.maximumLength))
        default: appendOther(column, row, to: text)
        }
    }

    @inline(__always)
    private func appendTimestamp(_ column: Column, _ index: Int, _ row: Int, to text: TextBuffer) {
        let ticks = column.pointer(Int64.self)[row]
        let memo = memos + index
        let known = memoText + index * CSVWriter.memoStride
        if memo.pointee.length == 0 || memo.pointee.ticks != ticks { remember(column, ticks, row, memo, known) }
        let target = text.reserve(CSVWriter.memoStride)
        let length = memo.pointee.length
        ck_copy16(target, known)
        ck_copy16(target + 16, known + 16)
        if length > 32 { (target + 32).update(from: known + 32, count: length - 32) }
        text.count += length
    }

    @inline(never)
    private func remember(
        _ column: Column, _ ticks: Int64, _ row: Int, _ memo: UnsafeMutablePointer<Memo>, _ known: UnsafeMutablePointer<UInt8>
    ) {
        let plain = TextBuffer(capacity: 128), quoted = TextBuffer(capacity: 128)
        plain.count = ValueText.write(column, row, standard: .sql, into: plain.reserve(ValueText.maximumLength))
        appendText(plain.pointer, plain.count, to: quoted)
        known.update(from: quoted.pointer, count: quoted.count)
        memo.pointee = Memo(ticks: ticks, length: quoted.count)
    }

    private func appendOther(_ column: Column, _ row: Int, to text: TextBuffer) {
        switch column.type.kind {
        case .null: break
        case .boolean: text.append(column.pointer(UInt8.self)[row] != 0 ? "true" : "false")
        case .binary, .varbinary:
            // Long binary values are quoted by length alone: no character of Base64 but '+' needs it.
            let encoded = TextBuffer()
            Base64.write(column.slice(row), to: encoded)
            appendText(encoded.pointer, encoded.count, to: text)
        case .date, .time:
            let target = text.reserve(ValueText.maximumLength * 3) + ValueText.maximumLength * 2
            let length = ValueText.write(column, row, standard: .sql, into: target)
            appendText(target, length, to: text)
        case .decimal(_, let scale):
            text.count += ValueText.writeDecimal(
                column.pointer(Int128.self)[row], scale: scale, plain: options.plainDecimals, into: text.reserve(ValueText.maximumLength))
        default: text.count += ValueText.write(column, row, standard: .sql, into: text.reserve(ValueText.maximumLength))
        }
    }

    /// Text, in quotes when it needs them.
    @inline(__always)
    private func appendText(_ bytes: UnsafePointer<UInt8>, _ count: Int, to text: TextBuffer) {
        if count <= 16, options.escape == nil {
            let target = text.reserve(16)
            ck_copy16(target, bytes)
            if Int(ck_below16(bytes, firstSafe)) >= count {
                text.count += count
                return
            }
        }
        appendLongText(bytes, count, to: text)
    }

    private func appendLongText(_ bytes: UnsafePointer<UInt8>, _ count: Int, to text: TextBuffer) {
        guard let quote = options.quote, needsQuotes(bytes, count) else { return text.append(bytes, count) }
        let target = text.reserve(count * 2 + 2)
        target[0] = quote
        var at = 1
        for index in 0..<count {
            let byte = bytes[index]
            if byte == quote || byte == options.escape {
                target[at] = byte
                at += 1
            }
            target[at] = byte
            at += 1
        }
        target[at] = quote
        text.count += at + 1
    }

    /// More than 24 UTF-16 units, or a character that is not safe.
    private func needsQuotes(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var units = 0
        for index in 0..<count {
            let byte = bytes[index]
            if byte < firstSafe || byte == options.escape { return true }
            // Bytes that continue a character count nothing; those that begin one outside the first plane count two.
            if byte & 0xC0 != 0x80 { units += byte >= 0xF0 ? 2 : 1 }
            if units > 24 { return true }
        }
        return false
    }
}
