import AWS
import NIOCore
import Synchronization

/// A stream in memory behind a client of AWS: answers the reading operations, and misbehaves when told to.
final class FakeStream: Sendable {
    struct Shard: Sendable {
        var parents: [String] = []
        /// Sequence numbers and data.
        var records: [(sequence: String, data: [UInt8])] = []
        var isClosed = false
        var keys: (UInt128, UInt128) = (0, .max)
    }

    private struct State {
        var shards: [String: Shard] = [:]
        /// Error codes for the next calls of an operation, each perhaps with ": " and the service's words.
        var errors: [String: [String]] = [:]
        var iterators: [String] = []
        var deregistered: [String] = []
        var created: String?
        var date: String?
    }

    private let state = Mutex(State())

    /// The service's clock; the client's stands at 1700000000 seconds.
    func setClock(_ date: String) { state.withLock { $0.date = date } }
    /// Seconds, as the service writes them.
    func create(at seconds: String) { state.withLock { $0.created = seconds } }
    func add(_ id: String, _ shard: Shard) { state.withLock { $0.shards[id] = shard } }
    func change(_ id: String, _ body: @Sendable (inout Shard) -> Void) { state.withLock { body(&$0.shards[id, default: Shard()]) } }
    func refuse(_ operation: String, _ codes: String...) { state.withLock { $0.errors[operation, default: []] += codes } }
    func refuse(_ operation: String, _ code: String, times: Int) {
        state.withLock { $0.errors[operation, default: []] += Array(repeating: code, count: times) }
    }
    /// What iterators were asked for, as `shard TYPE place`.
    var iterators: [String] { state.withLock { $0.iterators } }

    /// As `consumer of ARN`.
    var deregistered: [String] { state.withLock { $0.deregistered } }

    var client: AWSClient {
        let surroundings = Surroundings(
            variable: { _ in nil }, file: { _ in nil },
            open: { (request: HTTPRequest) async throws(HTTPFailure) in
                let operation = (request.header("x-amz-target") ?? "").split(separator: ".").last.map(String.init) ?? ""
                let (status, text) = self.answer(operation, JSON([UInt8](request.body.readableBytesView)) ?? .null)
                let body = Mutex<ByteBuffer?>(ByteBuffer(string: text))
                return HTTPAnswer(
                    status: status, headers: self.state.withLock { $0.date }.map { [(name: "date", value: $0)] } ?? [],
                    body: ByteChunks { () async throws(HTTPFailure) in body.withLock { buffer in defer { buffer = nil }; return buffer } })
            },
            now: { UnixTime(seconds: 1_700_000_000) }, elapsed: { .zero }, sleep: { _ in }, random: { 0 })
        return AWSClient(
            AWSConfiguration(region: "r", endpoint: "http://h:1", credentials: Credentials(accessKey: "a", secretKey: "s", origin: "test")),
            surroundings: surroundings)
    }

    private func answer(_ operation: String, _ request: JSON) -> (Int, String) {
        state.withLock { state in
            if var codes = state.errors[operation], !codes.isEmpty {
                let code = codes.removeFirst()
                state.errors[operation] = codes
                let (name, words) = code.firstRange(of: ": ").map { (code[..<$0.lowerBound], code[$0.upperBound...]) } ?? (code[...], "refused")
                return (400, #"{"__type":"\#(name)","message":"\#(words)"}"#)
            }
            switch operation {
            case "ListShards":
                let shards = state.shards.sorted { $0.key < $1.key }.map { id, shard in
                    let parents = zip(["ParentShardId", "AdjacentParentShardId"], shard.parents).map { #","\#($0)":"\#($1)""# }.joined()
                    return #"{"ShardId":"\#(id)","HashKeyRange":{"StartingHashKey":"\#(shard.keys.0)","EndingHashKey":"\#(shard.keys.1)"}\#(parents)}"#
                }
                return (200, #"{"Shards":[\#(shards.joined(separator: ","))]}"#)
            case "DescribeStreamSummary":
                let created = state.created.map { #","StreamCreationTimestamp":\#($0)"# } ?? ""
                return (200, #"{"StreamDescriptionSummary":{"StreamARN":"arn:aws:kinesis:r:1:stream/s","StreamStatus":"ACTIVE"\#(created)}}"#)
            case "GetShardIterator":
                let id = request["ShardId"]?.text ?? "", type = request["ShardIteratorType"]?.text ?? ""
                guard let shard = state.shards[id] else { return (400, #"{"__type":"ResourceNotFoundException","message":"no such shard"}"#) }
                var place = request["StartingSequenceNumber"]?.text ?? ""
                if case .number(let time)? = request["Timestamp"] { place = time }
                state.iterators.append("\(id) \(type) \(place)")
                let start =
                    switch type {
                    case "AT_SEQUENCE_NUMBER": shard.records.firstIndex { $0.sequence >= place } ?? shard.records.count
                    case "AFTER_SEQUENCE_NUMBER": shard.records.firstIndex { $0.sequence > place } ?? shard.records.count
                    default: 0
                    }
                return (200, #"{"ShardIterator":"\#(id)/\#(start)"}"#)
            case "GetRecords":
                let parts = (request["ShardIterator"]?.text ?? "").split(separator: "/")
                guard parts.count == 2, let shard = state.shards[String(parts[0])], let start = Int(parts[1]) else { return (400, "{}") }
                let end = min(start + 2, shard.records.count)
                let records = shard.records[start..<end].map { #"{"SequenceNumber":"\#($0.sequence)","Data":"\#(Base64.encode($0.data))","PartitionKey":"k","ApproximateArrivalTimestamp":1700000000.5}"# }
                let next = shard.isClosed && end == shard.records.count ? "null" : "\"\(parts[0])/\(end)\""
                return (200, #"{"Records":[\#(records.joined(separator: ","))],"NextShardIterator":\#(next),"MillisBehindLatest":\#((shard.records.count - end) * 10)}"#)
            case "DeregisterStreamConsumer":
                state.deregistered.append("\(request["ConsumerName"]?.text ?? "") of \(request["StreamARN"]?.text ?? "")")
                return (200, "{}")
            default: return (400, #"{"__type":"UnknownOperationException"}"#)
            }
        }
    }
}
