import Columnar
import Connectors
import Dataflow
import Testing

/// Partitions whose values are the same text to a reader and other bytes.
@Suite struct PartitionBytesTests {
    private let fields = schema(("id", .bigint), ("k", .string))
    private let bucket = MemoryBucket()
    private let work = SteppedWork()
    /// `é` in one character and in two, and one that begins with a mark.
    private let values = ["caf\u{E9}", "cafe\u{301}", "\u{301}x"]

    private var buckets: Buckets { bucket.buckets(work) }

    @Test func eachHasAFolderAMarkAndItsValueBack() throws {
        let options = [
            "connector": "filesystem", "path": "s3://memory/out", "format": "csv", "sink.partition-commit.policy.kind": "success-file",
        ]
        let sink = try StandardConnectors(buckets: buckets).sink(SinkSpec(table: "t", options: options, schema: fields, partitionKeys: [1]))
        let task = TaskID(job: JobID(high: 0, low: 1), subtask: SubtaskID(vertex: 1, index: 0), attempt: 1)
        let writer = try sink.makeWriter(WriterContext(task: task, parallelism: 1, restored: []))
        try writer.write(Batch.of(fields.types, (0..<9).map { [.integer(Int64($0)), .string(values[$0 % 3])] }), at: now(0))
        let last = try writer.prepareCommit(1, isLast: true, at: now(1)).finished().committables
        // Whoever keeps committables keeps them by id.
        #expect(Set(last.map(\.id)).count == 6)
        try sink.commit(last)
        let folders = Set(bucket.objects.keys.filter { $0.contains("part-") && !$0.contains("_swiftwater") }.map { Array($0.utf8.split(separator: 0x2F)[1]) })
        #expect(folders == Set(values.map { Array("k=\($0)".utf8) }))
        let source = try StandardConnectors(buckets: buckets).source(sourceSpec(fields, options.filter { !$0.key.hasPrefix("sink") }, partitionKeys: ["k"]))
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1))
        try reader.add(source.discover(known: []).splits.map { SplitState(split: $0) })
        var found: [[UInt8]: Int] = [:]
        loop: while true {
            switch try reader.poll(maximumRows: 100, at: now(0)) {
            case .batch(let batch, _):
                for row in batch.rows {
                    guard case .bytes(let text) = row[1] else { continue }
                    found[text, default: 0] += 1
                }
            case .nothing: work.step()
            case .splitFinished, .splitEnded: continue
            case .needsSplits: break loop
            }
        }
        #expect(found == Dictionary(uniqueKeysWithValues: values.map { (Array($0.utf8), 3) }))
    }
}
