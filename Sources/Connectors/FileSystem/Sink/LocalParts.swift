import CKernels
import Columnar
import Dataflow
import Glibc

/// Part files in a folder of this machine: written under a hidden name, renamed when they are committed. Every checkpoint ends them, so that
/// nothing is ever appended across checkpoints and a restore needs no truncation.
struct LocalParts: PartStore {
    let path: String

    var keepsFilesOpen: Bool { false }

    func makeBody(_ name: PartName, in folder: String, line: any UploadLine) throws(StreamError) -> any PartBody {
        try LocalPart(name.name, in: full(folder))
    }

    func adopt(_ file: OpenFile, attempt: UInt32, line: any UploadLine) -> Adoption? { nil }

    func commit(_ committable: Committable) throws(StreamError) -> FinishedFile {
        let file = try PendingFile(committable)
        try file.commit()
        return file.file
    }

    func settle(folders: [String]) throws(StreamError) {
        for folder in folders { try FilePath.sync(folder: full(folder)) }
    }

    /// Under another name first: a reader sees all of it or nothing.
    func put(_ path: String, _ bytes: [UInt8]) throws(StreamError) {
        let target = full(path), parent = FilePath.parent(target)
        try FilePath.makeFolder(parent)
        let hidden = FilePath.join(parent, "." + FilePath.name(target) + ".\(getpid())")
        let file = open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw FilePath.error("creating", hidden) }
        defer { close(file) }
        let written = bytes.withUnsafeBytes { raw -> Result<Void, StreamError> in
            guard let base = raw.baseAddress else { return .success(()) }
            do throws(StreamError) { return .success(try FilePath.write(file, base, raw.count, hidden)) } catch { return .failure(error) }
        }
        try written.get()
        guard fsync(file) == 0 else { throw FilePath.error("syncing", hidden) }
        guard rename(hidden, target) == 0 else { throw FilePath.error("writing", target) }
        try FilePath.sync(folder: parent)
    }

    func discard(_ job: JobID, vertex: Int, attemptsBelow attempt: UInt32, depth: Int, keeping committables: [Committable]) throws(StreamError) {
        var kept: Set<String> = []
        for committable in committables where PendingFile.isOne(committable) { kept.insert(FilePath.name(try PendingFile(committable).hidden)) }
        try discard(in: path, depth: depth, job, vertex, attempt, kept)
    }

    private func discard(
        in folder: String, depth: Int, _ job: JobID, _ vertex: Int, _ attempt: UInt32, _ kept: Set<String>
    ) throws(StreamError) {
        for name in try FilePath.names(folder) {
            let path = FilePath.join(folder, name)
            if depth > 0 {
                if !name.hasPrefix("_"), !name.hasPrefix("."), try FilePath.status(path)?.isFolder == true {
                    try discard(in: path, depth: depth - 1, job, vertex, attempt, kept)
                }
            } else if let older = PartName.attempt(ofHidden: name, job, vertex), older < attempt, !kept.contains(name) {
                if unlink(path) != 0, errno != ENOENT { throw FilePath.error("removing", path) }
            }
        }
    }

    private func full(_ below: String) -> String { below.isEmpty ? path : FilePath.join(path, below) }
}

/// A file that is being written under its hidden name.
private final class LocalPart: PartBody {
    private let hidden: String
    private let target: String
    private var file: Int32
    private(set) var length: Int64 = 0

    /// Makes the folder when it is missing.
    init(_ name: String, in folder: String) throws(StreamError) {
        hidden = FilePath.join(folder, PartName.hidden(name))
        target = FilePath.join(folder, name)
        var opened = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if opened < 0, errno == ENOENT {
            try FilePath.makeFolder(folder)
            opened = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        }
        file = opened
        guard file >= 0 else { throw FilePath.error("creating", hidden) }
    }

    deinit { if file >= 0 { close(file) } }

    var isFull: Bool { false }

    func append(_ bytes: UnsafePointer<UInt8>, _ count: Int) throws(StreamError) {
        try FilePath.write(file, bytes, count, hidden)
        length += Int64(count)
    }

    /// Everything is on disk when this returns.
    func finish(_ file: FinishedFile) throws(StreamError) -> Ended {
        guard fsync(self.file) == 0 else { throw FilePath.error("syncing", hidden) }
        let result = close(self.file)
        self.file = -1
        guard result == 0 else { throw FilePath.error("closing", hidden) }
        let pending = PendingFile(hidden: hidden, target: target, file: file)
        return { (checkpoint) throws(StreamError) in
            var pending = pending
            pending.file.checkpoint = checkpoint
            return pending.committable
        }
    }

    func suspend(_ file: FinishedFile) throws(StreamError) -> Later<OpenFile>? { nil }

    func abandon() {
        if file >= 0 { close(file) }
        file = -1
        unlink(hidden)
    }
}

/// A finished file under its hidden name, as a committable: a rename that is still to be done.
struct PendingFile: Equatable {
    private static let version: UInt8 = 2

    var hidden: String
    var target: String
    var file: FinishedFile

    static func isOne(_ committable: Committable) -> Bool { committable.payload.first == version || committable.payload.first == 1 }

    var committable: Committable {
        var writer = ByteWriter()
        writer.put(PendingFile.version)
        writer.put(hidden)
        writer.put(target)
        writer.put(file)
        return Committable(id: target, payload: writer.bytes)
    }

    init(hidden: String, target: String, file: FinishedFile) {
        self.hidden = hidden
        self.target = target
        self.file = file
    }

    init(_ committable: Committable) throws(StreamError) {
        do throws(MalformedBytes) {
            self = try ByteReader.reading(committable.payload) { reader throws(MalformedBytes) in
                let version = try reader.number(UInt8.self)
                let hidden = try reader.string(), target = try reader.string()
                switch version {
                // Before files were counted and checked.
                case 1:
                    return PendingFile(
                        hidden: hidden, target: target,
                        file: FinishedFile(path: FilePath.name(target), checkpoint: 0, bytes: try reader.number()))
                case PendingFile.version: return PendingFile(hidden: hidden, target: target, file: try FinishedFile(from: &reader))
                default: throw MalformedBytes("another version")
                }
            }
        } catch {
            throw StreamError(.user, retry: false, "\(committable.id) is no committable of the filesystem connector: \(error)")
        }
    }

    /// Gives the file its name. Done before: nothing. Never writes over another file.
    func commit() throws(StreamError) {
        let pending = try FilePath.status(hidden), finished = try FilePath.status(target), length = file.bytes
        if let finished {
            guard pending == nil, finished.size == length else {
                throw StreamError(
                    .externalSystem, retry: false, "committing \(target): a file of \(finished.size) bytes is there already, \(length) bytes wait to be committed")
            }
            return
        }
        guard let pending else {
            throw StreamError(.externalSystem, retry: false, "committing \(target): neither it nor its pending file \(hidden) is there any more")
        }
        guard pending.size == length else {
            throw StreamError(.externalSystem, retry: false, "committing \(target): its pending file has \(pending.size) bytes, not \(length)")
        }
        guard rename(hidden, target) == 0 else { throw FilePath.error("committing", target) }
    }
}
