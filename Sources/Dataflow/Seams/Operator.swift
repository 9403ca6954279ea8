import Columnar

/// Where an operator's results go: the next operator of the chain, or the task's output partitions. One call a batch.
package protocol Output: AnyObject {
    func emit(_ batch: Batch) throws(StreamError)
    func emitWatermark(_ milliseconds: Int64) throws(StreamError)
}

/// One operator of a chain. One thread calls it; it never waits.
///
/// Barriers, idleness and ends are the task's business; the operator is asked for its snapshot when a barrier has aligned.
package protocol Operator: AnyObject {
    func process(_ batch: Batch, to output: any Output) throws(StreamError)

    /// Event time has reached `milliseconds`. The operator emits what became due, then passes the watermark on.
    func advance(to milliseconds: Int64, to output: any Output) throws(StreamError)

    /// Before a barrier and before the end: emit whatever is buffered for efficiency only (partial aggregates).
    func flush(to output: any Output) throws(StreamError)

    /// State as of now. Quick: bytes are made later, elsewhere (`FrozenState`).
    func snapshot() throws(StreamError) -> OperatorSnapshot

    /// Called once, before anything else, when there is something to restore.
    func restore(_ state: TaskRestore.OperatorState) throws(StreamError)

    /// A planned change: the subtask owns these key groups from here on. State of others is dropped, and the segments, which came from
    /// their old owners, are added; they are of groups that it did not own before.
    func own(_ groups: [Int], adding segments: [StateSegment]) throws(StreamError)

    /// Before a planned change: keyed state as of now, to be copied to other subtasks ahead of the barrier. From here on the operator notes
    /// what changes. Nil: it cannot; all of its state moves at the barrier.
    func copyAhead() throws(StreamError) -> (any FrozenState)?

    /// At the barrier: what has changed since `copyAhead`, to be added to the copy by `own`. Also asked for when the change is dropped: nothing is
    /// noted any more.
    func changesSinceCopy() throws(StreamError) -> (any FrozenState)?

    /// Takes in segments of a copy, of groups that the subtask will own after the change. Until `own` they are in no snapshot;
    /// with the groups that the subtask had, `own` forgets them: the change was dropped.
    func attach(_ segments: [StateSegment]) throws(StreamError)

    /// Bytes of state held now, and the key group that holds most of it (for a memory error that names it).
    var stateBytes: Int { get }
    var largestKeyGroup: Int? { get }

    /// Rows that came behind the watermark and were dropped.
    var lateRows: Int { get }

    /// Rows of each key group that the subtask owns, ascending; empty where state is not kept by key.
    var keyGroupLoads: [KeyGroupLoad] { get }
}

extension Operator {
    package func advance(to milliseconds: Int64, to output: any Output) throws(StreamError) { try output.emitWatermark(milliseconds) }
    package func flush(to output: any Output) throws(StreamError) {}
    package func own(_ groups: [Int], adding segments: [StateSegment]) throws(StreamError) {
        guard segments.isEmpty, try snapshot().keyed == nil else {
            throw StreamError(.internal, retry: true, "an operator with keyed state cannot change its key groups while it runs")
        }
    }
    package func copyAhead() throws(StreamError) -> (any FrozenState)? { nil }
    package func changesSinceCopy() throws(StreamError) -> (any FrozenState)? { nil }
    package func attach(_ segments: [StateSegment]) throws(StreamError) {
        throw StreamError(.internal, retry: true, "an operator that copies nothing ahead cannot take in copies")
    }
    package var stateBytes: Int { 0 }
    package var largestKeyGroup: Int? { nil }
    package var lateRows: Int { 0 }
    package var keyGroupLoads: [KeyGroupLoad] { [] }
}

/// What an operator needs to know about where it runs.
package struct OperatorContext: Sendable {
    package let uid: String
    package let maxParallelism: Int
    /// Key groups that this subtask owns at the start.
    package let groups: [Int]
    package let batchRows: Int

    package init(uid: String, maxParallelism: Int, groups: [Int], batchRows: Int = 8192) {
        self.uid = uid
        self.maxParallelism = maxParallelism
        self.groups = groups
        self.batchRows = batchRows
    }

    /// The same with other key groups.
    package func owning(_ groups: [Int]) -> OperatorContext {
        OperatorContext(uid: uid, maxParallelism: maxParallelism, groups: groups, batchRows: batchRows)
    }
}
