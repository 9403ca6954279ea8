import Columnar
import Dataflow
import Operators
import Testing

@Suite struct GroupAggregateTests {
    private static func spec(_ calls: [AggregateCall], keys: [Int] = RandomRows.keys, before: Bool = true, retractions: Bool) -> GroupAggregateSpec {
        GroupAggregateSpec(input: RandomRows.schema, keys: keys, aggregates: calls, emitsUpdateBefore: before, consumesRetractions: retractions)
    }

    /// Random inserts, and deletes of rows that are there.
    private static func changes(_ count: Int, seed: UInt64, deletes: Bool) -> [(kind: RowKind, row: [Value])] {
        var random = SeededGenerator(seed), present: [[Value]] = []
        return (0..<count).map { _ in
            if deletes, !present.isEmpty, Int.random(in: 0..<5, using: &random) < 2 {
                return (.delete, present.remove(at: Int.random(in: 0..<present.count, using: &random)))
            }
            let row = RandomRows.row(time: Int64.random(in: 0..<50, using: &random), &random)
            present.append(row)
            return (.insert, row)
        }
    }

    /// The changelog as Flink writes it, with every result computed from all rows of the key.
    private static func expected(_ changes: [(kind: RowKind, row: [Value])], _ spec: GroupAggregateSpec) -> [String] {
        var groups: [[Value]: [[Value]]] = [:], log: [String] = []
        for (kind, row) in changes {
            let key = spec.keys.map { row[$0] }
            let old = groups[key, default: []]
            var new = old
            if kind == .insert { new.append(row) } else { new.remove(at: new.firstIndex(of: row)!) }
            groups[key] = new
            let before = key + RandomRows.results(spec.aggregates, over: old), after = key + RandomRows.results(spec.aggregates, over: new)
            if old.isEmpty {
                log.append("+I \(after.map(text))")
            } else if new.isEmpty {
                log.append("-D \(before.map(text))")
            } else if before != after {
                if spec.emitsUpdateBefore { log.append("-U \(before.map(text))") }
                log.append("+U \(after.map(text))")
            }
        }
        return log
    }

    private static func batches(_ changes: [(kind: RowKind, row: [Value])], of size: Int = 50) -> [Batch] {
        stride(from: 0, to: changes.count, by: size).map { first in
            let part = changes[first..<min(first + size, changes.count)]
            return RandomRows.batch(part.map(\.row), kinds: part.contains { $0.kind != .insert } ? part.map(\.kind) : nil)
        }
    }

    private static func log(_ output: Recorder) -> [String] { zip(output.kinds, output.rows).map { "\($0.symbol) \($1.map(text))" } }

    @Test(arguments: [true, false], [true, false]) func writesTheChangelogOfANaiveEvaluation(deletes: Bool, before: Bool) throws {
        let calls = RandomRows.plain.filter { $0.function != .sum || $0.argument != 9 } + RandomRows.distinct
        let spec = Self.spec(calls, before: before, retractions: deletes)
        let changes = Self.changes(600, seed: deletes ? 3 : 4, deletes: deletes)
        let output = Recorder(), group = GroupAggregateOperator(spec, context: context())
        for batch in Self.batches(changes) { try group.process(batch, to: output) }
        #expect(Self.log(output) == Self.expected(changes, spec))
    }

    @Test(arguments: [1, 2, 3]) func continuesFromACheckpointAtAnotherParallelism(parallelism: Int) throws {
        let spec = Self.spec(RandomRows.plain + RandomRows.distinct, retractions: true)
        let changes = Self.changes(500, seed: 8, deletes: true)
        let output = Recorder(), first = GroupAggregateOperator(spec, context: context())
        for batch in Self.batches(Array(changes[..<300])) { try first.process(batch, to: output) }
        let segments = try #require(try first.snapshot().keyed).segments()
        for index in 0..<parallelism {
            let group = GroupAggregateOperator(spec, context: context(index, of: parallelism))
            let groups = KeyGroup.range(of: index, parallelism: parallelism, groups: 8)
            try group.restore(.init(uid: "op", segments: segments.filter { groups.contains($0.group) }))
            for batch in Self.batches(Array(changes[300...])) {
                try group.process(routed(batch, keys: RandomRows.keys, to: index, of: parallelism), to: output)
            }
        }
        #expect(Self.log(output).sorted() == Self.expected(changes, spec).sorted())
    }

