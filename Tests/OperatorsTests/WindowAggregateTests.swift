import Columnar
import Dataflow
import Operators
import Testing

/// One step of a stream: rows, then a watermark.
struct WindowStep {
    var rows: [[Value]]
    var watermark: Int64
}

struct WindowCase: CustomTestStringConvertible, Sendable {
    var seed: UInt64
    var window: WindowSpec
    var start: Int64 = 0
    var testDescription: String { "\(window) from \(start), seed \(seed)" }

    static let all: [WindowCase] = [
        .init(seed: 1, window: .tumble(size: 1000, offset: 0)),
        .init(seed: 2, window: .tumble(size: 1000, offset: 300), start: -5000),
        .init(seed: 3, window: .hop(size: 2000, slide: 1000, offset: 0), start: -3000),
        .init(seed: 4, window: .hop(size: 1000, slide: 400, offset: -150), start: -4000),
        .init(seed: 5, window: .hop(size: 1500, slide: 1000, offset: 250), start: 1_700_000_000_000),
        .init(seed: 6, window: .hop(size: 400, slide: 1000, offset: 0), start: -2000),
        .init(seed: 7, window: .hop(size: 5000, slide: 500, offset: 7), start: -1000),
    ]

    /// Times rise by up to 2 s a step, rows lie up to 3 s back: some are late for some windows, some for all.
    func steps(_ count: Int = 12, rows: Int = 60) -> [WindowStep] {
        var random = SeededGenerator(seed)
        var now = start
        return (0..<count).map { _ in
            let length = Int.random(in: 0...rows, using: &random)
            let times = (0..<length).map { _ in now + Int64.random(in: -3000...1500, using: &random) }
            let rows = times.map { RandomRows.row(time: $0, &random) }
            now += Int64.random(in: 0...2000, using: &random)
            return WindowStep(rows: rows, watermark: now - 1000)
        }
    }

    func spec(_ calls: [AggregateCall]) -> WindowAggregateSpec {
        WindowAggregateSpec(input: RandomRows.schema, keys: RandomRows.keys, aggregates: calls, window: window, timeColumn: 0)
    }

    /// Each row is put into every window that has not fired when it comes.
    func expected(_ steps: [WindowStep], _ calls: [AggregateCall]) -> (rows: [[Value]], late: Int) {
        var windows: [Int64: [[Value]]] = [:]
        var watermark = Int64.min, late = 0
        for step in steps {
            for row in step.rows {
                guard case .integer(let time) = row[0] else { continue }
                let all = windowStarts(time), open = all.filter { $0 + window.size - 1 > watermark }
                if !all.isEmpty && open.isEmpty { late += 1 }
                for start in open { windows[start, default: []].append(row) }
            }
            watermark = max(watermark, step.watermark)
        }
        var result: [[Value]] = []
        for (start, rows) in windows.sorted(by: { $0.key < $1.key }) {
            let groups = Dictionary(grouping: rows) { row in RandomRows.keys.map { row[$0] } }
            for (key, rows) in groups {
                let end = start + window.size
                result.append(key + RandomRows.results(calls, over: rows) + [.integer(start), .integer(end), .integer(end - 1)])
            }
        }
        return (result, late)
    }

    private func windowStarts(_ time: Int64) -> [Int64] {
        let shifted = time - window.offset
        var start = shifted - ((shifted % window.slide) + window.slide) % window.slide + window.offset
        var starts: [Int64] = []
        while start > time - window.size {
            starts.append(start)
            start -= window.slide
        }
        return starts
    }
}

@Suite struct WindowAggregateTests {
    @Test(arguments: WindowCase.all) func equalsANaiveEvaluation(test: WindowCase) throws {
        let calls = RandomRows.plain + RandomRows.distinct
        let steps = test.steps()
        let output = Recorder(), window = WindowAggregateOperator(test.spec(calls), context: context())
        for step in steps {
            try window.process(RandomRows.batch(step.rows), to: output)
            #expect(window.stateBytes >= 0)
            try window.advance(to: step.watermark, to: output)
            #expect(window.stateBytes >= 0)
        }
        try window.advance(to: Watermark.maximum, to: output)
        let expected = test.expected(steps, calls)
        #expect(difference(output.rows, expected.rows).isEmpty)
        #expect(window.lateRows == expected.late)
        #expect(output.watermarks == steps.map(\.watermark) + [Watermark.maximum])
        #expect(output.longestBatch <= 64)
        #expect(window.stateBytes == 0)
        let ends = output.rows.compactMap { row in if case .integer(let end) = row[row.count - 2] { end } else { nil } }
        #expect(ends == ends.sorted())
    }

