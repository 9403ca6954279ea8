import Dataflow
import REST
import Testing
import Wire

struct ProcessHistoryTests {
    private let a = WorkerID("a"), b = WorkerID("b")
    private let second: Int64 = 1000

    private func metrics(_ index: Int, _ rows: Int64) -> TaskMetrics {
        var metrics = TaskMetrics(task: TaskID(job: JobID(high: 1, low: 2), subtask: SubtaskID(vertex: 0, index: index), attempt: 1))
        (metrics.rowsIn, metrics.bytesOut) = (rows, rows * 8)
        return metrics
    }

    @Test func processorsAndRatesAreOfTheTimeBetweenTwoPoints() {
        var history = ProcessHistory()
        history.note([a], [(a, metrics(0, 100)), (a, metrics(1, 50))], at: 0)
        history.found(a, ["Status.JVM.CPU.Time": 1e9, "Status.JVM.Memory.Heap.Used": 5], at: 0)
        history.note([a, b], [(a, metrics(0, 300)), (a, metrics(1, 50)), (b, metrics(2, 40))], at: 10 * second)
        history.found(a, ["Status.JVM.CPU.Time": 6e9, "Status.JVM.Memory.Heap.Used": 7], at: 10 * second)
        let points = history.points(a)
        #expect(points.map(\.processors) == [nil, 0.5])
        #expect(points.map(\.usedBytes) == [5, 7])
        #expect(points.map(\.rowsIn) == [nil, 20])
        #expect(points[1].bytesOut == 160)
        // One that has just come has begun in between; one that does not answer is told without its own figures.
        #expect(history.points(b).map(\.rowsIn) == [4])
        #expect(history.points(b).map(\.processors) == [nil])
        // The JobManager is a process like others.
        #expect(history.points(nil).count == 2)
    }

    @Test func anAnswerThatComesTooLateChangesNothing() {
        var history = ProcessHistory()
        history.note([a], [], at: 0)
        history.found(a, ["Status.JVM.Threads.Count": 9], at: 5 * second)
        history.found(b, ["Status.JVM.Threads.Count": 9], at: 0)
        #expect(history.points(a) == [.init(at: 0)])
        #expect(history.points(b).isEmpty)
    }

    @Test func anHourIsKeptAndOfManyProcessesTheNewest() {
        var history = ProcessHistory()
        history.note([a], [], at: 0)
        for point in 1...400 { history.note([b], [], at: Int64(point) * 10 * second) }
        #expect(history.points(b).count == ProcessHistory.kept)
        #expect(history.points(b).first?.at == 410 * second)
        #expect(history.points(a).isEmpty)
        for process in 0..<1000 { history.note([WorkerID("w\(process)")], [], at: Int64(4010 + process) * second) }
        #expect(history.points(WorkerID("w0")).isEmpty)
        #expect((0..<1000).count { !history.points(WorkerID("w\($0)")).isEmpty } == ProcessHistory.mostProcesses)
        #expect(!history.points(nil).isEmpty)
    }
}
