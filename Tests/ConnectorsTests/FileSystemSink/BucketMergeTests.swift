import Columnar
import Connectors
import Dataflow
import Testing

/// `auto-compaction` in a bucket, step by step.
@Suite struct BucketMergeTests {
    private let fields = schema(("id", .bigint), ("day", .string))
    private let bucket = MemoryBucket()
    private let work = SteppedWork()

    private var buckets: Buckets { bucket.buckets(work) }

    private func sink(_ more: [String: String] = [:], partitions: [Int] = []) throws -> any Sink {
        let options = ["connector": "filesystem", "path": "s3://memory/out", "format": "csv", "auto-compaction": "true", "s3.upload.min.part.size": "30b"]
        return try StandardConnectors(buckets: buckets).sink(
            SinkSpec(table: "t", options: options.merging(more) { $1 }, schema: fields, partitionKeys: partitions))
    }

    /// Committables of so many subtasks, of which each wrote the row with its number.
    private func parts(of subtasks: Range<Int>, _ sink: any Sink, checkpoint: CheckpointID = 1, text: String = "x") throws -> [Committable] {
        try subtasks.flatMap { index in
            let task = TaskID(job: JobID(high: 1, low: 2), subtask: SubtaskID(vertex: 3, index: index), attempt: 1)
            let writer = try sink.makeWriter(WriterContext(task: task, parallelism: subtasks.count))
            try writer.write(Batch.of(fields.types, [[.integer(Int64(index)), .string(text)]]), at: now(0))
            return try writer.prepareCommit(checkpoint, isLast: true, at: now(1)).finished().committables
        }
    }

    private var files: [String] { bucket.objects.keys.filter { !$0.contains("/_") }.sorted() }
    private var kept: [String] { bucket.objects.keys.filter { $0.contains("/_swiftwater/parts/") }.sorted() }
    private var rows: [Int] { bucket.committed.split(separator: "\n").compactMap { Int($0.prefix { $0 != "," }) }.sorted() }
    private func verified() throws -> Verification { try Verification(TableFiles("s3://memory/out", buckets)) }
    private func isGood() throws -> Bool { try verified().isGood }

    @Test func filesOfSeveralSubtasksBecomeOneBeforeTheyAreSeen() throws {
        let sink = try sink()
        let parts = try parts(of: 0..<5, sink)
        #expect(parts.count == 5 && files.isEmpty && kept.count == 5 && bucket.uploads.isEmpty)
        #expect(try verified().uncommitted.count == 5)
        try sink.commit(parts)
        #expect(files.count == 1 && kept.isEmpty && bucket.uploads.isEmpty)
        #expect(rows == [0, 1, 2, 3, 4])
        let verified = try verified()
        #expect(verified.isGood && verified.good.rows == 5 && verified.good.files == 1 && verified.uncommitted.isEmpty)
    }

    @Test func repeatedCommitsInOtherCompanyMakeNothingTwice() throws {
        let sink = try sink()
        let parts = try parts(of: 0..<6, sink)
        try sink.commit(Array(parts[..<4]))
        try self.sink().commit(Array(parts[2...]))
        try self.sink().commit(parts)
        #expect(rows == [0, 1, 2, 3, 4, 5] && files.count == 2 && bucket.completions == 2)
        #expect(try isGood())
    }

    @Test func filesOfPartitionsStayApartAndBecomeNoLargerThanWished() throws {
        let sink = try sink(["compaction.file-size": "8b"], partitions: [1])
        try sink.commit(parts(of: 0..<4, sink, text: "a") + parts(of: 4..<5, sink, checkpoint: 2, text: "b"))
        #expect(files.count == 2 && files.count { $0.hasPrefix("out/day=a/") } == 1 && rows == [0, 1, 2, 3, 4])
        let small = try self.sink(["compaction.file-size": "5b"], partitions: [1])
        try small.commit(parts(of: 10..<14, small, text: "c"))
        #expect(files.count { $0.hasPrefix("out/day=c/") } == 4)
        #expect(try isGood())
    }

    @Test func aFileThatHasSentPartsIsCommittedAsItIs() throws {
        let sink = try sink()
        let long = try parts(of: 0..<1, sink, text: String(repeating: "x", count: 300_000)), short = try parts(of: 1..<3, sink)
        try sink.commit(long + short)
        #expect(files.count == 2 && rows == [0, 1, 2])
        #expect(try isGood())
    }

