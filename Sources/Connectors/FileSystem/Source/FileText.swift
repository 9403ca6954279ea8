import CKernels
import Dataflow
import Glibc

/// A window over a file's text that moves forward: read into one buffer that is used again and again.
///
/// (Not mapped: a file that is cut short while it is read must be an error, not a signal.)
final class FileText {
    /// Small enough to stay in a core's cache between the kernel's copy and our reading.
    static let chunk = 256 << 10
    /// Longer rows are malformed.
    static let maximumRow = 64 << 20
    /// A batch ends after so much text, whatever the number of rows.
    private static let maximumBatch = 32 << 20

    let split: FileSplit
    /// Set when the file could not be read on; `read` has then given the rows before.
    private(set) var failure: StreamError?
    /// Bytes that should be here are under way: what `read` gave is all for now.
    private(set) var isWaiting = false
    private let bytes: any FileBytes
    /// Rows that begin here or later are not ours.
    private let end: Int64
    private var memory: UnsafeMutablePointer<UInt8>
    private var capacity = FileText.chunk
    /// Offset in the file of `memory[0]`.
    private var base: Int64
    /// The next row begins at `memory[at]`; whole lines end at `whole`; text ends at `filled`.
    private var at = 0
    private var whole = 0
    private var filled = 0
    private var isAtEnd = false
    /// The split began inside a line, which is not ours.
    private var skipsLine: Bool
    private var isPlain = true

    init(_ split: FileSplit, _ bytes: any FileBytes, position: Int64?) {
        self.split = split
        self.end = split.isCompressed ? .max : split.end
        self.skipsLine = position == nil && split.start > 0
        // The byte in front tells whether a line begins at the start.
        self.base = position ?? (split.start > 0 ? split.start - 1 : 0)
        self.bytes = bytes
        self.memory = .allocate(capacity: FileText.chunk + 128)
    }

    deinit {
        memory.deallocate()
    }

    func close() { bytes.close() }

    /// Where the next row begins.
    var position: Int64 { skipsLine ? split.start : base + Int64(min(at, filled)) }

    /// Nothing of the split is left. (A stretch without a row is no end: all of its lines may have been malformed.)
    var isDone: Bool { failure == nil && !skipsLine && (isAtEnd || base + Int64(at) >= end) }

    /// Fills rows up to `maximumRows`. None: the split is read to its end if `isDone`, otherwise there was no good row yet.
    func read(_ reader: any LineReader, maximumRows: Int, into fill: ColumnFill) throws(MalformedRow) {
        let begin = position
        isWaiting = false
        while fill.count < maximumRows, failure == nil, base + Int64(at) < end || skipsLine {
            if at < whole, !skipsLine, !reader.wantsMore || isAtEnd {
                reader.mayHoldNonASCII = !isPlain
                reader.isLast = isAtEnd
                let limit = Int(clamping: end - base)
                at = try reader.read(memory, from: at, to: whole, limit: limit, maximumRows: maximumRows, into: fill)
                if position - begin > FileText.maximumBatch { return }
                if !reader.wantsMore { continue }
            }
            if isAtEnd { return }
            try load()
            if isWaiting { return }
            // More is here: the reader shall try again.
            if reader.wantsMore, at < whole {
                reader.mayHoldNonASCII = !isPlain
                reader.isLast = isAtEnd
                at = try reader.read(
                    memory, from: at, to: whole, limit: Int(clamping: end - base), maximumRows: maximumRows, into: fill)
            }
        }
    }

    /// Moves what is left to the front and reads on behind it.
    private func load() throws(MalformedRow) {
        let left = filled - at
        if at > 0, left > 0 { memory.update(from: memory + at, count: left) }
        base += Int64(at)
        at = 0
        whole = 0
        filled = left
        if filled > capacity / 2 {
            guard capacity < FileText.maximumRow else {
                throw MalformedRow(offset: 0, rowStart: 0, "the row is longer than \(FileText.maximumRow >> 20) MB")
            }
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2 + 128)
            larger.update(from: memory, count: filled)
            memory.deallocate()
            memory = larger
            capacity *= 2
        }
        let got: Int
        do throws(StreamError) {
            guard let here = try bytes.read(into: memory + filled, capacity - filled, at: base + Int64(filled)) else {
                isWaiting = true
                return
            }
            got = here
        } catch {
            failure = error
            return
        }
        if got == 0 {
            isAtEnd = true
            if !split.isCompressed, base + Int64(filled) < end {
                failure = StreamError(
                    .user, retry: false, "\(split.path): the file was cut short while it was read, to \(base + Int64(filled)) bytes")
                return
            }
        }
        filled += got
        if skipsLine { return skipLine() }
        findLines()
    }

    private func skipLine() {
        guard let newline = memchr(memory, 0x0A, filled) else {
            // Nothing of this line is needed.
            base += Int64(filled)
            filled = 0
            if isAtEnd { skipsLine = false }
            return
        }
        skipsLine = false
        at = memory.distance(to: newline.assumingMemoryBound(to: UInt8.self)) + 1
        findLines()
    }

    private func findLines() {
        if isAtEnd, filled > at, memory[filled - 1] != 0x0A {
            // The last line may lack its newline.
            memory[filled] = 0x0A
            whole = filled + 1
        } else {
            let behind = ck_behind_last_newline(memory + at, filled - at)
            whole = behind > 0 ? at + behind : 0
        }
        (memory + max(filled, whole)).update(repeating: 0, count: 64)
        isPlain = ck_is_ascii(memory + at, filled - at) != 0
    }

    /// Where a row is (its line, where that is quickly counted), and how it begins.
    func describe(_ row: MalformedRow) -> (place: String, excerpt: String) {
        let start = base + Int64(row.rowStart)
        var place = split.isCompressed ? "at byte \(start) of its text" : "at byte \(start)"
        if !split.isCompressed, let file = try? LocalBytes(split) {
            var line = 1
            var offset: Int64 = 0
            let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: FileText.chunk)
            defer { buffer.deallocate() }
            while offset < start, let got = try? file.read(into: buffer, Int(min(Int64(FileText.chunk), start - offset)), at: offset), got > 0 {
                line += ck_count_byte(buffer, got, 0x0A)
                offset += Int64(got)
            }
            place = "line \(line)"
        }
        let end = min(filled, row.rowStart + 120)
        var length = max(0, end - row.rowStart)
        if let newline = memchr(memory + row.rowStart, 0x0A, length) {
            length = (memory + row.rowStart).distance(to: newline.assumingMemoryBound(to: UInt8.self))
        }
        let shown = String(decoding: UnsafeBufferPointer(start: memory + row.rowStart, count: length), as: UTF8.self)
        return (place, length == 120 ? shown + "…" : shown)
    }
}
