import Columnar
import Dataflow
import Operators
import Testing

/// Slices that are copied to their next owner while rows still come to the old one.
@Suite struct WindowCopyAheadTests {
    private static let low = Array(0..<4), all = Array(0..<8)

    private final class Subtask {
        let window: WindowAggregateOperator

        init(_ spec: WindowAggregateSpec, owning groups: [Int]) {
            window = WindowAggregateOperator(spec, context: OperatorContext(uid: "op", maxParallelism: 8, groups: groups, batchRows: 64))
        }

        func segments(of groups: [Int]) throws -> [StateSegment] { try #require(try window.snapshot().keyed).segments(of: Set(groups)) }
    }

    /// Two subtasks of which one comes and goes; every step's rows go to who owns them.
    private final class Job {
        let spec: WindowAggregateSpec
        let output = Recorder()
        var steps: ArraySlice<WindowStep>
        let high: Subtask
        var low: Subtask?
        var late = 0

        init(_ spec: WindowAggregateSpec, _ steps: [WindowStep]) {
            (self.spec, self.steps) = (spec, steps[...])
            high = Subtask(spec, owning: Array(4..<8))
            low = Subtask(spec, owning: WindowCopyAheadTests.low)
        }

        func step() throws {
            guard let step = steps.popFirst() else { return }
            let batch = RandomRows.batch(step.rows)
            for (place, subtask) in [low, high].enumerated() {
                guard let subtask else { continue }
                try subtask.window.process(low == nil ? batch : routed(batch, keys: RandomRows.keys, to: place, of: 2), to: output)
                try subtask.window.advance(to: step.watermark, to: output)
            }
        }

        /// The low groups go from one to the other: most of it ahead, with rows and watermarks in between.
        func move(from old: Subtask, to new: Subtask, owning groups: [Int]) throws {
            let low = WindowCopyAheadTests.low
            let copy = try #require(try old.window.copyAhead()).segments(of: Set(low))
            try step()
            for segment in copy { try new.window.attach([segment]) }
            #expect(try new.segments(of: low).isEmpty, "what was copied ahead is in no snapshot of its next owner")
            try step()
            let whole = try old.segments(of: low)
            let changes = try #require(try old.window.changesSinceCopy()).segments(of: Set(low))
            try new.window.own(groups, adding: changes)
            #expect(Set(try new.segments(of: low).map(\.group)).isSuperset(of: whole.map(\.group)))
        }

        func goAway() throws {
            let leaver = try #require(low)
            try move(from: leaver, to: high, owning: WindowCopyAheadTests.all)
            late += leaver.window.lateRows
            low = nil
        }

        func comeBack() throws {
            let fresh = Subtask(spec, owning: WindowCopyAheadTests.low)
            try move(from: high, to: fresh, owning: WindowCopyAheadTests.low)
            try high.window.own(Array(4..<8), adding: [])
            #expect(try high.segments(of: WindowCopyAheadTests.low).isEmpty)
            low = fresh
        }
    }

    private static let calls = RandomRows.plain.filter { $0.function != .sum || $0.argument != 9 } + RandomRows.distinct

    /// `between`: steps from one move to the next; with none, slices that came are given away again while they are open.
    @Test(arguments: WindowCase.all, [0, 2]) func groupsThatMoveAgainAndAgainGiveTheWindowsOfOneSubtask(test: WindowCase, between: Int) throws {
        let steps = test.steps(60), expected = test.expected(steps, Self.calls)
        let job = Job(test.spec(Self.calls), steps)
        while !job.steps.isEmpty {
            try job.goAway()
            for _ in 0..<between { try job.step() }
            try job.comeBack()
            for _ in 0..<between { try job.step() }
        }
        for subtask in [job.low, job.high] { try subtask?.window.advance(to: Watermark.maximum, to: job.output) }
        #expect(difference(job.output.rows, expected.rows) == [])
        #expect(job.late + job.high.window.lateRows + (job.low?.window.lateRows ?? 0) == expected.late)
        #expect(job.high.window.stateBytes == 0)
    }

    @Test func whatWasCopiedForAChangeThatCameToNothingDoesNoHarm() throws {
        let test = WindowCase.all[6], steps = test.steps(30), expected = test.expected(steps, Self.calls)
        let job = Job(test.spec(Self.calls), steps)
        let low = try #require(job.low)
        for _ in 0..<4 {
            try job.step()
            let copy = try #require(try low.window.copyAhead()).segments(of: Set(Self.low))
            for segment in copy { try job.high.window.attach([segment]) }
            try job.step()
        }
        try job.goAway()
        while !job.steps.isEmpty { try job.step() }
        try job.high.window.advance(to: Watermark.maximum, to: job.output)
        #expect(difference(job.output.rows, expected.rows) == [])
    }
}
