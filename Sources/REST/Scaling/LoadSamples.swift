import Dataflow
import Hosts
import JobControl
import Synchronization
import Wire

/// The reports of each job's tasks over the last minutes, one every `History.interval`.
final class LoadSamples: Sendable {
    private struct Sample {
        var at: Int64
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
                samples.append(Sample(at: now, metrics: LoadSamples.metrics(job)))
                samples.removeAll { now - $0.at > LoadSamples.longestMilliseconds }
                jobs[job.id] = samples
            }
        }
    }

    /// Each subtask's work from the first of its reports within the window to the one in `job`.
    func work(_ job: JobView, window: Int64, now: Int64) -> [ScalingAdvice.Work] {
        let samples = (jobs.withLock { $0[job.id] } ?? []).filter { now - $0.at <= window }
        return LoadSamples.metrics(job).sorted { $0.key < $1.key }.compactMap { subtask, last in
            for sample in samples {
                if let first = sample.metrics[subtask], let work = ScalingAdvice.Work(from: first, to: last) { return work }
            }
            return nil
        }
    }

    private static func metrics(_ job: JobView) -> [SubtaskID: TaskMetrics] {
        Dictionary(uniqueKeysWithValues: job.vertices.flatMap(\.subtasks).compactMap { subtask in subtask.metrics.map { (subtask.id, $0) } })
    }
}
