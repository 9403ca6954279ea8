import Columnar
import Dataflow
import Glibc

/// Writes rows to files in a folder, exactly once: a file gets its name when the checkpoint that covers its rows is complete.
///
/// Every checkpoint ends the files that have rows, so that nothing is ever appended across checkpoints and a restore needs no
/// truncation; within a checkpoint interval files also roll by size and age. Without checkpoints all files get their names
/// at the end. `PARTITIONED BY` makes folders `key=value`, whose columns are not in the rows. Options are Flink's.
package struct FileSink: Sink {
    let path: String
    let format: Format
    let spec: SinkSpec
    let rollBytes: Int64
    let rollAge: Duration
    let rollIdle: Duration
    let checkInterval: Duration
    let partitionDefault: String

    init(_ spec: SinkSpec) throws(StreamError) {
        let options = Options(spec.table, spec.options)
        self.spec = spec
        self.path = try FilePath.local(options.required("path"))
        self.format = try Format(options)
        self.rollBytes = try options.bytes("sink.rolling-policy.file-size") ?? 128 << 20
        self.rollAge = try options.duration("sink.rolling-policy.rollover-interval") ?? .seconds(1_800)
        self.rollIdle = try options.duration("sink.rolling-policy.inactivity-interval") ?? .seconds(1_800)
        self.checkInterval = try options.duration("sink.rolling-policy.check-interval") ?? .seconds(60)
        self.partitionDefault = options.string("partition.default-name") ?? PartitionPath.defaultName
        guard spec.primaryKey.isEmpty else {
            throw options.error("files can only be appended to; a query that changes its rows needs another connector")
        }
    }

    package func makeWriter(_ context: WriterContext) throws(StreamError) -> any SinkWriter { FileSinkWriter(self, context) }

    package func commit(_ committables: [Committable]) throws(StreamError) {
        var folders: Set<String> = []
        for committable in committables {
            let file = try PendingFile(committable)
            try file.commit()
            folders.insert(FilePath.parent(file.target))
        }
        for folder in folders.sorted() { try FilePath.sync(folder: folder) }
    }

    package func discard(job: JobID, vertex: Int, attemptsBelow attempt: UInt32, keeping committables: [Committable]) throws(StreamError) {
        var kept: Set<String> = []
        for committable in committables { kept.insert(FilePath.name(try PendingFile(committable).hidden)) }
        try discard(in: path, depth: spec.partitionKeys.count, job, vertex, attempt, kept)
    }

    private func discard(
        in folder: String, depth: Int, _ job: JobID, _ vertex: Int, _ attempt: UInt32, _ kept: Set<String>
    ) throws(StreamError) {
        for name in try FilePath.names(folder) {
            let path = FilePath.join(folder, name)
            if depth > 0 {
                if name.contains("="), try FilePath.status(path)?.isFolder == true {
                    try discard(in: path, depth: depth - 1, job, vertex, attempt, kept)
                }
            } else if let older = PartName.attempt(ofHidden: name, job, vertex), older < attempt, !kept.contains(name) {
                if unlink(path) != 0, errno != ENOENT { throw FilePath.error("removing", path) }
            }
        }
    }
}
