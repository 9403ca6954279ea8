import Columnar
import Dataflow

/// Takes rows and keeps nothing.
package struct BlackholeSink: Sink {
    package func makeWriter(_ context: WriterContext) -> any SinkWriter { Writer() }

    package func commit(_ committables: [Committable]) {}

    private final class Writer: SinkWriter {
        func write(_ batch: Batch, at now: Now) {}
        func tick(at now: Now) -> Instant? { nil }
        func prepareCommit(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) -> (committables: [Committable], unit: [UInt8]?) { ([], nil) }
        func close() {}
    }
}
