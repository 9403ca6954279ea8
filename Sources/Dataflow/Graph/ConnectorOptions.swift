import Columnar

/// What the planner and the connectors know of each connector: what it can do, and the options that a table may have.
///
/// The one list: what stands here is obeyed, or stands in `withoutEffect`; anything else is refused when the statement is planned.
package struct ConnectorOptions: Hashable, Sendable {
    package var name: String
    package var canRead = false
    package var canWrite = false
    /// Its sink understands −U, +U and −D; otherwise only queries that never take a row back may write to it.
    package var writesChanges = false
    /// Its sink has no use for −U rows.
    package var ignoresUpdateBefore = false
    /// Takes a `format`, with that format's own options.
    package var hasFormat = false
    package var required: [String] = []
    package var optional: [String] = []
    /// Options of one column: `fields.<column>.` and one of these.
    package var ofFields: [String] = []
    /// Flink's options that change no result: how it plans or spreads work.
    package var withoutEffect: [String] = []

    /// What its source can say of each row beside the row itself, by key, as columns that are declared `METADATA`.
    package var metadata: [Metadata] = []

    package struct Metadata: Hashable, Sendable {
        package let key: String
        package let type: DataType

        init(_ key: String, _ type: TypeKind) { (self.key, self.type) = (key, DataType(type, nullable: false)) }
    }

    /// Hands rows to the process that asked for them; scripts do not name it.
    package static let collect = ConnectorOptions(name: "collect", canWrite: true, writesChanges: true)

    /// The older names, `scan.stream.…` and `scan.shard.…`, are Flink's of `kinesis-legacy`.
    private static let kinesis = ConnectorOptions(
        name: "kinesis", canRead: true, canWrite: true, hasFormat: true,
        optional: [
            "stream", "stream.arn", "aws.region", "aws.endpoint", "aws.credentials.provider", "aws.credentials.basic.accesskeyid",
            "aws.credentials.basic.secretkey", "aws.credentials.profile.name", "source.init.position", "source.init.timestamp",
            "source.init.timestamp.format", "source.shard.discovery.interval", "source.reader.type", "source.reader.empty-records-fetch-interval",
            "source.reader.nonempty-records-fetch-interval", "source.reader.max-fetches", "source.reader.buffer-size",
            "source.shard.get-records.max-record-count", "source.efo.consumer.name", "source.efo.lifecycle", "source.efo.subscription.timeout",
            "scan.stream.initpos", "scan.stream.initpos-timestamp", "scan.stream.initpos-timestamp-format", "scan.stream.recordpublisher",
            "scan.stream.efo.consumername", "scan.shard.discovery.intervalmillis", "scan.shard.getrecords.maxrecordcount",
            "scan.shard.getrecords.intervalmillis", "sink.partitioner", "sink.partitioner-field-delimiter", "sink.batch.max-size",
            "sink.requests.max-inflight", "sink.requests.max-buffered", "sink.flush-buffer.size", "sink.flush-buffer.timeout", "sink.fail-on-error",
        ],
        withoutEffect: [
            "source.efo.describe.retry-strategy.attempts.max", "source.efo.describe.retry-strategy.delay.min",
            "source.efo.describe.retry-strategy.delay.max", "sink.http-client.max-concurrency", "sink.http-client.read-timeout",
            "sink.http-client.protocol.version",
        ], metadata: [Metadata("timestamp", .timestampLTZ(3)), Metadata("shard-id", .string), Metadata("sequence-number", .string)])

    /// Every connector, by name.
    package static let all = [
        ConnectorOptions(
            name: "blackhole", canWrite: true, writesChanges: true, ignoresUpdateBefore: true, optional: ["latency-column", "latency-file"]),
        collect,
        ConnectorOptions(
            name: "datagen", canRead: true, optional: ["rows-per-second", "number-of-rows", "starts-at", "template", "seed"],
            ofFields: ["kind", "min", "max", "max-past", "length", "var-len", "start", "end", "null-rate"]),
        ConnectorOptions(
            name: "filesystem", canRead: true, canWrite: true, hasFormat: true, required: ["path"],
            optional: [
                "source.monitor-interval", "source.split.size", "partition.default-name", "sink.rolling-policy.file-size",
                "sink.rolling-policy.rollover-interval", "sink.rolling-policy.inactivity-interval", "sink.rolling-policy.check-interval",
                "sink.bucket.date-pattern", "sink.bucket.time-zone", "sink.compression", "sink.commit-list.enabled",
                "auto-compaction", "compaction.file-size", "sink.partition-commit.policy.kind", "sink.partition-commit.trigger", "sink.partition-commit.delay",
                "sink.partition-commit.success-file.name", "sink.partition-commit.watermark-time-zone", "partition.time-extractor.kind",
                "partition.time-extractor.timestamp-pattern", "partition.time-extractor.timestamp-formatter", "aws.region", "aws.endpoint", "s3.endpoint", "s3.path.style.access",
                "s3.upload.min.part.size", "s3.upload.max.concurrent.uploads",
            ], withoutEffect: ["source.report-statistics", "sink.shuffle-by-partition.enable"],
            metadata: [
                Metadata("file.path", .string), Metadata("file.name", .string), Metadata("file.size", .bigint),
                Metadata("file.modification-time", .timestampLTZ(3)),
            ]),
        kinesis,
        ConnectorOptions(name: "print", canWrite: true, writesChanges: true, optional: ["print-identifier", "standard-error"]),
    ]

    /// Of every table that is read, and of every one that is written: the planner obeys these.
    private static let ofSources = ["scan.rows-per-second", "scan.watermark.idle-timeout", "scan.parallelism"]
    private static let ofSinks = ["sink.parallelism"]

    /// Options of each format, without its name in front: `null-literal` for `csv.null-literal`.
    private static let formats: [(name: String, options: [String], withoutEffect: [String])] = [
        (
            "csv",
            [
                "field-delimiter", "disable-quote-character", "quote-character", "allow-comments", "ignore-parse-errors", "escape-character",
                "null-literal", "write-bigdecimal-in-scientific-notation",
            ], ["array-element-delimiter"]
        ),
        (
            "json",
            [
                "fail-on-missing-field", "ignore-parse-errors", "timestamp-format.standard", "encode.decimal-as-plain-number",
                "encode.ignore-null-fields",
            ], ["map-null-key.mode", "map-null-key.literal", "decode.json-parser.enabled"]
        ),
        ("raw", ["charset"], ["endianness"]),
    ]

    /// The connector that the options name, after the name of every option was checked. `columns`: the table's physical ones.
    package static func check(
        _ options: [String: String], columns: [String], among connectors: [ConnectorOptions] = all
    ) throws(OptionProblem) -> ConnectorOptions {
        let names = connectors.map(\.name)
        guard let name = options["connector"] else { throw OptionProblem(.table, "the option 'connector' is missing", there: names) }
        guard let connector = connectors.first(where: { $0.name == name }) else {
            throw OptionProblem(.value(of: "connector"), "unknown connector '\(name)'", wrong: name, there: names)
        }
        for key in connector.required where options[key] == nil {
            throw OptionProblem(.table, "connector '\(name)' needs the option '\(key)'")
        }
        var keys = ["connector"] + connector.required + connector.optional + connector.withoutEffect
        if connector.canRead { keys += ofSources }
        if connector.canWrite { keys += ofSinks }
        if connector.hasFormat { keys += try ["format"] + formatKeys(options, name) }
        let ofColumns = columns.flatMap { column in connector.ofFields.map { "fields.\(column).\($0)" } }
        for key in options.keys.sorted() where !keys.contains(key) && !ofColumns.contains(key) {
            throw OptionProblem(
                .key(key), "unknown option '\(key)' of connector '\(name)'", wrong: key,
                there: keys + connector.ofFields.map { "fields.<column>.\($0)" }, candidates: keys + ofColumns)
        }
        return connector
    }

    private static func formatKeys(_ options: [String: String], _ connector: String) throws(OptionProblem) -> [String] {
        guard let name = options["format"] else {
            throw OptionProblem(.table, "connector '\(connector)' needs the option 'format'", there: formats.map(\.name))
        }
        guard let format = formats.first(where: { $0.name == name }) else {
            throw OptionProblem(.value(of: "format"), "unknown format '\(name)'", wrong: name, there: formats.map(\.name))
        }
        return (format.options + format.withoutEffect).map { "\(name).\($0)" }
    }
}

/// What is wrong with a table's options; whoever asked says where, and which name is near.
package struct OptionProblem: Error, Hashable {
    package enum Place: Hashable, Sendable {
        /// The options as a whole: one is missing.
        case table
        case key(String)
        case value(of: String)
    }

    package let place: Place
    package let message: String
    /// The name that does not exist; nil when one is missing.
    package let wrong: String?
    /// What could stand there, sorted.
    package let there: [String]
    /// What `wrong` may have meant, sorted.
    package let candidates: [String]

    init(_ place: Place, _ message: String, wrong: String? = nil, there: [String] = [], candidates: [String]? = nil) {
        self.place = place
        self.message = message
        self.wrong = wrong
        self.there = there.sorted()
        self.candidates = (candidates ?? there).sorted()
    }
}