    /// Half of the groups go to a second task and come back with what that one added: neither keeps anything of the other's, and nothing is lost.
    @Test(arguments: [false, true]) func groupsThatGoAndComeBackAreWhatTheOtherMadeOfThem(deletes: Bool) throws {
        let spec = Self.spec(RandomRows.plain + RandomRows.distinct, retractions: deletes)
        let changes = Self.changes(900, seed: 7, deletes: deletes)
        let whole = context(), left = (0..<whole.maxParallelism).filter { $0 % 2 == 0 }, right = (0..<whole.maxParallelism).filter { $0 % 2 == 1 }
        func segments(_ group: GroupAggregateOperator, _ groups: [Int]) throws -> [StateSegment] {
            try group.snapshot().keyed?.segments().filter { groups.contains($0.group) } ?? []
        }
        let output = Recorder(), first = GroupAggregateOperator(spec, context: whole)
        for batch in Self.batches(Array(changes[..<300])) { try first.process(batch, to: output) }
        let moved = try segments(first, right)
        try first.own(left, adding: [])
        #expect(try segments(first, right).isEmpty)
        let second = GroupAggregateOperator(spec, context: whole.owning(right))
        try second.restore(.init(uid: "op", segments: moved))
        for change in changes[300..<600] {
            let batch = Self.batches([change])[0]
            var hash: UInt64 = 0
            KeyHash.hashes(spec.keys.map { batch.columns[$0] }, count: 1, into: &hash)
            try (KeyGroup.of(hash: hash, groups: whole.maxParallelism) % 2 == 0 ? first : second).process(batch, to: output)
        }
        try first.own(left + right, adding: segments(second, right))
        for batch in Self.batches(Array(changes[600...])) { try first.process(batch, to: output) }
        #expect(Self.log(output) == Self.expected(changes, spec))
    }

    @Test func withoutKeysThereIsOneRowForTheWholeInput() throws {
        let spec = Self.spec([RandomRows.plain[0]], keys: [], retractions: false)
        let output = Recorder(), group = GroupAggregateOperator(spec, context: context())
        try group.advance(to: 5, to: output)
        #expect(output.rows.isEmpty)
        for batch in Self.batches(Self.changes(3, seed: 1, deletes: false)) { try group.process(batch, to: output) }
        #expect(Self.log(output) == #"+I ["1"]|-U ["1"]|+U ["2"]|-U ["2"]|+U ["3"]"#.split(separator: "|").map(String.init))
    }

    @Test func keysThatWereTakenBackGiveTheirMemoryBack() throws {
        let spec = Self.spec([RandomRows.plain[0]], keys: [5], retractions: true)
        let group = GroupAggregateOperator(spec, context: context())
        var random = SeededGenerator(2)
        let rows = (0..<20_000).map { number in
            var row = RandomRows.row(time: 0, &random)
            row[5] = .integer(Int64(number))
            return row
        }
        try group.process(RandomRows.batch(rows), to: Recorder())
        let full = group.stateBytes
        try group.process(RandomRows.batch(Array(rows.dropFirst(10)), kinds: .init(repeating: .delete, count: rows.count - 10)), to: Recorder())
        #expect(group.stateBytes < full / 20)
        let output = Recorder()
        try group.process(RandomRows.batch(Array(rows.prefix(1))), to: output)
        #expect(output.kinds == [.updateBefore, .updateAfter])
    }

    @Test func memoryComesBackAlsoAfterSomeKeyGroupsHaveLeft() throws {
        let spec = Self.spec([RandomRows.plain[0]], keys: [5], retractions: true)
        let group = GroupAggregateOperator(spec, context: OperatorContext(uid: "op", maxParallelism: 8, groups: Array(0..<8), batchRows: 64))
        var random = SeededGenerator(2)
        let rows = (0..<20_000).map { number in
            var row = RandomRows.row(time: 0, &random)
            row[5] = .integer(Int64(number))
            return row
        }
        try group.process(RandomRows.batch(rows), to: Recorder())
        let full = group.stateBytes
        try group.own(Array(0..<7), adding: [])
        let all = RandomRows.batch(rows, kinds: .init(repeating: .delete, count: rows.count))
        var hashes = [UInt64](repeating: 0, count: all.count)
        hashes.withUnsafeMutableBufferPointer { KeyHash.hashes([all.columns[5]], count: all.count, into: $0.baseAddress!) }
        let own = (0..<all.count).filter { KeyGroup.of(hash: hashes[$0], groups: 8) < 7 }.map(Int32.init)
        try group.process(own.withUnsafeBufferPointer { all.gather($0) }, to: Recorder())
        #expect(group.stateBytes < full / 20)
        try group.process(RandomRows.batch(rows.filter { $0[5] == .integer(Int64(own[0])) }), to: Recorder())
        #expect(try #require(try group.snapshot().keyed).segments(of: Set(0..<8)).count == 1)
    }

