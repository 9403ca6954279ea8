import Columnar
import Dataflow
import Glibc

/// A format for messages that come one by one: the text formats' rows, or the bytes themselves.
enum MessageFormat: Sendable {
    case text(Format)
    /// The one column holds the whole message.
    case raw

    init(_ options: Options) throws(StreamError) {
        if options.string("format") == "raw" { self = .raw } else { self = .text(try Format(options)) }
    }

    func makeReader(_ schema: Schema, tableColumns: [String]) -> MessageReader { MessageReader(self, schema, tableColumns) }
}

/// Reads messages into rows; text formats give mostly one a message, CSV one a line.
final class MessageReader {
    private let lines: (any LineReader)?
    private let isJSON: Bool
    private let columns: Int

    init(_ format: MessageFormat, _ schema: Schema, _ tableColumns: [String]) {
        columns = schema.types.count
        switch format {
        case .raw: (lines, isJSON) = (nil, false)
        case .text(let format):
            lines = format.makeReader(schema, fileFields: tableColumns)
            lines?.isLast = true
            if case .json = format { isJSON = true } else { isJSON = false }
        }
    }

    var skippedRows: Int { lines?.skippedRows ?? 0 }

    /// Said before the messages of one run of text are read.
    func begin(isASCII: Bool) { lines?.mayHoldNonASCII = !isASCII }

    /// Newlines between tokens become spaces. Those inside of strings, which JSON has not, become another sign that it has not: a row does not end there.
    private static func joinLines(_ start: UnsafeMutablePointer<UInt8>, _ end: UnsafeMutablePointer<UInt8>) {
        var at = start
        var isInString = false
        while at < end {
            switch at[0] {
            case 0x22: isInString.toggle()
            case 0x5C where isInString && at + 1 < end && at[1] != 0x0A: at += 1
            case 0x0A: at[0] = isInString ? 0x01 : 0x20
            default: break
            }
            at += 1
        }
    }

    /// Reads the message `text[from..<to]`; one byte behind it becomes a newline, and 63 more may be read. False: its rows did not all fit,
    /// none of them is there.
    func read(_ text: UnsafeMutablePointer<UInt8>, from: Int, to: Int, into fill: ColumnFill) throws(MalformedRow) -> Bool {
        guard let lines else {
            guard fill.count < fill.capacity else { return false }
            for column in 0..<columns { fill.setBytes(column, fill.count, text + from, to - from) }
            fill.count += 1
            return true
        }
        var end = to
        if isJSON {
            if memchr(text + from, 0x0A, end - from) != nil { MessageReader.joinLines(text + from, text + end) }
        } else {
            if end > from, text[end - 1] == 0x0A { end -= 1 }
            if end > from, text[end - 1] == 0x0D { end -= 1 }
        }
        text[end] = 0x0A
        let before = fill.count
        guard before < fill.capacity else { return false }
        let stop = end + 1
        let at = try lines.read(text, from: from, to: stop, limit: stop, maximumRows: fill.capacity, into: fill)
        if at < stop {
            fill.count = before
            fill.forgetRow()
            return false
        }
        return true
    }
}
