import Dataflow
import REST
import Testing
import Wire

struct KeyGroupTableTests {
    private func task(_ index: Int) -> TaskID { TaskID(job: JobID(high: 1, low: 2), subtask: SubtaskID(vertex: 1, index: index), attempt: 1) }

    private func subtask(_ index: Int, _ loads: [KeyGroupLoad]) -> (id: SubtaskID, metrics: TaskMetrics?) {
        var metrics = TaskMetrics(task: task(index))
        metrics.keyGroups = loads
        return (metrics.task.subtask, metrics)
    }

    @Test func aSubtasksRateIsSharedOutByWhatItsKeyGroupsGotSince() {
        let first = subtask(0, [KeyGroupLoad(group: 0, rows: 100), KeyGroupLoad(group: 1, rows: 400, stateBytes: 9)])
        let before = [SubtaskID(vertex: 1, index: 0): History.KeyGroups(task: task(0), loads: [KeyGroupLoad(group: 1, rows: 100)])]
        let table = KeyGroupTable(owners: [0, 0, 1], [first, subtask(1, []), (SubtaskID(vertex: 1, index: 2), nil)], rates: [40, 3, 0], before: before)
        #expect(table.records == [100, 400, nil])
        #expect(table.recordsPerSecond == [10, 30, nil])
        #expect(table.stateBytes == [nil, 9, nil])
    }

    @Test func whatMovedIsToldByItsNewOwnerAlone() {
        let old = subtask(0, [KeyGroupLoad(group: 0, rows: 5), KeyGroupLoad(group: 1, rows: 500)]), new = subtask(1, [KeyGroupLoad(group: 1, rows: 2)])
        let table = KeyGroupTable(owners: [0, 1], [old, new], rates: [0, 0], before: [:])
        #expect(table.records == [5, 2])
    }
}
