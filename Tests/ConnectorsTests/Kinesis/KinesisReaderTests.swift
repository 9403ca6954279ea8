import AWS
import Columnar
import Connectors
import Dataflow
import Dispatch
import Synchronization
import Testing

/// The source against a stream in memory: what is read, in which order, and from where after a restore.
struct KinesisReaderTests {
    private let stream = FakeStream()
    /// What a log would say.
    private let said = Said()

    private func source(
        _ options: [String: String] = [:], started: Int64? = 1_700_000_000_123, patience: KinesisPatience = KinesisPatience()
    ) throws -> KinesisSource {
        let schema = Schema([Schema.Field("n", DataType(.bigint))])
        let all = [
            "connector": "kinesis", "stream": "s", "format": "json", "source.init.position": "TRIM_HORIZON",
            "source.reader.empty-records-fetch-interval": "0 s",
        ].merging(options) { $1 }.filter { !$0.value.isEmpty }
        var spec = SourceSpec(table: "t", options: all, physical: schema, output: schema)
        spec.jobStarted = started
        return try KinesisSource(spec, client: stream.client, patience: patience) { [said] in said.add($0) }
    }

    private func records(_ numbers: ClosedRange<Int>) -> [(sequence: String, data: [UInt8])] {
        numbers.map { (sequence: "10\($0)", data: Array("{\"n\": \($0)}\n".utf8)) }
    }

