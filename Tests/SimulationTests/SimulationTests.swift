import Dataflow
import Simulator
import Testing

/// Whole clusters, disturbed for ten minutes each. A failure prints its seed; `simulate --seeds N --trace` repeats it (docs/simulation.md).
@Suite(.serialized) struct SimulationTests {
    @Test func aThousandDisturbedClustersKeepTheirPromises() async {
        let results = await Run.all(Array(1...1_000), RunOptions(), until: { $0.broken != nil })
        let report = Report(results)
        print(report.text(isWhole: false))
        #expect(report.failures.isEmpty)
        #expect(report.missing.isEmpty, "a disturbance or a (state, event) pair never happened")
        #expect(results.allSatisfy { $0.length >= .seconds(600) })
    }

    /// Edges on which a subtask hears one other only. They are drawn apart, so that they change no other seed's draws.
    @Test func aHundredDisturbedUnionsKeepTheirPromises() async {
        var options = RunOptions()
        options.kinds = [.union]
        let report = Report(await Run.all(Array(1...100), options, until: { $0.broken != nil }))
        print(report.text(isWhole: false))
        #expect(report.failures.isEmpty)
        #expect(report.counts.disturbances[.splitsMoved, default: 0] > 100)
    }

    @Test func aSeedRepeatsItsRun() {
        for seed: UInt64 in [3, 14] {
            let first = Run.of(seed, RunOptions()), second = Run.of(seed, RunOptions())
            #expect(first.counts == second.counts)
            #expect(first.length == second.length)
            #expect(first.counts.events > 1_000)
        }
    }

    @Test func aCalmClusterNeverRestarts() {
        var options = RunOptions()
        options.isDisturbed = false
        for seed: UInt64 in 1...5 {
            let result = Run.of(seed, options)
            #expect(result.broken == nil)
            #expect(result.counts.restarts == 0)
            #expect(result.counts.checkpoints >= 20)
        }
    }
}

/// The checkers are worth something: each machine that is broken on purpose is caught, soon, and by seed.
@Suite(.serialized) struct SeededFaultTests {
    @Test(arguments: SeededFault.allCases) func isCaughtWithinTwoHundredSeeds(fault: SeededFault) async {
        var options = RunOptions()
        options.fault = fault
        // Only these jobs have the real connectors.
        if SeededFault.ofConnectors.contains(fault) { options.kinds = fault == .endsForgotten ? [.window] : [.calc] }
        if fault == .followersDeclareAsBefore { options.kinds = [.union] }
        let results = await Run.all(Array(1...200), options, until: { $0.broken != nil })
        let caught = results.first { $0.broken != nil }
        #expect(caught != nil, "\(fault) was not caught")
        if let caught { print("\(fault): seed \(caught.seed), \(caught.broken?.description.prefix(160) ?? "")") }
    }
}