    /// Times beyond ±2^62 count as that; each of the last windows still fires once, also when the watermark comes in steps.
    @Test(arguments: [Int64.max, Int64.max - 1, 1 << 62, (1 << 62) - 1, (1 << 62) - 1500, -(1 << 62), Int64.min] as [Int64])
    func windowsAtTheEndsOfTimeFireOnce(time: Int64) throws {
        let test = WindowCase(seed: 1, window: .hop(size: 2000, slide: 1000, offset: 0))
        let output = Recorder(), window = WindowAggregateOperator(test.spec(RandomRows.plain), context: context())
        var random = SeededGenerator(7)
        try window.process(RandomRows.batch([RandomRows.row(time: time, &random)]), to: output)
        for watermark in [(1 << 62) + 500, (1 << 62) + 1500, (1 << 62) + 5000, Watermark.maximum] as [Int64] { try window.advance(to: watermark, to: output) }
        #expect(output.rows.count == 2)
        #expect(window.stateBytes == 0)
    }

    @Test(arguments: WindowCase.all) func localAndGlobalTogetherEqualTheGlobalOneAlone(test: WindowCase) throws {
        let steps = test.steps()
        let spec = test.spec(RandomRows.plain)
        var merging = spec
        merging.mergesPartials = true
        let output = Recorder(), global = WindowAggregateOperator(merging, context: context())
        let local = LocalWindowAggregateOperator(spec, context: context()), link = Link(global, output)
        for (number, step) in steps.enumerated() {
            try local.process(RandomRows.batch(step.rows), to: link)
            if number % 3 == 1 { try local.flush(to: link) }
            try local.advance(to: step.watermark, to: link)
        }
        try local.advance(to: Watermark.maximum, to: link)
        #expect(difference(output.rows, test.expected(steps, RandomRows.plain).rows).isEmpty)
    }

