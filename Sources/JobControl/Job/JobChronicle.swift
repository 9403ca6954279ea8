import Dataflow
import Wire

/// What a job's view tells about its past.
struct JobChronicle: Sendable {
    /// Milliseconds since the epoch at which each status was last reached.
    private(set) var reached: [JobStatus: Int64] = [:]
    /// Every status that was reached, the last ones, oldest first.
    private(set) var course: [JobView.Turn] = []
    private(set) var status = JobStatus.initializing
    private(set) var failures: [JobFailure] = []
    var restarts = 0
    /// Planned changes of the layout that came to their end.
    var changes = 0
    private(set) var metrics: [SubtaskID: TaskMetrics] = [:]
    /// What tasks of each vertex have counted that planned changes have replaced: their rows went on, so counts do not fall.
    private(set) var replaced: [Int: TaskMetrics] = [:]
    /// As much of each such task as is in `replaced`: its last report is made when it is taken off its thread, after the change.
    private var counted: [TaskID: TaskMetrics] = [:]
    var restored: (checkpoint: CheckpointID, kind: CheckpointKind, path: String, at: Int64)?

    /// What a job waits for that has no tasks, or too few slots for what is asked of it, in words.
    var waitsFor: String?

    private static let failuresKept = 16
    private static let turnsKept = 200

    init(at wall: Int64) { reached(.initializing, at: wall) }

    mutating func reached(_ status: JobStatus, at wall: Int64) {
        self.status = status
        reached[status] = wall
        course.append(JobView.Turn(status: status, at: wall))
        if course.count > Self.turnsKept { course.removeFirst() }
    }

    mutating func deployed() { (metrics, replaced, counted) = ([:], [:], [:]) }

    mutating func measured(_ new: TaskMetrics) {
        var new = new
        if new.keyGroups.isEmpty, let last = metrics[new.task.subtask], last.task == new.task { new.keyGroups = last.keyGroups }
        metrics[new.task.subtask] = new
    }

    /// A planned change has replaced the other tasks.
    mutating func keepMetrics(of isKept: (TaskID) -> Bool, among old: [TaskID]) {
        // More than can be on their way.
        if counted.count >= 10_000 { counted = [:] }
        for task in old where !isKept(task) {
            let last = metrics[task.subtask].flatMap { $0.task == task ? $0 : nil } ?? TaskMetrics(task: task)
            replaced[task.subtask.vertex, default: TaskMetrics(task: task)].count(last)
            counted[task] = last
        }
        metrics = metrics.filter { isKept($0.value.task) }
    }

    /// A report of a task that is no more.
    mutating func measuredLate(_ last: TaskMetrics) {
        guard let before = counted[last.task] else { return }
        replaced[last.task.subtask.vertex, default: TaskMetrics(task: last.task)].count(last, beyond: before)
        counted[last.task] = last
    }

    mutating func failed(_ error: StreamError, task: TaskID?, worker: WorkerID?, at wall: Int64) {
        failures.append(JobFailure(error: error, subtask: task?.subtask, worker: worker, at: wall))
        if failures.count > Self.failuresKept { failures.removeFirst() }
    }

    /// Another sign of the failure that is being mended.
    mutating func followed(_ error: StreamError, task: TaskID?, worker: WorkerID?, at wall: Int64) {
        guard !failures.isEmpty, failures[failures.count - 1].concurrent.count < 16 else { return }
        failures[failures.count - 1].concurrent.append(JobFailure(error: error, subtask: task?.subtask, worker: worker, at: wall))
    }
}

extension TaskMetrics {
    fileprivate mutating func count(_ other: TaskMetrics, beyond before: TaskMetrics? = nil) {
        for part in [\.rowsIn, \.rowsOut, \.bytesIn, \.bytesOut, \.batchesIn, \.batchesOut, \.lateRows, \.skippedRows] as [WritableKeyPath<TaskMetrics, Int64>] {
            self[keyPath: part] += other[keyPath: part] - (before?[keyPath: part] ?? 0)
        }
    }
}

package struct JobFailure: Hashable, Sendable {
    package var error: StreamError
    package var subtask: SubtaskID?
    package var worker: WorkerID?
    /// Milliseconds since the epoch.
    package var at: Int64
    package var concurrent: [JobFailure] = []
}
