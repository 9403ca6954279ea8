import Columnar
import Dataflow

/// Reads the files of a folder or a bucket, or one file, as lines. Options are Flink's.
///
/// Files whose names, or folders', begin with `.` or `_` are passed over. A large file becomes several splits, in the order of
/// paths, then offsets; CSV with quotes only whole, since a quoted field may hold newlines, and so are compressed files (`.gz`). With `source.monitor-interval` the
/// folder is watched and every new path is read once.
package struct FileSource: Source {
    let place: Place
    let format: Format
    let spec: SourceSpec
    let splitBytes: Int64
    let partitionDefault: String
    package let discoveryInterval: Duration?
    package var withoutEnd: String? {
        discoveryInterval == nil ? nil : "it waits for further files; without 'source.monitor-interval' it ends with those that are there"
    }

    enum Place: Sendable {
        case local(String)
        case bucket(any Bucket, key: String, any UploadLine)
    }

    init(_ spec: SourceSpec, _ buckets: Buckets) throws(StreamError) {
        let options = Options(spec.table, spec.options)
        self.spec = spec
        switch try TablePath(options) {
        case .folder(let path): place = .local(path)
        case .bucket(let name, let key): place = .bucket(try buckets.open(name, spec.options), key: key, buckets.makeLine())
        }
        self.format = try Format(options)
        let metadata = spec.metadata ?? [:]
        try format.check(spec.physical, options, without: Set(spec.partitionKeys + metadata.keys), tableColumns: spec.tableColumns)
        if case .bucket = place, metadata.values.contains("file.modification-time") {
            throw options.error("'file.modification-time' is not known of objects in a bucket")
        }
        self.discoveryInterval = try options.duration("source.monitor-interval")
        self.splitBytes = max(try options.bytes("source.split.size") ?? 64 << 20, 1)
        self.partitionDefault = options.string("partition.default-name") ?? PartitionPath.defaultName
    }

    package func discover(known: Set<String>) throws(StreamError) -> (splits: [Split], isComplete: Bool) {
        let files = try found()
        if files == nil, discoveryInterval == nil {
            throw StreamError(.user, retry: false, "table \(spec.table): there is no file or folder \(spec.options["path"] ?? "")")
        }
        var splits: [Split] = []
        for file in files ?? [] {
            var start: Int64 = 0
            repeat {
                let end = format.rowsAreLines && !file.isCompressed ? min(start + splitBytes, file.size) : file.size
                var part = file
                (part.start, part.end) = (start, end)
                let split = part.split
                if !known.contains(split.id), file.size > 0 { splits.append(split) }
                start = end
            } while start < file.size
        }
        // A watched file that grows is read as it was found: its later splits have ids that were never handed out.
        if discoveryInterval != nil { splits.removeAll { isContinuation($0, known: known) } }
        return (splits, discoveryInterval == nil)
    }

    private func isContinuation(_ split: Split, known: Set<String>) -> Bool {
        guard let hash = split.id.lastIndex(of: "#") else { return false }
        return split.id[split.id.index(after: hash)...] != "0" && known.contains(split.id[...hash] + "0")
    }

    /// Every file whole; nil when there is nothing at the path.
    private func found() throws(StreamError) -> [FileSplit]? {
        var files: [FileSplit] = []
        switch place {
        case .local(let path):
            guard let root = try FilePath.status(path) else { return nil }
            try collect(path, relative: root.isFolder ? "" : FilePath.name(path), root, into: &files)
        case .bucket(let bucket, let key, _):
            do throws(BucketError) {
                let prefix = key.isEmpty ? "" : key + "/"
                for object in try bucket.list(prefix: prefix) {
                    let relative = String(object.key.dropFirst(prefix.count))
                    let isHidden = relative.split(separator: "/").contains { $0.hasPrefix(".") || $0.hasPrefix("_") }
                    if !isHidden, !relative.hasSuffix("/") { files.append(split(object, relative, bucket)) }
                }
                if files.isEmpty {
                    guard !key.isEmpty, let object = try bucket.head(key) else { return nil }
                    files = [split(object, FilePath.name(key), bucket)]
                }
            } catch {
                throw error.streamError
            }
        }
        return files
    }

    private func split(_ object: BucketObject, _ relative: String, _ bucket: any Bucket) -> FileSplit {
        let size = Int64(object.bytes)
        return FileSplit(
            path: "\(bucket.uri)/\(object.key)", relativePath: relative, start: 0, end: size, size: size, modified: 0, etag: object.etag)
    }

    /// The bytes that a split's file has.
    func bytes(of split: FileSplit, wake: @escaping @Sendable () -> Void) throws(StreamError) -> any FileBytes {
        let bytes: any FileBytes
        switch place {
        case .local: bytes = try LocalBytes(split)
        case .bucket(let bucket, _, let line):
            let start = bucket.uri + "/"
            guard split.path.hasPrefix(start) else {
                throw StreamError(.user, retry: false, "\(split.path) is in another bucket than table \(spec.table)")
            }
            bytes = BucketBytes(split, key: String(split.path.dropFirst(start.count)), in: bucket, line: line, wake: wake)
        }
        return split.isCompressed ? GzipBytes(bytes, path: split.path) : bytes
    }

    private func collect(_ path: String, relative: String, _ status: FilePath.Status, into files: inout [FileSplit]) throws(StreamError) {
        guard status.isFolder else {
            return files.append(
                FileSplit(path: path, relativePath: relative, start: 0, end: status.size, size: status.size, modified: status.modified))
        }
        for name in try FilePath.names(path) where !name.hasPrefix(".") && !name.hasPrefix("_") {
            let child = FilePath.join(path, name)
            // A file may go between listing and looking.
            guard let status = try FilePath.status(child) else { continue }
            try collect(child, relative: relative.isEmpty ? name : relative + "/" + name, status, into: &files)
        }
    }

    package func makeReader(_ context: ReaderContext) throws(StreamError) -> any SourceReader {
        FileReader(self, context)
    }
}
