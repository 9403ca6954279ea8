import Columnar
import Connectors
import Dataflow
import Testing

/// What `swiftwater verify` must not overlook.
@Suite struct VerificationTests {
    private let fields = schema(("s", .string))
    private let bucket = MemoryBucket()
    private let work = SteppedWork()

    private var buckets: Buckets { bucket.buckets(work) }

    private func sink() throws -> any Sink {
        let options = ["connector": "filesystem", "path": "s3://memory/out", "format": "csv", "sink.rolling-policy.file-size": "1b"]
        return try StandardConnectors(buckets: buckets).sink(SinkSpec(table: "t", options: options, schema: fields))
    }

    private func writer(job: UInt64, from unit: [UInt8]? = nil) throws -> any SinkWriter {
        let task = TaskID(job: JobID(high: 0, low: job), subtask: SubtaskID(vertex: 1, index: 0), attempt: 1)
        return try sink().makeWriter(WriterContext(task: task, parallelism: 1, restored: unit.map { [$0] } ?? []))
    }

    private func batch(_ text: String) -> Batch { Batch.of(fields.types, [[.string(text)]]) }

    /// A file for each row, a commit for each file.
    private func commit(_ texts: [String], by writer: any SinkWriter, from first: CheckpointID) throws {
        for (index, text) in texts.enumerated() {
            try writer.write(batch(text), at: now(Int64(index)))
            try sink().commit(writer.prepareCommit(first + CheckpointID(index), isLast: false, at: now(Int64(index))).finished().committables)
        }
    }

    private func verify() throws -> Verification { try Verification(TableFiles("s3://memory/out", buckets)) }
    private var lists: [String] { bucket.objects.keys.filter { $0.contains("/_swiftwater/") }.sorted() }
    private var parts: [String] { bucket.objects.keys.filter { $0.hasPrefix("out/part-") }.sorted() }

    @Test func aPathWithNothingBelowIsNoTable() throws {
        #expect(throws: StreamError.self) { try TableFiles("s3://memory/nothing", buckets) }
    }

    @Test func aListThatWasEmptiedWithItsFileIsNotWhole() throws {
        try commit(["a", "b"], by: writer(job: 1), from: 1)
        #expect(try verify().isGood)
        bucket.place(lists[0], "")
        bucket.remove(object: parts[0])
        let found = try verify()
        #expect(!found.isGood && found.changed.contains { $0.contains("list") })
    }

    @Test func aListThatIsGoneWithItsFileIsMissedByTheNextOne() throws {
        let first = try writer(job: 1)
        try commit(["a", "b"], by: first, from: 1)
        let savepoint = try first.prepareSavepoint(3, at: now(3)).finished()
        // The chain goes on in whoever goes on.
        try commit(["c"], by: writer(job: 1, from: savepoint.unit), from: 4)
        #expect(try verify().isGood)
        let gone = try #require(parts.first { bucket.objects[$0]?.bytes == Array("b\n".utf8) })
        bucket.remove(object: lists[1])
        bucket.remove(object: gone)
        #expect(try verify().missing == ["\(gone.dropFirst(4)), and the list that named it"])
    }

    @Test func whatTheFirstJobWroteAfterASavepointAnotherBeganFromIsThereTwice() throws {
        let first = try writer(job: 1)
        try commit(["a"], by: first, from: 1)
        let savepoint = try first.prepareSavepoint(2, at: now(3)).finished()
        try commit(["b"], by: first, from: 3)
        #expect(try verify().isGood)
        let second = try writer(job: 2, from: savepoint.unit)
        try commit(["b and more"], by: second, from: 3)
        let again = try #require(second.prepareCommit(4, isLast: false, at: now(9)).finished().unit)
        #expect(try verify().doubled.count == 1)
        // Its own recovery does not hide that, and doubles nothing.
        for key in lists + parts where key.contains("0002-1") { bucket.remove(object: key) }
        #expect(try verify().isGood)
        try commit(["c"], by: writer(job: 2, from: again), from: 5)
        #expect(try verify().doubled.count == 1)
    }

    @Test func rowsAreComparedByteForByteAndToTheLastByte() throws {
        func outcome(_ expected: String, _ found: [UInt8]) throws -> (missing: Int, tooMany: Int) {
            let comparison = try RowComparison(SinkSpec(table: "t", options: ["format": "csv"], schema: fields))
            comparison.expect(batch(expected))
            bucket.place("rows/x.csv", bytes: found)
            try comparison.find(TableFiles("s3://memory/rows", buckets))
            let outcome = try comparison.outcome()
            return (outcome.missing.count, outcome.tooMany.count)
        }
        #expect(try outcome("plain", Array("plain\n".utf8)) == (0, 0))
        #expect(try outcome("caf\u{E9}", Array("cafe\u{301}\n".utf8)) == (1, 1))
        #expect(try outcome("a\u{FFFD}", [0x61, 0xFF, 0x0A]) == (1, 1))
        #expect(try outcome("plain", Array("plain\nhalf a li".utf8)) == (0, 1))
    }
}
