import CKernels
import Dataflow
import Glibc

/// A window over a file's text that moves forward: read with `pread` into one buffer that is used again and again.
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
    private var file: Int32
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

    init(_ split: FileSplit, position: Int64?) throws(StreamError) {
        self.split = split
        self.skipsLine = position == nil && split.start > 0
        // The byte in front tells whether a line begins at the start.
        self.base = position ?? (split.start > 0 ? split.start - 1 : 0)
        self.file = open(split.path, O_RDONLY | O_CLOEXEC)
        self.memory = .allocate(capacity: FileText.chunk + 128)
        guard file >= 0 else {
            if errno == ENOENT { throw StreamError(.user, retry: false, "\(split.path): the file has vanished since it was found") }
            throw FilePath.error("opening", split.path)
        }
        var numbers = stat()
        guard fstat(file, &numbers) == 0 else { throw FilePath.error("reading", split.path) }
        let status = FilePath.status(numbers)
        if status.size < split.size || status.size == split.size && status.modified != split.modified {
            throw StreamError(
                .user, retry: false,
                "\(split.path): the file has changed since it was found (\(split.size) bytes then, \(status.size) now)")
        }
    }

    deinit {
        close()
        memory.deallocate()
    }

    func close() {
        if file >= 0 { _ = Glibc.close(file) }
        file = -1
    }

    /// Where the next row begins.
    var position: Int64 { skipsLine ? split.start : base + Int64(min(at, filled)) }

    /// Fills rows up to `maximumRows`. None: the split is read to its end.
    func read(_ reader: any LineReader, maximumRows: Int, into fill: ColumnFill) throws(MalformedRow) {
        let begin = position
        while fill.count < maximumRows, failure == nil, base + Int64(at) < split.end || skipsLine {
            if at < whole, !skipsLine, !reader.wantsMore || isAtEnd {
                reader.mayHoldNonASCII = !isPlain
                reader.isLast = isAtEnd
                let limit = Int(clamping: split.end - base)
                at = try reader.read(memory, from: at, to: whole, limit: limit, maximumRows: maximumRows, into: fill)
                if position - begin > FileText.maximumBatch { return }
                if !reader.wantsMore { continue }
            }
            if isAtEnd { return }
            try load()
            // More is here: the reader shall try again.
            if reader.wantsMore, at < whole {
                reader.mayHoldNonASCII = !isPlain
                reader.isLast = isAtEnd
                at = try reader.read(
                    memory, from: at, to: whole, limit: Int(clamping: split.end - base), maximumRows: maximumRows, into: fill)
            }
        }
    }

    /// Moves what is left to the front and reads on behind it.
    private func load() throws(MalformedRow) {
        let left = filled - at
        if at > 0, left > 0 { memory.update(from: memory + at, count: left) }
        base += Int64(at)
        at = 0
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
        var got = pread(file, memory + filled, capacity - filled, off_t(base) + off_t(filled))
        while got < 0, errno == EINTR { got = pread(file, memory + filled, capacity - filled, off_t(base) + off_t(filled)) }
        guard got >= 0 else {
            failure = FilePath.error("reading", split.path)
            return
        }
        if got == 0 {
            isAtEnd = true
            if base + Int64(filled) < split.end {
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

    /// The line number of a row, counted from the file's start, and how it begins.
    func describe(_ row: MalformedRow) -> (line: Int, excerpt: String) {
        let start = base + Int64(row.rowStart)
        var line = 1
        var offset: Int64 = 0
        let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: FileText.chunk)
        defer { buffer.deallocate() }
        while offset < start {
            let got = pread(file, buffer, Int(min(Int64(FileText.chunk), start - offset)), off_t(offset))
            guard got > 0 else { break }
            line += ck_count_byte(buffer, got, 0x0A)
            offset += Int64(got)
        }
        let end = min(filled, row.rowStart + 120)
        var length = max(0, end - row.rowStart)
        if let newline = memchr(memory + row.rowStart, 0x0A, length) {
            length = (memory + row.rowStart).distance(to: newline.assumingMemoryBound(to: UInt8.self))
        }
        let shown = String(decoding: UnsafeBufferPointer(start: memory + row.rowStart, count: length), as: UTF8.self)
        return (line, length == 120 ? shown + "…" : shown)
    }
}