    /// Looking at all values for each that is taken back would take minutes.
    @Test func theBestOfALargeGroupCanBeTakenBackAgainAndAgain() throws {
        let input = Schema([.init("v", DataType(.bigint))])
        let calls = [AggregateCall.Function.max, .min].map { AggregateCall(function: $0, argument: 0, type: DataType(.bigint)) }
        let spec = GroupAggregateSpec(input: input, keys: [], aggregates: calls, emitsUpdateBefore: false, consumesRetractions: true)
        let group = GroupAggregateOperator(spec, context: context(batchRows: 8192))
        var random = SeededGenerator(5), values = (0..<60_000).map(Int64.init)
        values.shuffle(using: &random)
        try group.process(Batch.of(input.types, values.map { [.integer($0)] }), to: Recorder())
        let output = Recorder()
        // From both ends in turn; every fourth comes back, and goes again.
        var changes: [(kind: RowKind, value: Int64)] = [], left: [[Value]] = []
        for step in 0..<29_990 as Range<Int64> {
            changes += [(.delete, 59_999 - step), (.delete, step)]
            if step % 4 == 0 { changes += [(.insert, step), (.delete, step)] }
            left.append([.integer(59_998 - step), .integer(step + 1)])
        }
        try group.process(Batch.of(input.types, changes.map { [.integer($0.value)] }, kinds: changes.map(\.kind)), to: output)
        #expect(output.rows.last == left.last && left.allSatisfy(Set(output.rows).contains))
        #expect(group.stateBytes < 100_000)
    }

    @Test func whatComesAfterABarrierIsNotInItsSnapshotThoughBytesAreMadeLater() throws {
        let spec = Self.spec(RandomRows.plain + RandomRows.distinct, retractions: true)
        let changes = Self.changes(400, seed: 12, deletes: true)
        let group = GroupAggregateOperator(spec, context: context()), other = GroupAggregateOperator(spec, context: context())
        for batch in Self.batches(Array(changes[..<200])) { for group in [group, other] { try group.process(batch, to: Recorder()) } }
        let early = try #require(try group.snapshot().keyed), asOfNow = try #require(try other.snapshot().keyed).segments()
        for batch in Self.batches(Array(changes[200...])) { try group.process(batch, to: Recorder()) }
        #expect(early.segments() == asOfNow)
    }

    @Test func aRowTakenBackThatNeverCameIsIgnored() throws {
        let spec = Self.spec(RandomRows.plain.filter { $0.function == .countStar }, retractions: true)
        let output = Recorder(), group = GroupAggregateOperator(spec, context: context())
        let row = Self.changes(1, seed: 1, deletes: false)[0].row
        try group.process(RandomRows.batch([row], kinds: [.delete]), to: output)
        #expect(output.rows.isEmpty)
        try group.process(RandomRows.batch([row]), to: output)
        #expect(output.kinds == [.insert])
    }

    @Test(arguments: [1, 50]) func whatIsTakenBackIsTheRowThatWasGiven(batchRows: Int) throws {
        let spec = GroupAggregateSpec(
            input: Schema([.init("d", DataType(.double)), .init("f", DataType(.float))]), keys: [0, 1],
            aggregates: [.init(function: .countStar, argument: nil, type: DataType(.bigint, nullable: false))], emitsUpdateBefore: true,
            consumesRetractions: false)
        let output = Recorder(), group = GroupAggregateOperator(spec, context: context())
        let rows: [[Value]] = [[.double(-0.0), .double(0.0)], [.double(0.0), .double(-0.0)], [.double(-0.0), .double(-0.0)], [.double(.nan), .null]]
        for from in stride(from: 0, to: rows.count, by: batchRows) {
            try group.process(Batch.of(spec.input.types, Array(rows[from..<min(from + batchRows, rows.count)])), to: output)
        }
        #expect(output.kinds == [.insert, .updateBefore, .updateAfter, .updateBefore, .updateAfter, .insert])
        #expect(output.rows.dropLast().allSatisfy { text($0[0]) == "-0.0" && text($0[1]) == "0.0" })
    }
}
