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
    }

    private let jobs = Mutex<[JobID: Job]>([:])
    private let worker: String
    private let host: String
    private let load = ProcessLoad()

    package init(worker: WorkerID, host: String) {
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

    package func noted(_ metrics: [TaskMetrics]) {
        let now = SystemClock.now().instant
        jobs.withLock { jobs in
            for report in metrics {
                let task = report.task
                guard let job = jobs[task.job], job.retired[task.subtask].map({ task.attempt > $0 }) ?? true else { continue }
                let shown = job.tasks[task.subtask]
                if let shown, shown.metrics.task.attempt > task.attempt { continue }
                let old = shown?.metrics.task == task ? shown : nil
                jobs[task.job]?.tasks[task.subtask] = Entry(
                    metrics: report, before: old?.metrics, at: now, elapsed: old.map { now - $0.at } ?? .zero)
            }
        }
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
        let process = ProcessFigures.now()
        for (name, value) in process.named(load: load.take(process)) { snapshot.record("flink_taskmanager_" + name, own, .gauge(value)) }
        for (id, job) in jobs.withLock({ $0 }) {
            for entry in job.tasks.values {
                let task = entry.metrics.task
                let vertex = job.graph.vertices[task.subtask.vertex]
                let labels = own + [
                    ("job_id", id.description), ("job_name", job.graph.name), ("task_id", vertex.id), ("task_name", vertex.name),
                    ("task_attempt_id", task.description), ("task_attempt_num", "\(task.attempt)"), ("subtask_index", "\(task.subtask.index)"),
                ]
                // A vertex is one chain: what Flink tells of its first and last operator is told of the whole.
                let chain = labels + [("operator_id", vertex.id), ("operator_name", vertex.name)]
                for (name, value) in TaskFigures.named(entry.metrics, before: entry.before, elapsed: entry.elapsed) {
                    snapshot.record("flink_taskmanager_job_task_" + name, labels, .gauge(value))
                    if TaskFigures.ofOperators.contains(name) { snapshot.record("flink_taskmanager_job_task_operator_" + name, chain, .gauge(value)) }
                }
            }
        }
        return snapshot
    }

    private static let ofOperators: Set<String> = [
        "numRecordsIn", "numRecordsInPerSecond", "numRecordsOut", "numRecordsOutPerSecond", "numBytesIn", "numBytesInPerSecond", "numBytesOut",
        "numBytesOutPerSecond", "currentInputWatermark", "numLateRecordsDropped",
    ]

    /// One task's figures by Flink's names. Rates are over the time between its last two reports.
    package static func named(_ metrics: TaskMetrics, before: TaskMetrics?, elapsed: Duration) -> [(name: String, value: Double)] {
        let seconds = Double(elapsed.milliseconds) / 1000
        func rate(_ part: KeyPath<TaskMetrics, Int64>) -> Double {
            guard let before, seconds > 0 else { return 0 }
            return Double(max(0, metrics[keyPath: part] - before[keyPath: part])) / seconds
        }
        func share(_ part: KeyPath<TaskMetrics, Int64>) -> Double { min(1000, rate(part)) }
        var figures: [(String, Double)] = [
            ("numRecordsIn", Double(metrics.rowsIn)), ("numRecordsInPerSecond", rate(\.rowsIn)),
            ("numRecordsOut", Double(metrics.rowsOut)), ("numRecordsOutPerSecond", rate(\.rowsOut)),
            ("numBytesIn", Double(metrics.bytesIn)), ("numBytesInPerSecond", rate(\.bytesIn)),
            ("numBytesOut", Double(metrics.bytesOut)), ("numBytesOutPerSecond", rate(\.bytesOut)),
            ("numBuffersOut", Double(metrics.batchesOut)), ("numBuffersOutPerSecond", rate(\.batchesOut)),
            ("busyTimeMsPerSecond", share(\.busyMilliseconds)), ("idleTimeMsPerSecond", share(\.idleMilliseconds)),
            ("backPressuredTimeMsPerSecond", share(\.backpressuredMilliseconds)), ("accumulateBusyTimeMs", Double(metrics.busyMilliseconds)),
            ("accumulateIdleTimeMs", Double(metrics.idleMilliseconds)), ("accumulateBackPressuredTimeMs", Double(metrics.backpressuredMilliseconds)),
            ("isBackPressured", share(\.backpressuredMilliseconds) > 500 ? 1 : 0), ("numLateRecordsDropped", Double(metrics.lateRows)),
            ("numRecordsSkipped", Double(metrics.skippedRows)), ("stateSizeBytes", Double(metrics.stateBytes)),
        ]
        if metrics.watermark > Watermark.minimum { figures.append(("currentInputWatermark", Double(metrics.watermark))) }
        if metrics.pendingRows >= 0 { figures.append((SourceGauge.pendingRows, Double(metrics.pendingRows))) }
        if metrics.lagMilliseconds >= 0 { figures.append((SourceGauge.lagMilliseconds, Double(metrics.lagMilliseconds))) }
        figures += metrics.gauges.sorted { $0.key < $1.key }.map { ($0.key, Double($0.value)) }
        return figures
    }
}
