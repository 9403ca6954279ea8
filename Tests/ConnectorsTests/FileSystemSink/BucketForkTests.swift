import Columnar
import Connectors
import Dataflow
import Testing

/// Jobs that start from savepoints of others, which go on or were taken back.
@Suite struct BucketForkTests {
    private let fields = schema(("id", .bigint))
    private let bucket = MemoryBucket()
    private let work = SteppedWork()

    private func sink() throws -> any Sink {
        let buckets = bucket.buckets(work)
        let options = ["connector": "filesystem", "path": "s3://memory/out", "format": "csv", "s3.upload.min.part.size": "4b"]
        return try StandardConnectors(buckets: buckets).sink(SinkSpec(table: "t", options: options, schema: fields))
    }

    private func writer(job: UInt64, from savepoint: PreparedCommit.Content? = nil) throws -> any SinkWriter {
        let task = TaskID(job: JobID(high: 0, low: job), subtask: SubtaskID(vertex: 1, index: 0), attempt: 1)
        if let savepoint { try sink().commit(savepoint.committables) }
        return try sink().makeWriter(WriterContext(task: task, parallelism: 1, restored: savepoint?.unit.map { [$0] } ?? []))
    }

    private func write(_ ids: ClosedRange<Int64>, to writer: any SinkWriter) throws {
        // A flush for each row, as if each were large.
        for id in ids { try writer.write(Batch.of(fields.types, [[.integer(id)]]), at: now(id)) }
    }

    private func end(_ writer: any SinkWriter) throws {
        try sink().commit(writer.prepareCommit(90, isLast: true, at: now(90)).finished().committables)
    }

    private var rows: [Int] { bucket.committed.split(separator: "\n").compactMap { Int($0) }.sorted() }

    @Test func aSecondJobFromASavepointAndTheFirstBothGoOn() throws {
        let first = try writer(job: 1)
        try write(1...5, to: first)
        let before = try first.prepareCommit(1, isLast: false, at: now(5)).finished()
        #expect(before.unit != nil && before.committables.isEmpty, "an ordinary checkpoint leaves its file open")
        try write(6...9, to: first)
        let savepoint = try first.prepareSavepoint(2, at: now(10)).finished()
        try write(10...14, to: first)
        let second = try writer(job: 2, from: savepoint)
        try write(110...112, to: second)
        try end(second)
        let later = try first.prepareCommit(3, isLast: false, at: now(15)).finished()
        try sink().commit(savepoint.committables + later.committables)
        try write(15...16, to: first)
        try end(first)
        #expect(rows == Array(1...16) + [110, 111, 112] && bucket.uploads.isEmpty)
    }

    @Test func anOlderSavepointThatWasRestoredLeavesTheNewerOneWhole() throws {
        let first = try writer(job: 1)
        try write(1...5, to: first)
        let older = try first.prepareSavepoint(1, at: now(5)).finished()
        try write(6...9, to: first)
        let newer = try first.prepareSavepoint(2, at: now(9)).finished()
        first.close()
        let second = try writer(job: 2, from: older)
        try write(106...107, to: second)
        try end(second)
        let third = try writer(job: 3, from: newer)
        try write(10...12, to: third)
        try end(third)
        #expect(rows == Array(1...12) + [106, 107])
    }
}
