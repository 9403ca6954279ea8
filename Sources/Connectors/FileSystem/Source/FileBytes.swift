import Dataflow
import Glibc

/// The bytes of one file, read forward.
protocol FileBytes: AnyObject {
    /// Reads up to `count` bytes at `offset` (of the text, where the file is compressed). 0: the file ends there. Nil: they are under way;
    /// the reader is woken when they are here.
    func read(into target: UnsafeMutablePointer<UInt8>, _ count: Int, at offset: Int64) throws(StreamError) -> Int?

    func close()
}

/// A file of this machine.
final class LocalBytes: FileBytes {
    private let path: String
    private var file: Int32

    /// Throws when the file is not the one that was found: shorter, or as long and of another time. It is looked at when it is opened, so once for each
    /// split and restore.
    init(_ split: FileSplit) throws(StreamError) {
        path = split.path
        file = open(split.path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { throw StreamError(.user, retry: false, "\(split.path): the file has vanished since it was found") }
            throw FilePath.error("opening", split.path)
        }
        var numbers = stat()
        guard fstat(file, &numbers) == 0 else { throw FilePath.error("reading", split.path) }
        let status = FilePath.status(numbers)
        // A longer one has grown; what was found of it is read.
        if status.size < split.size || status.size == split.size && status.modified != split.modified {
            let change = status.size == split.size
                ? "it still has \(split.size) bytes, but was written or touched" : "\(split.size) bytes then, \(status.size) now"
            throw StreamError(.user, retry: false, "\(split.path): the file has changed since it was found (\(change)), so no row of it can be trusted")
        }
    }

    deinit { close() }

    func read(into target: UnsafeMutablePointer<UInt8>, _ count: Int, at offset: Int64) throws(StreamError) -> Int? {
        var got = pread(file, target, count, off_t(offset))
        while got < 0, errno == EINTR { got = pread(file, target, count, off_t(offset)) }
        guard got >= 0 else { throw FilePath.error("reading", path) }
        return got
    }

    func close() {
        if file >= 0 { _ = Glibc.close(file) }
        file = -1
    }
}

/// The text of a gzip file. Reads its bytes once, from the start.
final class GzipBytes: FileBytes {
    private let inner: any FileBytes
    private let path: String
    private let reader = GzipReader()
    private let packed: UnsafeMutablePointer<UInt8> = .allocate(capacity: FileText.chunk)
    private var at = 0
    private var filled = 0
    private var innerOffset: Int64 = 0
    /// Offset in the text of what comes next.
    private var offset: Int64 = 0

    init(_ inner: any FileBytes, path: String) {
        self.inner = inner
        self.path = path
    }

    deinit { packed.deallocate() }

    func read(into target: UnsafeMutablePointer<UInt8>, _ count: Int, at wanted: Int64) throws(StreamError) -> Int? {
        precondition(wanted >= offset, "gzip is read forward")
        while true {
            // After a restore the text before the position is read over.
            let skip = Int(min(Int64(count), wanted - offset))
            let (read, written) = try inflate(into: target, skip > 0 ? skip : count)
            at += read
            offset += Int64(written)
            if written > 0, skip == 0 { return written }
            if read > 0 || written > 0 { continue }
            guard let got = try inner.read(into: packed, FileText.chunk, at: innerOffset) else { return nil }
            if got == 0 {
                guard reader.isComplete else { throw StreamError(.user, retry: false, "\(path): the gzip file is cut short") }
                guard wanted <= offset else { throw StreamError(.user, retry: false, "\(path): the file is shorter than when it was read before") }
                return 0
            }
            innerOffset += Int64(got)
            (at, filled) = (0, got)
        }
    }

    private func inflate(into target: UnsafeMutablePointer<UInt8>, _ room: Int) throws(StreamError) -> (Int, Int) {
        do throws(MalformedValue) { return try reader.read(packed + at, filled - at, into: target, room) } catch {
            throw StreamError(.user, retry: false, "\(path): \(error.message)")
        }
    }

    func close() { inner.close() }
}
