import Dataflow

/// Rows by key group, for people: all of the first rows, then those of one batch in `every`, which stand for the rows passed over before them too.
///
/// So the counts of all groups add up to the rows that came, as of the last batch that was looked at.
struct KeyGroupCounter {
    static let exactRows = 100_000
    /// A prime: senders take turns, and it should not always be the same one's.
    static let every = 61

    private var rows: [Double]
    private var seen = 0
    private var passedOver = 0
    private var batchesPassedOver = 0

    init(maxParallelism: Int) { rows = Array(repeating: 0, count: maxParallelism) }

    mutating func take(_ hashes: UnsafePointer<UInt64>, count: Int) {
        guard seen < Self.exactRows || batchesPassedOver + 1 >= Self.every else {
            passedOver += count
            batchesPassedOver += 1
            return
        }
        let weight = Double(passedOver + count) / Double(count)
        let groups = rows.count
        rows.withUnsafeMutableBufferPointer { rows in
            for row in 0..<count { rows[KeyGroup.of(hash: hashes[row], groups: groups)] += weight }
        }
        seen += passedOver + count
        (passedOver, batchesPassedOver) = (0, 0)
    }

    /// Other groups' rows are somebody else's from here on.
    mutating func keep(_ groups: [Int]) {
        let kept = Set(groups)
        for group in rows.indices where !kept.contains(group) { rows[group] = 0 }
    }

    func loads(of groups: [Int]) -> [KeyGroupLoad] { groups.map { KeyGroupLoad(group: $0, rows: Int64(rows[$0].rounded())) } }
}
