import CKernels
import Columnar
import Dataflow
import Glibc

/// Part files in a folder of this machine: written under a hidden name, renamed when they are committed. Every checkpoint ends them, so that
/// nothing is ever appended across checkpoints and a restore needs no truncation.
struct LocalParts: PartStore {
    let path: String
    /// `auto-compaction`: small files of a checkpoint become one of this many bytes at most.
    var mergesTo: Int64?

    var keepsFilesOpen: Bool { false }
    var partBytes: Int { 0 }

    func within(_ bytes: Int) -> any PartStore { self }

    func makeBody(_ name: PartName, in folder: String, line: any UploadLine) throws(StreamError) -> any PartBody {
        do throws(StreamError) { return try LocalPart(name.name, in: full(folder)) } catch {
            // Somebody else may have made it just now; any other trouble comes again.
            if try FilePath.status(full(folder)) == nil {
                try FilePath.makeFolder(path)
                // Those below the table's are made durable with the files in them (`settle`).
                try FilePath.makeFolder(full(folder)) { _ in }
            }
            return try LocalPart(name.name, in: full(folder))
        }
    }

    func adopt(_ file: OpenFile, attempt: UInt32, line: any UploadLine) -> Adoption? { nil }

    /// A file that is not there any more was committed when a list says so: whoever reads these files may take them away.
    func check(_ committable: Committable) throws(StreamError) -> FinishedFile {
        let file = try PendingFile(committable)
        if try FilePath.status(file.hidden) != nil { return file.file }
        if try FilePath.status(file.target) != nil { return file.file }
        if try CommitList.names(file.file, in: self) { return file.file }
        throw StreamError(
            .externalSystem, retry: false,
            "committing \(file.target): neither it nor its pending file \(file.hidden) is there any more, and no list below \(full(CommitList.folder)) says "
                + "that it was committed: its \(file.file.rows) rows are lost. Start from another checkpoint, or without one")
    }

    func commit(_ committable: Committable) throws(StreamError) { try PendingFile(committable).commit() }

    /// Also the folders that hold these: they may be new. A folder that is gone was taken away, with files that others have renamed.
    func settle(folders: [String]) throws(StreamError) {
        for folder in FilePath.withFoldersAbove(folders) where try FilePath.status(full(folder)) != nil { try FilePath.sync(folder: full(folder)) }
    }

    func names(in folder: String) throws(StreamError) -> [String] { try FilePath.names(full(folder)) }

    func read(_ path: String) throws(StreamError) -> [UInt8] {
        let path = full(path)
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FilePath.error("opening", path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FilePath.error("reading", path) }
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
    }

    /// Under another name first: a reader sees all of it or nothing.
    func stage(_ path: String, _ bytes: [UInt8]) throws(StreamError) -> Staged {
        let target = full(path), parent = FilePath.parent(target)
        try FilePath.makeFolder(parent)
        let hidden = FilePath.join(parent, "." + FilePath.name(target) + ".\(getpid())-\(PartName.hex(.random(in: 0...(.max))))")
        let file = open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw FilePath.error("creating", hidden) }
        defer { close(file) }
        let written = bytes.withUnsafeBytes { raw -> Result<Void, StreamError> in
            guard let base = raw.baseAddress else { return .success(()) }
            do throws(StreamError) { return .success(try FilePath.write(file, base, raw.count, hidden)) } catch { return .failure(error) }
        }
        try written.get()
        guard fsync(file) == 0 else { throw FilePath.error("syncing", hidden) }
        try FilePath.sync(folder: parent)
        return { () throws(StreamError) in
            guard rename(hidden, target) == 0 else { throw FilePath.error("writing", target) }
            try FilePath.sync(folder: parent)
        }
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

    func full(_ below: String) -> String { below.isEmpty ? path : FilePath.join(path, below) }
}

/// A file that is being written under its hidden name.
private final class LocalPart: PartBody {
    private let hidden: String
    private let target: String
    private var file: Int32
    private(set) var length: Int64 = 0

    init(_ name: String, in folder: String) throws(StreamError) {
        hidden = FilePath.join(folder, PartName.hidden(name))
        target = FilePath.join(folder, name)
        file = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw FilePath.error("creating", hidden) }
    }

    deinit { if file >= 0 { close(file) } }

    var isFull: Bool { false }
    var heldBytes: Int { 0 }

    func rest() {
        if file >= 0 { close(file) }
        file = -1
    }

    private func wake() throws(StreamError) {
        guard file < 0 else { return }
        file = open(hidden, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard file >= 0 else { throw FilePath.error("opening", hidden) }
    }

    func append(_ bytes: UnsafePointer<UInt8>, _ count: Int) throws(StreamError) {
        try wake()
        try FilePath.write(file, bytes, count, hidden)
        length += Int64(count)
    }

    /// Everything is on disk when this returns.
    func finish(_ file: FinishedFile) throws(StreamError) -> Ended {
        try wake()
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
    private static let version: UInt8 = 3

    var hidden: String
    var target: String
    var file: FinishedFile

    static func isOne(_ committable: Committable) -> Bool { committable.payload.first.map { (1...version).contains($0) } ?? false }

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
                case 2, PendingFile.version:
                    return PendingFile(hidden: hidden, target: target, file: try FinishedFile(from: &reader, hasLineage: version == PendingFile.version))
                default: throw MalformedBytes("another version")
                }
            }
        } catch {
            throw StreamError(.user, retry: false, "\(committable.id) is no committable of the filesystem connector: \(error)")
        }
    }

    /// Gives the file its name. Done before, or at the same time by another process: nothing, wherever the file is now (`check`). Never writes over
    /// another file.
    func commit() throws(StreamError) {
        // Again when another process renamed it between two looks; once it has, there is nothing under the hidden name any more.
        for isLast in [false, true] {
            let pending = try FilePath.status(hidden), finished = try FilePath.status(target)
            guard let pending else {
                guard let finished, finished.size != file.bytes else { return }
                throw conflict(finished)
            }
            if let finished {
                if isLast { throw conflict(finished) }
                continue
            }
            guard pending.size == file.bytes else {
                throw StreamError(.user, retry: false, "committing \(target): its pending file has \(pending.size) bytes, not \(file.bytes)")
            }
            if rename(hidden, target) == 0 { return }
            guard errno == ENOENT, !isLast else { throw FilePath.error("committing", target) }
        }
    }

    private func conflict(_ finished: FilePath.Status) -> StreamError {
        StreamError(
            .externalSystem, retry: false,
            "committing \(target): a file of \(finished.size) bytes is there already, \(file.bytes) bytes wait to be committed")
    }
}
