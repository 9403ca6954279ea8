import AWS
import Testing

struct RetryTests {
    @Test func pausesDoubleUpToTheCapAndAreFullyJittered() {
        let policy = RetryPolicy()
        let pauses = (1...9).map { policy.pause(after: $0, elapsed: .zero, random: 0.5) }
        #expect(pauses == [50, 100, 200, 400, 800, 1600, 3200, 6400, 10_000].map { .milliseconds($0) })
        #expect(policy.pause(after: 3, elapsed: .zero, random: 0) == .zero)
        #expect(policy.pause(after: 10, elapsed: .zero, random: 0.5) == nil)
        #expect(policy.pause(after: 1, elapsed: .seconds(120), random: 0.5) == nil)
        #expect(RetryPolicy.none.pause(after: 1, elapsed: .zero, random: 0) == nil)
    }

    @Test func tokensRunOutAndComeBack() {
        var tokens = RetryTokens()
        var retries = 0
        while tokens.take(afterTimeout: false) != nil { retries += 1 }
        #expect(retries == 100)
        for _ in 0..<5 { tokens.succeeded(taken: 0) }
        #expect(tokens.take(afterTimeout: true) == nil)
        let taken = tokens.take(afterTimeout: false)
        #expect(taken == 5)
        tokens.succeeded(taken: taken ?? 0)
        #expect(tokens.tokens == 5)
    }

    private func client(_ world: TestWorld) -> AWSClient {
        AWSClient(AWSConfiguration(region: "eu-west-1", credentials: someCredentials), surroundings: world.surroundings)
    }

    private func kinesis(_ world: TestWorld, _ retries: RetryPolicy? = nil) async throws(AWSError) -> [UInt8] {
        try await client(world).call(service: .kinesis, target: "Kinesis_20131202.ListShards", body: Array("{}".utf8), retries: retries)
    }

    private func error(_ call: () async throws(AWSError) -> [UInt8]) async -> AWSError? {
        do throws(AWSError) {
            _ = try await call()
            return nil
        } catch {
            return error
        }
    }

