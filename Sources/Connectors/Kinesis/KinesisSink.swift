import AWS
import Columnar
import Dataflow

/// Writes rows as records of a Kinesis stream, at least once: everything is in the stream before a checkpoint is acknowledged, and what was
/// put after the newest one is put again when the job restarts.
///
/// With `PARTITIONED BY` the records of one key keep their order: when one of them is refused, those behind it are put again, too. Without,
/// keys are random and there is no order.
package struct KinesisSink: Sink {
    enum Partitioner: Hashable {
        case random
        /// One key for each subtask.
        case fixed
        /// Columns, and what stands between their values.
        case columns([Int], delimiter: String)
    }

    let table: KinesisTable
    let spec: SinkSpec
    let format: MessageFormat
    let partitioner: Partitioner
    let limits: PutLane.Limits
    let flushInterval: Duration
    let lanes: Int

    init(_ spec: SinkSpec) throws(StreamError) {
        let options = Options(spec.table, spec.options)
        self.spec = spec
        table = try KinesisTable(options)
        format = try MessageFormat(options)
        guard spec.primaryKey.isEmpty else {
            throw options.error("a stream can only be appended to; a query that changes its rows needs another connector")
        }
        if case .raw = format, spec.schema.fields.count != 1 { throw options.error("the format 'raw' is for tables of one column") }
        switch (spec.partitionKeys.isEmpty, options.string("sink.partitioner")) {
        case (true, nil), (true, "random"?): partitioner = .random
        case (true, "fixed"?): partitioner = .fixed
        case (true, let other?): throw options.error("'sink.partitioner' is 'random' or 'fixed', not '\(other)'")
        case (false, nil): partitioner = .columns(spec.partitionKeys, delimiter: options.string("sink.partitioner-field-delimiter") ?? "|")
        case (false, _?): throw options.error("'sink.partitioner' has no use in a table that is PARTITIONED BY")
        }
        var limits = PutLane.Limits(keepsOrder: partitioner != .random)
        let most = try options.integer("sink.batch.max-size") ?? 500
        guard (1...500).contains(most) else { throw options.error("'sink.batch.max-size' is from 1 to 500") }
        limits.records = Int(most)
        limits.bytes = min(max(1, Int(try options.integer("sink.flush-buffer.size") ?? 5 << 20)), KinesisEntry.maximumRequestBytes)
        lanes = max(1, min(Int(try options.integer("sink.requests.max-inflight") ?? 4), 16))
        limits.buffered = max(1, Int(try options.integer("sink.requests.max-buffered") ?? 10_000) / lanes)
        limits.failsOnError = try options.flag("sink.fail-on-error", default: false)
        self.limits = limits
        flushInterval = .milliseconds(try options.integer("sink.flush-buffer.timeout") ?? 5000)
    }

    package func makeWriter(_ context: WriterContext) throws(StreamError) -> any SinkWriter { KinesisSinkWriter(self, context) }

    /// Nothing waits for a checkpoint.
    package func commit(_ committables: [Committable]) throws(StreamError) {}
}
