import Dataflow
import Expressions

/// When a file ends, besides checkpoints and the end. Names and defaults are Flink's.
struct RollingPolicy: Hashable, Sendable {
    let bytes: Int64
    let age: Duration
    let idle: Duration
    let checkInterval: Duration

    init(_ options: Options) throws(StreamError) {
        bytes = try options.bytes("sink.rolling-policy.file-size") ?? 128 << 20
        age = try options.duration("sink.rolling-policy.rollover-interval") ?? .seconds(1_800)
        idle = try options.duration("sink.rolling-policy.inactivity-interval") ?? .seconds(1_800)
        checkInterval = try options.duration("sink.rolling-policy.check-interval") ?? .seconds(60)
    }

    func endsBySize(_ file: PartFile) -> Bool { file.length >= bytes || file.isFull }

    func endsByTime(_ file: PartFile, at now: Instant) -> Bool {
        let ages = file.ages(at: now)
        return ages.age >= age || ages.idle >= idle
    }
}

/// Folders by the time at which rows reach the sink, such as `2026-11-22--10`.
struct TimeBuckets: Sendable {
    private let pattern: DateText
    private let zone: ZoneRules
    /// Folders that a bucket's name has.
    let depth: Int

    init?(_ options: Options) throws(StreamError) {
        guard let text = options.string("sink.bucket.date-pattern") else {
            if options.string("sink.bucket.time-zone") != nil { throw options.error("'sink.bucket.time-zone' needs 'sink.bucket.date-pattern'") }
            return nil
        }
        let name = options.string("sink.bucket.time-zone") ?? "UTC"
        guard let zone = ZoneRules(named: name) else { throw options.error("'sink.bucket.time-zone': there is no zone '\(name)'") }
        do throws(EvaluationError) { pattern = try DateText(text) } catch {
            throw options.error("'sink.bucket.date-pattern': \(error.description)")
        }
        self.zone = zone
        let folders = text.split(separator: "/", omittingEmptySubsequences: false)
        guard folders.allSatisfy({ !$0.isEmpty && !$0.hasPrefix("_") && !$0.hasPrefix(".") }) else {
            throw options.error("'sink.bucket.date-pattern' names folders that readers pass over or that are empty: '\(text)'")
        }
        depth = folders.count
    }

    func folder(at wallMilliseconds: Int64) -> String { pattern.text(wallMilliseconds, zone) }
}
