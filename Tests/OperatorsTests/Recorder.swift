import Columnar
import Dataflow

/// An output that keeps what it is given.
final class Recorder: Output {
    var rows: [[Value]] = []
    var kinds: [RowKind] = []
    var watermarks: [Int64] = []
    var longestBatch = 0

    func emit(_ batch: Batch) throws(StreamError) {
        longestBatch = max(longestBatch, batch.count)
        for row in 0..<batch.count {
            rows.append(batch.row(row))
            kinds.append(batch.kind(row))
        }
    }

    func emitWatermark(_ milliseconds: Int64) throws(StreamError) { watermarks.append(milliseconds) }
}

/// Hands everything to the next operator.
final class Link: Output {
    private let next: any Operator
    private let output: any Output
    var rows = 0

    init(_ next: any Operator, _ output: any Output) {
        self.next = next
        self.output = output
    }

    func emit(_ batch: Batch) throws(StreamError) {
        rows += batch.count
        try next.process(batch, to: output)
    }

    func emitWatermark(_ milliseconds: Int64) throws(StreamError) { try next.advance(to: milliseconds, to: output) }
}

struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// What is in one of two bags of rows and not in the other, as text to read; empty when they are equal.
func difference(_ found: [[Value]], _ expected: [[Value]]) -> [String] {
    var counts: [[Value]: Int] = [:]
    for row in found { counts[row, default: 0] += 1 }
    for row in expected { counts[row, default: 0] -= 1 }
    return counts.filter { $0.value != 0 }.map { row, count in
        (count > 0 ? "too many: " : "missing: ") + row.map(text).joined(separator: ", ")
    }.sorted { $0.suffix(40) < $1.suffix(40) }
}

func text(_ value: Value) -> String {
    switch value {
    case .null: "NULL"
    case .boolean(let flag): "\(flag)"
    case .integer(let number): "\(number)"
    case .double(let number): "\(number)"
    case .decimal(let number): "\(number)d"
    case .bytes(let bytes): "'\(String(decoding: bytes, as: UTF8.self))'"
    }
}

/// Key groups of each of so many subtasks.
func context(_ subtask: Int = 0, of parallelism: Int = 1, batchRows: Int = 64) -> OperatorContext {
    OperatorContext(
        uid: "op", maxParallelism: 8, groups: Array(KeyGroup.range(of: subtask, parallelism: parallelism, groups: 8)), batchRows: batchRows)
}

/// The rows of a batch whose key belongs to this subtask.
func routed(_ batch: Batch, keys: [Int], to subtask: Int, of parallelism: Int) -> Batch {
    var hashes = [UInt64](repeating: 0, count: max(batch.count, 1))
    hashes.withUnsafeMutableBufferPointer { KeyHash.hashes(keys.map { batch.columns[$0] }, count: batch.count, into: $0.baseAddress!) }
    let range = KeyGroup.range(of: subtask, parallelism: parallelism, groups: 8)
    let rows = (0..<batch.count).filter { range.contains(KeyGroup.of(hash: hashes[$0], groups: 8)) }.map(Int32.init)
    return rows.withUnsafeBufferPointer { batch.gather($0) }
}
