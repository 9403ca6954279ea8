import Dataflow

/// Which options each connector and format knows, as data: those that are obeyed, and no others.
package struct ConnectorOptions: Sendable {
    package var name: String
    package var required: [String] = []
    package var source: [String] = []
    package var sink: [String] = []
    /// Options that begin so: `fields.<column>.kind`.
    package var prefixes: [String] = []
    package var reads = true
    package var writes = true
    package var hasFormat = false

    /// Known for every connector.
    package static let common = ["connector", "scan.rows-per-second", "scan.parallelism", "scan.watermark.idle-timeout", "sink.parallelism"]

    package static let all: [ConnectorOptions] = [
        ConnectorOptions(name: "blackhole", sink: ["latency-column", "latency-file"], reads: false),
        ConnectorOptions(name: "collect", reads: false),
        ConnectorOptions(
            name: "datagen", source: ["rows-per-second", "number-of-rows", "template", "seed"], prefixes: ["fields."], writes: false),
        ConnectorOptions(
            name: "filesystem", required: ["path", "format"],
            source: ["source.monitor-interval", "source.split.size", "source.report-statistics", "partition.default-name"],
            sink: [
                "sink.rolling-policy.file-size", "sink.rolling-policy.rollover-interval", "sink.rolling-policy.inactivity-interval",
                "sink.rolling-policy.check-interval",
            ],
            hasFormat: true),
        ConnectorOptions(name: "print", sink: ["print-identifier", "standard-error"], reads: false),
    ]

    /// Options of each format, with its name in front.
    package static let formats: [String: [String]] = [
        "json": [
            "fail-on-missing-field", "ignore-parse-errors", "timestamp-format.standard", "map-null-key.mode", "map-null-key.literal",
            "encode.decimal-as-plain-number", "encode.ignore-null-fields", "decode.json-parser.enabled",
        ].map { "json." + $0 },
        "csv": [
            "field-delimiter", "disable-quote-character", "quote-character", "allow-comments", "ignore-parse-errors", "array-element-delimiter",
            "escape-character", "null-literal", "write-bigdecimal-in-scientific-notation",
        ].map { "csv." + $0 },
    ]

    /// The connector's name, after every option was checked.
    static func check(_ table: String, _ options: [String: String], reads: Bool) throws(StreamError) -> String {
        let known = Options(table, options)
        guard let name = options["connector"] else { throw known.error("the option 'connector' is missing; it can be \(list(all.map(\.name)))") }
        guard let connector = all.first(where: { $0.name == name }) else {
            throw known.error("unknown connector '\(name)'\(hint(name, all.map(\.name))); there are \(list(all.map(\.name)))")
        }
        for key in connector.required where options[key] == nil { throw known.error("connector '\(name)' needs the option '\(key)'") }
        // A table that is read and written has the options of both.
        var keys = common + connector.required + connector.source + connector.sink
        if connector.hasFormat {
            let format = try known.required("format")
            guard let own = formats[format] else {
                throw known.error("unknown format '\(format)'\(hint(format, Array(formats.keys))); there are \(list(Array(formats.keys)))")
            }
            keys += own
        }
        for key in options.keys.sorted() where !keys.contains(key) && !connector.prefixes.contains(where: { key.hasPrefix($0) }) {
            throw known.error("unknown option '\(key)' of connector '\(name)'\(hint(key, keys)); there are \(list(keys))")
        }
        return name
    }

    private static func list(_ names: [String]) -> String { names.sorted().map { "'\($0)'" }.joined(separator: ", ") }

    /// A name that is a few letters away.
    private static func hint(_ name: String, _ names: [String]) -> String {
        let near = names.sorted().min { distance($0, name) < distance($1, name) }
        guard let near, distance(near, name) <= max(2, name.count / 4) else { return "" }
        return ", did you mean '\(near)'?"
    }

    private static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8), b = Array(b.utf8)
        var row = Array(0...b.count)
        for i in a.indices {
            var corner = row[0]
            row[0] = i + 1
            for j in b.indices {
                let next = a[i] == b[j] ? corner : min(corner, row[j], row[j + 1]) + 1
                corner = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }
}
