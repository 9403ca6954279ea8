/// A piece of outside input that one reader reads at a time: a file range, a shard. Opaque to all but its connector.
package struct Split: Hashable, Codable, Sendable {
    /// Unique in the job's source; splits are handed out in the order of discovery.
    package var id: String
    /// Shown to people, e.g. `ticks.json[0..67108864)`.
    package var label: String
    /// The connector's own description of it.
    package var payload: [UInt8]
    /// Ids of splits whose rows come before any of this one: it is given to a reader when none of them is unfinished. Those that were never
    /// found count as finished; one that is found has to be found before, or together with, the splits after it.
    package var after: [String]

    package init(id: String, label: String, payload: [UInt8], after: [String] = []) {
        self.id = id
        self.label = label
        self.payload = payload
        self.after = after
    }

    private enum CodingKeys: CodingKey { case id, label, payload, after }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            id: try values.decode(String.self, forKey: .id), label: try values.decode(String.self, forKey: .label),
            payload: try values.decode([UInt8].self, forKey: .payload), after: try values.decodeIfPresent([String].self, forKey: .after) ?? [])
    }

    /// Most splits are after none: a manifest of a hundred thousand files does not say so for each.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(id, forKey: .id)
        try values.encode(label, forKey: .label)
        try values.encode(payload, forKey: .payload)
        if !after.isEmpty { try values.encode(after, forKey: .after) }
    }
}

/// A split with how far it was read. Carries its watermark, so that a move to another reader makes no row late.
package struct SplitState: Hashable, Codable, Sendable {
    package var split: Split
    /// The connector's own notion of a position; empty: from the split's start.
    package var position: [UInt8]
    package var watermark: Int64

    package init(split: Split, position: [UInt8] = [], watermark: Int64 = Watermark.minimum) {
        self.split = split
        self.position = position
        self.watermark = watermark
    }
}

/// What a sink must still do for rows that a checkpoint covers: rename a file, complete an upload. Opaque to all but its
/// connector, and idempotent to carry out.
package struct Committable: Hashable, Codable, Sendable {
    /// Unique within the job, so that a repeated one is recognised.
    package var id: String
    package var payload: [UInt8]

    package init(id: String, payload: [UInt8]) {
        self.id = id
        self.payload = payload
    }
}

/// The state of one key group of one operator, as it stands in a checkpoint.
package struct StateSegment: Hashable, Sendable {
    package var group: Int
    package var bytes: [UInt8]

    package init(group: Int, bytes: [UInt8]) {
        self.group = group
        self.bytes = bytes
    }
}

/// Keyed state as it was at a barrier. Made quickly on the task's thread, turned into bytes on another one while the task goes on.
package protocol FrozenState: Sendable {
    /// Sorted by group; groups without state may be absent.
    func segments() -> [StateSegment]
    /// Of these groups only.
    func segments(of groups: Set<Int>) -> [StateSegment]

    /// The same, one after the other, so that not all are there at once.
    func eachSegment(_ body: (StateSegment) -> Void)
}

extension FrozenState {
    package func segments(of groups: Set<Int>) -> [StateSegment] { segments().filter { groups.contains($0.group) } }
    package func eachSegment(_ body: (StateSegment) -> Void) { for segment in segments() { body(segment) } }
}

/// One operator's share of a snapshot.
package struct OperatorSnapshot: Sendable {
    /// `ChainedOperator.uid`.
    package var uid: String
    package var keyed: (any FrozenState)?
    /// State of this subtask that belongs to no key (a sink's open file): one named unit.
    package var unit: [UInt8]?

    package init(uid: String, keyed: (any FrozenState)? = nil, unit: [UInt8]? = nil) {
        self.uid = uid
        self.keyed = keyed
        self.unit = unit
    }
}

/// What one task gives to a checkpoint.
package struct TaskSnapshot: Sendable {
    package var subtask: SubtaskID
    package var operators: [OperatorSnapshot]
    /// The source's splits with their positions.
    package var splits: [SplitState]
    /// Ids of splits that were read to their end; kept until a completed checkpoint holds the enumerator's receipt.
    package var finishedSplits: [String]
    /// Complete once the snapshot is `finished`.
    package var committables: [Committable]
    package var sink: SinkSnapshot?
    /// Milliseconds from the first barrier to the last, and nanoseconds the task stood still to freeze its state.
    package var alignmentMilliseconds: Int64
    package var synchronousNanoseconds: Int64
    /// By the clock of the task's process.
    package var taken: Instant

    package init(
        subtask: SubtaskID, operators: [OperatorSnapshot] = [], splits: [SplitState] = [], finishedSplits: [String] = [],
        committables: [Committable] = [], sink: SinkSnapshot? = nil, alignmentMilliseconds: Int64 = 0, synchronousNanoseconds: Int64 = 0, taken: Instant = .zero
    ) {
        self.subtask = subtask
        self.operators = operators
        self.splits = splits
        self.finishedSplits = finishedSplits
        self.committables = committables
        self.sink = sink
        self.alignmentMilliseconds = alignmentMilliseconds
        self.synchronousNanoseconds = synchronousNanoseconds
        self.taken = taken
    }
}

/// What a task starts from: its key groups' segments and its units. Empty at a first start.
package struct TaskRestore: Sendable {
    package struct OperatorState: Sendable {
        package var uid: String
        package var segments: [StateSegment]
        /// Units of this subtask, and of subtasks that no longer exist.
        package var units: [[UInt8]]

        package init(uid: String, segments: [StateSegment] = [], units: [[UInt8]] = []) {
            self.uid = uid
            self.segments = segments
            self.units = units
        }
    }

    package var operators: [OperatorState]

    package init(operators: [OperatorState] = []) { self.operators = operators }

    package func state(of uid: String) -> OperatorState? { operators.first { $0.uid == uid } }
}

extension TaskRestore {
    /// Adds state of one operator, from another object perhaps, to what is there.
    package mutating func add(_ state: OperatorState) {
        guard let at = operators.firstIndex(where: { $0.uid == state.uid }) else { return operators.append(state) }
        operators[at].segments += state.segments
        operators[at].units += state.units
    }

    package mutating func add(_ other: TaskRestore) {
        for state in other.operators { add(state) }
    }
}
