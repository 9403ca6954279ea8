import Dataflow
import TaskRuntime
import Testing

@Suite struct TaskNetworkTests {
    private static let shapes: [TaskNetwork.Shape] = [
        .init(sources: 1, counters: 1, sinks: 1, first: .forward, second: .forward),
        .init(sources: 2, counters: 2, sinks: 1, second: .single),
        .init(sources: 3, counters: 2, sinks: 2),
        .init(sources: 2, counters: 3, sinks: 2, first: .rebalance, second: .hash([0]), capacity: 1),
        .init(sources: 2, counters: 2, sinks: 2, second: .forward, splits: 1, capacity: 3),
        .init(sources: 2, counters: 2, sinks: 1, second: .single, isEveryRow: true),
    ]

    /// What every snapshot of a complete checkpoint must say, whatever happened in which order.
    private func check(_ cut: TaskNetwork.Cut, of network: TaskNetwork, _ id: CheckpointID) {
        let before = network.rowsBefore(cut)
        var counted: [Int64: Int] = [:]
        for snapshot in cut.counters.values {
            guard let counts = snapshot.operators[0].keyed as? CountingOperator.Counts else { return #expect(Bool(false)) }
            counted.merge(counts.counts) { $0 + $1 }
        }
        #expect(counted == TaskNetwork.counts(before), "checkpoint \(id)")
        let written = cut.sinks.values.reduce(0) { $0 + (Int(String(decoding: $1.operators[0].unit ?? [], as: UTF8.self)) ?? 0) }
        #expect(written == before.count, "checkpoint \(id)")
    }

    @Test(arguments: shapes.indices, 0..<8) func everyCutIsExactAndNothingIsLost(shape: Int, seed: Int) {
        let network = TaskNetwork(TaskNetworkTests.shapes[shape], seed: UInt64(seed))
        network.run(disturbs: true)
        #expect(network.failures == [])
        #expect(network.broken == [])
        #expect(network.hasEnded, "the job stands still")
        _ = network.trigger(.final)
        network.run(disturbs: false)
        let last = network.nextCheckpoint - 1
        var complete = 0
        for (id, cut) in network.cuts where network.isComplete(cut) {
            complete += 1
            check(cut, of: network, id)
        }
        #expect(complete > 0)
        #expect(network.cuts[last].map(network.isComplete) == true, "the last checkpoint is complete")
        for writer in network.writers.values { #expect(writer.last == [last]) }
        let written = network.writers.values.flatMap(\.written)
        #expect(written.count == network.allRows.count)
        #expect(TaskNetwork.counts(written) == TaskNetwork.counts(network.allRows))
    }

    @Test(arguments: 0..<5) func aStopKeepsTheCutAndSendsNoFurtherRow(seed: Int) {
        let network = TaskNetwork(TaskNetworkTests.shapes[2], seed: UInt64(seed))
        for _ in 0..<200 { _ = network.happen(disturbs: false) }
        _ = network.trigger(.stop)
        network.run(disturbs: false)
        #expect(network.failures == [] && network.broken == [])
        guard let cut = network.cuts[1], network.isComplete(cut) else { return #expect(Bool(false), "the savepoint is complete") }
        check(cut, of: network, 1)
        let before = network.rowsBefore(cut)
        #expect(before.count < network.allRows.count)
        #expect(network.writers.values.flatMap(\.written).count == before.count)
    }
}
