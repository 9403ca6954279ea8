import Columnar
import Connectors
import Dataflow
import Testing

/// What `swiftwater verify` says when a job's checkpoints and the files it wrote do not agree.
@Suite struct CheckpointComparisonTests {
    private let fields = schema(("s", .string))
    private let bucket = MemoryBucket()
    private let work = SteppedWork()
    private let folder = TemporaryFolder()
    private let job = JobID(high: 0, low: 1)

    private var buckets: Buckets { bucket.buckets(work) }

    private func sink(_ path: String) throws -> any Sink {
        let options = ["connector": "filesystem", "path": path, "format": "csv", "sink.rolling-policy.file-size": "1b"]
        return try StandardConnectors(buckets: buckets).sink(SinkSpec(table: "t", options: options, schema: fields))
    }

    private func writer(_ path: String) throws -> any SinkWriter {
        let task = TaskID(job: job, subtask: SubtaskID(vertex: 1, index: 0), attempt: 1)
        return try sink(path).makeWriter(WriterContext(task: task, parallelism: 1, restored: []))
    }

    /// The committables of a row's file, not carried out yet.
    private func prepare(_ text: String, by writer: any SinkWriter, _ checkpoint: CheckpointID) throws -> [Committable] {
        try writer.write(Batch.of(fields.types, [[.string(text)]]), at: now(Int64(checkpoint)))
        return try writer.prepareCommit(checkpoint, isLast: false, at: now(Int64(checkpoint))).finished().committables
    }

    private func manifest(_ checkpoint: CheckpointID, commits: [Committable] = [], late: [Committable] = [], splits: [SplitState] = [], known: [String] = []) -> Manifest {
        Manifest(
            job: job, checkpoint: checkpoint, kind: .checkpoint, leaderEpoch: 1, layout: Layout(epoch: 1, attempt: 1, vertices: []), vertexIDs: ["in", "out"],
            maxParallelism: 128, triggered: 0, objects: [],
            subtasks: [
                Manifest.Subtask(subtask: SubtaskID(vertex: 0, index: 0), splits: splits, finishedSplits: [], committables: []),
                Manifest.Subtask(subtask: SubtaskID(vertex: 1, index: 0), splits: [], finishedSplits: [], committables: commits),
            ],
            enumerators: [Manifest.Enumerator(vertex: 0, pending: [], known: known, isComplete: true)],
            uncommitted: late.map { Manifest.PendingCommit(vertex: 1, committable: $0) })
    }

    /// `names`: the checkpoints that HEAD names.
    private func verify(_ path: String, names: [CheckpointID], _ manifests: Manifest...) throws -> Verification {
        let table = try TableFiles(path, buckets)
        var head = Head(job: job, leaderEpoch: 1)
        head.retained = names.map { Head.Retained(checkpoint: $0, kind: .checkpoint, manifest: "\(job)/chk-\($0)/_metadata", objects: []) }
        var found = try Verification(table)
        found.compare(table, head: head, checkpoints: manifests)
        return found
    }

    private var places: [String] { ["s3://memory/out", folder.path] }

    // MARK: Commits

    @Test func aCommitThatNobodyAcknowledgedIsToldAndIsNoTrouble() throws {
        for path in places {
            let writer = try writer(path)
            let first = try prepare("a", by: writer, 1)
            try sink(path).commit(first)
            let second = try prepare("b", by: writer, 2)
            let third = try prepare("c", by: writer, 3)
            let found = try verify(path, names: [3], manifest(3, commits: third, late: second))
            #expect(found.isGood, "\(path): \(found.missing)")
            let told = found.uncommitted.filter { $0.contains("checkpoint 3 of job \(job)") }
            #expect(told.count == 2 && told.allSatisfy { $0.contains("was not acknowledged (1 rows)") }, "\(path): \(found.uncommitted)")
            // What a manifest still says and lists do too is committed.
            try sink(path).commit(second + third)
            #expect(try verify(path, names: [3], manifest(3, commits: third, late: second)).uncommitted == [])
        }
    }

    @Test func aFileToBeCommittedThatIsGoneWithWhatItWasMadeFromIsMissing() throws {
        for path in places {
            let writer = try writer(path)
            try sink(path).commit(prepare("a", by: writer, 1))
            let second = try prepare("b", by: writer, 2)
            if path == folder.path {
                for name in folder.names() where name.hasPrefix(".part-") { folder.remove(name) }
            } else {
                for (id, upload) in bucket.uploads { try bucket.abortUpload(upload.key, upload: id) }
            }
            let found = try verify(path, names: [2], manifest(2, commits: second))
            #expect(!found.isGood && found.missing.count == 1 && found.missing[0].contains("nor what it is made from is there: 1 rows"), "\(path): \(found.missing)")
        }
    }

