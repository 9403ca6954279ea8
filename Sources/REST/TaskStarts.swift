import Dataflow
import JobControl

/// When the tasks of running jobs began: those that a planned change of the layout deploys are younger than their job's run.
package struct TaskStarts: Sendable {
    private struct Run: Sendable {
        var restarts: Int
        /// `start`: nil for a task that began with the run, or before anybody looked.
        var tasks: [SubtaskID: (attempt: UInt32, start: Int64?)]
        /// The same tasks as the job's view had them: answers compare these alone.
        var seen: [Seen] = []
        var young: YoungTasks
    }

    private struct Seen: Equatable {
        var subtask: SubtaskID
        var attempt: UInt32
    }

    private var runs: [JobID: Run] = [:]

    package init() {}

    /// What runs of a job now. `changed`: when the newest change of its layout was planned; nil: none since the job runs. Milliseconds since the epoch.
    package mutating func note(_ job: JobID, restarts: Int, attempts: [SubtaskID: UInt32], changed: Int64?, at now: Int64) {
        let old = runs[job].flatMap { $0.restarts == restarts ? $0.tasks : nil }
        var tasks: [SubtaskID: (attempt: UInt32, start: Int64?)] = [:]
        for (subtask, attempt) in attempts {
            if let known = old?[subtask], known.attempt == attempt {
                tasks[subtask] = known
            } else {
                tasks[subtask] = (attempt, old == nil ? nil : changed ?? now)
            }
        }
        let young = tasks.compactMapValues { task in task.start.map { (task.attempt, $0) } }
        runs[job] = Run(restarts: restarts, tasks: tasks, young: YoungTasks(tasks: young))
    }

    package mutating func keep(only jobs: Set<JobID>) { runs = runs.filter { jobs.contains($0.key) } }

    package func young(in job: JobID) -> YoungTasks { runs[job]?.young ?? YoungTasks(tasks: [:]) }

    mutating func note(_ job: JobView, _ history: ClusterHistory, at now: Int64) {
        guard job.status == .running, let running = job.timestamps[.running], !knowsAll(of: job) else { return }
        let changed = (history.changes + history.inProgress).last { $0.job == job.id && $0.started >= running && $0.outcome != .withdrawn }?.started
        let seen = job.vertices.flatMap { $0.subtasks.map { Seen(subtask: $0.id, attempt: $0.attempt) } }
        let attempts = Dictionary(uniqueKeysWithValues: seen.map { ($0.subtask, $0.attempt) })
        note(job.id, restarts: job.restarts, attempts: attempts, changed: changed, at: now)
        runs[job.id]?.seen = seen
    }

    /// Most often nothing is new.
    private func knowsAll(of job: JobView) -> Bool {
        guard let run = runs[job.id], run.restarts == job.restarts else { return false }
        var rest = run.seen[...]
        for vertex in job.vertices {
            for subtask in vertex.subtasks where rest.popFirst() != Seen(subtask: subtask.id, attempt: subtask.attempt) { return false }
        }
        return rest.isEmpty
    }
}

/// The tasks of a job that began later than its run.
package struct YoungTasks: Sendable {
    fileprivate let tasks: [SubtaskID: (attempt: UInt32, start: Int64)]

    /// Nil: it began with its job's run. Milliseconds since the epoch.
    package func start(of subtask: SubtaskID, attempt: UInt32) -> Int64? {
        // Most often there are none.
        tasks.isEmpty ? nil : tasks[subtask].flatMap { $0.attempt == attempt ? $0.start : nil }
    }
}

/// When a vertex' subtasks began, and how long they run.
struct SubtaskTimes {
    let job: JobView
    let young: YoungTasks
    /// Milliseconds since the epoch, as all times here.
    let now: Int64
    private let running: Int64?

    init(job: JobView, young: YoungTasks, now: Int64) {
        (self.job, self.young, self.now) = (job, young, now)
        running = job.timestamps[.running]
    }

    /// -1: not yet.
    func start(of subtask: JobView.Subtask) -> Int64 { own(subtask) ?? running ?? -1 }

    private func own(_ subtask: JobView.Subtask) -> Int64? { young.start(of: subtask.id, attempt: subtask.attempt) }

    func duration(of subtask: JobView.Subtask) -> Int64 {
        let start = start(of: subtask)
        return start < 0 ? -1 : (job.ended ?? now) - start
    }

    /// When it reached a state; 0: not yet.
    func reached(_ state: JobView.TaskState, by subtask: JobView.Subtask) -> Int64 {
        guard let time = JobStatus(rawValue: state.rawValue).flatMap({ job.timestamps[$0] }) else { return 0 }
        return max(time, own(subtask) ?? 0)
    }
}
