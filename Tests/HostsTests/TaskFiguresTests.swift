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

    @Test func operatorsOfAChainAreToldByFlinksNames() {
        let schema = Schema([])
        let calc = ChainedOperator(uid: "c", name: "Calc[1]", spec: .calc(CalcSpec(condition: nil, projections: [])), output: schema)
        let sink = ChainedOperator(uid: "t", name: "Sink: out, or so[2]", spec: .sink(SinkSpec(table: "out", options: [:], schema: schema)), output: schema)
        let vertex = JobVertex(id: "a", chain: [calc, sink])
        var before = TaskMetrics(task: task(0, 1)), after = before
        before.operators = [OperatorMetrics(rowsIn: 10, rowsOut: 4), OperatorMetrics(rowsIn: 4, rowsOut: 4)]
        after.operators = [OperatorMetrics(rowsIn: 30, rowsOut: 8), OperatorMetrics(rowsIn: 8, rowsOut: 8)]
        let parts = OperatorFigures.all(of: vertex, TaskReading(after, before: before, elapsed: .seconds(2)))
        #expect(parts.map(\.queryName) == ["Calc[1]", "Sink__out__or_so[2]"])
        func value(_ name: String, of part: Int) -> Double? { parts[part].figures.first { $0.name == name }?.value }
        #expect(value("numRecordsIn", of: 0) == 30)
        #expect(value("numRecordsInPerSecond", of: 0) == 10)
        #expect(value("numRecordsOutPerSecond", of: 0) == 2)
        #expect(value("numRecordsSend", of: 1) == 8)
        #expect(value("numRecordsSend", of: 0) == nil)
        // Flink's board finds the chain's first operator by the vertex.
        #expect(OperatorFigures.id(of: 0, in: vertex) == "a")
        #expect(OperatorFigures.id(of: 1, in: vertex).utf8.count == 32)
        // A report of another chain is not told of this one.
        after.operators = []
        #expect(OperatorFigures.all(of: vertex, TaskReading(after, before: nil, elapsed: .zero)).isEmpty)
    }

    @Test func keyGroupsAreToldWithWhatTheLastCheckpointWrote() {
        var metrics = TaskMetrics(task: task(0, 1))
        metrics.keyGroups = [KeyGroupLoad(group: 3, rows: 30), KeyGroupLoad(group: 4, rows: 10)]
        #expect(figures.noted([metrics])[0].keyGroups.map(\.stateBytes) == [-1, -1])
        figures.wrote(job, [SubtaskID(vertex: 0, index: 0): [3: 500]])
        #expect(figures.noted([metrics])[0].keyGroups.map(\.stateBytes) == [500, 0])
        // A report without them changes nothing, and is sent on without them.
        #expect(figures.noted([TaskMetrics(task: task(0, 1))])[0].keyGroups.isEmpty)
        let skew = figures.snapshot().all.first { $0.id.name == "flink_taskmanager_job_task_keyGroupSkew" }
        #expect(skew?.value == .gauge(1.5))
    }

    @Test func oneHotKeyIsSkew() {
        func skew(_ rows: Int64...) -> Double? {
            var metrics = TaskMetrics(task: task(0, 1))
            metrics.keyGroups = rows.enumerated().map { KeyGroupLoad(group: $0, rows: $1) }
            return TaskFigures.value(of: "keyGroupSkew", TaskReading(metrics, before: nil, elapsed: .zero))
        }
        #expect(skew(0, 70, 0, 0) == 4)
        #expect(skew(0, 10, 10, 0) == 2)
        #expect(skew(5, 5, 5, 5) == 1)
        // No rows are evenly spread; no key groups are not.
        #expect(skew(0, 0) == 1)
        #expect(skew() == nil)
    }

    /// It is not idle for half a second, nor without rows.
    @Test func aTasksFirstReportTellsOfAllItsLife() {
        var metrics = TaskMetrics(task: task(0, 1))
        (metrics.busyMilliseconds, metrics.idleMilliseconds, metrics.backpressuredMilliseconds, metrics.rowsIn) = (100, 60, 40, 30)
        figures.noted([metrics])
        let shown = figures.snapshot().all
        for (name, value) in [("busyTimeMsPerSecond", 500.0), ("idleTimeMsPerSecond", 300), ("backPressuredTimeMsPerSecond", 200), ("numRecordsInPerSecond", 150)] {
            #expect(shown.first { $0.id.name == "flink_taskmanager_job_task_" + name }?.value == .gauge(value), "\(name)")
        }
    }

    @Test func aRestartShowsItsOwnTasksOnly() {
        report(task(0, 1), task(1, 2))
        figures.removed(job, attemptsUpTo: 1)
        #expect(shown == ["1#2"])
    }
}