    @Test func partsThatAreGoneWithoutAFileAreLostInWords() throws {
        let sink = try sink()
        let parts = try parts(of: 0..<2, sink)
        bucket.remove(object: kept[0])
        let error = #expect(throws: StreamError.self) { try sink.commit(parts) }
        #expect(error?.retry == false && error?.message.contains("rows are lost") == true && files.isEmpty)
    }

    /// The words say how to mend it, and it can be mended so.
    @Test func aPlannedUploadThatALifecycleRuleRemovedIsMendedByHand() throws {
        let sink = try sink()
        let parts = try parts(of: 0..<2, sink), bytes = kept.flatMap { bucket.objects[$0]?.bytes ?? [] }
        // Planned, and then the process ended.
        let (gone, held) = (kept[0], bucket.objects[kept[0]]?.bytes ?? [])
        bucket.remove(object: gone)
        #expect(throws: StreamError.self) { try sink.commit(parts) }
        bucket.place(gone, bytes: held)
        for upload in bucket.uploads.keys { bucket.remove(upload: upload) }

        let words = try #require(#expect(throws: StreamError.self) { try self.sink().commit(parts) }).message
        #expect(words.contains("2 rows are still there") && kept.allSatisfy { words.contains($0) } && kept.count == 2)
        let key = try #require(words.firstMatch(of: /memory\/(out\/[^:]+):/)?.1), id = try #require(words.firstMatch(of: /swiftwater-id=([^,]+),/)?.1)
        let upload = try bucket.createUpload(String(key), metadata: ["swiftwater-id": String(id)])
        try bucket.completeUpload(String(key), upload: upload, parts: [bucket.uploadPart(String(key), upload: upload, number: 1, bytes)])
        try self.sink().commit(parts)
        #expect(rows == [0, 1] && files.count == 1 && kept.isEmpty)
        #expect(try isGood())
    }

    @Test func aPlanThatSomebodyRemovedLeavesItsNumberTaken() throws {
        let sink = try sink()
        let parts = try parts(of: 0..<6, sink)
        try sink.commit(Array(parts[..<2]))
        try self.sink().commit(Array(parts[2..<4]))
        let plans = bucket.objects.keys.filter { $0.contains("/_swiftwater/merges/") }.sorted()
        #expect(plans.count == 2)
        bucket.remove(object: plans[0])
        try self.sink().commit(Array(parts[4...]))
        #expect(rows == [0, 1, 2, 3, 4, 5] && files.count == 3 && kept.isEmpty)
        #expect(bucket.objects.keys.filter { $0.contains("/_swiftwater/merges/") }.max().map { $0 > plans[1] } == true)
    }

    @Test func aMergedFileThatAReaderTookAwayWasCommitted() throws {
        let sink = try sink()
        let parts = try parts(of: 0..<3, sink)
        try sink.commit(parts)
        bucket.remove(object: files[0])
        try self.sink().commit(parts)
        #expect(files.isEmpty && bucket.completions == 1)
    }

    @Test func aJobThatNoLongerMergesCommitsWhatWasToBeMerged() throws {
        let parts = try parts(of: 0..<3, sink())
        try sink(["auto-compaction": "false"]).commit(parts)
        #expect(rows == [0, 1, 2])
        #expect(try isGood())
    }

    @Test func aWriterThatEndsWithoutACheckpointLeavesNothing() throws {
        let task = TaskID(job: JobID(high: 1, low: 2), subtask: SubtaskID(vertex: 3, index: 0), attempt: 1)
        let writer = try sink(["sink.rolling-policy.file-size": "1b"]).makeWriter(WriterContext(task: task, parallelism: 1))
        try writer.write(Batch.of(fields.types, [[.integer(1), .string("x")]]), at: now(0))
        while !work.isEmpty { work.step() }
        #expect(kept.count == 1)
        writer.close()
        while !work.isEmpty { work.step() }
        #expect(kept.isEmpty)
    }

    @Test func theListsOfCommitsAreNeeded() {
        #expect(throws: StreamError.self) { try sink(["sink.commit-list.enabled": "false"]) }
    }
}
