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
        let committables = first.committables
        #expect(committables.count == 1 && folder.committed.isEmpty)
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

    @Test func whatAReaderTookAwayWasCommitted() throws {
        let folder = TemporaryFolder()
        let sink = try sink(folder, partitions: [1])
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1, 2), at: now(0))
        let first = try writer.prepareCommit(1, isLast: false, at: now(1)).finished().committables
        try writer.write(batch(3), at: now(2))
        let second = try writer.prepareCommit(2, isLast: true, at: now(3)).finished().committables
        try sink.commit(first)
        folder.remove("day=d0")
        folder.remove("day=d1/" + folder.names(folder.path + "/day=d1").filter { !$0.hasPrefix(".") }[0])
        // A restore from checkpoint 1 or 2 commits it again, whichever others with it.
        try self.sink(folder, partitions: [1]).commit(first + second)
        try self.sink(folder, partitions: [1]).commit(first)
        #expect(folder.names() == ["_swiftwater", "day=d1"])
        #expect(folder.read("day=d1/" + folder.names(folder.path + "/day=d1")[0]) == "3\n")
        // Without a list nothing tells a file that was read from one that was lost.
        folder.remove("_swiftwater")
        let error = #expect(throws: StreamError.self) { try sink.commit(first) }
        #expect(error?.retry == false && error?.message.contains("1 rows are lost") == true)
    }

    @Test func aCommitThatDiedBeforeItsListWasSeenKnowsWhatItRenamed() throws {
        let folder = TemporaryFolder()
        let sink = try sink(folder)
        let writer = try sink.makeWriter(context())
        try writer.write(batch(1), at: now(0))
        let committables = try writer.prepareCommit(1, isLast: true, at: now(1)).finished().committables
        try sink.commit(committables)
        // As it was when the process died between the rename and the list, and a reader took the file.
        let lists = "_swiftwater/commits/" + folder.names(folder.path + "/_swiftwater/commits")[0]
        let list = folder.names(folder.path + "/" + lists)[0]
        folder.write(lists + "/." + list + ".77-0", folder.read(lists + "/" + list))
        folder.write(lists + "/." + list + ".78-0", String(folder.read(lists + "/" + list).prefix(20)))
        folder.remove(lists + "/" + list)
        folder.remove(folder.files[0])
        try sink.commit(committables)
        #expect(folder.committed == "" && folder.names(folder.path + "/" + lists).contains(list))
    }

    @Test func twoProcessesMayCommitAtOnce() throws {
        let folder = TemporaryFolder()
        let sink = try sink(folder, ["sink.rolling-policy.file-size": "1b"])
        let writer = try sink.makeWriter(context())
        for row in 0..<100 { try writer.write(batch(row), at: now(0)) }
        let committables = try writer.prepareCommit(1, isLast: true, at: now(1)).finished().committables
        // A JobManager that lost its place asked for it, and so does the one that took over.
        let failures = OwnThreads.run(4) { _ in
            do { try sink.commit(committables) } catch { return "\(error)" }
            return nil
        }
        #expect(committables.count == 100 && failures == [])
        #expect(folder.committed.split(separator: "\n").count == 100 && folder.names().allSatisfy { !$0.hasPrefix(".") })
    }

    @Test func newFoldersOutliveAPowerCut() throws {
        let folder = TemporaryFolder()
        var synced: [String] = []
        try FilePath.makeFolder(folder.path + "/day=1/hour=2") { synced.append($0) }
        try FilePath.makeFolder(folder.path + "/day=1/hour=2") { synced.append($0) }
        #expect(synced == [folder.path, folder.path + "/day=1"])
        #expect(FilePath.withFoldersAbove(["day=1/hour=2", "day=1/hour=3", "day=2/hour=2"]) == ["", "day=1", "day=1/hour=2", "day=1/hour=3", "day=2", "day=2/hour=2"])
        #expect(FilePath.withFoldersAbove([]) == [] && FilePath.withFoldersAbove([""]) == [""])
    }

    @Test func moreFoldersThanBuffersMakeNoMoreFiles() throws {
        let folder = TemporaryFolder()
        for compression in ["none", "gzip"] {
            let sink = try sink(folder, ["sink.compression": compression], partitions: [1])
            let writer = try sink.makeWriter(context())
            let rows = (0..<80).map { [Value.integer(Int64($0)), .string("p\($0)")] }
            for _ in 0..<5 { try writer.write(Batch.of(fields.types, rows), at: now(0)) }
            #expect(OpenFiles.below(folder.path) <= 64)
            let committables = try writer.prepareCommit(1, isLast: true, at: now(1)).finished().committables
            #expect(committables.count == 80 && OpenFiles.below(folder.path) == 0)
            try sink.commit(committables)
        }
        let spec = sourceSpec(fields, ["connector": "filesystem", "path": folder.path, "format": "csv"], tableColumns: ["id", "day"], partitionKeys: ["day"])
        let read = try readAll(StandardConnectors().source(spec))
        #expect(read.count == 800 && Set(read).count == 80)
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

    /// The files of one checkpoint, of two subtasks, committed as `sink.commit` is asked to: all at once, in parts, again, and after a death at any step.
    @Test(arguments: 0..<8) func smallFilesBecomeOneExactlyOnce(death: Int) throws {
        let folder = TemporaryFolder()
        let sink = try sink(folder, ["auto-compaction": "true", "compaction.file-size": "25b", "sink.rolling-policy.file-size": "10b"])
        var committables: [Committable] = []
        for subtask in 0..<2 {
            let writer = try sink.makeWriter(context(subtask: subtask))
            for row in 0..<4 { try writer.write(batch(subtask * 10 + row * 2, subtask * 10 + row * 2 + 1), at: now(0)) }
            committables += try writer.prepareCommit(1, isLast: true, at: now(1)).finished().committables
        }
        let all = (0..<18).filter { $0 < 8 || $0 >= 10 }.map { "\($0),d\($0 % 2)" }.sorted()
        let hidden = folder.names()
        #expect(committables.count == 8 && hidden.count == 8)
        let kept = hidden.map { folder.read($0) }
        if death % 2 == 1 { try sink.commit(Array(committables[..<3])) }
        try sink.commit(committables)
        #expect(folder.committed.split(separator: "\n").map(String.init).sorted() == all)
        #expect(folder.files.count < 8 && folder.names().allSatisfy { !$0.hasPrefix(".") })
        // It died behind the list and in front of the rest: parts are still there, the merged file has its hidden name or was even read and taken away.
        let lists = "_swiftwater/commits/" + folder.names(folder.path + "/_swiftwater/commits").filter { !$0.hasPrefix(".") }[0]
        if death >= 2 {
            for list in folder.names(folder.path + "/" + lists) {
                folder.write(lists + "/." + list + ".1-0", folder.read(lists + "/" + list))
                folder.remove(lists + "/" + list)
            }
            if death >= 4 {
                for (name, text) in zip(hidden, kept) where !folder.files.contains(String(name.dropFirst().dropLast(".inprogress".count))) { folder.write(name, text) }
            }
            let merged = folder.files.filter { $0.hasSuffix("-merged") }
            #expect(!merged.isEmpty)
            if death >= 6 { rename(folder.path + "/" + merged[0], folder.path + "/." + merged[0] + ".inprogress") } else { folder.remove(merged[0]) }
        }
        let taken = death >= 2 && death < 6
        try sink.commit(committables.reversed())
        // Once without the option: what was begun counts all the same.
        try self.sink(folder).commit(committables)
        let rows = folder.committed.split(separator: "\n").map(String.init)
        #expect(Set(rows).count == rows.count && (taken ? rows.count < all.count : rows.sorted() == all))
        #expect(folder.names().allSatisfy { !$0.hasPrefix(".") } && folder.names(folder.path + "/" + lists).contains { !$0.hasPrefix(".") })
        let verification = try Verification(TableFiles(folder.path))
        #expect(verification.foreign.isEmpty && verification.changed.isEmpty && verification.missing.isEmpty == !taken)
    }

    @Test func aPartitionIsMarkedWhenTheWatermarkHasPassedItsTime() throws {
        let folder = TemporaryFolder()
        let hourly = schema(("id", .bigint), ("day", .string), ("h", .string))
        let options = [
            "connector": "filesystem", "path": folder.path, "format": "csv", "sink.partition-commit.policy.kind": "success-file",
            "sink.partition-commit.trigger": "partition-time", "sink.partition-commit.delay": "1 h",
            "partition.time-extractor.timestamp-pattern": "$day $h:00:00", "sink.partition-commit.watermark-time-zone": "Europe/Berlin",
        ]
        let sink = try StandardConnectors().sink(SinkSpec(table: "t", options: options, schema: hourly, partitionKeys: [1, 2]))
        let writer = try sink.makeWriter(context())
        func write(_ hours: String...) throws {
            try writer.write(Batch.of(hourly.types, hours.map { [.integer(1), .string("2026-11-22"), .string($0)] }), at: now(0))
        }
        var checkpoint: CheckpointID = 0
        func marked() throws -> [String] {
            checkpoint += 1
            try sink.commit(writer.prepareCommit(checkpoint, isLast: false, at: now(9_000_000)).finished().committables)
            return ["7", "10", "11"].filter { folder.names(folder.path + "/day=2026-11-22/h=" + $0).contains("_SUCCESS") }
        }
        try write("7", "10")
        #expect(try marked() == [])
        // 2026-11-22 08:00:00 in Berlin, an hour after that hour began.
        writer.advance(to: 1_795_330_800_000)
        #expect(try marked() == [])
        writer.advance(to: 1_795_330_800_001)
        #expect(try marked() == ["7"])
        try write("11")
        writer.advance(to: 1_795_330_800_001 + 3 * 3_600_000)
        #expect(try marked() == ["7", "10"])
        // Late rows of a marked partition: it is marked again, and a partition without a time ends the job.
        try write("7")
        #expect(try marked() == ["7", "10"])
        let error = #expect(throws: StreamError.self) { try write("noon") }
        #expect(error?.message.contains("names no time: '2026-11-22 noon:00:00'") == true)
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
