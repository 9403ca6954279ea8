import Dataflow
import JobControl
import REST
import Testing
import Wire

struct KeyGroupTableTests {
    private func task(_ index: Int) -> TaskID { TaskID(job: JobID(high: 1, low: 2), subtask: SubtaskID(vertex: 1, index: index), attempt: 1) }

    private func subtask(_ index: Int, _ loads: [KeyGroupLoad]) -> JobView.Subtask {
        var metrics = TaskMetrics(task: task(index))
        metrics.keyGroups = loads
        return JobView.Subtask(id: metrics.task.subtask, state: .running, worker: nil, host: nil, attempt: 1, metrics: metrics)
    }

    private func vertex(_ subtasks: [JobView.Subtask], owners: [UInt16]) -> JobView.Vertex {
        JobView.Vertex(id: "v", name: "v", parallelism: subtasks.count, maxParallelism: owners.count, subtasks: subtasks, splits: nil, owners: owners)
    }

    @Test func aSubtasksRateIsSharedOutByWhatItsKeyGroupsGotSince() {
        let first = subtask(0, [KeyGroupLoad(group: 0, rows: 100), KeyGroupLoad(group: 1, rows: 400, stateBytes: 9)])
        let before = [SubtaskID(vertex: 1, index: 0): History.KeyGroups(task: task(0), loads: [KeyGroupLoad(group: 1, rows: 100)])]
        let table = KeyGroupTable(vertex([first, subtask(1, [])], owners: [0, 0, 1]), rates: [40, 3], before: before)
        #expect(table.records == [100, 400, nil])
        #expect(table.recordsPerSecond == [10, 30, nil])
        #expect(table.stateBytes == [nil, 9, nil])
    }

    @Test func whatMovedIsToldByItsNewOwnerAlone() {
        let old = subtask(0, [KeyGroupLoad(group: 0, rows: 5), KeyGroupLoad(group: 1, rows: 500)]), new = subtask(1, [KeyGroupLoad(group: 1, rows: 2)])
        let table = KeyGroupTable(vertex([old, new], owners: [0, 1]), rates: [0, 0], before: [:])
        #expect(table.records == [5, 2])
    }
}