    @Test func throttledCallsAreSentAgain() async throws {
        let world = TestWorld { (_, before) throws(HTTPFailure) in
            before < 3 ? xml(400, #"{"__type":"com.amazon#ProvisionedThroughputExceededException","message":"slow"}"#) : xml(200, "{}")
        }
        #expect(try await kinesis(world) == Array("{}".utf8))
        #expect(world.slept == [.milliseconds(50), .milliseconds(100), .milliseconds(200)])
        let request = world.requests[0]
        #expect(request.url == "https://kinesis.eu-west-1.amazonaws.com/")
        #expect(request.header("x-amz-target") == "Kinesis_20131202.ListShards")
        #expect(request.header("content-type") == "application/x-amz-json-1.1")
    }

    @Test func refusalsAreFinalAndSayWhatWhoAndWhich() async {
        let world = TestWorld { (_, _) throws(HTTPFailure) in
            xml(400, #"{"__type":"ResourceNotFoundException","message":"Stream s under account 1 not found."}"#, [("x-amzn-requestid", "r-1")])
        }
        let error = await error { () throws(AWSError) in try await kinesis(world) }
        #expect(error?.kind == .notFound)
        #expect(error?.mayHaveHappened == false)
        #expect(error?.description == "Kinesis ListShards: ResourceNotFoundException (400): Stream s under account 1 not found. Request id r-1.")
        #expect(world.requests.count == 1)
    }

    @Test func aDenialSaysWhetherTheSameWasEverAllowedOnThatStream() async throws {
        let world = TestWorld { (_, before) throws(HTTPFailure) in
            before == 0 ? xml(200, #"{"ShardIterator":"i"}"#) : xml(400, #"{"__type":"AccessDeniedException","message":"no"}"#)
        }
        let client = client(world)
        _ = try await KinesisClient(client, stream: KinesisStream(name: "a")).shardIterator("s", .trimHorizon)
        for (name, wasAllowed) in [("a", true), ("b", false)] {
            do throws(AWSError) {
                _ = try await KinesisClient(client, stream: KinesisStream(name: name)).shardIterator("s", .trimHorizon)
                Issue.record("it was allowed")
            } catch { #expect(error.kind == .denied && error.wasAllowed == wasAllowed, "\(name)") }
        }
    }

    @Test func anUnansweredFirstAttemptIsRememberedAfterARefusedSecond() async {
        let world = TestWorld { (_, before) throws(HTTPFailure) in
            if before == 0 { throw HTTPFailure(.timeout, "no answer in time", mayHaveArrived: true) }
            return xml(403, #"{"__type":"AccessDeniedException","Message":"no"}"#)
        }
        let error = await error { () throws(AWSError) in try await kinesis(world) }
        #expect(error?.kind == .denied)
        #expect(error?.mayHaveHappened == true)
    }

    @Test func aConnectionThatWasNeverMadeHasDoneNothing() async {
        let world = TestWorld()
        let error = await error { () throws(AWSError) in try await kinesis(world) }
        #expect(error?.kind == .connection)
        #expect(error?.mayHaveHappened == false)
        #expect(world.requests.count == 10)
    }

    @Test func aHostThatNeverHadAnAddressIsSomebodysMistakeAfterAWhile() async {
        let world = TestWorld { (_, _) throws(HTTPFailure) in throw HTTPFailure(.unknownHost, "no address is known for kinesis.eu-west-1.amazonaws.com", mayHaveArrived: false) }
        // However often the call itself would be tried.
        for retries in [RetryPolicy.none, RetryPolicy()] {
            let before = world.requests.count
            let error = await error { () throws(AWSError) in try await kinesis(world, retries) }
            #expect(error?.kind == .configuration && error?.retryable == false)
            #expect(error?.description.contains("in region eu-west-1: is there such a region?") == true && error?.description.contains("https://kinesis.eu-west-1") == true)
            #expect(world.requests.count > before + 10)
        }
    }

    @Test func aHostThatHasAnsweredAndIsNotFoundForAWhileIsTriedAgain() async throws {
        let world = TestWorld { (_, before) throws(HTTPFailure) in
            if before > 0 { throw HTTPFailure(.unknownHost, "no address is known", mayHaveArrived: false) }
            return xml(200, "{}")
        }
        let client = client(world)
        _ = try await client.call(service: .kinesis, target: "Kinesis_20131202.ListShards", body: [])
        let error = await error { () throws(AWSError) in try await client.call(service: .kinesis, target: "Kinesis_20131202.ListShards", body: []) }
        #expect(error?.kind == .connection && error?.retryable == true && error?.code == "UnknownHost")
        #expect(world.requests.count == 11)
    }

    @Test func aHostThatHasNoAddressAtFirstIsFoundLater() async throws {
        let world = TestWorld { (_, before) throws(HTTPFailure) in
            if before < 12 { throw HTTPFailure(.unknownHost, "no address is known", mayHaveArrived: false) }
            return xml(200, "{}")
        }
        #expect(try await kinesis(world) == Array("{}".utf8))
    }

    @Test func busyIsNothingDoneAndFailedIsUnclear() async {
        for (answer, mayHaveHappened) in [
            (xml(503, "<Error><Code>SlowDown</Code></Error>"), false), (xml(500, "<Error><Code>InternalError</Code></Error>"), true), (xml(502, "bad gateway"), true),
            (xml(503, ""), true),
        ] {
            let world = TestWorld { (_, _) throws(HTTPFailure) in answer }
            let error = await error { () throws(AWSError) in try await kinesis(world, RetryPolicy.none) }
            #expect(error?.mayHaveHappened == mayHaveHappened, "\(answer.status)")
            #expect(error?.retryable == true)
        }
    }

    @Test func aWrongClockIsCorrectedFromTheAnswersDate() async throws {
        let world = TestWorld { (request, before) throws(HTTPFailure) in
            before == 0
                ? xml(403, "<Error><Code>RequestTimeTooSkewed</Code></Error>", [("date", "Fri, 24 May 2013 00:00:00 GMT")])
                : xml(200, request.header("x-amz-date") ?? "")
        }
        #expect(try await kinesis(world) == Array("20130524T000000Z".utf8))
        #expect(world.slept.isEmpty)
    }

    @Test func aWrongSignatureAtTheRightTimeIsFinal() async {
        let world = TestWorld { (_, _) throws(HTTPFailure) in
            xml(400, #"{"__type":"InvalidSignatureException","message":"no"}"#, [("date", "Fri, 15 Jan 2027 08:00:00 GMT")])
        }
        let error = await error { () throws(AWSError) in try await kinesis(world) }
        #expect(error?.kind == .credentials)
        #expect(world.requests.count == 1)
    }

    @Test func streamsYieldTheirBytes() async throws {
        let world = TestWorld { (_, before) throws(HTTPFailure) in before == 0 ? xml(500, "{}") : xml(200, "events") }
        let chunks = try await client(world).stream(service: .kinesis, target: "Kinesis_20131202.SubscribeToShard", body: [])
        #expect(try await chunks.next() == Array("events".utf8))
        #expect(try await chunks.next() == nil)
    }

    @Test func endpointsComeFromTheConfigurationOrTheEnvironment() async throws {
        let world = TestWorld(variables: ["AWS_ENDPOINT_URL": "http://one:1", "AWS_ENDPOINT_URL_KINESIS": "http://two:2"])
        let client = AWSClient(surroundings: world.surroundings)
        #expect(try client.endpoint(.kinesis, region: "x").description == "http://two:2")
        #expect(try client.endpoint(.s3, region: "x").description == "http://one:1")
        #expect(try await client.region(for: .s3) == "us-east-1")
        let own = AWSClient(AWSConfiguration(endpoint: "http://three:3"), surroundings: world.surroundings)
        #expect(try own.endpoint(.kinesis, region: "x").description == "http://three:3")
        #expect(throws: AWSError.self) { try AWSClient(AWSConfiguration(endpoint: "ftp://x"), surroundings: world.surroundings).endpoint(.s3, region: "x") }
    }

    @Test func withoutARegionNothingIsGuessed() async {
        let error = await error { () throws(AWSError) in
            try await AWSClient(AWSConfiguration(credentials: someCredentials), surroundings: TestWorld().surroundings)
                .call(service: .kinesis, target: "Kinesis_20131202.ListShards", body: [])
        }
        #expect(error?.code == "NoRegion")
        #expect(error?.description.contains("AWS_REGION") == true)
    }
}
