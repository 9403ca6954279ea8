import Dataflow

/// The connectors that every installation has.
package struct StandardConnectors: ConnectorRegistry {
    /// Consumers of `collect` tables by table name; "" takes those that no other one does.
    private let collectors: [String: CollectSink.Consumer]

    package let buckets: Buckets
    /// Is told what somebody should know who does not look at figures.
    private let warn: @Sendable (String) -> Void

    package init(collectors: [String: CollectSink.Consumer] = [:], buckets: Buckets = .s3(), warn: @escaping @Sendable (String) -> Void = { _ in }) {
        self.collectors = collectors
        self.buckets = buckets
        self.warn = warn
    }

    package func source(_ spec: SourceSpec) throws(StreamError) -> any Source {
        let columns = spec.tableColumns.isEmpty ? spec.physical.names : spec.tableColumns
        switch try ConnectorOptions.check(spec.table, spec.options, columns: columns) {
        case "filesystem": return try FileSource(spec, buckets)
        case "datagen": return try DataGenerator(spec)
        case "kinesis": return try KinesisSource(spec, warn: warn)
        case let other: throw Options(spec.table, spec.options).error("connector '\(other)' cannot be read from")
        }
    }

    package func sink(_ spec: SinkSpec) throws(StreamError) -> any Sink {
        switch try ConnectorOptions.check(spec.table, spec.options, columns: spec.schema.names) {
        case "filesystem": return try FileSink(spec, buckets)
        case "kinesis": return try KinesisSink(spec)
        case "print": return try PrintSink(spec)
        case "blackhole": return try BlackholeSink(spec)
        case "collect":
            guard let consumer = collectors[spec.table] ?? collectors[""] else {
                throw Options(spec.table, spec.options).error("nobody in this process collects its rows")
            }
            return CollectSink(consumer)
        case let other: throw Options(spec.table, spec.options).error("connector '\(other)' cannot be written to")
        }
    }
}
