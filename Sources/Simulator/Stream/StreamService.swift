import AWS
import Connectors
import Dataflow

/// The stream as one process reaches it. Only the network is made up: what is listed and what is fetched goes through the real source, tracker and reader.
struct StreamService: ShardService, @unchecked Sendable {
    let input: SimulatedInput
    let stream: SimulatedStream
    unowned let cluster: SimulatedCluster
    /// Nil: the JobManager's.
    let host: SimulatedTaskManager?

    func list(after last: String?) throws(StreamError) -> [KinesisShard] { stream.list(after: last, at: cluster.time) }

    func fetch(_ shard: ShardSplit, from place: ShardPlace, into inbox: ShardInbox) -> @Sendable () -> Void {
        guard let host, let number = stream.shard(named: shard.shard) else {
            inbox.put(.failed(StreamError(.internal, retry: false, "there is no shard \(shard.shard)")))
            return {}
        }
        let fetching = ShardFetching(input: input, stream: stream, shard: number, place: place, inbox: inbox, host: host)
        fetching.next(after: cluster.chance.duration(.milliseconds(1), .milliseconds(100)))
        return { fetching.isStopped = true }
    }
}

/// One shard's requests, one after the other.
private final class ShardFetching: @unchecked Sendable {
    private let input: SimulatedInput
    private let stream: SimulatedStream
    private let shard: Int
    private var place: ShardPlace
    private let inbox: ShardInbox
    private let host: SimulatedTaskManager
    var isStopped = false

    init(input: SimulatedInput, stream: SimulatedStream, shard: Int, place: ShardPlace, inbox: ShardInbox, host: SimulatedTaskManager) {
        (self.input, self.stream, self.shard, self.place, self.inbox, self.host) = (input, stream, shard, place, inbox, host)
    }

    func next(after delay: Duration) {
        host.after(delay) { [self] in if !isStopped { request() } }
    }

    private func request() {
        let cluster = host.cluster
        if cluster.world.takeReaderFailure() {
            return inbox.put(.failed(StreamError(.externalSystem, retry: true, "the reader lost its connection")))
        }
        // Throttled, or without an answer: asked again from where it was.
        if !cluster.isHealed, cluster.chance.chance(stream.trouble) {
            cluster.tally.count(.fetchRefused)
            return next(after: cluster.chance.duration(.milliseconds(200), .seconds(5)))
        }
        let all = stream.shards[shard]
        let first = start
        let there = all.groups[first...].prefix { stream.time(of: $0, in: shard) <= cluster.time }.prefix(stream.answerRecords)
        if !there.isEmpty {
            guard let answer = answer(there) else { return cluster.broken("Wire", "an answer of the stream cannot be read") }
            _ = place.took(answer.block)
            inbox.put(.records(shard: all.id, answer.block))
        }
        let last = first + there.count
        if last == all.groups.count, all.closes <= cluster.time { return inbox.put(.ended(shard: all.id)) }
        let due = last < all.groups.count ? stream.time(of: all.groups[last], in: shard) : all.closes
        next(after: max(.milliseconds(200), due - cluster.time) + cluster.chance.duration(.zero, .milliseconds(300)))
    }

    private var start: Int {
        switch place.position {
        case .trimHorizon: 0
        case .after(let sequence): stream.groups(in: shard, through: sequence)
        case .at(let sequence): max(0, stream.groups(in: shard, through: sequence) - 1)
        case .latest, .timestamp: preconditionFailure("simulated tables are read from the stream's beginning")
        }
    }

    /// GetRecords, in its own bytes.
    private func answer(_ groups: ArraySlice<Range<Int>>) -> KinesisAnswer? {
        let texts = groups.map { group in
            let rows = group.map { input.row(shard, $0) }
            let lines = rows.map { SimulatedInput.keyText($0.key) + Array(",\($0.id),\($0.value)".utf8) }
            let data = lines.count == 1 ? lines[0] : AggregatedRecord.bytes(lines)
            let seconds = Double(rows[rows.count - 1].time) / 1000
            return #"{"SequenceNumber":"\#(stream.sequence(of: group, in: shard))","Data":"\#(Base64.encode(data))","PartitionKey":"k","ApproximateArrivalTimestamp":\#(seconds)}"#
        }
        return KinesisAnswer(Array(#"{"Records":[\#(texts.joined(separator: ","))],"NextShardIterator":"i","MillisBehindLatest":0}"#.utf8))
    }
}
