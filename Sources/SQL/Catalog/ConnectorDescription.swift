import Settings

/// What the planner knows of a connector: which options a table may have, and what it can do.
package struct ConnectorDescription: Equatable, Sendable {
    package var name: String
    package var canRead: Bool
    package var canWrite: Bool
    /// Its sink understands −U, +U and −D; otherwise only queries that never take a row back may write to it.
    package var writesChanges: Bool
    /// Its sink has no use for −U rows.
    package var ignoresUpdateBefore: Bool
    package var required: [String]
    package var optional: [String]
    /// Keys that begin with these are allowed too: `fields.price.min`.
    package var prefixes: [String]
    /// Takes a `format` with that format's own options.
    package var hasFormat: Bool
    /// Keys of METADATA columns.
    package var metadata: [String]

    package init(
        name: String, canRead: Bool, canWrite: Bool, writesChanges: Bool = false, ignoresUpdateBefore: Bool = false, required: [String] = [],
        optional: [String] = [], prefixes: [String] = [], hasFormat: Bool = false, metadata: [String] = []
    ) {
        self.name = name
        self.canRead = canRead
        self.canWrite = canWrite
        self.writesChanges = writesChanges
        self.ignoresUpdateBefore = ignoresUpdateBefore
        self.required = required
        self.optional = optional
        self.prefixes = prefixes
        self.hasFormat = hasFormat
        self.metadata = metadata
    }
}

/// The connectors and formats that tables may name.
package struct ConnectorCatalogue: Sendable {
    package var connectors: [ConnectorDescription]
    /// Options of each format, without its name in front: `ignore-parse-errors` for `json.ignore-parse-errors`.
    package var formats: [String: [String]]

    package init(connectors: [ConnectorDescription], formats: [String: [String]]) {
        self.connectors = connectors
        self.formats = formats
    }

    /// Options of every table that is read.
    private static let sourceOptions = ["scan.rows-per-second", "scan.watermark.idle-timeout", "scan.parallelism"]

    package static let builtIn = ConnectorCatalogue(
        connectors: [
            ConnectorDescription(
                name: "filesystem", canRead: true, canWrite: true, required: ["path"],
                optional: [
                    "source.monitor-interval", "source.split.size", "source.path.regex-pattern", "source.report-statistics", "partition.default-name",
                    "partition.time-extractor.kind", "partition.time-extractor.timestamp-pattern", "sink.rolling-policy.file-size",
                    "sink.rolling-policy.rollover-interval", "sink.rolling-policy.inactivity-interval", "sink.rolling-policy.check-interval",
                    "sink.partition-commit.trigger", "sink.partition-commit.delay", "sink.partition-commit.policy.kind",
                    "sink.partition-commit.success-file.name", "sink.partition-commit.watermark-time-zone", "sink.shuffle-by-partition.enable",
                    "auto-compaction", "compaction.file-size",
                ],
                hasFormat: true, metadata: ["file.path", "file.name", "file.size", "file.modification-time"]),
            ConnectorDescription(
                name: "datagen", canRead: true, canWrite: false, optional: ["rows-per-second", "number-of-rows", "template", "seed"],
                prefixes: ["fields."]),
            ConnectorDescription(
                name: "print", canRead: false, canWrite: true, writesChanges: true, optional: ["print-identifier", "standard-error"]),
            ConnectorDescription(
                name: "blackhole", canRead: false, canWrite: true, writesChanges: true, ignoresUpdateBefore: true,
                optional: ["latency-column", "latency-file"]),
        ],
        formats: [
            "json": [
                "fail-on-missing-field", "ignore-parse-errors", "timestamp-format.standard", "map-null-key.mode", "map-null-key.literal",
                "encode.decimal-as-plain-number", "encode.ignore-null-fields", "decode.json-parser.enabled",
            ],
            "csv": [
                "field-delimiter", "disable-quote-character", "quote-character", "allow-comments", "ignore-parse-errors", "array-element-delimiter",
                "escape-character", "null-literal", "write-bigdecimal-in-scientific-notation",
            ],
        ])

    /// The connector that the options name, with every option checked. `with` is where to point when one is missing.
    func check(_ options: [OptionSyntax], at with: SourceRange) throws(SQLError) -> ConnectorDescription {
        guard let option = options.first(where: { $0.key == "connector" }) else {
            throw SQLError("a table needs the option 'connector'", at: with, hint: "it can be " + enumerate(connectors.map { "'\($0.name)'" }, last: "or"))
        }
        guard let connector = connectors.first(where: { $0.name == option.value }) else {
            throw SQLError(
                "unknown connector '\(option.value)'", at: option.valueRange, expected: connectors.map { "'\($0.name)'" },
                hint: nearNameHint(option.value, among: connectors.map(\.name)))
        }
        var known = ["connector"] + connector.required + connector.optional
        if connector.canRead { known += Self.sourceOptions }
        if connector.canWrite { known.append("sink.parallelism") }
        if connector.hasFormat { known += try formatOptions(of: options, at: with) }
        for option in options where !known.contains(option.key) && !connector.prefixes.contains(where: { option.key.hasPrefix($0) }) {
            throw SQLError(
                "unknown option '\(option.key)' of connector '\(connector.name)'", at: option.keyRange,
                hint: nearNameHint(option.key, among: known) ?? "known: " + listing(known.sorted(), atMost: .max))
        }
        for option in options { try checkValue(of: option) }
        for key in connector.required where !options.contains(where: { $0.key == key }) {
            throw SQLError("connector '\(connector.name)' needs the option '\(key)'", at: with)
        }
        return connector
    }

    private func checkValue(of option: OptionSyntax) throws(SQLError) {
        let expected: String
        switch option.key {
        case "scan.rows-per-second":
            if let rate = Double(option.value), rate > 0 { return }
            expected = "a number greater than 0"
        case "scan.parallelism", "sink.parallelism":
            if let width = Int(option.value), (1...32_768).contains(width) { return }
            expected = "a number from 1 to 32768"
        case "scan.watermark.idle-timeout", "source.monitor-interval":
            if Duration(configText: option.value) != nil { return }
            expected = Duration.expected
        default: return
        }
        throw SQLError("option '\(option.key)' is '\(option.value)'", at: option.valueRange, expected: [expected])
    }

    private func formatOptions(of options: [OptionSyntax], at with: SourceRange) throws(SQLError) -> [String] {
        let names = formats.keys.sorted()
        guard let format = options.first(where: { $0.key == "format" }) else {
            throw SQLError("the table needs the option 'format'", at: with, hint: "it can be " + enumerate(names.map { "'\($0)'" }, last: "or"))
        }
        guard let own = formats[format.value] else {
            throw SQLError(
                "unknown format '\(format.value)'", at: format.valueRange, expected: names.map { "'\($0)'" }, hint: nearNameHint(format.value, among: names))
        }
        return ["format"] + own.map { "\(format.value).\($0)" }
    }
}
