import Columnar
import Dataflow
import Operators
import Testing

@Suite struct LocalWindowAggregateTests {
    private static let input = Schema([
        .init("time", DataType(.timestamp(3))), .init("key", DataType(.bigint)), .init("value", DataType(.integer)), .init("flag", DataType(.boolean)),
    ])
    private static let spec = WindowAggregateSpec(
        input: input, keys: [1],
        aggregates: [
            .init(function: .countStar, argument: nil, type: DataType(.bigint, nullable: false)),
            .init(function: .max, argument: 2, filter: 3, type: DataType(.integer)),
            .init(function: .avg, argument: 2, type: DataType(.integer)),
        ],
        window: .hop(size: 2000, slide: 1000, offset: 0), timeColumn: 0)

    /// So many rows over six seconds with keys below `keys`, in batches of 8192.
    private static func batches(rows: Int, keys: Int64) -> [Batch] {
        var random = SeededGenerator(9)
        let all = (0..<rows).map { row -> [Value] in
            let time = Int64(row) * 6000 / Int64(rows) + Int64.random(in: -300...0, using: &random)
            let key = Int64.random(in: 0..<keys, using: &random), value = Int64.random(in: -9...9, using: &random)
            let flag: Value = row % 5 == 0 ? .null : .boolean(row % 2 == 0)
            return [.integer(time), .integer(key), row % 7 == 0 ? .null : .integer(value), flag]
        }
        return stride(from: 0, to: rows, by: 8192).map { Batch.of(input.types, Array(all[$0..<min($0 + 8192, rows)])) }
    }

    private static func run(_ batches: [Batch]) throws -> (rows: [[Value]], shipped: Int) {
        var merging = spec
        merging.mergesPartials = true
        let output = Recorder(), global = WindowAggregateOperator(merging, context: context(batchRows: 8192))
        let local = LocalWindowAggregateOperator(spec, context: context(batchRows: 8192)), link = Link(global, output)
        for batch in batches { try local.process(batch, to: link) }
        try local.advance(to: Watermark.maximum, to: link)
        return (output.rows, link.rows)
    }

    private static func alone(_ batches: [Batch]) throws -> [[Value]] {
        let output = Recorder(), window = WindowAggregateOperator(spec, context: context(batchRows: 8192))
        for batch in batches { try window.process(batch, to: output) }
        try window.advance(to: Watermark.maximum, to: output)
        return output.rows
    }

    @Test func fewKeysTravelAsOneRowPerKeyAndSlice() throws {
        let batches = Self.batches(rows: 30_000, keys: 5)
        let result = try Self.run(batches)
        #expect(result.shipped == 7 * 5)
        #expect(difference(result.rows, try Self.alone(batches)).isEmpty)
    }

    @Test func keysThatHardlyRepeatPassThroughWithTheSameResult() throws {
        let batches = Self.batches(rows: 80_000, keys: 1_000_000)
        let result = try Self.run(batches)
        #expect(result.shipped > 70_000)
        #expect(difference(result.rows, try Self.alone(batches)).isEmpty)
    }

    @Test func lateRowsAreCountedOneByOneThoughTheyCouldTravelTogether() throws {
        var merging = Self.spec
        merging.mergesPartials = true
        let global = WindowAggregateOperator(merging, context: context()), link = Link(global, Recorder())
        let local = LocalWindowAggregateOperator(Self.spec, context: context())
        let alone = WindowAggregateOperator(Self.spec, context: context())
        // The first 30 come in time, and the second 30 are behind both windows of [0, 1000).
        let early = Batch.of(Self.input.types, (0..<30).map { [.integer(Int64($0)), .integer(1), .integer(7), .boolean(true)] })
        for (batch, watermark) in [(early, Int64(1_999)), (early, 2_999)] {
            try local.process(batch, to: link)
            try local.advance(to: watermark, to: link)
            try alone.process(batch, to: Recorder())
            try alone.advance(to: watermark, to: Recorder())
        }
        #expect(alone.lateRows == 30 && global.lateRows == 30 && link.rows == 31)
    }

    @Test func keepsNothingOverABarrier() throws {
        let local = LocalWindowAggregateOperator(Self.spec, context: context())
        let output = Recorder()
        try local.process(Self.batches(rows: 100, keys: 3)[0], to: output)
        #expect(output.rows.isEmpty)
        try local.flush(to: output)
        #expect(!output.rows.isEmpty)
        #expect(local.stateBytes == 0)
        #expect(try local.snapshot().keyed == nil)
    }

    @Test func sliceEndsThatTheWatermarkReachedAreEmittedBeforeIt() throws {
        let local = LocalWindowAggregateOperator(Self.spec, context: context())
        let output = Recorder()
        let rows: [[Value]] = [[.integer(500), .integer(1), .integer(7), .boolean(true)], [.integer(1500), .integer(1), .null, .null]]
        try local.process(Batch.of(Self.input.types, rows), to: output)
        try local.advance(to: 998, to: output)
        #expect(output.rows.isEmpty)
        try local.advance(to: 999, to: output)
        #expect(output.rows == [[.integer(1), .integer(1), .integer(7), .integer(7), .integer(1), .integer(1000)]])
    }
}
