import Columnar
import Dataflow
import Operators
import Testing

@Suite struct KeyGroupLoadTests {
    private static let schema = Schema([.init("k", DataType(.bigint, nullable: false))])
    private static let counts = [AggregateCall(function: .countStar, argument: nil, type: DataType(.bigint, nullable: false))]

    private static func group(owning groups: [Int] = Array(0..<8)) -> GroupAggregateOperator {
        GroupAggregateOperator(
            GroupAggregateSpec(input: schema, keys: [0], aggregates: counts, emitsUpdateBefore: false, consumesRetractions: false),
            context: OperatorContext(uid: "op", maxParallelism: 8, groups: groups, batchRows: 8192))
    }

    /// Keys 0..<64 in turn, half of all rows the hot one.
    private static func batch(_ rows: Int, hot: Int64) -> Batch {
        Batch.of(schema.types, (0..<rows).map { [.integer($0 % 2 == 0 ? hot : Int64($0 % 64))] })
    }

    private static func keyGroup(of key: Int64) -> Int {
        var hash: UInt64 = 0
        withUnsafeMutablePointer(to: &hash) { KeyHash.hashes(Batch.of(schema.types, [[.integer(key)]]).columns, count: 1, into: $0) }
        return KeyGroup.of(hash: hash, groups: 8)
    }

    @Test func firstRowsAreCountedOneByOne() throws {
        let group = Self.group(), output = Recorder()
        for _ in 0..<5 { try group.process(Self.batch(100, hot: 3), to: output) }
        let loads = group.keyGroupLoads
        #expect(loads.map(\.group) == Array(0..<8))
        #expect(loads.reduce(0) { $0 + $1.rows } == 500)
        #expect(loads[Self.keyGroup(of: 3)].rows >= 250)
    }

    @Test func laterRowsAreEstimatedFromSomeBatches() throws {
        let group = Self.group(), output = Recorder()
        // 50 batches are counted exactly; then one in 61.
        for _ in 0..<50 + 61 * 4 { try group.process(Self.batch(2000, hot: 3), to: output) }
        let loads = group.keyGroupLoads
        #expect(loads.reduce(0) { $0 + $1.rows } == 2000 * (50 + 61 * 4))
        let share = Double(loads[Self.keyGroup(of: 3)].rows) / Double(2000 * (50 + 61 * 4))
        #expect(share > 0.5 && share < 0.75)
        // What comes now is hot elsewhere, and is seen.
        let other = (0..<64).first { Self.keyGroup(of: $0) != Self.keyGroup(of: 3) } ?? 0
        for _ in 0..<61 * 8 { try group.process(Self.batch(2000, hot: other), to: output) }
        #expect(group.keyGroupLoads.max { $0.rows < $1.rows }?.group == Self.keyGroup(of: other))
    }

    @Test func whatLeavesAndComesBackBeginsAnew() throws {
        let group = Self.group(), output = Recorder()
        try group.process(Self.batch(1000, hot: 3), to: output)
        let gone = Self.keyGroup(of: 3)
        try group.own((0..<8).filter { $0 != gone }, adding: [])
        #expect(!group.keyGroupLoads.contains { $0.group == gone })
        try group.own(Array(0..<8), adding: [])
        #expect(group.keyGroupLoads[gone].rows == 0)
        #expect(group.keyGroupLoads.contains { $0.rows > 0 })
    }
}
