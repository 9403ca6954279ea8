/// The operations of Kinesis Data Streams that a source, a sink and a generator need, on one stream.
package struct KinesisClient: Sendable {
    package let client: AWSClient
    package let stream: KinesisStream

    package init(_ client: AWSClient, stream: KinesisStream) { (self.client, self.stream) = (client, stream) }

    private func call(_ operation: String, _ members: String..., retries: RetryPolicy? = nil, from executor: LoopExecutor? = nil) async throws(AWSError) -> [UInt8] {
        let body = Array(("{" + members.filter { !$0.isEmpty }.joined(separator: ",") + "}").utf8)
        return try await client.call(service: .kinesis, target: "Kinesis_20131202.\(operation)", on: "\(stream)", body: body, retries: retries, from: executor)
    }

    private func read(_ operation: String, _ members: String...) async throws(AWSError) -> JSON {
        let body = Array(("{" + members.filter { !$0.isEmpty }.joined(separator: ",") + "}").utf8)
        let answer = try await client.call(service: .kinesis, target: "Kinesis_20131202.\(operation)", on: "\(stream)", body: body)
        guard let json = JSON(answer) else { throw unreadable(operation) }
        return json
    }

    func unreadable(_ operation: String) -> AWSError {
        AWSError(.service, "Kinesis \(operation) \(stream)", code: "UnreadableAnswer", "the answer is not what the service promises")
    }

    // MARK: Shards

    /// All shards whose records may still be there, closed ones too, by id. `after`: only those with greater ids.
    package func listShards(after: String? = nil) async throws(AWSError) -> [KinesisShard] {
        var shards: [KinesisShard] = []
        var next: String?
        repeat {
            let json: JSON
            if let token = next {
                json = try await read("ListShards", "\"NextToken\":\(JSONText.quoted(token))", "\"MaxResults\":1000")
            } else {
                json = try await read(
                    "ListShards", stream.members, "\"MaxResults\":1000", after.map { "\"ExclusiveStartShardId\":\(JSONText.quoted($0))" } ?? "")
            }
            guard case .array(let list)? = json["Shards"] else { throw unreadable("ListShards") }
            for item in list {
                guard let id = item["ShardId"]?.text else { throw unreadable("ListShards") }
                shards.append(
                    KinesisShard(
                        id: id, parents: ["ParentShardId", "AdjacentParentShardId"].compactMap { item[$0]?.text },
                        firstHashKey: item["HashKeyRange"]?["StartingHashKey"]?.text ?? "0", lastHashKey: item["HashKeyRange"]?["EndingHashKey"]?.text ?? "0",
                        isClosed: item["SequenceNumberRange"]?["EndingSequenceNumber"]?.text != nil))
            }
            next = json["NextToken"]?.text
        } while next != nil
        return shards.filter { shard in after.map { shard.id > $0 } ?? true }.sorted { $0.id < $1.id }
    }

    /// As `AWSClient.clockOffset`.
    package func clockOffset() async throws(AWSError) -> Int64 {
        try await client.clockOffset(
            service: .kinesis, target: "Kinesis_20131202.ListShards", on: "\(stream)", body: Array("{\(stream.members),\"MaxResults\":1}".utf8))
    }

    /// `created`: milliseconds since the epoch.
    package func describe() async throws(AWSError) -> (arn: String, status: String, created: Int64?) {
        let summary = try await read("DescribeStreamSummary", stream.members)["StreamDescriptionSummary"]
        guard let arn = summary?["StreamARN"]?.text, let status = summary?["StreamStatus"]?.text else { throw unreadable("DescribeStreamSummary") }
        var created: Int64?
        if case .number(let seconds)? = summary?["StreamCreationTimestamp"] { created = Double(seconds).map { Int64(($0 * 1000).rounded()) } }
        return (arn, status, created)
    }

    package func shardIterator(_ shard: String, _ position: KinesisPosition) async throws(AWSError) -> String {
        let json = try await read("GetShardIterator", stream.members, "\"ShardId\":\(JSONText.quoted(shard))", position.members(type: "ShardIteratorType"))
        guard let iterator = json["ShardIterator"]?.text else { throw unreadable("GetShardIterator") }
        return iterator
    }

    /// Tried once: the caller minds the limits of the shard. The answer's bytes, for `KinesisAnswer`. `executor`: where the caller runs.
    package func getRecords(_ iterator: String, limit: Int, from executor: LoopExecutor? = nil) async throws(AWSError) -> [UInt8] {
        try await call(
            "GetRecords", "\"ShardIterator\":\(JSONText.quoted(iterator))", "\"Limit\":\(limit)", stream.arn == nil ? "" : stream.members, retries: RetryPolicy.none,
            from: executor)
    }

    // MARK: Fan-out

    /// The consumer of that name. `registers`: it is made when there is none.
    package func consumer(_ name: String, streamARN: String, registers: Bool = true) async throws(AWSError) -> KinesisConsumer {
        let members = ["\"StreamARN\":\(JSONText.quoted(streamARN))", "\"ConsumerName\":\(JSONText.quoted(name))"]
        var json: JSON
        do throws(AWSError) {
            json = try await read("DescribeStreamConsumer", members[0], members[1])["ConsumerDescription"] ?? .null
        } catch where error.kind == .notFound && registers {
            do throws(AWSError) {
                json = try await read("RegisterStreamConsumer", members[0], members[1])["Consumer"] ?? .null
            } catch where error.kind == .conflict {  // Somebody else was first.
                json = try await read("DescribeStreamConsumer", members[0], members[1])["ConsumerDescription"] ?? .null
            }
        }
        guard let arn = json["ConsumerARN"]?.text, let status = json["ConsumerStatus"]?.text else { throw unreadable("DescribeStreamConsumer") }
        return KinesisConsumer(arn: arn, isActive: status == "ACTIVE")
    }

    /// Removes the consumer of that name; none is fine. Shards that are being read by it end soon after.
    package func deregister(_ name: String) async throws(AWSError) {
        do throws(AWSError) {
            let stream: String
            if let arn = self.stream.arn { stream = arn } else { stream = try await describe().arn }
            _ = try await call("DeregisterStreamConsumer", "\"StreamARN\":\(JSONText.quoted(stream))", "\"ConsumerName\":\(JSONText.quoted(name))")
        } catch where error.kind == .notFound {}
    }

    /// A subscription of five minutes at most; tried once. Dropping it ends it. `keys`: as for `KinesisAnswer`; `lane`: of `FanOutLanes`.
    package func subscribe(
        _ consumerARN: String, shard: String, _ position: KinesisPosition, keys: HashKeyRange? = nil, lane: Int = 0
    ) async throws(AWSError) -> KinesisSubscription {
        let body =
            "{\"ConsumerARN\":\(JSONText.quoted(consumerARN)),\"ShardId\":\(JSONText.quoted(shard)),\"StartingPosition\":{\(position.members(type: "Type"))}}"
        let chunks = try await client.stream(
            service: .kinesis, target: "Kinesis_20131202.SubscribeToShard", on: "\(stream)", body: Array(body.utf8), retries: RetryPolicy.none, lane: lane)
        return KinesisSubscription(chunks, shard: shard, keys: keys)
    }

    // MARK: Writing

    /// Puts up to 500 records. For each its error's code and message, or nil. A request that fails as a whole is tried again by `AWSClient`,
    /// so records may come twice.
    package func putRecords(_ entries: [KinesisEntry]) async throws(AWSError) -> [(code: String, message: String)?] {
        var body = Array("{\(stream.members),\"Records\":[".utf8)
        body.reserveCapacity(entries.reduce(64) { $0 + $1.data.count * 4 / 3 + $1.partitionKey.utf8.count + 48 })
        for (index, entry) in entries.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body += "{\"Data\":\"".utf8
            body += Base64.encode(entry.data).utf8
            body += "\",\"PartitionKey\":\(JSONText.quoted(entry.partitionKey))}".utf8
        }
        body += "]}".utf8
        let answer = try await client.call(service: .kinesis, target: "Kinesis_20131202.PutRecords", on: "\(stream)", body: body)
        guard let json = JSON(answer), case .array(let results)? = json["Records"], results.count == entries.count else { throw unreadable("PutRecords") }
        return results.map { result in result["ErrorCode"]?.text.map { ($0, result["ErrorMessage"]?.text ?? "") } }
    }
}
