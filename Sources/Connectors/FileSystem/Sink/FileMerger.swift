import CKernels
import Dataflow
import Glibc

/// Makes one file of a checkpoint's small ones before they are seen (`auto-compaction`).
///
/// The bytes are copied into a hidden file; a list that names it and its parts is written, hidden and durable; then it gets its name and its
/// parts are removed. So a list that says `merged` proves that the hidden file was whole, and where the hidden file is gone, that it was
/// renamed: a commit that is repeated, with whatever others, finishes what was begun and merges nothing twice. One process at a time.
struct FileMerger {
    private let store: LocalParts
    private let bytes: Int64
    private let lock: Int32
    private static let lockName = CommitList.folder + "/.lock"

    /// Nil: nothing is to be merged, and nothing ever was.
    init?(_ store: LocalParts, _ files: [FinishedFile]) throws(StreamError) {
        let path = store.full(FileMerger.lockName)
        if store.mergesTo == nil, try FilePath.status(path) == nil { return nil }
        guard !files.isEmpty else { return nil }
        self.store = store
        bytes = store.mergesTo ?? 0
        try FilePath.makeFolder(FilePath.parent(path))
        lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard lock >= 0 else { throw FilePath.error("creating", path) }
    }

    func commit(_ files: [PendingFile]) throws(StreamError) {
        // Given back when the file is closed, by whatever end.
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else { throw FilePath.error("locking", store.full(FileMerger.lockName)) }
        }
        let begun = try CommitList.merges(of: files.map(\.file), in: store)
        let merged = Dictionary(begun.flatMap { entry in (entry.merged ?? []).map { ($0, entry) } }) { first, _ in first }
        var entries = begun.filter { entry in files.contains { merged[$0.file.path] == entry } }
        var plain: [PendingFile] = []
        for chunk in try chunks(files.filter { merged[$0.file.path] == nil }) {
            if chunk.count > 1 { entries.append(try merge(chunk)) } else { plain += chunk }
        }
        let folders = Set(files.map { FilePath.folder(of: $0.file.path) }).sorted()
        try store.settle(folders: folders)
        let plainEntries = plain.map { CommitList.Entry($0.file) }
        let lists = try CommitList.lists(of: entries + plainEntries).map { list throws(StreamError) in try store.stage(list.path, list.bytes) }
        for entry in entries {
            let target = store.full(entry.path)
            if rename(hidden(target), target) != 0, errno != ENOENT { throw FilePath.error("committing", target) }
        }
        for file in plain { try file.commit() }
        try store.settle(folders: folders)
        let gone = Set(entries.flatMap { $0.merged ?? [] })
        for file in files where gone.contains(file.file.path) && unlink(file.hidden) != 0 {
            guard errno == ENOENT else { throw FilePath.error("removing", file.hidden) }
        }
        for show in lists { try show() }
    }

    private func hidden(_ target: String) -> String { FilePath.join(FilePath.parent(target), PartName.hidden(FilePath.name(target))) }

    /// Files of one folder and checkpoint that make up one together. What was committed before is alone.
    private func chunks(_ files: [PendingFile]) throws(StreamError) -> [[PendingFile]] {
        var chunks: [[PendingFile]] = []
        var size: Int64 = 0
        for file in files.sorted(by: { ($0.file.checkpoint, $0.file.path) < ($1.file.checkpoint, $1.file.path) }) {
            let isThere = try FilePath.status(file.hidden) != nil
            if isThere, let last = chunks.last?.last, last.file.checkpoint == file.file.checkpoint, size + file.file.bytes <= bytes,
                FilePath.folder(of: last.file.path) == FilePath.folder(of: file.file.path)
            {
                chunks[chunks.count - 1].append(file)
            } else {
                chunks.append([file])
                size = 0
            }
            size = isThere ? size + file.file.bytes : .max / 2
        }
        return chunks
    }

    /// Copies them into a hidden file. One that an earlier try left behind is written anew.
    private func merge(_ files: [PendingFile]) throws(StreamError) -> CommitList.Entry {
        let path = PartName.merged(files[0].file.path)
        let hidden = hidden(store.full(path))
        let output = open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard output >= 0 else { throw FilePath.error("creating", hidden) }
        defer { close(output) }
        var checksum: UInt32 = 0
        let piece = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 << 20)
        defer { piece.deallocate() }
        for file in files {
            let input = open(file.hidden, O_RDONLY | O_CLOEXEC)
            guard input >= 0 else { throw FilePath.error("opening", file.hidden) }
            defer { close(input) }
            var left = file.file.bytes
            while true {
                let count = Glibc.read(input, piece, 1 << 20)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw FilePath.error("reading", file.hidden) }
                if count == 0 { break }
                left -= Int64(count)
                checksum = swiftwater_crc32c(checksum, piece, count)
                try FilePath.write(output, piece, count, hidden)
            }
            guard left == 0 else {
                throw StreamError(.externalSystem, retry: false, "committing \(file.target): its pending file has \(file.file.bytes - left) bytes, not \(file.file.bytes)")
            }
        }
        guard fsync(output) == 0 else { throw FilePath.error("syncing", hidden) }
        let paths = files.map(\.file.path), after = Set(files.flatMap(\.file.lineage.after)).subtracting(paths)
        return CommitList.Entry(
            path: path, bytes: files.reduce(0) { $0 + $1.file.bytes }, rows: files.reduce(0) { $0 + $1.file.rows }, crc32c: PartName.hex(checksum),
            checkpoint: files[0].file.checkpoint, merged: paths, after: after.isEmpty ? nil : after.sorted(), origin: files.lazy.compactMap(\.file.lineage.origin).first)
    }
}
