import Columnar
import Dataflow

/// Hands rows to a consumer in the same process: what a bare SELECT writes to. Rows are given as they come, not at commits.
package struct CollectSink: Sink {
    package typealias Consumer = @Sendable (Batch) -> Void

    private let consumer: Consumer

    package init(_ consumer: @escaping Consumer) { self.consumer = consumer }

    package func makeWriter(_ context: WriterContext) -> any SinkWriter { Writer(consumer) }

    package func commit(_ committables: [Committable]) {}

    private final class Writer: SinkWriter {
        private let consumer: Consumer
        init(_ consumer: @escaping Consumer) { self.consumer = consumer }
        func write(_ batch: Batch, at now: Now) { consumer(batch) }
        func tick(at now: Now) -> Instant? { nil }
        func prepareCommit(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) -> PreparedCommit { PreparedCommit() }
        func close() {}
    }
}
