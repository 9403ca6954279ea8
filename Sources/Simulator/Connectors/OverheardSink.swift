import Columnar
import Dataflow

/// A sink whose writers say which rows they write: the first column holds their ids.
struct OverheardSink: Sink, @unchecked Sendable {
    let real: any Sink
    unowned let cluster: SimulatedCluster

    func makeWriter(_ context: WriterContext) throws(StreamError) -> any SinkWriter {
        OverheardWriter(try real.makeWriter(context), context.task, cluster)
    }

    func commit(_ committables: [Committable]) throws(StreamError) { try real.commit(committables) }

    func discard(job: JobID, vertex: Int, attemptsBelow attempt: UInt32, keeping committables: [Committable]) throws(StreamError) {
        try real.discard(job: job, vertex: vertex, attemptsBelow: attempt, keeping: committables)
    }
}

private final class OverheardWriter: SinkWriter {
    private let real: any SinkWriter
    private let task: TaskID
    private unowned let cluster: SimulatedCluster

    init(_ real: any SinkWriter, _ task: TaskID, _ cluster: SimulatedCluster) { (self.real, self.task, self.cluster) = (real, task, cluster) }

    func write(_ batch: Batch, at now: Now) throws(StreamError) {
        cluster.see(.rowsWritten((0..<batch.count).map { batch.columns[0].pointer(Int64.self)[$0] }, by: task))
        try real.write(batch, at: now)
    }

    func advance(to milliseconds: Int64) { real.advance(to: milliseconds) }
    func tick(at now: Now) throws(StreamError) -> Instant? { try real.tick(at: now) }

    func prepareCommit(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) throws(StreamError) -> PreparedCommit {
        try real.prepareCommit(checkpoint, isLast: isLast, at: now)
    }

    func prepareSavepoint(_ checkpoint: CheckpointID, at now: Now) throws(StreamError) -> PreparedCommit {
        try real.prepareSavepoint(checkpoint, at: now)
    }

    var heldBytes: Int { real.heldBytes }
    func close() { real.close() }
}
