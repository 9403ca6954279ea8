import Columnar
import Dataflow

/// Takes rows and keeps nothing. With `latency-column` and `latency-file` it counts how old rows are when they come (`LatencyFile`).
package struct BlackholeSink: Sink {
    private let latency: (column: Int, path: String)?

    init(_ spec: SinkSpec) throws(StreamError) {
        let options = Options(spec.table, spec.options)
        switch (options.string("latency-column"), options.string("latency-file")) {
        case (nil, nil): latency = nil
        case (let name?, let path?):
            guard let column = spec.schema.names.firstIndex(of: name) else {
                throw options.error("'latency-column' names no column: \(name); there are \(spec.schema.names.joined(separator: ", "))")
            }
            guard LatencyFile.canRead(spec.schema.fields[column].type.kind) else {
                throw options.error("'latency-column' is a TIMESTAMP, or a BIGINT with milliseconds since 1970, not \(spec.schema.fields[column].type.kind)")
            }
            latency = (column, try FilePath.local(path))
        default: throw options.error("'latency-column' and 'latency-file' go together")
        }
    }

    package func makeWriter(_ context: WriterContext) -> any SinkWriter {
        Writer(latency.map { LatencyFile(column: $0.column, path: "\($0.path)-\(context.task.subtask.index)") })
    }

    package func commit(_ committables: [Committable]) {}

    private final class Writer: SinkWriter {
        private var latency: LatencyFile?

        init(_ latency: LatencyFile?) { self.latency = latency }

        func write(_ batch: Batch, at now: Now) { latency?.count(batch) }

        func tick(at now: Now) throws(StreamError) -> Instant? { try latency?.writeWhenDue(at: now.instant) }

        func prepareCommit(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) -> PreparedCommit { PreparedCommit() }

        func close() { try? latency?.write() }
    }
}
