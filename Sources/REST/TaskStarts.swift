import Dataflow
import JobControl

/// When the tasks of running jobs began: those that a planned change of the layout deploys are younger than their job's run.
package struct TaskStarts: Sendable {
    private struct Run: Sendable {
        var restarts: Int
        /// `start`: nil for a task that began with the run, or before anybody looked.
        var tasks: [SubtaskID: (attempt: UInt32, start: Int64?)]
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
        runs[job] = Run(restarts: restarts, tasks: tasks)
    }

    package mutating func keep(only jobs: Set<JobID>) { runs = runs.filter { jobs.contains($0.key) } }

    /// Nil: it began with its job's run.
    package func start(of subtask: SubtaskID, attempt: UInt32, in job: JobID) -> Int64? {
        runs[job]?.tasks[subtask].flatMap { $0.attempt == attempt ? $0.start : nil }
    }

    /// Most often nothing is new.
    fileprivate func knowsAll(of job: JobView) -> Bool {
        guard let run = runs[job.id], run.restarts == job.restarts, run.tasks.count == job.vertices.reduce(0, { $0 + $1.subtasks.count }) else { return false }
        return job.vertices.allSatisfy { $0.subtasks.allSatisfy { run.tasks[$0.id]?.attempt == $0.attempt } }
    }
}

extension TaskStarts {
    mutating func note(_ job: JobView, _ history: ClusterHistory, at now: Int64) {
        guard job.status == .running, let running = job.timestamps[.running], !knowsAll(of: job) else { return }
        let changed = (history.changes + history.inProgress).last { $0.job == job.id && $0.started >= running && $0.outcome != .withdrawn }?.started
        let attempts = job.vertices.flatMap(\.subtasks).map { ($0.id, $0.attempt) }
        note(job.id, restarts: job.restarts, attempts: Dictionary(uniqueKeysWithValues: attempts), changed: changed, at: now)
    }
}

/// When a vertex' subtasks began, and how long they run.
struct SubtaskTimes {
    let job: JobView
    let starts: TaskStarts
    /// Milliseconds since the epoch, as all times here.
    let now: Int64

    /// -1: not yet.
    func start(of subtask: JobView.Subtask) -> Int64 { own(subtask) ?? job.timestamps[.running] ?? -1 }

    private func own(_ subtask: JobView.Subtask) -> Int64? { starts.start(of: subtask.id, attempt: subtask.attempt, in: job.id) }

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
