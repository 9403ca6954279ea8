import AWS
import Columnar
import Dataflow

/// Reads a Kinesis stream: a split is a shard, found on the JobManager and read after its parents.
///
/// LATEST is the moment of the job's first start, whenever it is restarted; shards that appear later are read from their beginning.
package struct KinesisSource: Source {
    enum Start: Hashable {
        case latest, trimHorizon
        /// Milliseconds since the epoch.
        case timestamp(Int64)
    }

    private(set) var table: KinesisTable
    let spec: SourceSpec
    let format: MessageFormat
    let start: Start
    let reading: KinesisReading
    package let discoveryInterval: Duration?
    package var withoutEnd: String? { "a stream goes on; read from files that hold the same rows" }
    package var distribution: SplitDistribution { .spread }

    let patience: KinesisPatience
    /// Is told when records are gone, and of trouble that lasts.
    let warn: @Sendable (String) -> Void
    /// In place of the service.
    let service: (any ShardService)?
    let faults: Set<SeededFault>

    /// `client`: instead of one that the options describe.
    package init(
        _ spec: SourceSpec, client: AWSClient? = nil, service: (any ShardService)? = nil, faults: Set<SeededFault> = [],
        patience: KinesisPatience = KinesisPatience(), warn: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(StreamError) {
        self.warn = warn
        self.service = service
        self.faults = faults
        self.patience = patience
        let options = Options(spec.table, spec.options)
        self.spec = spec
        table = try KinesisTable(options)
        table.given = client
        format = try MessageFormat(options)
        if case .raw = format, max(spec.tableColumns.count, spec.physical.fields.count - (spec.metadata ?? [:]).count) != 1 {
            throw options.error("the format 'raw' is for tables of one column")
        }
        reading = try KinesisReading(options)
        start = try KinesisSource.start(options)
        let legacy = try options.integer("scan.shard.discovery.intervalmillis").map { Duration.milliseconds($0) }
        discoveryInterval = try options.duration("source.shard.discovery.interval") ?? legacy ?? .seconds(10)
    }

    private static func start(_ options: Options) throws(StreamError) -> Start {
        let key = options.string("source.init.position") != nil ? "source.init.position" : "scan.stream.initpos"
        switch options.string(key)?.uppercased().split(separator: "-").joined(separator: "_") {
        case nil, "LATEST": return .latest
        case "TRIM_HORIZON": return .trimHorizon
        case "AT_TIMESTAMP":
            let standard = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
            for key in ["source.init.timestamp.format", "scan.stream.initpos-timestamp-format"] {
                if let pattern = options.string(key), pattern != standard { throw options.error("'\(key)' can only be \(standard)") }
            }
            let key = options.string("source.init.timestamp") != nil ? "source.init.timestamp" : "scan.stream.initpos-timestamp"
            let text = try options.required(key)
            guard let moment = StartMoment.parse(text) else {
                throw options.error("'\(key)' is like '2026-11-22T16:00:00.000Z' or seconds since 1970, not '\(text)'")
            }
            return .timestamp(moment)
        case let other?: throw options.error("'\(key)' is LATEST, TRIM_HORIZON or AT_TIMESTAMP, not '\(other)'")
        }
    }

    // MARK: Shards

    /// Waits. What is denied is asked for again for some seconds: so long changes of permissions take.
    private func patiently<Answer: Sendable>(_ call: @escaping @Sendable () async throws(AWSError) -> Answer) throws(AWSError) -> Answer {
        let patience = patience.refusals
        return try Blocking.wait { () async throws(AWSError) in
            let began = ContinuousClock.now
            while true {
                do throws(AWSError) { return try await call() } catch {
                    guard error.kind == .denied, ContinuousClock.now - began < patience else { throw error }
                    try? await Task.sleep(for: .milliseconds(500))
                }
            }
        }
    }

    /// A stream that was deleted and created again has shards of the same names, and nothing else in common.
    package func origin() throws(StreamError) -> String? {
        let client = table.client
        do throws(AWSError) {
            let stream = try Blocking.wait { () async throws(AWSError) in try await client.describe() }
            return stream.created.map { "stream \(table.stream.name), created at \(UnixTime(seconds: $0 / 1000).basic) (\($0))" }
        } catch where error.kind == .denied {
            return nil  // Reading can do without; ListShards says itself when it is denied, too.
        } catch { throw table.error(error) }
    }

    package func discover(known: Set<String>) throws(StreamError) -> (splits: [Split], isComplete: Bool) {
        // Shard ids rise; older ones that are not known were over before the job began.
        let shards = try shards(after: known.max())
        let begin: ShardSplit.Begin
        if known.isEmpty {
            switch start {
            case .trimHorizon: begin = .trimHorizon
            case .latest:
                // The service compares it with the times of arrival by its own clock.
                let client = table.client
                do throws(AWSError) {
                    let offset = try Blocking.wait { () async throws(AWSError) in try await client.clockOffset() }
                    begin = .timestamp((spec.jobStarted ?? UnixTime.now().seconds * 1000) + offset * 1000)
                } catch { throw table.error(error, isStart: true) }
            case .timestamp(let moment): begin = .timestamp(moment)
            }
        } else {
            begin = .trimHorizon
        }
        // Neighbours in the range of keys go to different readers.
        let inOrder = shards.filter { !known.contains($0.id) }.sorted { ($0.firstHashKey.utf8.count, $0.firstHashKey, $0.id) < ($1.firstHashKey.utf8.count, $1.firstHashKey, $1.id) }
        return (inOrder.map { ShardSplit(stream: table.stream.name, shard: $0.id, begin: begin, keys: $0.keys).split(after: parents(of: $0)) }, false)
    }

    private func shards(after last: String?) throws(StreamError) -> [KinesisShard] {
        if let service { return try service.list(after: last) }
        let client = table.client
        do throws(AWSError) { return try patiently { () async throws(AWSError) in try await client.listShards(after: last) } } catch {
            throw table.error(error, isStart: last == nil)
        }
    }

    private func parents(of shard: KinesisShard) -> [String] {
        if faults.contains(.childrenBeforeParents) { return [] }
        return faults.contains(.oneParentIsEnough) ? Array(shard.parents.prefix(1)) : shard.parents
    }

    /// A consumer that the job made costs money while it is there.
    package func giveBack() throws(StreamError) {
        guard case .fanOut(let consumer, registers: true) = reading.kind else { return }
        let client = table.client
        do throws(AWSError) { try Blocking.wait { () async throws(AWSError) in try await client.deregister(consumer) } } catch { throw table.error(error) }
    }

    package func makeReader(_ context: ReaderContext) throws(StreamError) -> any SourceReader { KinesisReader(self, context) }
}

/// How shards are fetched from.
struct KinesisReading: Sendable {
    enum Kind: Hashable {
        case polling
        /// Enhanced fan-out. `registers`: the consumer is made when there is none.
        case fanOut(consumer: String, registers: Bool)
    }

    var kind = Kind.polling
    /// Between two fetches of a shard, from start to start, whatever they gave; the service allows five a second.
    static let shardInterval = Duration.milliseconds(200)
    var emptyInterval = Duration.milliseconds(250)
    var interval = Duration.zero
    var maximumRecords = 10_000
    /// Fetches at a time, and bytes of decoded records that wait, of one reader.
    var maximumFetches = 8
    var bufferBytes = 64 << 20
    /// A fan-out subscription must begin within this time.
    var subscriptionTimeout = Duration.seconds(60)

    init(_ options: Options) throws(StreamError) {
        let key = options.string("source.reader.type") != nil ? "source.reader.type" : "scan.stream.recordpublisher"
        switch options.string(key)?.uppercased() {
        case nil, "POLLING": break
        case "EFO":
            guard let consumer = options.string("source.efo.consumer.name") ?? options.string("scan.stream.efo.consumername") else {
                throw options.error("with '\(key)' = 'EFO' the option 'source.efo.consumer.name' is needed")
            }
            switch options.string("source.efo.lifecycle")?.uppercased() {
            case nil, "JOB_MANAGED": kind = .fanOut(consumer: consumer, registers: true)
            case "SELF_MANAGED": kind = .fanOut(consumer: consumer, registers: false)
            case let other?: throw options.error("'source.efo.lifecycle' is JOB_MANAGED or SELF_MANAGED, not '\(other)'")
            }
        case let other?: throw options.error("'\(key)' is POLLING or EFO, not '\(other)'")
        }
        emptyInterval = try options.duration("source.reader.empty-records-fetch-interval") ?? emptyInterval
        let legacy = try options.integer("scan.shard.getrecords.intervalmillis").map { Duration.milliseconds($0) }
        interval = try options.duration("source.reader.nonempty-records-fetch-interval") ?? legacy ?? interval
        let legacyMost = try options.integer("scan.shard.getrecords.maxrecordcount")
        let most = try options.integer("source.shard.get-records.max-record-count") ?? legacyMost ?? 10_000
        guard (1...10_000).contains(most) else { throw options.error("'source.shard.get-records.max-record-count' is from 1 to 10000") }
        maximumRecords = Int(most)
        maximumFetches = max(1, Int(try options.integer("source.reader.max-fetches") ?? 8))
        bufferBytes = max(1, Int(try options.bytes("source.reader.buffer-size") ?? 64 << 20))
        subscriptionTimeout = try options.duration("source.efo.subscription.timeout") ?? subscriptionTimeout
    }
}

/// A moment as options write it.
enum StartMoment {
    /// Milliseconds since the epoch, of `2026-11-22T16:00:00.000+01:00` (the fraction may lack) or of seconds such as `1459799926.480`.
    static func parse(_ text: String) -> Int64? {
        if let seconds = Double(text), seconds.isFinite, abs(seconds) < 1e11 { return Int64((seconds * 1000).rounded()) }
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " "), let days = TimestampText.parseDate(bytes, count: 10) else { return nil }
        var at = 11
        func number(_ digits: Int, _ most: Int64) -> Int64? {
            guard at + digits <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[at..<at + digits] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            at += digits
            return value <= most ? value : nil
        }
        func take(_ sign: String) -> Bool {
            guard at < bytes.count, bytes[at] == sign.utf8.first else { return false }
            at += 1
            return true
        }
        guard let hour = number(2, 23), take(":"), let minute = number(2, 59), take(":"), let second = number(2, 59) else { return nil }
        var milliseconds = ((Int64(days) * 24 + hour) * 60 + minute) * 60_000 + second * 1000
        if take(".") {
            var weight: Int64 = 100
            let from = at
            while let digit = number(1, 9) {
                milliseconds += digit * weight
                weight /= 10
            }
            guard at > from else { return nil }
        }
        if take("Z") { return at == bytes.count ? milliseconds : nil }
        let sign: Int64 = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let hours = number(2, 18) else { return nil }
        _ = take(":")
        guard let minutes = number(2, 59), at == bytes.count else { return nil }
        return milliseconds - sign * (hours * 60 + minutes) * 60_000
    }
}
