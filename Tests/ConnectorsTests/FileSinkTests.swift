import Columnar
import Connectors
import Dataflow
import Glibc
import Testing

@Suite struct FileSinkTests {
    private let fields = schema(("id", .bigint), ("day", .string))
    private let job = JobID(high: 1, low: 2)

    private func sink(_ folder: TemporaryFolder, _ more: [String: String] = [:], partitions: [Int] = []) throws -> any Sink {
        let options = ["connector": "filesystem", "path": folder.path, "format": "csv"].merging(more) { $1 }
        return try StandardConnectors().sink(SinkSpec(table: "t", options: options, schema: fields, partitionKeys: partitions))
    }

    private func context(subtask: Int = 0, attempt: UInt32 = 1) -> WriterContext {
        WriterContext(task: TaskID(job: job, subtask: SubtaskID(vertex: 3, index: subtask), attempt: attempt), parallelism: 2)
    }

    private func batch(_ ids: Int...) -> Batch { Batch.of(fields.types, ids.map { [.integer(Int64($0)), .string("d\($0 % 2)")] }) }

    @Test func nothingIsSeenBeforeTheCheckpointIsComplete() throws {
        let folder = TemporaryFolder()
        let sink = try sink(folder)
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1, 2), at: now(0))
        #expect(folder.names().allSatisfy { $0.hasPrefix(".") } && folder.names().count == 1)
        let first = try writer.prepareCommit(1, isLast: false, at: now(1)).finished()
        let (committables, unit) = (first.committables, first.unit)
        #expect(committables.count == 1 && unit == nil && folder.committed.isEmpty)
        try writer.write(batch(3), at: now(2))
        try sink.commit(committables)
        #expect(folder.committed == "1,d1\n2,d0\n")
        // Again, from another process.
        try self.sink(folder).commit(committables)
        #expect(folder.committed == "1,d1\n2,d0\n")
        try sink.commit(writer.prepareCommit(2, isLast: true, at: now(3)).finished().committables)
        writer.close()
        #expect(folder.committed == "1,d1\n2,d0\n3,d1\n" && folder.files.count == 2)
        #expect(try writer.prepareCommit(3, isLast: true, at: now(4)).finished().committables.isEmpty)
    }

    @Test func aCrashLosesAndDoublesNothing() throws {
        let folder = TemporaryFolder()
        let sink = try sink(folder)
        let first = try sink.makeWriter(context(attempt: 1))
        try first.write(batch(1), at: now(0))
        let kept = try first.prepareCommit(1, isLast: false, at: now(1)).finished().committables
        try first.write(batch(2), at: now(2))
        let lost = try first.prepareCommit(2, isLast: false, at: now(3)).finished().committables
        try first.write(batch(3), at: now(4))
        // The process dies: checkpoint 1 is complete and not yet committed, checkpoint 2 never was. Another job writes here too.
        folder.write(".part-\(JobID(high: 9, low: 9))-3-0-0-0.inprogress", "theirs")
        try self.sink(folder).discard(job: job, vertex: 3, attemptsBelow: 2, keeping: kept)
        #expect(folder.files.count == 2)
        let second = try sink.makeWriter(context(attempt: 2))
        try second.write(batch(2, 3), at: now(5))
        try sink.commit(kept)
        try sink.commit(second.prepareCommit(3, isLast: true, at: now(6)).finished().committables)
        #expect(folder.committed == "1,d1\n2,d0\n3,d1\n")
        let error = #expect(throws: StreamError.self) { try sink.commit(lost) }
        #expect(error?.message.contains("neither") == true)
    }

    @Test func aCommitWritesOverNoOtherFile() throws {
        let folder = TemporaryFolder()
        let sink = try sink(folder)
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1), at: now(0))
        let committables = try writer.prepareCommit(1, isLast: true, at: now(1)).finished().committables
        let name = committables[0].id.split(separator: "/").last.map(String.init) ?? ""
        folder.write(name, "something else")
        #expect(throws: StreamError.self) { try sink.commit(committables) }
        #expect(folder.read(name) == "something else")
    }

    @Test func filesRollBySizeAndAge() throws {
        let folder = TemporaryFolder()
        let sink = try sink(folder, [
            "sink.rolling-policy.file-size": "10b", "sink.rolling-policy.rollover-interval": "10 s", "sink.rolling-policy.check-interval": "1 s",
        ])
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1, 2, 3), at: now(0))
        try writer.write(batch(4), at: now(0))
        #expect(try writer.tick(at: now(0)) == now(1_000).instant)
        _ = try writer.tick(at: now(11_000))
        try writer.write(batch(5), at: now(11_000))
        let committables = try writer.prepareCommit(1, isLast: true, at: now(12_000)).finished().committables
        #expect(committables.count == 3)
        try sink.commit(committables)
        #expect(folder.committed.split(separator: "\n").count == 5)
    }

    @Test func partitionsAreFoldersWithoutTheirColumns() throws {
        let folder = TemporaryFolder()
        let sink = try sink(folder, partitions: [1])
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1, 2, 3), at: now(0))
        try writer.write(Batch.of(fields.types, [[.integer(4), .null], [.integer(5), .string("a/b=c")]]), at: now(0))
        let committables = try writer.prepareCommit(1, isLast: true, at: now(1)).finished().committables
        try sink.commit(committables.reversed())
        #expect(folder.files == ["day=__DEFAULT_PARTITION__", "day=a%2Fb%3Dc", "day=d0", "day=d1"])
        let file = folder.names(folder.path + "/day=d1")[0]
        #expect(folder.read("day=d1/" + file) == "1\n3\n")
        // Files of more partitions than may be open at once are all there.
        let many = (0..<200).map { [Value.integer(Int64($0)), .string("p\($0)")] }
        try writer.write(Batch.of(fields.types, many), at: now(2))
        #expect(try writer.prepareCommit(2, isLast: true, at: now(3)).finished().committables.count == 200)
    }

    @Test func rowsThatTakeBackAreRefused() throws {
        let folder = TemporaryFolder()
        let writer = try sink(folder).makeWriter(context())
        let update = Batch.of(fields.types, [[.integer(1), .null]], kinds: [.updateAfter])
        #expect(throws: StreamError.self) { try writer.write(update, at: now(0)) }
    }

    @Test func closingWithoutCheckpointRemovesWhatNoneNames() throws {
        let folder = TemporaryFolder()
        let writer = try sink(folder).makeWriter(context())
        try writer.write(batch(1), at: now(0))
        let named = try writer.prepareCommit(1, isLast: false, at: now(1)).finished().committables
        try writer.write(batch(2), at: now(2))
        writer.close()
        #expect(folder.names().count == 1)
        try sink(folder).commit(named)
        #expect(folder.committed == "1,d1\n")
    }
}
