import Columnar
import Dataflow

/// Reads the files of a folder, or one file, as lines. Options are Flink's.
///
/// Files whose names, or folders', begin with `.` or `_` are passed over. A large file becomes several splits, in the order of
/// paths, then offsets; CSV with quotes only whole, since a quoted field may hold newlines. With `source.monitor-interval` the
/// folder is watched and every new path is read once.
package struct FileSource: Source {
    let path: String
    let format: Format
    let spec: SourceSpec
    let splitBytes: Int64
    let partitionDefault: String
    package let discoveryInterval: Duration?

    init(_ spec: SourceSpec) throws(StreamError) {
        let options = Options(spec.table, spec.options)
        self.spec = spec
        self.path = try FilePath.local(options.required("path"))
        self.format = try Format(options)
        self.discoveryInterval = try options.duration("source.monitor-interval")
        self.splitBytes = max(try options.bytes("source.split.size") ?? 64 << 20, 1)
        self.partitionDefault = options.string("partition.default-name") ?? PartitionPath.defaultName
    }

    package func discover(known: Set<String>) throws(StreamError) -> (splits: [Split], isComplete: Bool) {
        guard let root = try FilePath.status(path) else {
            if discoveryInterval != nil { return ([], false) }
            throw StreamError(.user, retry: false, "table \(spec.table): there is no file or folder \(path)")
        }
        var files: [FileSplit] = []
        try collect(path, relative: root.isFolder ? "" : FilePath.name(path), root, into: &files)
        var splits: [Split] = []
        for file in files {
            var start: Int64 = 0
            repeat {
                let end = format.rowsAreLines ? min(start + splitBytes, file.size) : file.size
                let split = FileSplit(
                    path: file.path, relativePath: file.relativePath, start: start, end: end, size: file.size, modified: file.modified
                ).split
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
