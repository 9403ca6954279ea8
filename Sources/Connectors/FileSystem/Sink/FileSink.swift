import Columnar
import Dataflow

/// Writes rows to files in a folder or a bucket, exactly once: a file can be seen when the checkpoint that covers its rows is complete.
///
/// Local files end with every checkpoint; files in a bucket go on over checkpoints (`BucketParts`). Both roll by size, age, inactivity and when
/// the time of their bucket is over. Without checkpoints all files are committed at the end. `PARTITIONED BY` makes folders `key=value`, whose
/// columns are not in the rows. Options are Flink's; docs/sql.md lists them.
package struct FileSink: Sink {
    let spec: SinkSpec
    let format: Format
    let store: any PartStore
    let makeLine: @Sendable () -> any UploadLine
    let draw: @Sendable () -> UInt32
    let rolling: RollingPolicy
    let times: TimeBuckets?
    let success: SuccessPolicy?
    let isCompressed: Bool
    let partitionDefault: String
    private let listsCommits: Bool

    init(_ spec: SinkSpec, _ buckets: Buckets) throws(StreamError) {
        let options = Options(spec.table, spec.options)
        self.spec = spec
        self.format = try Format(options)
        self.makeLine = buckets.makeLine
        self.draw = buckets.draw
        switch try TablePath(options) {
        case .folder(let path):
            store = LocalParts(path: path, mergesTo: try FileSink.mergesTo(options))
        case .bucket(let name, let key):
            let partBytes = try options.bytes("s3.upload.min.part.size") ?? 8 << 20
            guard partBytes >= buckets.leastPartBytes else {
                throw options.error("'s3.upload.min.part.size' is at least 5 MB: smaller parts are refused by S3")
            }
            let inFlight = try options.integer("s3.upload.max.concurrent.uploads") ?? 4
            guard (1...64).contains(inFlight) else { throw options.error("'s3.upload.max.concurrent.uploads' is from 1 to 64, not \(inFlight)") }
            store = BucketParts(
                bucket: try buckets.open(name, spec.options), prefix: key.isEmpty ? "" : key + "/", partBytes: Int(partBytes), partsInFlight: Int(inFlight),
                mergesTo: try FileSink.mergesTo(options), draw: buckets.draw, faults: buckets.faults)
        }
        self.rolling = try RollingPolicy(options)
        self.times = try TimeBuckets(options)
        self.success = try SuccessPolicy(options, keys: spec.partitionKeys.map { spec.schema.names[$0] }, isPartitioned: !spec.partitionKeys.isEmpty || times != nil)
        switch options.string("sink.compression")?.lowercased() {
        case nil, "none": isCompressed = false
        case "gzip": isCompressed = true
        case let other?: throw options.error("'sink.compression' is 'none' or 'gzip', not '\(other)'")
        }
        self.partitionDefault = options.string("partition.default-name") ?? PartitionPath.defaultName
        self.listsCommits = try options.flag("sink.commit-list.enabled", default: true)
        guard spec.primaryKey.isEmpty else {
            throw options.error("files can only be appended to; a query that changes its rows needs another connector")
        }
        try format.check(spec.schema, options, without: Set(spec.partitionKeys.map { spec.schema.names[$0] }))
    }

    /// `auto-compaction`: bytes of a file that is made of small ones. Nil: none are.
    private static func mergesTo(_ options: Options) throws(StreamError) -> Int64? {
        guard try options.flag("auto-compaction", default: false) else { return nil }
        guard try options.flag("sink.commit-list.enabled", default: true) else {
            throw options.error("'auto-compaction' needs the lists of commits ('sink.commit-list.enabled')")
        }
        let rolled = try options.bytes("sink.rolling-policy.file-size") ?? 128 << 20
        return try options.bytes("compaction.file-size") ?? rolled
    }

    package func makeWriter(_ context: WriterContext) throws(StreamError) -> any SinkWriter {
        try store.probe()
        return try FileSinkWriter(self, context)
    }

    /// Files first, side by side where they are in a bucket; then the list of them; then the marks of whole folders.
    package func commit(_ committables: [Committable]) throws(StreamError) {
        let marks = try committables.filter { SuccessMark.isOne($0) }.map { committable throws(StreamError) in try SuccessMark(committable) }
        let pending = committables.filter { !SuccessMark.isOne($0) }
        let files = try pending.map { committable throws(StreamError) in try store.check(committable) }
        if let local = store as? LocalParts, let merger = try FileMerger(local, files) {
            try merger.commit(pending.map { committable throws(StreamError) in try PendingFile(committable) })
            for mark in marks { try store.put(mark.path, []) }
            return
        }
        let merge = try mergeInBucket(pending)
        let whole = zip(pending, files).filter { !SmallPart.isOne($0.0) }
        var lists: [Staged] = []
        if listsCommits || merge != nil {
            let entries = whole.map { CommitList.Entry($0.1) } + (merge?.entries ?? [])
            lists = try CommitList.lists(of: entries).map { list throws(StreamError) in try store.stage(list.path, list.bytes) }
        }
        try commitFiles(whole.map(\.0))
        try merge?.carryOut()
        try store.settle(folders: files.map { FilePath.folder(of: $0.path) })
        for show in lists { try show() }
        try merge?.removeParts()
        for mark in marks { try store.put(mark.path, []) }
    }

    /// Nil: there are no small parts. Whether some are merged now is of no matter: they may be from when it was so.
    private func mergeInBucket(_ committables: [Committable]) throws(StreamError) -> BucketMerge? {
        guard let bucket = store as? BucketParts else { return nil }
        let parts = try committables.filter { SmallPart.isOne($0) }.map { committable throws(StreamError) in try SmallPart(committable) }
        return parts.isEmpty ? nil : try BucketMerge(parts, in: bucket, makeLine)
    }

    private func commitFiles(_ committables: [Committable]) throws(StreamError) {
        guard store.keepsFilesOpen, committables.count > 1 else {
            for committable in committables { try store.commit(committable) }
            return
        }
        let line = makeLine()
        let results = Results<Void>(count: committables.count)
        for (index, committable) in committables.enumerated() {
            line.run { [store] in
                do throws(StreamError) { results.put(index, .success(try store.commit(committable))) } catch { results.put(index, .failure(error)) }
            }
        }
        line.wait { results.isComplete }
        _ = try results.all()
    }

    package func discard(job: JobID, vertex: Int, attemptsBelow attempt: UInt32, keeping committables: [Committable]) throws(StreamError) {
        try store.discard(
            job, vertex: vertex, attemptsBelow: attempt, depth: spec.partitionKeys.count + (times?.depth ?? 0), keeping: committables)
    }
}
