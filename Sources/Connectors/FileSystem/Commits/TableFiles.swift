import CKernels
import Dataflow
import Glibc

/// All that lies at a table's path, for whoever looks at it from outside.
package struct TableFiles: Sendable {
    package struct File: Hashable, Sendable {
        /// Below the table's path.
        package var path: String
        package var bytes: Int64
    }

    private enum Place: Sendable {
        case folder(String)
        case bucket(any Bucket, prefix: String)
    }

    /// Files that readers see, sorted.
    package private(set) var files: [File] = []
    /// Files and uploads that no commit has made visible, sorted, in words.
    package private(set) var uncommitted: [String] = []
    /// What `uncommitted` is made of: paths of hidden files, and of what uploads will be, with the upload's id.
    private(set) var hidden: Set<ExactText> = []
    private(set) var uploads: Set<ExactText> = []
    /// Of small files that are to be merged, in a bucket: whether they were, lists say.
    private var parts: [File] = []
    /// Plans of merges, in a bucket.
    private var plans: [String] = []
    /// Lists of commits, sorted.
    private var lists: [String] = []
    /// Lists that are being written, or were when their process ended.
    private var staged: [String] = []
    private let place: Place
    private let makeLine: @Sendable () -> any UploadLine

    /// Throws when there is nothing at the path.
    package init(_ path: String, _ buckets: Buckets = .s3()) throws(StreamError) {
        makeLine = buckets.makeLine
        switch try TablePath(path) {
        case .folder(let folder):
            place = .folder(folder)
            guard try FilePath.status(folder)?.isFolder == true else { throw StreamError(.user, retry: false, "there is no folder \(folder)") }
            try collect(folder, "")
        case .bucket(let name, let key):
            let bucket = try buckets.open(name, [:]), prefix = key.isEmpty ? "" : key + "/"
            place = .bucket(bucket, prefix: prefix)
            do throws(BucketError) {
                for object in try bucket.list(prefix: prefix) { add(String(object.key.dropFirst(prefix.count)), Int64(object.bytes)) }
                for upload in try bucket.openUploads(prefix: prefix) {
                    let path = upload.key.dropFirst(prefix.count)
                    uncommitted.append("\(path) (open upload \(upload.upload))")
                    uploads.insert(TableFiles.upload(path, upload.upload))
                }
            } catch {
                throw error.streamError
            }
        }
        guard !files.isEmpty || !lists.isEmpty || !uncommitted.isEmpty || !parts.isEmpty else {
            throw StreamError(.user, retry: false, "there are no files: nothing was ever committed here, all of it was removed, or it is another path")
        }
        uncommitted.sort()
    }

    static func upload(_ path: some StringProtocol, _ id: String) -> ExactText { ExactText("\(path)\n\(id)") }

    /// Of a key in the table's bucket its path in the table; nil: it is of another table.
    func path(ofKey key: String) -> String? {
        guard case .bucket(_, let prefix) = place, key.hasPrefix(prefix) else { return nil }
        return String(key.dropFirst(prefix.count))
    }

    /// Those whose files lie here, committed or not, as `part-<job>-<vertex>`, sorted.
    var owners: [String] {
        let hiddenNames = hidden.map { $0.text.split(separator: "/").last.map { $0.dropFirst() } ?? "" }
        let names = files.map { FilePath.name($0.path)[...] } + uploads.map { FilePath.name(String($0.text.prefix { $0 != "\n" }))[...] } + hiddenNames
        // A list is named after the one whose files it lists, and may be all that is left.
        let listed = lists.map { $0.dropFirst(CommitList.folder.count + 1).prefix { $0 != "/" } }
        return Set(names.compactMap { PartName.owner(of: String($0)) } + listed.map(String.init)).sorted()
    }

    /// The jobs that wrote here, sorted.
    package var jobs: [JobID] { Set(owners.compactMap { PartName.job(ofOwner: $0) }).sorted() }

    private mutating func collect(_ folder: String, _ below: String) throws(StreamError) {
        for name in try FilePath.names(folder) {
            let path = FilePath.join(folder, name), relative = below.isEmpty ? name : "\(below)/\(name)"
            // A file may go between listing and looking.
            guard let status = try FilePath.status(path) else { continue }
            if status.isFolder { try collect(path, relative) } else { add(relative, status.size) }
        }
    }

    private mutating func add(_ path: String, _ bytes: Int64) {
        if path.hasPrefix(CommitList.folder + "/") {
            return FilePath.name(path).hasPrefix(".") ? staged.append(path) : lists.append(path)
        }
        if MergePlan.checkpoint(ofPath: path) != nil { return plans.append(path) }
        if SmallPart.name(at: path) != nil {
            hidden.insert(ExactText(path))
            return parts.append(File(path: path, bytes: bytes))
        }
        if PartName.isHidden(FilePath.name(path)) {
            hidden.insert(ExactText(path))
            return uncommitted.append("\(path) (\(bytes) bytes)")
        }
        let isSeen = !path.split(separator: "/").contains { $0.hasPrefix("_") || $0.hasPrefix(".") }
        if isSeen { files.append(File(path: path, bytes: bytes)) }
    }

    /// What commits say they made visible, in the order of the lists, and lists that are not as they were written.
    package func entries() throws(StreamError) -> (entries: [CommitList.Entry], damaged: [String]) {
        var entries: [CommitList.Entry] = [], damaged: [String] = []
        let contents = try sideBySide(lists) { (table, list) throws(StreamError) in
            var bytes: [UInt8] = []
            try table.read(list) { bytes += $0 }
            return bytes
        }
        for (list, bytes) in zip(lists, contents) {
            if !CommitList.isWhole(list, bytes) { damaged.append("\(list): this list of a commit is not as it was written") }
            do throws(StreamError) { entries += try CommitList.entries(bytes) } catch { damaged.append("\(list): \(error.message)") }
        }
        return (entries, damaged)
    }

    /// Small files that no commit has merged, in words.
    func unmerged(_ entries: [CommitList.Entry]) -> [String] {
        let merged = Set(entries.flatMap(\.parts).map { ExactText(FilePath.name($0)) })
        return parts.filter { part in SmallPart.name(at: part.path).map { !merged.contains(ExactText($0)) } ?? true }
            .map { "\($0.path) (\($0.bytes) bytes)" }
    }

    /// What commits of these checkpoints that are not done were about to merge, or have.
    func mergesUnderWay(of checkpoints: Set<CheckpointID>) -> [CommitList.Entry] {
        let plans = plans.filter { plan in MergePlan.checkpoint(ofPath: plan).map { checkpoints.contains($0) } ?? false }
        let planned = plans.flatMap { plan -> [CommitList.Entry] in
            var bytes: [UInt8] = []
            guard (try? read(plan) { bytes += $0 }) != nil else { return [] }
            return (try? CommitList.entries(bytes)) ?? []
        }
        return planned + staged.flatMap { list -> [CommitList.Entry] in
            var bytes: [UInt8] = []
            // One that is half written, or was shown a moment ago, says nothing.
            guard (try? read(list) { bytes += $0 }) != nil, let entries = try? CommitList.entries(bytes) else { return [] }
            return entries.filter { $0.merged != nil }
        }
    }

    /// CRC-32C of each file's bytes, 8 hex digits.
    package func checksums(_ paths: [String]) throws(StreamError) -> [String] {
        try sideBySide(paths) { (table, path) throws(StreamError) in
            var checksum: UInt32 = 0
            try table.read(path) { piece in checksum = piece.withUnsafeBytes { swiftwater_crc32c(checksum, $0.baseAddress, $0.count) } }
            return PartName.hex(checksum)
        }
    }

    /// In a bucket many at once: each asks and waits.
    private func sideBySide<Value: Sendable>(
        _ paths: [String], _ body: @escaping @Sendable (TableFiles, String) throws(StreamError) -> Value
    ) throws(StreamError) -> [Value] {
        guard case .bucket = place else { return try paths.map { path throws(StreamError) in try body(self, path) } }
        let line = makeLine(), results = Results<Value>(count: paths.count)
        for (index, path) in paths.enumerated() {
            line.wait { line.running < 16 }
            line.run { [self] in
                do throws(StreamError) { results.put(index, .success(try body(self, path))) } catch { results.put(index, .failure(error)) }
            }
        }
        line.wait { line.running == 0 }
        return try results.all()
    }

    /// A file's bytes, piece by piece.
    func read(_ path: String, _ body: ([UInt8]) throws(StreamError) -> Void) throws(StreamError) {
        switch place {
        case .folder(let folder):
            let full = FilePath.join(folder, path)
            let file = open(full, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw FilePath.error("opening", full) }
            defer { close(file) }
            var piece = [UInt8](repeating: 0, count: 1 << 20)
            while true {
                let count = piece.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw FilePath.error("reading", full) }
                if count == 0 { return }
                try body(Array(piece[..<count]))
            }
        case .bucket(let bucket, let prefix):
            do throws(BucketError) {
                guard let object = try bucket.head(prefix + path) else { throw BucketError(.notFound, "\(bucket.uri)/\(prefix)\(path) has gone") }
                var at = 0
                while at < object.bytes {
                    let piece = try bucket.get(prefix + path, at..<min(at + (8 << 20), object.bytes), ifMatch: object.etag)
                    do throws(StreamError) { try body(piece) } catch { throw BucketError(.other(retry: error.retry), error.message) }
                    at += piece.count
                }
            } catch {
                throw error.streamError
            }
        }
    }
}
