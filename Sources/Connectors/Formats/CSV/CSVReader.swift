import CKernels
import Columnar
import Glibc

/// Reads CSV rows into columns, by position, as Flink's Jackson reader does.
///
/// A quoted field may hold newlines; the reader then needs the rest of the row, see `read`. Rows with too many or too few fields
/// are malformed, but lines with nothing on them are passed over (of a table of one column they are an empty field).
package final class CSVReader: LineReader {
    private let options: CSVOptions
    private let names: [String]
    private let types: [DataType]
    private let kinds: [FieldKind]
    /// For each field of the file the column that it fills, or -1.
    private let places: [Int]
    private let scratch = TextBuffer()

    package var mayHoldNonASCII = true
    package private(set) var skippedRows = 0
    package private(set) var skippedValues = 0
    /// The text ended inside a quoted field, or so it seems: `read` came back early and wants more of it.
    package private(set) var wantsMore = false
    /// Set for the last text of a file: what is open then is malformed.
    package var isLast = false

    /// `fileFields`: the names of all fields of a line, in order; `schema`: those to read.
    package init(_ schema: Schema, fileFields: [String], options: CSVOptions = CSVOptions()) {
        self.options = options
        self.names = schema.names
        self.types = schema.types
        self.kinds = schema.types.map { FieldKind($0.kind) }
        self.places = fileFields.map { schema.index(of: $0) ?? -1 }
    }

    private enum Outcome {
        case row(UnsafePointer<UInt8>)
        case noRow(UnsafePointer<UInt8>)
        case wantsMore
        case malformed(UnsafePointer<UInt8>, String)
    }

    package func read(
        _ text: UnsafePointer<UInt8>, from: Int, to: Int, limit: Int, maximumRows: Int, into fill: ColumnFill
    ) throws(MalformedRow) -> Int {
        var at = text + from
        let end = text + to
        let stop = text + min(limit, to)
        wantsMore = false
        while at < stop, fill.count < min(maximumRows, fill.capacity) {
            switch readRow(at, end, fill, fill.count) {
            case .row(let next):
                fill.count += 1
                at = next
            case .noRow(let next): at = next
            case .wantsMore:
                wantsMore = true
                return at - text
            case .malformed(let place, let message):
                guard options.ignoreParseErrors else { throw MalformedRow(offset: place - text, rowStart: at - text, message) }
                skippedRows += 1
                fill.forgetRow()
                at = newline(at) + 1
            }
        }
        return at - text
    }

    private func readRow(_ begin: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ fill: ColumnFill, _ row: Int) -> Outcome {
        if options.allowComments, begin[0] == 0x23 { return .noRow(newline(begin) + 1) }
        if places.count != 1 || options.allowComments {
            if begin[0] == 0x0A { return .noRow(begin + 1) }
            if begin[0] == 0x0D, begin[1] == 0x0A { return .noRow(begin + 2) }
        }
        var at = begin
        var field = 0
        while true {
            let place = field < places.count ? places[field] : -1
            let text: UnsafePointer<UInt8>, count: Int
            if let quote = options.quote, at[0] == quote {
                switch readQuoted(at + 1, end, quote) {
                case .open: return isLast ? .malformed(at, "a quoted field is not closed") : .wantsMore
                case .field(let next):
                    text = UnsafePointer(scratch.pointer)
                    count = scratch.count
                    at = next
                    while at[0] == 0x20 { at += 1 }
                    guard at[0] == options.delimiter || at[0] == 0x0A || at[0] == 0x0D else {
                        return .malformed(at, "expected the delimiter or the end of the line behind a quoted field")
                    }
                }
            } else if options.escape != nil {
                at = readEscaped(at)
                text = UnsafePointer(scratch.pointer)
                count = scratch.count
            } else {
                text = at
                while true {
                    let length = Int(ck_field_stop16(at, options.delimiter, 0x0A))
                    at += length
                    // A return that no newline follows belongs to the field.
                    if length < 16 { if at[0] == 0x0D, at[1] != 0x0A { at += 1 } else { break } }
                }
                count = at - text
            }
            if place >= 0, let message = store(text, count, place, fill, row) { return .malformed(begin, message) }
            field += 1
            if at[0] == options.delimiter {
                at += 1
                continue
            }
            if at[0] == 0x0D { at += 1 }
            break
        }
        if mayHoldNonASCII, ck_is_utf8(begin, at - begin) == 0 { return .malformed(begin, "the row is not valid UTF-8") }
        guard field == places.count else {
            // With ignore-parse-errors Flink takes what is there, and NULL for the rest.
            guard options.ignoreParseErrors else { return .malformed(begin, "\(places.count) fields expected but was \(field)") }
            for missing in places.indices where missing >= field && places[missing] >= 0 { fill.setNull(places[missing], row) }
            return .row(at + 1)
        }
        return .row(at + 1)
    }

    private enum Quoted { case open, field(UnsafePointer<UInt8>) }

    /// Decodes a quoted field into `scratch`; two quotes are one.
    private func readQuoted(_ begin: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ quote: UInt8) -> Quoted {
        scratch.count = 0
        var at = begin
        while at < end {
            let length = min(Int(ck_field_stop16(at, quote, options.escape ?? quote)), end - at)
            scratch.append(at, length)
            at += length
            guard at < end else { break }
            if length == 16 { continue }
            if at[0] == options.escape, at + 1 < end {
                scratch.append(unescaped(at[1]))
                at += 2
            } else if at[0] == quote {
                guard at + 1 < end else { return .open }
                if at[1] != quote { return .field(at + 1) }
                scratch.append(quote)
                at += 2
            } else {
                scratch.append(at[0])
                at += 1
            }
        }
        return .open
    }

    /// Decodes a field without quotes but with escapes into `scratch`. Returns where it ends.
    private func readEscaped(_ begin: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        scratch.count = 0
        var at = begin
        while at[0] != options.delimiter, at[0] != 0x0A, !(at[0] == 0x0D && at[1] == 0x0A) {
            if at[0] == options.escape, at[1] != 0x0A {
                scratch.append(unescaped(at[1]))
                at += 2
            } else {
                scratch.append(at[0])
                at += 1
            }
        }
        return at
    }

    /// Jackson knows a few letters behind the escape character; every other one stands for itself.
    private func unescaped(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x6E: 0x0A
        case 0x72: 0x0D
        case 0x74: 0x09
        case 0x30: 0
        default: byte
        }
    }

    /// Nil, or why the value does not fit.
    private func store(_ text: UnsafePointer<UInt8>, _ count: Int, _ column: Int, _ fill: ColumnFill, _ row: Int) -> String? {
        if let null = options.nullLiteral, null.count == count, null.withUnsafeBufferPointer({ memcmp($0.baseAddress ?? text, text, count) == 0 }) {
            fill.setNull(column, row)
            return nil
        }
        var fits = true
        switch kinds[column] {
        case .string: fill.setBytes(column, row, text, count)
        case .binary: fits = Base64.decode(text, count) { fill.setBytes(column, row, $0, $1) }
        case .timestamp, .timestampLTZ:
            let (plain, length) = ScalarText.trimmed(text, count)
            if length >= 19, plain[10] == 0x20,
                let ticks = TimestampText.parseUTC(plain, count: length, precision: Int(FieldKind.precision(types[column].kind)))
            { fill.set(column, row, ticks) } else { fits = false }
        default: fits = ScalarText.store(text, count, column, fill, row)
        }
        if fits { return nil }
        guard options.ignoreParseErrors else {
            let shown = String(decoding: UnsafeBufferPointer(start: text, count: min(count, 60)), as: UTF8.self)
            return "field '\(names[column])': \(shown)\(count > 60 ? "…" : "") is no \(types[column].kind)"
        }
        skippedValues += 1
        fill.setNull(column, row)
        return nil
    }

    private func newline(_ line: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        UnsafePointer(memchr(line, 0x0A, 1 << 40).assumingMemoryBound(to: UInt8.self))
    }
}
