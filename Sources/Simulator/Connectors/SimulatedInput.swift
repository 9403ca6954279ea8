import Columnar
import Connectors
import Dataflow

/// A table that a job reads: `splits` pieces of `rowsPerSplit` rows, made from a seed. A row is a function of (split, index), so that
/// readers, the naive evaluation and the checkers agree on it without storing it.
///
/// Event times of split s + 1 lie behind those of split s, so that no assignment of splits in order makes a row late.
package struct SimulatedInput: Sendable {
    package struct Row: Hashable, Sendable {
        package var key: Int
        /// Unique in the table: `split × 2³² + index`.
        package var id: Int64
        package var value: Int64
        /// Milliseconds since the epoch.
        package var time: Int64
    }

    package var name: String
    package var seed: UInt64
    package var splits: Int
    package var rowsPerSplit: Int
    package var keys: Int
    /// Milliseconds of event time between neighbours, and how far a row may be behind its place: the watermark's delay.
    package var stepMilliseconds: Int64
    package var disorderMilliseconds: Int64
    /// Cluster time at which the first burst of a split is there, and between its bursts of `burst` rows.
    package var starts: [Duration]
    package var pause: Duration
    package var burst: Int
    /// So many bursts of a split are there at once: readers have something to catch up with, and slow sinks hold them back.
    package var backlogBursts: Int
    /// Cluster time at which discovery finds each split.
    package var appears: [Duration]
    /// Rows of one batch at most.
    package var batchRows: Int
    /// Its rows are records of a stream, and its splits that stream's shards; nil: as `row` makes them.
    package var stream: SimulatedStream?

    package init(
        name: String, seed: UInt64, splits: Int, rowsPerSplit: Int, keys: Int, stepMilliseconds: Int64, disorderMilliseconds: Int64,
        starts: [Duration], pause: Duration, burst: Int, backlogBursts: Int, appears: [Duration], batchRows: Int
    ) {
        self.name = name
        self.seed = seed
        self.splits = splits
        self.rowsPerSplit = rowsPerSplit
        self.keys = keys
        self.stepMilliseconds = stepMilliseconds
        self.disorderMilliseconds = disorderMilliseconds
        self.starts = starts
        self.pause = pause
        self.burst = burst
        self.backlogBursts = backlogBursts
        self.appears = appears
        self.batchRows = batchRows
    }

    /// Its rows are the stream's records.
    mutating func read(_ stream: SimulatedStream) {
        self.stream = stream
        splits = stream.shards.count
        // Those that are put within a millisecond are not late.
        disorderMilliseconds = 1
    }

    package func rows(in split: Int) -> Int { stream?.shards[split].records.count ?? rowsPerSplit }

    package func row(_ split: Int, _ index: Int) -> Row {
        let chance = Chance.mix(seed &+ UInt64(split) &* 0x1_0000_0001 &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
        if let record = stream?.shards[split].records[index] {
            return Row(
                key: record.key, id: Int64(split) << 32 | Int64(index), value: Int64(chance >> 20 & 0x3FF),
                time: HostClock.epochMilliseconds + record.arrival.milliseconds)
        }
        let place = HostClock.epochMilliseconds + Int64(split * rowsPerSplit + index) * stepMilliseconds
        return Row(
            key: Int(chance % UInt64(keys)), id: Int64(split) << 32 | Int64(index), value: Int64(chance >> 20 & 0x3FF),
            time: place - Int64(chance >> 40) % (disorderMilliseconds + 1))
    }

    /// When the row can be read, in cluster time.
    package func available(_ split: Int, _ index: Int) -> Duration { starts[split] + pause * max(0, index / burst - backlogBursts) }

    package func splitID(_ split: Int) -> String { stream?.shards[split].id ?? "\(name)-\(split)" }

    package func split(named id: String) -> Int? {
        guard id.hasPrefix(name + "-"), let number = Int(id.dropFirst(name.utf8.count + 1)), number < splits else { return nil }
        return number
    }

    package static let schema = Schema([
        .init("k", DataType(.string)), .init("id", DataType(.bigint)), .init("v", DataType(.bigint)), .init("ts", DataType(.timestamp(3))),
    ])

    package static func keyText(_ key: Int) -> [UInt8] { Array("key-\(key)".utf8) }

    package static func position(_ index: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(index).littleEndian) { Array($0) } }

    /// The row that is next in a split, as its reader's snapshot says.
    func next(in split: Int, _ state: SplitState) -> Int {
        guard let stream else { return SimulatedInput.index(at: state.position) }
        guard let position = try? ShardPosition(state) else { return 0 }
        return stream.count(in: split, through: position)
    }

    package static func index(at position: [UInt8]) -> Int { position.isEmpty ? 0 : position.reversed().reduce(0) { $0 << 8 | Int($1) } }
}
