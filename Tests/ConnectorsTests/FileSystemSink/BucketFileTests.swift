import Columnar
import Connectors
import Dataflow
import Testing

@Suite struct BucketFileTests {
    private let fields = schema(("id", .bigint), ("day", .string))
    private let bucket = MemoryBucket()
    private let work = SteppedWork()

    private var buckets: Buckets { bucket.buckets(work) }

    private func sink(_ more: [String: String] = [:], partitions: [Int] = []) throws -> any Sink {
        let options = ["connector": "filesystem", "path": "s3a://memory/out/", "format": "csv", "s3.upload.min.part.size": "10b"].merging(more) { $1 }
        return try StandardConnectors(buckets: buckets).sink(SinkSpec(table: "t", options: options, schema: fields, partitionKeys: partitions))
    }

    private func context(_ attempt: UInt32 = 1, restored: [[UInt8]] = []) -> WriterContext {
        WriterContext(
            task: TaskID(job: JobID(high: 1, low: 2), subtask: SubtaskID(vertex: 3, index: 0), attempt: attempt), parallelism: 1, restored: restored)
    }

    private func batch(_ ids: Int...) -> Batch { Batch.of(fields.types, ids.map { [.integer(Int64($0)), .string("d\($0 % 2)")] }) }

    @Test func aFileGoesOnOverCheckpointsAndItsTailStandsInThem() throws {
        let sink = try sink()
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1), at: now(0))
        let first = try writer.prepareCommit(1, isLast: false, at: now(1)).finished()
        // Nothing but the checkpoint knows of the row.
        #expect(first.committables.isEmpty && first.unit != nil && bucket.uploads.isEmpty && work.isEmpty)
        try writer.write(batch(2, 3, 4), at: now(2))
        let second = try writer.prepareCommit(2, isLast: false, at: now(3))
        #expect(bucket.uploads.isEmpty && !work.isEmpty, "the barrier waits for no upload")
        #expect(try second.finished().committables.isEmpty && bucket.uploads.count == 1)
        let last = try writer.prepareCommit(3, isLast: true, at: now(4)).finished()
        #expect(bucket.committed == "")
        try sink.commit(last.committables)
        try self.sink().commit(last.committables)
        #expect(bucket.committed == "1,d1\n2,d0\n3,d1\n4,d0\n" && bucket.completions == 1)
    }

    @Test func aSuccessorEndsTheFileWithAPartOfItsOwn() throws {
        let old = try sink().makeWriter(context(7))
        try old.write(batch(1, 2, 3), at: now(0))
        _ = try old.prepareCommit(1, isLast: false, at: now(1)).finished()
        try old.write(batch(4), at: now(0))
        let kept = try old.prepareCommit(2, isLast: false, at: now(1)).finished()
        // It was cut off and goes on.
        try old.write(batch(5, 6, 7), at: now(2))
        _ = try old.prepareCommit(3, isLast: false, at: now(2))
        let sink = try sink()
        let new = try sink.makeWriter(context(8, restored: [try #require(kept.unit)]))
        while !work.isEmpty { work.step() }
        #expect(bucket.uploads.values.map { $0.parts.keys.sorted() } == [[1, 2, 5_009]])
        try new.write(batch(5), at: now(3))
        let content = try new.prepareCommit(4, isLast: true, at: now(4)).finished()
        try sink.commit(content.committables)
        #expect(bucket.committed == "1,d1\n2,d0\n3,d1\n4,d0\n5,d1\n" && bucket.aborted.isEmpty)
    }

    @Test func whatALifecycleRuleRemovedIsToldInWords() throws {
        let sink = try sink()
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1, 2, 3), at: now(0))
        let content = try writer.prepareCommit(1, isLast: false, at: now(1)).finished()
        let upload = try #require(bucket.uploads.keys.first)
        bucket.remove(upload: upload)
        try writer.write(batch(4), at: now(2))
        let prepared = try writer.prepareCommit(2, isLast: true, at: now(3))
        let error = #expect(throws: StreamError.self) { try prepared.finished() }
        #expect(error?.retry == false && error?.message.contains("lifecycle rule") == true)
        // A successor that still has a tail to send meets it as well.
        let successor = try sink.makeWriter(context(2, restored: [try #require(content.unit)]))
        #expect(throws: Never.self) { try successor.write(batch(4), at: now(4)) }
    }

    @Test func anObjectThatAReaderTookAwayWasCommitted() throws {
        let sink = try sink()
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1, 2, 3), at: now(0))
        let open = try writer.prepareCommit(1, isLast: false, at: now(1)).finished()
        let last = try writer.prepareCommit(2, isLast: true, at: now(2)).finished()
        try sink.commit(last.committables)
        let key = try #require(bucket.objects.keys.first { $0.hasPrefix("out/part-") })
        bucket.remove(object: key)
        try sink.commit(last.committables)
        // A restore from the checkpoint before, when the file was still open.
        let successor = try self.sink().makeWriter(context(2, restored: [try #require(open.unit)]))
        try sink.commit(successor.prepareCommit(3, isLast: true, at: now(3)).finished().committables)
        #expect(bucket.committed == "" && bucket.completions == 1)
        for list in bucket.objects.keys { bucket.remove(object: list) }
        #expect(throws: StreamError.self) { try sink.commit(last.committables) }
    }

    @Test func manyFoldersEndTheLargestWhenTheyHoldMoreThanAWriterMay() throws {
        let wide = schema(("id", .bigint), ("day", .string), ("filler", .string))
        let options = ["connector": "filesystem", "path": "s3://memory/out", "format": "csv", "s3.upload.min.part.size": "1mb"]
        let sink = try StandardConnectors(buckets: buckets).sink(SinkSpec(table: "t", options: options, schema: wide, partitionKeys: [1]))
        let task = TaskID(job: JobID(high: 1, low: 2), subtask: SubtaskID(vertex: 3, index: 0), attempt: 1)
        // An eighth of it: 2 MiB, where 50 tails would grow to 1 MiB each.
        let writer = try sink.makeWriter(WriterContext(task: task, parallelism: 1, slotBytes: 16 << 20))
        let filler = String(repeating: "x", count: 20_000)
        var most = 0
        for checkpoint in 1...40 {
            let rows = (0..<50).map { [Value.integer(Int64($0)), .string("p\($0)"), .string(filler)] }
            try writer.write(Batch.of(wide.types, rows), at: now(0))
            most = max(most, writer.heldBytes)
            let content = try writer.prepareCommit(CheckpointID(checkpoint), isLast: checkpoint == 40, at: now(1)).finished()
            #expect((content.unit?.count ?? 0) < (2 << 20) + 20_000)
            try sink.commit(content.committables)
        }
        // Above it for no longer than a batch takes, but for two parts on their way.
        #expect(most > 1 << 20 && most <= 4 << 20)
        #expect(bucket.committed.utf8.count { $0 == 0x0A } == 2_000)
    }

    @Test func anObjectThatIsAnothersIsNotWrittenOver() throws {
        let sink = try sink()
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1), at: now(0))
        let content = try writer.prepareCommit(1, isLast: true, at: now(1)).finished()
        let key = try #require(bucket.uploads.values.first?.key)
        bucket.place(key, "theirs")
        let error = #expect(throws: StreamError.self) { try sink.commit(content.committables) }
        #expect(error?.retry == false && bucket.committed == "theirs")
    }

    @Test func onlyWhatNoCheckpointNamesIsAborted() throws {
        let writer = try sink().makeWriter(context())
        try writer.write(batch(1, 2, 3), at: now(0))
        _ = try writer.prepareCommit(1, isLast: false, at: now(1)).finished()
        writer.close()
        while !work.isEmpty { work.step() }
        #expect(bucket.aborted.isEmpty && bucket.uploads.count == 1)
        let other = try sink().makeWriter(context(2))
        let long = Batch.of(fields.types, [[.integer(1), .string(String(repeating: "x", count: 300_000))]])
        try other.write(long, at: now(0))
        while !work.isEmpty { work.step() }
        other.close()
        while !work.isEmpty { work.step() }
        #expect(bucket.aborted.count == 1 && bucket.uploads.count == 1)
    }

    @Test func bucketsOfTimeEndWithTheirHour() throws {
        let sink = try sink([
            "sink.bucket.date-pattern": "yyyy-MM-dd--HH", "sink.bucket.time-zone": "UTC", "sink.partition-commit.policy.kind": "success-file",
            "sink.rolling-policy.check-interval": "1 ms",
        ])
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1), at: now(0))
        _ = try writer.tick(at: now(3_600_000))
        try writer.write(batch(2), at: now(3_600_000))
        let content = try writer.prepareCommit(1, isLast: false, at: now(3_600_001)).finished()
        try sink.commit(content.committables)
        let keys = bucket.objects.keys.filter { !$0.hasPrefix("out/_") }.sorted()
        #expect(keys.count == 2 && keys[0] == "out/2027-01-15--08/_SUCCESS" && keys[1].hasPrefix("out/2027-01-15--08/part-"))
        #expect(bucket.committed == "1,d1\n")
    }

    @Test func compressedFilesAreReadBackWhateverCheckpointsCutThem() throws {
        let sink = try sink(["sink.compression": "gzip"])
        let writer = try sink.makeWriter(context())
        for checkpoint in 0..<50 {
            try writer.write(batch(checkpoint * 2, checkpoint * 2 + 1), at: now(Int64(checkpoint)))
            if checkpoint % 7 == 3 { _ = try writer.prepareCommit(CheckpointID(checkpoint + 1), isLast: false, at: now(Int64(checkpoint))).finished() }
        }
        try sink.commit(writer.prepareCommit(99, isLast: true, at: now(100)).finished().committables)
        #expect(bucket.objects.keys.contains { $0.hasSuffix(".gz") })
        let source = try StandardConnectors(buckets: buckets).source(
            sourceSpec(fields, ["connector": "filesystem", "path": "s3://memory/out", "format": "csv"]))
        let (splits, isComplete) = try source.discover(known: [])
        #expect(splits.count == 1 && isComplete)
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1, batchRows: 7))
        try reader.add(splits.map { SplitState(split: $0) })
        #expect(try rows(reader) == (0..<100).map { Int64($0) })
        // From the middle.
        let second = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1, batchRows: 7))
        try second.add(splits.map { SplitState(split: $0) })
        _ = try rows(second, most: 21)
        let third = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1, batchRows: 7))
        try third.add(try second.snapshot())
        #expect(try rows(third) == (21..<100).map { Int64($0) })
    }

    private func rows(_ reader: any SourceReader, most: Int = .max) throws -> [Int64] {
        var ids: [Int64] = []
        while ids.count < most {
            switch try reader.poll(maximumRows: 7, at: now(0)) {
            case .batch(let batch, _): ids += batch.rows.compactMap { if case .integer(let id) = $0[0] { id } else { nil } }
            case .nothing: work.step()
            case .splitFinished, .splitEnded: continue
            case .needsSplits: return ids
            }
        }
        return ids
    }

    @Test func commitsAreListedAndCompared() throws {
        let sink = try sink(["sink.rolling-policy.file-size": "11b"])
        let writer = try sink.makeWriter(context())
        for row in 1...9 { try writer.write(batch(row), at: now(Int64(row))) }
        let content = try writer.prepareCommit(5, isLast: true, at: now(10)).finished()
        try sink.commit(content.committables)
        try sink.commit(content.committables)
        func verify() throws -> Verification { try Verification(TableFiles("s3://memory/out", buckets)) }
        let good = try verify()
        #expect(good.isGood && good.good.rows == 9 && good.good.files == content.committables.count && good.uncommitted.isEmpty)
        bucket.place("out/stranger", "x\n")
        _ = try bucket.createUpload("out/part-x", metadata: [:])
        let key = try #require(bucket.objects.keys.filter { $0.hasPrefix("out/part-") }.sorted().first)
        bucket.place(key, String(repeating: "9", count: bucket.objects[key]?.bytes.count ?? 0))
        let bad = try verify()
        #expect(!bad.isGood && bad.foreign == ["stranger"] && bad.changed.count == 1 && bad.uncommitted.count == 1 && bad.missing.isEmpty)
    }

    @Test func rowsAreComparedAsLinesOfTheirPartitions() throws {
        let sink = try sink(partitions: [1])
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1, 2, 3), at: now(0))
        try sink.commit(writer.prepareCommit(1, isLast: true, at: now(1)).finished().committables)
        let spec = SinkSpec(table: "t", options: ["format": "csv"], schema: fields, partitionKeys: [1])
        let comparison = try RowComparison(spec)
        comparison.expect(batch(1, 2, 4))
        try comparison.find(TableFiles("s3://memory/out", buckets))
        let outcome = try comparison.outcome()
        #expect(outcome.expected == 3 && outcome.found == 3)
        #expect(outcome.missing.map(\.line) == ["day=d0: 4"] && outcome.tooMany.map(\.line) == ["day=d1: 3"])
    }

    @Test func rawLinesAreWhatTheyAre() throws {
        let one = schema(("line", .string))
        let connectors = StandardConnectors(buckets: buckets)
        let options = ["connector": "filesystem", "path": "s3://memory/raw", "format": "raw"]
        let sink = try connectors.sink(SinkSpec(table: "t", options: options, schema: one))
        let writer = try sink.makeWriter(context())
        try writer.write(Batch.of(one.types, [[.string("ABCD,987.0,987.0\n")], [.string("\"x")]]), at: now(0))
        try sink.commit(writer.prepareCommit(1, isLast: true, at: now(1)).finished().committables)
        #expect(bucket.committed == "ABCD,987.0,987.0\n\n\"x\n")
        let source = try connectors.source(sourceSpec(one, options))
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1))
        try reader.add(source.discover(known: []).splits.map { SplitState(split: $0) })
        while case .nothing = try reader.poll(maximumRows: 9, at: now(0)) { work.step() }
        #expect(throws: StreamError.self) { try connectors.sink(SinkSpec(table: "t", options: options, schema: fields)) }
    }

    @Test func aLargeObjectIsReadInPiecesWhereverItIsCut() throws {
        let count = 90_000
        let filler = String(repeating: "x", count: 100)
        bucket.place("big/rows.csv", (0..<count).map { "\($0),\(filler)\n" }.joined())
        let source = try StandardConnectors(buckets: buckets).source(
            sourceSpec(fields, ["connector": "filesystem", "path": "s3://memory/big", "format": "csv", "csv.disable-quote-character": "true", "source.split.size": "3mb"]))
        let (splits, _) = try source.discover(known: [])
        #expect(splits.count == 4)
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1, batchRows: 7))
        try reader.add(splits.map { SplitState(split: $0) })
        #expect(try rows(reader) == (0..<count).map { Int64($0) })
        // Another object of that name is no silent mixture.
        let late = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1))
        try late.add(splits.map { SplitState(split: $0) })
        bucket.place("big/rows.csv", String(repeating: "1,y\n", count: 4_000_000))
        #expect(throws: StreamError.self) { try rows(late) }
    }
}
