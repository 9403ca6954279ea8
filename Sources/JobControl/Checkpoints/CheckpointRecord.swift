import Dataflow
import Wire

/// What people are told about one checkpoint.
package struct CheckpointRecord: Hashable, Sendable {
    package enum Status: String, Hashable, Sendable {
        case inProgress = "IN_PROGRESS", completed = "COMPLETED", failed = "FAILED"
    }

    package struct Task: Hashable, Sendable {
        package var subtask: SubtaskID
        /// Milliseconds since the epoch. A TaskManager writes one object and acknowledges all its subtasks at once.
        package var acknowledged: Int64
        package var stateBytes: Int64
        /// Until the first barrier came to it; from there to the last one; and from its snapshot to the acknowledgement. By the JobManager's clock.
        package var startDelayMilliseconds: Int64
        package var alignmentMilliseconds: Int64
        package var asynchronousMilliseconds: Int64
        package var synchronousNanoseconds: Int64

        package init(_ task: Acknowledgement.Task, triggered: Int64, acknowledged: Int64) {
            subtask = task.share.subtask
            self.acknowledged = acknowledged
            stateBytes = task.stateBytes
            alignmentMilliseconds = task.alignmentMilliseconds
            asynchronousMilliseconds = task.asynchronousMilliseconds
            synchronousNanoseconds = task.synchronousNanoseconds
            startDelayMilliseconds = max(0, acknowledged - triggered - task.asynchronousMilliseconds - task.alignmentMilliseconds)
        }
    }

    package var id: CheckpointID
    package var kind: CheckpointKind
    package var status = Status.inProgress
    /// Milliseconds since the epoch.
    package var triggered: Int64
    package var ended: Int64?
    package var durationMilliseconds: Int64 = 0
    package var subtasks: Int
    package var tasks: [Task] = []
    /// The folder that holds `_metadata`, once complete.
    package var path: String?
    package var isDiscarded = false
    package var failure: String?

    /// Of which there is a newest one, as Flink tells; nil while it is under way.
    package enum Ending: Hashable, Sendable { case checkpoint, savepoint, failed }

    /// Of all subtasks' state, as it was written: without the objects' indices and `_metadata`. What log, REST and metrics tell of its size.
    package var stateBytes: Int64 { tasks.reduce(0) { $0 + $1.stateBytes } }

    /// So far, while it is under way.
    package func duration(at wall: Int64) -> Int64 { status == .inProgress ? max(0, wall - triggered) : durationMilliseconds }

    package var ending: Ending? {
        switch status {
        case .inProgress: nil
        case .completed: kind.isSavepoint ? .savepoint : .checkpoint
        case .failed: .failed
        }
    }
}

/// Counts since the job was submitted, as Flink shows them.
package struct CheckpointCounts: Hashable, Sendable {
    package var triggered = 0
    package var completed = 0
    package var failed = 0
    package var restored = 0
    package var savepoints = 0
    package var inProgress = 0
    package var total: Int { completed + failed + inProgress }
}
