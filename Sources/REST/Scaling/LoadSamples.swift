import Dataflow
import Hosts
import JobControl
import Synchronization
import Wire

/// The reports of each job's tasks over the last minutes, one every `History.interval`.
final class LoadSamples: Sendable {
    private struct Sample {
        var at: Int64
        /// A restart begins anew: what was before says nothing of now.
        var restarts: Int
        var metrics: [SubtaskID: TaskMetrics]
    }

    static let longestMilliseconds: Int64 = 300_000

    private let jobs = Mutex<[JobID: [Sample]]>([:])

    func note(_ view: ClusterView, at now: Int64) {
        jobs.withLock { jobs in
            let running = view.jobs.filter { !$0.status.isTerminal }
            let known = Set(running.map(\.id))
            jobs = jobs.filter { known.contains($0.key) }
            for job in running {
                var samples = jobs[job.id] ?? []
                samples.append(Sample(at: now, restarts: job.restarts, metrics: LoadSamples.metrics(job)))
                samples.removeAll { now - $0.at > LoadSamples.longestMilliseconds }
                jobs[job.id] = samples
            }
        }
    }

    /// Each task's work from the first of its reports within the window to the one in `job`, or, of tasks that planned changes have ended, to its last.
    func work(_ job: JobView, window: Int64, now: Int64) -> [ScalingAdvice.Work] {
        let samples = (jobs.withLock { $0[job.id] } ?? []).filter { now - $0.at <= window && $0.restarts == job.restarts }
        var ends: [TaskID: (first: TaskMetrics, last: TaskMetrics)] = [:]
        for metrics in samples.map(\.metrics) + [LoadSamples.metrics(job)] {
            for report in metrics.values { ends[report.task] = (ends[report.task]?.first ?? report, report) }
        }
        let current = LoadSamples.metrics(job)
        return ends.sorted { $0.key < $1.key }.compactMap { task, reports in
            ScalingAdvice.Work(from: reports.first, to: reports.last, hasEnded: current[task.subtask]?.task != task)
        }
    }

    private static func metrics(_ job: JobView) -> [SubtaskID: TaskMetrics] {
        Dictionary(uniqueKeysWithValues: job.vertices.flatMap(\.subtasks).compactMap { subtask in subtask.metrics.map { (subtask.id, $0) } })
    }
}
