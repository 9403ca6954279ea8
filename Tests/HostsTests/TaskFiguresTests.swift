import Columnar
import Dataflow
import Hosts
import Testing
import Wire

@Suite struct TaskFiguresTests {
    private let job = JobID(high: 1, low: 2)
    private let figures = TaskFigures(worker: WorkerID("w"), host: "h")

    init() {
        let schema = Schema([])
        let sink = ChainedOperator(uid: "t", name: "Sink", spec: .sink(SinkSpec(table: "out", options: [:], schema: schema)), output: schema)
        figures.deployed(job, JobGraph(name: "job", vertices: [JobVertex(id: "a", chain: [sink])], edges: [], maxParallelism: 16))
    }

    private func task(_ index: Int, _ attempt: UInt32) -> TaskID { TaskID(job: job, subtask: SubtaskID(vertex: 0, index: index), attempt: attempt) }

    private func report(_ tasks: TaskID...) { figures.noted(tasks.map { TaskMetrics(task: $0) }) }

    /// Subtask and attempt of each task that a scrape shows.
    private var shown: [String] {
        figures.snapshot().all.filter { $0.id.name == "flink_taskmanager_job_task_stateSizeBytes" }.map { series in
            func label(_ name: String) -> String { series.id.labels.first { $0.name == name }?.value ?? "" }
            return label("subtask_index") + "#" + label("task_attempt_num")
        }.sorted()
    }

    /// A slot reports a task for the last time when it takes it off, and that report is heard later.
    @Test func whatAPlannedChangeRetiredIsNotShownAgain() {
        report(task(0, 1), task(1, 2))
        figures.retired([task(1, 2)])
        report(task(1, 2))
        #expect(shown == ["0#1"])
        report(task(1, 4))
        #expect(shown == ["0#1", "1#4"])
    }

    /// A subtask that moves to another slot here is there twice for a while.
    @Test func ofOneSubtaskTheNewestAttemptIsShown() {
        report(task(0, 1))
        report(task(0, 3))
        report(task(0, 1))
        #expect(shown == ["0#3"])
        figures.retired([task(0, 1)])
        report(task(0, 1))
        #expect(shown == ["0#3"])
    }

    @Test func aRestartShowsItsOwnTasksOnly() {
        report(task(0, 1), task(1, 2))
        figures.removed(job, attemptsUpTo: 1)
        #expect(shown == ["1#2"])
    }
}
