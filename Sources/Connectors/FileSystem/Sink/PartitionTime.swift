import Dataflow
import Expressions

/// The moment that a partition's values name: `partition.time-extractor.*`, as in Flink.
struct PartitionTime: Sendable {
    /// `$day $hour:00:00`; nil: the first value is all.
    private let pattern: String?
    private let formats: [DateText]
    private let zone: ZoneRules
    private let keys: [String]

    init(_ options: Options, keys: [String]) throws(StreamError) {
        self.keys = keys
        if let kind = options.string("partition.time-extractor.kind"), kind != "default" {
            throw options.error("'partition.time-extractor.kind' is 'default', not '\(kind)'")
        }
        pattern = options.string("partition.time-extractor.timestamp-pattern")
        let name = options.string("sink.partition-commit.watermark-time-zone") ?? "UTC"
        guard let zone = ZoneRules(named: name) else { throw options.error("'sink.partition-commit.watermark-time-zone': there is no zone '\(name)'") }
        self.zone = zone
        let own = options.string("partition.time-extractor.timestamp-formatter")
        do throws(EvaluationError) {
            formats = try (own.map { [$0] } ?? ["yyyy-M-d H:m:s", "yyyy-M-d"]).map { text throws(EvaluationError) in try DateText(text) }
        } catch {
            throw options.error("'partition.time-extractor.timestamp-formatter': \(error.description)")
        }
    }

    /// Milliseconds since the epoch. Throws when the folder's values name no moment.
    func moment(of folder: String, defaultName: String) throws(StreamError) -> Int64 {
        let values = PartitionPath.values(folder + "/-", defaultName: defaultName)
        func value(_ key: String) -> String { values[key].flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) } ?? defaultName }
        var text = pattern ?? keys.first.map { value($0) } ?? ""
        // Longer names first: one may begin with another.
        for key in keys.sorted(by: { ($1.utf8.count, $0) < ($0.utf8.count, $1) }) { text = text.split(separator: "$" + key, omittingEmptySubsequences: false).joined(separator: value(key)) }
        for format in formats {
            if let clock = format.clock(text) { return zone.instant(ofLocal: clock, perSecond: 1_000) }
        }
        throw StreamError(
            .user, retry: false,
            "partition \(folder) names no time: '\(text)' (partition.time-extractor.timestamp-pattern makes it of the partition's values)")
    }
}