    @Test func aFileThatIsThereBeforeItsListIsNotForeign() throws {
        for path in places {
            let writer = try writer(path)
            try sink(path).commit(prepare("a", by: writer, 1))
            let second = try prepare("b", by: writer, 2)
            try sink(path).commit(second)
            // As a process leaves it that dies between the file and the list.
            if path == folder.path {
                let lists = "_swiftwater/commits/part-\(job)-1"
                let newest = try #require(folder.names(folder.path + "/" + lists).last { !$0.hasPrefix(".") })
                folder.remove("\(lists)/\(newest)")
            } else {
                bucket.remove(object: try #require(bucket.objects.keys.filter { $0.contains("/_swiftwater/") }.max()))
            }
            #expect(try Verification(TableFiles(path, buckets)).foreign.count == 1)
            let found = try verify(path, names: [2], manifest(2, commits: second))
            #expect(found.isGood && found.uncommitted.contains { $0.contains("the file is there, and its commit was not acknowledged") }, "\(path): \(found)")
        }
    }

    /// As a process leaves it that dies after the parts went and before the list is shown.
    @Test func aMergeThatWasCutOffLeavesNothingMissing() throws {
        let options = ["connector": "filesystem", "path": folder.path, "format": "csv", "sink.rolling-policy.file-size": "1b", "auto-compaction": "true", "compaction.file-size": "1mb"]
        let sink = try StandardConnectors(buckets: buckets).sink(SinkSpec(table: "t", options: options, schema: fields))
        let task = TaskID(job: job, subtask: SubtaskID(vertex: 1, index: 0), attempt: 1)
        let writer = try sink.makeWriter(WriterContext(task: task, parallelism: 1, restored: []))
        for text in ["a", "b"] { try writer.write(Batch.of(fields.types, [[.string(text)]]), at: now(0)) }
        let commits = try writer.prepareCommit(1, isLast: false, at: now(1)).finished().committables
        try sink.commit(commits)
        #expect(commits.count == 2 && folder.files.filter { $0.hasPrefix("part-") }.count == 1)
        let lists = "_swiftwater/commits/part-\(job)-1"
        let list = try #require(folder.names(folder.path + "/" + lists).first { !$0.hasPrefix(".") })
        let text = folder.read("\(lists)/\(list)")
        folder.remove("\(lists)/\(list)")
        folder.write("\(lists)/.\(list).1-00000000", text)
        let found = try verify(folder.path, names: [1], manifest(1, commits: commits))
        #expect(found.isGood && found.uncommitted.filter { $0.contains("it was merged into part-") }.count == 2, "\(found.missing) \(found.foreign) \(found.uncommitted)")
    }

    @Test func commitsOfAnotherTableAreNotThisOnes() throws {
        try sink("s3://memory/out").commit(prepare("a", by: writer("s3://memory/out"), 1))
        let elsewhere = try prepare("b", by: writer("s3://memory/elsewhere"), 2)
        let found = try verify("s3://memory/out", names: [2], manifest(2, commits: elsewhere))
        #expect(found.isGood && found.uncommitted == [])
    }

    // MARK: HEAD

    @Test func aHeadThatWasPutBackBehindCommittedFilesIsTold() throws {
        for path in places {
            let writer = try writer(path)
            for checkpoint in 1...3 as ClosedRange<CheckpointID> { try sink(path).commit(prepare("row \(checkpoint)", by: writer, checkpoint)) }
            #expect(try verify(path, names: [2, 3], manifest(2), manifest(3)).isGood)
            let found = try verify(path, names: [1], manifest(1))
            #expect(!found.isGood && found.contradictions.count == 1, "\(found.contradictions)")
            #expect(found.contradictions[0].contains("HEAD names checkpoint 1, and 2 committed files are of later ones"))
        }
    }

    @Test func onlyWhatTwoLooksFindIsTrouble() throws {
        let writer = try writer("s3://memory/out")
        try sink("s3://memory/out").commit(prepare("a", by: writer, 1))
        bucket.place("out/stranger.csv", "x\n")
        bucket.place("out/passing.csv", "x\n")
        let first = try Verification(TableFiles("s3://memory/out", buckets))
        bucket.remove(object: "out/passing.csv")
        let both = try first.confirmed(by: Verification(TableFiles("s3://memory/out", buckets)))
        #expect(first.foreign.count == 2 && both.foreign == ["stranger.csv"])
    }

    // MARK: Positions

    private func file(_ offset: Int64) -> SplitState {
        var writer = ByteWriter()
        writer.put(offset)
        return SplitState(split: Split(id: "a.csv#0", label: "a.csv[0..<900)", payload: []), position: writer.bytes)
    }

    private func shard(_ sequence: String?, sub: Int32 = 0, isLast: Bool = true) -> SplitState {
        var writer = ByteWriter()
        if let sequence {
            writer.put(UInt8(1))
            writer.put(sequence)
            writer.put(sub)
            writer.put(isLast)
        }
        return SplitState(split: Split(id: "shardId-0", label: "shardId-0 of s", payload: []), position: writer.bytes)
    }

    @Test func positionsThatRiseAreFine() {
        #expect(SourcePosition.falls(along: [manifest(1, splits: [file(0), shard(nil)]), manifest(2, splits: [file(0), shard("9")]),
                                             manifest(3, splits: [file(10), shard("10", sub: 1, isLast: false)]), manifest(4, splits: [file(11), shard("10", sub: 2)])]) == [])
        #expect(SourcePosition.all(in: manifest(1, splits: [file(10), shard("9")])) == [
            "a.csv[0..<900): at 10", "shardId-0 of s: after sequence number 9",
        ])
    }

    @Test func aPositionThatFallsIsToldWithBoth() {
        for (one, two) in [(file(10), file(9)), (shard("10"), shard("9")), (shard("9"), shard("9", sub: 3, isLast: false)), (shard("9"), shard(nil))] {
            let falls = SourcePosition.falls(along: [manifest(3, splits: [one]), manifest(5, splits: [two])])
            #expect(falls.count == 1 && falls[0].hasPrefix("checkpoint 5 has") && falls[0].contains("behind checkpoint 3"), "\(falls)")
        }
    }

    @Test func aSplitThatWasReadToItsEndAndIsReadAgainIsTold() {
        let falls = SourcePosition.falls(along: [manifest(3, known: ["a.csv#0"]), manifest(4, splits: [file(10)], known: ["a.csv#0"])])
        #expect(falls == ["checkpoint 4 reads a.csv[0..<900), which checkpoint 3 had read to its end"])
    }
}
