import Dataflow

/// One seed's run and what came of it.
package struct RunResult: Sendable {
    package var seed: UInt64
    package var broken: BrokenPromise?
    package var counts: Counts
    /// The last things that happened; empty unless the run was traced.
    package var trace: [String]
    /// Cluster time at the end.
    package var length: Duration
}

package enum Run {
    /// Runs one seed; when it fails, once more with a trace. The seed alone repeats it.
    package static func of(_ seed: UInt64, _ options: RunOptions) -> RunResult {
        let result = once(seed, options)
        guard result.broken != nil, !options.traces else { return result }
        var traced = options
        traced.traces = true
        return once(seed, traced)
    }

    private static func once(_ seed: UInt64, _ options: RunOptions) -> RunResult {
        let cluster = SimulatedCluster(seed: seed, options: options)
        let broken = RunningSeeds.during(seed) { cluster.run() }
        return RunResult(seed: seed, broken: broken, counts: cluster.tally.counts, trace: cluster.trace.lines, length: cluster.time)
    }

    /// Runs many seeds on all processors; answers in the order of the seeds. Stops starting new ones once `stop` says so.
    package static func all(
        _ seeds: [UInt64], _ options: RunOptions, workers: Int = 2, until stop: @escaping @Sendable (RunResult) -> Bool = { _ in false }
    ) async -> [RunResult] {
        await withTaskGroup(of: RunResult.self) { group in
            var next = seeds.makeIterator()
            var results: [RunResult] = []
            for _ in 0..<workers {
                if let seed = next.next() { group.addTask { of(seed, options) } }
            }
            var isStopped = false
            for await result in group {
                results.append(result)
                isStopped = isStopped || stop(result)
                if !isStopped, let seed = next.next() { group.addTask { of(seed, options) } }
            }
            return results.sorted { $0.seed < $1.seed }
        }
    }
}
