import Dataflow
import Meters
import Synchronization
import Wire

/// The last report of every task of this process, by Flink's names, for whoever scrapes.
package final class TaskFigures: Sendable {
    private struct Entry {
        var metrics: TaskMetrics
        /// Of the report before, for rates.
        var before: TaskMetrics?
        var at: Instant
        var elapsed: Duration = .zero
    }

    private struct Job {
        var graph: JobGraph
        /// Of the newest attempt of each subtask that is here.
        var tasks: [SubtaskID: Entry] = [:]
        /// The newest attempt that a planned change has retired: its slot's last report comes after that.
        var retired: [SubtaskID: UInt32] = [:]
        /// State bytes by key group, as the last checkpoint of each subtask that was here wrote them.
        var written: [SubtaskID: [Int: Int64]] = [:]
    }

    private let jobs = Mutex<[JobID: Job]>([:])
    private let worker: String
    private let host: String
    private let memoryBytes: Int64?
    private let load = ProcessLoad()

    /// `memoryBytes`: what the process may use.
    package init(worker: WorkerID, host: String, memoryBytes: Int64? = nil) {
        self.memoryBytes = memoryBytes
        self.worker = worker.description
        self.host = host
    }

    package func deployed(_ job: JobID, _ graph: JobGraph) {
        jobs.withLock { jobs in
            var entry = jobs[job] ?? Job(graph: graph)
            entry.graph = graph
            jobs[job] = entry
        }
    }

    /// A checkpoint has written so many bytes of each key group.
    package func wrote(_ job: JobID, _ groups: [SubtaskID: [Int: Int64]]) {
        jobs.withLock { jobs in for (subtask, bytes) in groups { jobs[job]?.written[subtask] = bytes } }
    }

    /// Answers the reports with what else is known of their tasks here.
    @discardableResult package func noted(_ metrics: [TaskMetrics]) -> [TaskMetrics] {
        let now = SystemClock.now().instant
        var metrics = metrics
        jobs.withLock { jobs in
            for index in metrics.indices {
                let task = metrics[index].task
                if !metrics[index].keyGroups.isEmpty, let written = jobs[task.job]?.written[task.subtask] {
                    for place in metrics[index].keyGroups.indices {
                        metrics[index].keyGroups[place].stateBytes = written[metrics[index].keyGroups[place].group] ?? 0
                    }
                }
                var report = metrics[index]
                guard let job = jobs[task.job], job.retired[task.subtask].map({ task.attempt > $0 }) ?? true else { continue }
                let shown = job.tasks[task.subtask]
                if let shown, shown.metrics.task.attempt > task.attempt { continue }
                let old = shown?.metrics.task == task ? shown : nil
                if report.keyGroups.isEmpty, let old { report.keyGroups = old.metrics.keyGroups }
                jobs[task.job]?.tasks[task.subtask] = Entry(
                    metrics: report, before: old?.metrics, at: now, elapsed: old.map { now - $0.at } ?? .zero)
            }
        }
        return metrics
    }

    package func removed(_ job: JobID, attemptsUpTo attempt: UInt32) {
        jobs.withLock { jobs in
            guard var entry = jobs[job] else { return }
            entry.tasks = entry.tasks.filter { $0.value.metrics.task.attempt > attempt }
            jobs[job] = entry.tasks.isEmpty ? nil : entry
        }
    }

    package func retired(_ tasks: Set<TaskID>) {
        jobs.withLock { jobs in
            for task in tasks {
                guard let job = jobs[task.job] else { continue }
                jobs[task.job]?.retired[task.subtask] = max(job.retired[task.subtask] ?? 0, task.attempt)
                if job.tasks[task.subtask]?.metrics.task == task { jobs[task.job]?.tasks[task.subtask] = nil }
            }
        }
    }

    /// Everything, with the labels that Flink's reporter gives.
    package func snapshot() -> MetricSnapshot {
        var snapshot = MetricSnapshot()
        let own = [("host", host), ("tm_id", worker)]
        let process = ProcessFigures.now(maximumBytes: memoryBytes)
        for (name, value) in process.named(load: load.take(process)) { snapshot.record("flink_taskmanager_" + name, own, .gauge(value)) }
        for (id, job) in jobs.withLock({ $0 }) {
            for entry in job.tasks.values {
                let task = entry.metrics.task
                let vertex = job.graph.vertices[task.subtask.vertex]
                let labels = own + [
                    ("job_id", id.description), ("job_name", job.graph.name), ("task_id", vertex.id), ("task_name", vertex.name),
                    ("task_attempt_id", task.description), ("task_attempt_num", "\(task.attempt)"), ("subtask_index", "\(task.subtask.index)"),
                ]
                let reading = entry.before.map { TaskReading(entry.metrics, before: $0, elapsed: entry.elapsed) } ?? TaskReading(sinceItsStart: entry.metrics)
                for (name, value) in TaskFigures.named(reading) {
                    snapshot.record("flink_taskmanager_job_task_" + name, labels, .gauge(value))
                }
                for part in OperatorFigures.all(of: vertex, reading) {
                    let own = labels + [("operator_id", OperatorFigures.id(of: part.index, in: vertex)), ("operator_name", part.name)]
                    for (name, value) in part.figures { snapshot.record("flink_taskmanager_job_task_operator_" + name, own, .gauge(value)) }
                }
            }
        }
        return snapshot
    }
}
