import Columnar
import Dataflow
import Operators
import Testing

/// State that is copied to its next owner while rows still come to the old one.
@Suite struct CopyAheadTests {
    private static let low = Array(0..<4), all = Array(0..<8)

    /// One subtask of two, whose key groups come and go.
    private final class Subtask {
        let group: GroupAggregateOperator
        let output = Recorder()

        init(_ spec: GroupAggregateSpec, owning groups: [Int]) {
            group = GroupAggregateOperator(spec, context: OperatorContext(uid: "op", maxParallelism: 8, groups: groups, batchRows: 64))
        }

        var log: [String] { zip(output.kinds, output.rows).map { "\($0.symbol) \($1.map(text))" } }

        func segments(of groups: [Int]) throws -> [StateSegment] { try #require(try group.snapshot().keyed).segments(of: Set(groups)) }
    }

    /// The low groups go from one to the other: most of it ahead, with rows in between.
    private static func move(from old: Subtask, to new: Subtask, owning groups: [Int], between: () throws -> Void) throws {
        let copy = try #require(try old.group.copyAhead()).segments(of: Set(low))
        try between()
        for segment in copy { try new.group.attach([segment]) }
        #expect(try new.segments(of: low).isEmpty, "what was copied ahead is in no snapshot of its next owner")
        try between()
        let whole = try old.segments(of: low)
        let changes = try #require(try old.group.changesSinceCopy()).segments(of: Set(low))
        try new.group.own(groups, adding: changes)
        #expect(Set(try new.segments(of: low).map(\.group)) == Set(whole.map(\.group)))
    }

    @Test(arguments: [true, false]) func groupsThatMoveAgainAndAgainGiveTheChangelogOfOneSubtask(deletes: Bool) throws {
        let calls = RandomRows.plain.filter { $0.function != .sum || $0.argument != 9 } + RandomRows.distinct
        let spec = GroupAggregateSpec(
            input: RandomRows.schema, keys: RandomRows.keys, aggregates: calls, emitsUpdateBefore: true, consumesRetractions: deletes)
        var random = SeededGenerator(11), present: [[Value]] = []
        func next() -> Batch {
            var rows: [[Value]] = [], kinds: [RowKind] = []
            for _ in 0..<30 {
                if deletes, !present.isEmpty, Int.random(in: 0..<5, using: &random) < 2 {
                    rows.append(present.remove(at: Int.random(in: 0..<present.count, using: &random)))
                    kinds.append(.delete)
                } else {
                    rows.append(RandomRows.row(time: Int64.random(in: 0..<50, using: &random), &random))
                    present.append(rows[rows.count - 1])
                    kinds.append(.insert)
                }
            }
            return RandomRows.batch(rows, kinds: deletes ? kinds : nil)
        }
        let whole = Subtask(spec, owning: Self.all), high = Subtask(spec, owning: Array(4..<8))
        var low: Subtask? = Subtask(spec, owning: Self.low)
        var others: [String] = []
        func feed() throws {
            for _ in 0..<4 {
                let batch = next()
                try whole.group.process(batch, to: whole.output)
                guard let low else {
                    try high.group.process(batch, to: high.output)
                    continue
                }
                try low.group.process(routed(batch, keys: RandomRows.keys, to: 0, of: 2), to: low.output)
                try high.group.process(routed(batch, keys: RandomRows.keys, to: 1, of: 2), to: high.output)
            }
        }
        for _ in 0..<3 {
            try feed()
            try Self.move(from: try #require(low), to: high, owning: Self.all, between: feed)
            others += low?.log ?? []
            low = nil
            try feed()
            // A task that begins, with groups of its own from the start. Who gives them away keeps their rows where they are, and shows none.
            let fresh = Subtask(spec, owning: Self.low)
            try Self.move(from: high, to: fresh, owning: Self.low, between: feed)
            try high.group.own(Array(4..<8), adding: [])
            #expect(try high.segments(of: Self.low).isEmpty)
            low = fresh
        }
        try feed()
        let found = (others + high.log + (try #require(low)).log).sorted()
        #expect(found == whole.log.sorted())
    }
}