    @Test(arguments: WindowCase.all, [1, 2, 3]) func continuesFromACheckpointAtAnotherParallelism(test: WindowCase, parallelism: Int) throws {
        let calls = RandomRows.plain + RandomRows.distinct
        let steps = test.steps(), cut = 6
        let output = Recorder(), first = (0..<2).map { WindowAggregateOperator(test.spec(calls), context: context($0, of: 2)) }
        for step in steps[..<cut] {
            for (index, window) in first.enumerated() {
                try window.process(routed(RandomRows.batch(step.rows), keys: RandomRows.keys, to: index, of: 2), to: output)
                try window.advance(to: step.watermark, to: output)
            }
        }
        let frozen = try first.map { try #require(try $0.snapshot().keyed) }
        // What comes after the barrier is not in the snapshot, though bytes are made later.
        for window in first { try window.process(RandomRows.batch(steps[cut].rows), to: Recorder()) }
        let segments = frozen.flatMap { $0.segments() }
        for index in 0..<parallelism {
            let window = WindowAggregateOperator(test.spec(calls), context: context(index, of: parallelism))
            let groups = KeyGroup.range(of: index, parallelism: parallelism, groups: 8)
            try window.restore(.init(uid: "op", segments: segments.filter { groups.contains($0.group) }))
            for step in steps[cut...] {
                try window.process(routed(RandomRows.batch(step.rows), keys: RandomRows.keys, to: index, of: parallelism), to: output)
                try window.advance(to: step.watermark, to: output)
            }
            try window.advance(to: Watermark.maximum, to: output)
        }
        #expect(difference(output.rows, test.expected(steps, calls).rows).isEmpty)
    }

    @Test func restoringFromSubtasksAtDifferentWatermarksFiresNothingTwice() throws {
        let test = WindowCase(seed: 11, window: .hop(size: 2000, slide: 1000, offset: 0))
        let spec = test.spec(RandomRows.plain)
        var random = SeededGenerator(5)
        let batch = RandomRows.batch((0..<300).map { _ in RandomRows.row(time: Int64.random(in: 0..<6000, using: &random), &random) })
        let output = Recorder()
        var segments: [StateSegment] = []
        for index in 0..<2 {
            let window = WindowAggregateOperator(spec, context: context(index, of: 2))
            try window.process(routed(batch, keys: RandomRows.keys, to: index, of: 2), to: output)
            try window.advance(to: index == 0 ? 2500 : 4500, to: output)
            segments += try #require(try window.snapshot().keyed).segments()
        }
        let window = WindowAggregateOperator(spec, context: context())
        try window.restore(.init(uid: "op", segments: segments))
        try window.advance(to: Watermark.maximum, to: output)
        #expect(difference(output.rows, test.expected([WindowStep(rows: batch.rows, watermark: 0)], RandomRows.plain).rows).isEmpty)
    }

    @Test func aSecondRunEmitsTheSameRowsInTheSameOrder() throws {
        func run() throws -> [[Value]] {
            let output = Recorder(), window = WindowAggregateOperator(WindowCase.all[2].spec(RandomRows.plain), context: context())
            for step in WindowCase.all[2].steps() {
                try window.process(RandomRows.batch(step.rows), to: output)
                try window.advance(to: step.watermark, to: output)
            }
            return output.rows
        }
        #expect(try run() == run())
    }

    @Test func manySlicesInOneBatchAndTimesAtTheEndsOfTheRangeDoNoHarm() throws {
        let spec = WindowAggregateSpec(
            input: Schema([.init("time", DataType(.timestamp(3)))]), keys: [], aggregates: [RandomRows.plain[0]],
            window: .tumble(size: 10, offset: 0), timeColumn: 0)
        let window = WindowAggregateOperator(spec, context: context()), output = Recorder()
        let times = (0..<6000).map { Int64($0) * 10 } + [0, 1, .max, .min, 5_000_000_000_000]
        try window.process(Batch.of(spec.input.types, times.map { [.integer($0)] }), to: output)
        try window.advance(to: Watermark.maximum, to: output)
        #expect(output.rows.count == 6003)
        #expect(output.rows[1] == [.integer(3), .integer(0), .integer(10), .integer(9)])
    }

    @Test func finerTimestampsAreCutToMilliseconds() throws {
        let spec = WindowAggregateSpec(
            input: Schema([.init("time", DataType(.timestampLTZ(6)))]), keys: [], aggregates: [RandomRows.plain[0]],
            window: .tumble(size: 1000, offset: 0), timeColumn: 0)
        let window = WindowAggregateOperator(spec, context: context()), output = Recorder()
        try window.process(Batch.of(spec.input.types, [-1, 999_999, 1_000_000].map { [.integer($0)] }), to: output)
        try window.advance(to: 999, to: output)
        #expect(output.rows.map { $0[0...1] } == [[.integer(1), .integer(-1000)], [.integer(1), .integer(0)]])
    }

    @Test func aMissingTimeFailsTheJob() throws {
        let window = WindowAggregateOperator(WindowCase.all[0].spec(RandomRows.plain), context: context())
        var random = SeededGenerator(1)
        var row = RandomRows.row(time: 0, &random)
        row[0] = .null
        #expect(throws: StreamError.self) { try window.process(RandomRows.batch([row]), to: Recorder()) }
    }

    @Test func stateOfAnotherQueryIsRefusedByName() throws {
        let window = WindowAggregateOperator(WindowCase.all[2].spec(RandomRows.plain), context: context())
        try window.process(RandomRows.batch(WindowCase.all[2].steps(1)[0].rows), to: Recorder())
        let segments = try #require(try window.snapshot().keyed).segments()
        let other = WindowAggregateOperator(WindowCase.all[2].spec(Array(RandomRows.plain.prefix(3))), context: context())
        let error = #expect(throws: StreamError.self) { try other.restore(.init(uid: "op", segments: segments)) }
        #expect(error?.message.contains("window slices of 1000 ms") == true)
        #expect(other.stateBytes == 0)
    }

    @Test func damagedSegmentsNeitherCrashNorHalfRestore() throws {
        let calls = RandomRows.plain + RandomRows.distinct
        let source = WindowAggregateOperator(WindowCase.all[2].spec(calls), context: context())
        try source.process(RandomRows.batch(WindowCase.all[2].steps(1, rows: 12)[0].rows), to: Recorder())
        let segments = try #require(try source.snapshot().keyed).segments()
        let largest = try #require(segments.max { $0.bytes.count < $1.bytes.count })
        for at in largest.bytes.indices {
            var damaged = largest
            damaged.bytes[at] ^= UInt8(1 << (at % 8))
            let window = WindowAggregateOperator(WindowCase.all[2].spec(calls), context: context())
            do { try window.restore(.init(uid: "op", segments: [segments[0], damaged])) } catch { #expect(window.stateBytes == 0) }
            damaged.bytes = Array(largest.bytes.prefix(at))
            #expect(throws: StreamError.self) { try window.restore(.init(uid: "op", segments: [damaged])) }
        }
    }
}
