import CKernels
import Columnar

/// Writes rows as CSV, bytes as Flink's Jackson writes them.
///
/// Text is quoted when it is longer than 24 characters or holds a character up to the greatest of delimiter, quote and newline
/// (so a timestamp is, for its space; Jackson's "loose" check). Numbers and booleans never are. NULL is the null literal.
/// TIMESTAMP_LTZ is written in UTC with a `Z` behind it.
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
        withUnsafeTemporaryAllocation(of: Lane.self, capacity: columns.count) { lanes in
            for (place, column) in columns.enumerated() { lanes.initializeElement(at: place, to: Lane(batch.columns[column], index: column)) }
            let count = rows?.count ?? batch.count
            // Every value but long text fits its share.
            let bound = (lanes.count + 1) * CSVWriter.memoStride
            for index in 0..<count {
                let row = rows.map { Int($0[index]) } ?? index
                var out = text.reserve(bound)
                for place in 0..<lanes.count {
                    if place > 0 {
                        out[0] = options.delimiter
                        out += 1
                    }
                    append(lanes[place], batch, row, &out, text)
                }
                out[0] = 0x0A
                text.count = out + 1 - text.pointer
            }
        }
    }

    /// Writes a value at `out`, where `memoStride` bytes are free.
    @inline(__always)
    private func append(_ lane: Lane, _ batch: Batch, _ row: Int, _ out: inout UnsafeMutablePointer<UInt8>, _ text: TextBuffer) {
        if lane.isNull(row) { return nullLiteral.isEmpty ? () : appendSlowly(lane, batch, row, &out, text) }
        switch lane.kind {
        case .string:
            let (bytes, count) = lane.text(row)
            if count <= 16, options.escape == nil, Int(ck_below16(bytes, firstSafe)) >= count {
                ck_copy16(out, bytes)
                out += count
            } else { appendSlowly(lane, batch, row, &out, text) }
        case .timestamp, .timestampLTZ:
            let ticks = lane.value(row, as: Int64.self)
            let memo = memos + lane.index
            let known = memoText + lane.index * CSVWriter.memoStride
            if memo.pointee.length == 0 || memo.pointee.ticks != ticks { remember(ticks, lane, memo, known) }
            ck_copy16(out, known)
            ck_copy16(out + 16, known + 16)
            if memo.pointee.length > 32 { ck_copy16(out + 32, known + 32) }
            out += memo.pointee.length
        case .double: out += DoubleText.write(lane.value(row, as: Double.self), into: out)
        case .int64: out += IntegerText.write(lane.value(row, as: Int64.self), into: out)
        case .int32: out += IntegerText.write(Int64(lane.value(row, as: Int32.self)), into: out)
        default: appendSlowly(lane, batch, row, &out, text)
        }
    }

    @inline(never)
    private func remember(_ ticks: Int64, _ lane: Lane, _ memo: UnsafeMutablePointer<Memo>, _ known: UnsafeMutablePointer<UInt8>) {
        // A timestamp holds a space, so it is quoted whenever the space is not safe.
        let isQuoted = options.quote != nil && firstSafe > 0x20
        var length = isQuoted ? 1 : 0
        length += TimestampText.writeShortest(ticks, precision: lane.precision, into: known + length)
        if case .timestampLTZ = lane.kind {
            known[length] = 0x5A
            length += 1
        }
        if isQuoted, let quote = options.quote {
            known[0] = quote
            known[length] = quote
            length += 1
        }
        memo.pointee = Memo(ticks: ticks, length: length)
    }

    @inline(never)
    private func appendSlowly(_ lane: Lane, _ batch: Batch, _ row: Int, _ out: inout UnsafeMutablePointer<UInt8>, _ text: TextBuffer) {
        text.count = out - text.pointer
        appendOther(batch.columns[lane.index], row, to: text)
        out = text.reserve((columns.count + 1) * CSVWriter.memoStride)
    }

    private func appendOther(_ column: Column, _ row: Int, to text: TextBuffer) {
        if column.isNull(row) { return nullLiteral.withUnsafeBufferPointer { if let base = $0.baseAddress { text.append(base, $0.count) } } }
        switch column.type.kind {
        case .null: break
        case .boolean: text.append(column.pointer(UInt8.self)[row] != 0 ? "true" : "false")
        case .char, .varchar:
            let slice = column.slice(row)
            if let base = slice.baseAddress { appendText(base, slice.count, to: text) }
        case .binary, .varbinary:
            let encoded = TextBuffer()
            Base64.write(column.slice(row), to: encoded)
            appendText(encoded.pointer, encoded.count, to: text)
        case .date, .time:
            let plain = TextBuffer(capacity: 128)
            plain.count = ValueText.write(column, row, standard: .sql, into: plain.reserve(ValueText.maximumLength))
            appendText(plain.pointer, plain.count, to: text)
        case .decimal(_, let scale):
            text.count += ValueText.writeDecimal(
                column.pointer(Int128.self)[row], scale: scale, plain: options.plainDecimals, into: text.reserve(ValueText.maximumLength))
        default: text.count += ValueText.write(column, row, standard: .sql, into: text.reserve(ValueText.maximumLength))
        }
    }

    /// Text, in quotes when it needs them.
    private func appendText(_ bytes: UnsafePointer<UInt8>, _ count: Int, to text: TextBuffer) {
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
