import Dataflow
import Glibc

/// A file that is being written under its hidden name. Rows collect in a buffer of 256 KiB.
final class PartFile {
    static let bufferBytes = 256 << 10

    let text = TextBuffer(capacity: PartFile.bufferBytes + (64 << 10))
    let created: Instant
    var lastWrite: Instant
    private let hidden: String
    private let target: String
    private var file: Int32
    private var written: Int64 = 0

    /// Makes the folder when it is missing.
    init(_ name: PartName, in folder: String, at now: Instant) throws(StreamError) {
        hidden = FilePath.join(folder, name.hiddenName)
        target = FilePath.join(folder, name.name)
        created = now
        lastWrite = now
        var opened = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if opened < 0, errno == ENOENT {
            try FilePath.makeFolder(folder)
            opened = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        }
        file = opened
        guard file >= 0 else { throw FilePath.error("creating", hidden) }
    }

    deinit { if file >= 0 { close(file) } }

    var length: Int64 { written + Int64(text.count) }

    func flushWhenFull() throws(StreamError) {
        if text.count >= PartFile.bufferBytes { try flush() }
    }

    private func flush() throws(StreamError) {
        var from = 0
        while from < text.count {
            let count = write(file, text.pointer + from, text.count - from)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FilePath.error("writing", hidden) }
            from += count
        }
        written += Int64(text.count)
        text.count = 0
    }

    /// Everything is on disk when this returns.
    func finish() throws(StreamError) -> PendingFile {
        try flush()
        guard fsync(file) == 0 else { throw FilePath.error("syncing", hidden) }
        let result = close(file)
        file = -1
        guard result == 0 else { throw FilePath.error("closing", hidden) }
        return PendingFile(hidden: hidden, target: target, length: written)
    }

    /// Removes the file: no checkpoint names it.
    func abandon() {
        if file >= 0 { close(file) }
        file = -1
        unlink(hidden)
    }
}