    /// Reads until so many rows came, or the given splits ended. Answers `shard:value` and `shard end`.
    private func read(
        _ source: KinesisSource, _ splits: [SplitState], rows: Int = .max, maximumRows: Int = 100
    ) async throws -> (words: [String], snapshot: [SplitState], gauges: [String: Int64], skipped: Int) {
        let (wakes, wake) = AsyncStream<Void>.makeStream()
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1, wake: { wake.yield() }))
        defer { reader.close() }
        try reader.add(splits)
        var iterator = wakes.makeAsyncIterator()
        var words: [String] = []
        var ended = 0, count = 0
        while ended < splits.count, count < rows {
            switch try reader.poll(maximumRows: maximumRows, at: Now(instant: .zero, wallMilliseconds: 0)) {
            case .batch(let batch, let split):
                count += batch.count
                words += (0..<batch.count).map { "\(split):\(batch.columns[0].pointer(Int64.self)[$0])" }
            case .splitEnded(let state):
                ended += 1
                words.append("\(state.split.id) end")
            case .splitFinished: Issue.record("others may come after it")
            case .nothing: await iterator.next()
            case .needsSplits: Issue.record("it has splits")
            }
        }
        return (words, try reader.snapshot(), Dictionary(uniqueKeysWithValues: reader.gauges.map { ($0.name, $0.value) }), reader.skippedRows)
    }

    /// On a thread that may wait: those of the tests may not.
    private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        let result = await withCheckedContinuation { continuation in DispatchQueue.global().async { continuation.resume(returning: Result { try body() }) } }
        try result.get()
    }

    private func splits(_ source: KinesisSource, known: Set<String> = []) async throws -> [SplitState] {
        let found = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: Result { try source.discover(known: known).splits }) }
        }
        return try found.get().map { SplitState(split: $0) }
    }

    @Test func aClosedShardIsReadToItsEnd() async throws {
        stream.add("a", FakeStream.Shard(records: records(1...5), isClosed: true))
        let source = try source()
        let result = try await read(source, try await splits(source))
        #expect(result.words == ["a:1", "a:2", "a:3", "a:4", "a:5", "a end"])
        #expect(result.snapshot.isEmpty)
    }

    @Test func aRestoredReaderGoesOnBehindTheLastRowThatWasGiven() async throws {
        stream.add("a", FakeStream.Shard(records: records(1...5), isClosed: true))
        let source = try source()
        let first = try await read(source, try await splits(source), rows: 3, maximumRows: 1)
        #expect(first.words == ["a:1", "a:2", "a:3"])
        let second = try await read(source, first.snapshot)
        #expect(second.words == ["a:4", "a:5", "a end"])
        #expect(second.gauges["numTrimmedShards"] == 0)
    }

    @Test func aRestoreInTheMiddleOfAnAggregateGivesTheRest() async throws {
        // Three records in one, made by a Python program: {"n":1} {"n":2} {"n":3}.
        let aggregate = try #require(Base64.decode("84mawgoDa2V5GgsIABoHeyJuIjoxfRoLCAAaB3sibiI6Mn0aCwgAGgd7Im4iOjN9ad3y9+42g/KK/kQrcgEvDg==".utf8))
        stream.add("a", FakeStream.Shard(records: [(sequence: "100", data: aggregate)] + records(4...4), isClosed: true))
        let source = try source()
        let first = try await read(source, try await splits(source), rows: 2, maximumRows: 1)
        let second = try await read(source, first.snapshot)
        #expect(first.words + second.words == ["a:1", "a:2", "a:3", "a:4", "a end"])
    }

    @Test func userRecordsThatBelongToOtherShardsAreLeftOutAlsoAfterARestore() async throws {
        // {"n":1} to {"n":4}, the second with explicit hash key 2^127; made by a Python program.
        let aggregate = try #require(
            Base64.decode(
                "84mawgoBaxIBNRInMTcwMTQxMTgzNDYwNDY5MjMxNzMxNjg3MzAzNzE1ODg0MTA1NzI4EgE2EgE3Gg0IABAAGgd7Im4iOjF9Gg0IABABGgd7Im4iOjJ9Gg0IABACGgd7Im4iOjN9Gg0IABADGgd7Im4iOjR9tmz/dVtBLkckNwg39/GgHA==".utf8))
        let records = [(sequence: "100", data: aggregate)] + records(5...5)
        stream.add("a", FakeStream.Shard(records: records, isClosed: true, keys: (0, (1 << 127) - 1)))
        let source = try source()
        let first = try await read(source, try await splits(source), rows: 2, maximumRows: 1)
        let second = try await read(source, first.snapshot)
        #expect(first.words + second.words == ["a:1", "a:3", "a:4", "a:5", "a end"])
        #expect(second.gauges["numMisroutedUserRecords"] == 1)
        #expect(second.gauges["numTrimmedShards"] == 0)
        #expect(said.words.count == 2 && said.words[0].contains("a producer") == false && said.words[0].contains("hash keys belong to other shards"), "once a reader")
        // A shard of which an aggregate holds nothing is read on behind it.
        stream.add("b", FakeStream.Shard(records: records, isClosed: true, keys: (1 << 100, (1 << 101) - 1)))
        #expect(try await read(source, try await splits(source).filter { $0.split.id == "b" }).words == ["b:5", "b end"])
    }

    @Test func expiredIteratorsAndThrottlingLoseNothing() async throws {
        stream.add("a", FakeStream.Shard(records: records(1...5), isClosed: true))
        stream.refuse("GetRecords", "ExpiredIteratorException", "ProvisionedThroughputExceededException", "InternalFailure")
        let source = try source()
        let result = try await read(source, try await splits(source))
        #expect(result.words == ["a:1", "a:2", "a:3", "a:4", "a:5", "a end"])
        #expect(result.gauges["numExpiredIterators"] == 1)
        #expect(result.gauges["numThrottledFetches"] == 1)
    }

    @Test func stateOfAnotherStreamIsRefused() async throws {
        stream.add("a", FakeStream.Shard(records: records(1...2)))
        let all = try await splits(try source())
        let other = try source(["stream": "other"])
        await #expect { _ = try await read(other, all) } throws: { "\($0)".contains("the state is of stream s") }
    }

    /// A reader may ask before the JobManager has seen that the stream was made anew.
    @Test func aPositionThatTheServiceDoesNotKnowIsToldWithWhatToDo() async throws {
        stream.add("a", FakeStream.Shard(records: records(1...2)))
        stream.refuse("GetShardIterator", "InvalidArgumentException: StartingSequenceNumber 7 used in GetShardIterator on shard a in stream s under account 1 "
            + "is invalid because it did not come from this stream.")
        let source = try source()
        let all = try await splits(source)
        await #expect { _ = try await read(source, all) } throws: {
            "\($0)".contains("a stream of this name that has been deleted since") && "\($0)".contains("Start the job without that state")
                && ($0 as? StreamError)?.retry == false
        }
    }

    // MARK: Trouble that stays

    private let impatient = KinesisPatience(silence: .zero, failures: .milliseconds(300), refusals: .zero)

    @Test func throttlingThatLastsIsToldAndNoFailure() async throws {
        stream.add("a", FakeStream.Shard(records: records(1...2), isClosed: true))
        stream.refuse("GetRecords", "ProvisionedThroughputExceededException", times: 3)
        let source = try source(patience: KinesisPatience(silence: .zero, failures: .zero, refusals: .zero))
        #expect(try await read(source, try await splits(source)).words == ["a:1", "a:2", "a end"])
        #expect(said.words.count == 3)
        #expect(said.words.last?.contains("nothing but errors") == true && said.words.last?.contains("stream s › a") == true)
    }

    @Test func iteratorsThatExpireAtOnceAreNotAskedForWithoutPause() async throws {
        stream.add("a", FakeStream.Shard(records: records(1...2), isClosed: true))
        stream.refuse("GetRecords", "ExpiredIteratorException", times: 100_000)
        let source = try source(patience: impatient)
        let all = try await splits(source)
        await #expect { _ = try await read(source, all) } throws: { "\($0)".contains("ExpiredIteratorException") }
        #expect(stream.iterators.count < 20)
        #expect(!said.words.isEmpty)
    }

    @Test func aConsumerOfSomebodyElsesThatIsNotThereFailsTheJob() async throws {
        stream.add("a", FakeStream.Shard())
        stream.refuse("DescribeStreamConsumer", "ResourceNotFoundException", times: 100)
        let source = try source(
            ["source.reader.type": "EFO", "source.efo.consumer.name": "typo", "source.efo.lifecycle": "SELF_MANAGED"], patience: impatient)
        let all = try await splits(source)
        await #expect { _ = try await read(source, all) } throws: { "\($0)".contains("consumer typo; register it") }
    }

    @Test func whatIsDeniedForSecondsIsBorneAndThenFailsTheJob() async throws {
        stream.add("a", FakeStream.Shard(records: records(1...2), isClosed: true))
        stream.refuse("GetRecords", "AccessDeniedException", times: 2)
        let patient = try source()
        let all = try await splits(patient)
        #expect(try await read(patient, all).words == ["a:1", "a:2", "a end"])
        stream.refuse("GetRecords", "AccessDeniedException", times: 2)
        let source = try source(patience: impatient)
        await #expect { _ = try await read(source, all) } throws: {
            "\($0)".contains("an administrator's matter") && ($0 as? StreamError)?.retry == false
        }
    }

    @Test func anExpiredIteratorAfterRowsIsReplacedByOneBehindThem() async throws {
        stream.add("a", FakeStream.Shard(records: records(1...2)))
        let source = try source()
        let first = try await read(source, try await splits(source), rows: 2)
        #expect(first.words == ["a:1", "a:2"])
        stream.refuse("GetRecords", "ExpiredIteratorException")
        stream.change("a") { $0.records.append((sequence: "103", data: Array(#"{"n":3}"#.utf8))) }
        let second = try await read(source, first.snapshot, rows: 1)
        #expect(second.words == ["a:3"])
    }

    @Test func recordsThatAreGoneAreCountedAndTold() async throws {
        stream.add("a", FakeStream.Shard(records: records(1...6), isClosed: true))
        let source = try source()
        let first = try await read(source, try await splits(source), rows: 2)
        #expect(said.words.isEmpty)
        stream.change("a") { $0.records.removeFirst(4) }
        let second = try await read(source, first.snapshot)
        #expect(second.words == ["a:5", "a:6", "a end"])
        #expect(second.gauges["numTrimmedShards"] == 1)
        #expect(said.words.count == 1 && said.words[0].contains("stream s › a") && said.words[0].contains("102") && said.words[0].contains("105"))
    }

    @Test func whatTheStreamSaysOfARecordStandsBesideItsRows() async throws {
        stream.add("a", FakeStream.Shard(records: [(sequence: "101", data: Array("2\n3\n".utf8)), (sequence: "102", data: Array("4\n".utf8))], isClosed: true))
        let string = DataType(.string, nullable: false)
        let schema = Schema([.init("at", DataType(.timestampLTZ(3), nullable: false)), .init("n", DataType(.bigint)), .init("s", string), .init("q", string)])
        var spec = SourceSpec(
            table: "t", options: ["connector": "kinesis", "stream": "s", "format": "csv", "source.init.position": "TRIM_HORIZON"], physical: schema, output: schema,
            tableColumns: ["n"])
        spec.metadata = ["at": "timestamp", "s": "shard-id", "q": "sequence-number"]
        spec.jobStarted = 5
        let source = try KinesisSource(spec, client: stream.client)
        let (wakes, wake) = AsyncStream<Void>.makeStream()
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1, wake: { wake.yield() }))
        defer { reader.close() }
        try reader.add(try await splits(source))
        var iterator = wakes.makeAsyncIterator(), rows: [[Value]] = []
        reading: while true {
            switch try reader.poll(maximumRows: 100, at: Now(instant: .zero, wallMilliseconds: 0)) {
            case .batch(let batch, _): rows += batch.rows
            case .nothing: await iterator.next()
            case .splitFinished, .splitEnded, .needsSplits: break reading
            }
        }
        #expect(rows == [(2, "101"), (3, "101"), (4, "102")].map { [.integer(1_700_000_000_500), .integer($0), .string("a"), .string($1)] })
    }

    @Test func aConsumerThatTheJobMadeIsGivenBackWhenItHasEnded() async throws {
        let fanOut = ["source.reader.type": "EFO", "source.efo.consumer.name": "c", "stream": "", "stream.arn": "arn:aws:kinesis:r:1:stream/s"]
        @Sendable func source(_ more: [String: String]) throws -> KinesisSource { try self.source(fanOut.merging(more) { $1 }) }
        try await onThread { try source([:]).giveBack() }
        // Somebody removed it; and one that somebody else made, or none at all.
        stream.refuse("DeregisterStreamConsumer", "ResourceNotFoundException")
        try await onThread { try source([:]).giveBack() }
        try await onThread { try source(["source.efo.lifecycle": "SELF_MANAGED"]).giveBack() }
        try await onThread { try self.source().giveBack() }
        #expect(stream.deregistered == ["c of arn:aws:kinesis:r:1:stream/s"])
        // Where there is no fan-out, the way out is named.
        stream.add("a", FakeStream.Shard())
        stream.refuse("DescribeStreamConsumer", "AccessDeniedException")
        let denied = try source([:])
        let all = try await splits(denied)
        await #expect { _ = try await read(denied, all) } throws: { "\($0)".contains("'POLLING' does without") }
    }

    @Test func aMalformedRecordIsNamedOrSkipped() async throws {
        stream.add("a", FakeStream.Shard(records: records(1...1) + [(sequence: "102", data: Array("{oh no".utf8))] + records(3...3), isClosed: true))
        let strict = try source()
        let all = try await splits(strict)
        await #expect { _ = try await read(strict, all) } throws: { "\($0)".contains("a, sequence number 102") && "\($0)".contains("{oh no") }
        let result = try await read(try source(["json.ignore-parse-errors": "true"]), all)
        #expect(result.words == ["a:1", "a:3", "a end"])
        #expect(result.skipped == 1)
    }

    @Test func aRecordOfSeveralLinesIsOneMessageForJSONAndRowsForCSV() async throws {
        stream.add("a", FakeStream.Shard(records: [(sequence: "1", data: Array("{\n  \"n\": 1\n}\n".utf8))], isClosed: true))
        stream.add("b", FakeStream.Shard(records: [(sequence: "1", data: Array("2\n3\r\n".utf8))], isClosed: true))
        let json = try source()
        #expect(try await read(json, try await splits(json).filter { $0.split.id == "a" }).words == ["a:1", "a end"])
        let csv = try source(["format": "csv"])
        #expect(try await read(csv, try await splits(csv).filter { $0.split.id == "b" }, maximumRows: 1).words == ["b:2", "b:3", "b end"])
    }

    @Test func aNewlineInsideOfAStringIsNoJSON() async throws {
        let bad = ["{\"s\": \"a\nb\"}", "{\"s\": \"\\\"\n\"}", "{\"s\": \"\\\n\"}", "{\"s\": \"\\\\\n{}\"}"]
        let good = ["{\n \"s\": \"a\\\\\"\n}", "{\"s\":\n\"\\\"\"}"]
        let datas = bad + good
        stream.add("a", FakeStream.Shard(records: datas.enumerated().map { (sequence: "10\($0)", data: Array($1.utf8)) }, isClosed: true))
        let schema = Schema([Schema.Field("s", DataType(.string))])
        var spec = SourceSpec(
            table: "t", options: ["connector": "kinesis", "stream": "s", "format": "json", "source.init.position": "TRIM_HORIZON", "json.ignore-parse-errors": "true"],
            physical: schema, output: schema)
        spec.jobStarted = 5
        let source = try KinesisSource(spec, client: stream.client)
        let (wakes, wake) = AsyncStream<Void>.makeStream()
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1, wake: { wake.yield() }))
        defer { reader.close() }
        try reader.add(try await splits(source))
        var iterator = wakes.makeAsyncIterator(), rows: [[Value]] = []
        reading: while true {
            switch try reader.poll(maximumRows: 100, at: Now(instant: .zero, wallMilliseconds: 0)) {
            case .batch(let batch, _): rows += batch.rows
            case .nothing: await iterator.next()
            case .splitFinished, .splitEnded, .needsSplits: break reading
            }
        }
        #expect(rows == [[.string("a\\")], [.string("\"")]])
        #expect(reader.skippedRows == bad.count)
    }

    // MARK: Discovery

    @Test func latestIsTheFirstStartAndNewShardsBeginAtTheirBeginning() async throws {
        stream.add("a", FakeStream.Shard(isClosed: true))
        let source = try source(["source.init.position": "LATEST"])
        _ = try await read(source, try await splits(source))
        stream.add("b", FakeStream.Shard(parents: ["a", "x"], isClosed: true))
        let new = try await splits(source, known: ["a"])
        #expect(new.map(\.split.id) == ["b"])
        #expect(new.map(\.split.after) == [["a", "x"]])
        _ = try await read(source, new)
        #expect(stream.iterators == ["a AT_TIMESTAMP 1700000000.123", "b TRIM_HORIZON "])
    }

    @Test(arguments: [("Tue, 14 Nov 2023 22:23:20 GMT", "1700000600.123"), ("Tue, 14 Nov 2023 22:08:20 GMT", "1699999700.123"), ("Tue, 14 Nov 2023 22:13:19 GMT", "1700000000.123")])
    func latestIsByTheServicesClock(date: String, place: String) async throws {
        stream.setClock(date)
        stream.add("a", FakeStream.Shard(isClosed: true))
        let source = try source(["source.init.position": "LATEST"])
        _ = try await read(source, try await splits(source))
        #expect(stream.iterators == ["a AT_TIMESTAMP \(place)"])
    }

    @Test func wrongCredentialsEndAJobThatStartsAndNoJobThatRan() async throws {
        let source = try source(patience: impatient)
        for (known, retry) in [([], false), (["a"], true)] as [(Set<String>, Bool)] {
            stream.refuse("ListShards", "InvalidSignatureException")
            await #expect { _ = try await splits(source, known: known) } throws: { ($0 as? StreamError)?.retry == retry }
        }
        stream.refuse("ListShards", "AccessDeniedException", times: 1)
        await #expect { _ = try await splits(source, known: ["a"]) } throws: { ($0 as? StreamError)?.retry == false }
        stream.refuse("ListShards", "AccessDeniedException", times: 1)
        #expect(try await splits(self.source()).isEmpty, "a permission that comes late")
    }

    @Test func aStreamThatWasMadeAnewIsAnotherStream() async throws {
        let source = try source()
        func origin() async throws -> String? {
            let answer = await withCheckedContinuation { continuation in
                DispatchQueue.global().async { continuation.resume(returning: Result { try source.origin() }) }
            }
            return try answer.get()
        }
        #expect(try await origin() == nil)
        stream.create(at: "1.593816839236E9")
        let first = try await origin()
        #expect(first?.contains("stream s") == true)
        #expect(try await origin() == first)
        stream.create(at: "1593816839.237")
        #expect(try await origin() != first)
        stream.refuse("DescribeStreamSummary", "AccessDeniedException")
        #expect(try await origin() == nil)
    }

    @Test func aStreamThatIsNotThereIsAnErrorInWords() async throws {
        stream.refuse("ListShards", "ResourceNotFoundException")
        let source = try source()
        await #expect { _ = try await splits(source) } throws: { "\($0)".contains("ResourceNotFoundException") && "\($0)".contains("stream s") }
    }

    @Test(arguments: [
        ("source.init.position", "SOMEWHERE"), ("source.reader.type", "EFO"), ("source.init.position", "AT_TIMESTAMP"), ("stream.arn", "arn:aws:s3:::b"),
        ("aws.credentials.provider", "ASSUME_ROLE"),
    ]) func optionsThatCannotBeAreRefused(key: String, value: String) { #expect(throws: StreamError.self) { _ = try source([key: value]) } }

    @Test(arguments: [
        ("2026-11-22T16:00:00.250Z", 1_795_363_200_250), ("2026-11-22T17:00:00+01:00", 1_795_363_200_000), ("1795363200.5", 1_795_363_200_500),
    ]) func momentsAreReadAsFlinkWritesThem(text: String, moment: Int64) async throws {
        stream.add("a", FakeStream.Shard(isClosed: true))
        let source = try source(["source.init.position": "AT_TIMESTAMP", "source.init.timestamp": text])
        _ = try await read(source, try await splits(source))
        let fraction = String(moment % 1000)
        #expect(stream.iterators == ["a AT_TIMESTAMP \(moment / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction])
    }
}

private final class Said: Sendable {
    private let all = Mutex<[String]>([])

    var words: [String] { all.withLock { $0 } }
    func add(_ words: String) { all.withLock { $0.append(words) } }
}
