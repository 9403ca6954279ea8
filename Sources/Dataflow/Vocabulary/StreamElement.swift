import Columnar

/// What flows on an edge.
package enum StreamElement: Sendable {
    case batch(Batch)
    /// No row with an event time ≤ this (milliseconds since the epoch) will follow on this channel.
    case watermark(Int64)
    case barrier(Barrier)
    /// The channel has nothing to say for now and must not hold back watermarks, until the next batch or watermark or `active`.
    case idle
    case active
    /// No batch will follow. Barriers still do: a task stays, and takes part in checkpoints, until the job ends.
    case end
}

/// Cuts a stream: rows before it belong to checkpoint `checkpoint`, rows after it do not.
package struct Barrier: Hashable, Sendable {
    package let checkpoint: CheckpointID
    package let kind: CheckpointKind
    /// The layout that holds after this barrier, when it changes.
    package let layout: LayoutEpoch?

    package init(checkpoint: CheckpointID, kind: CheckpointKind, layout: LayoutEpoch? = nil) {
        self.checkpoint = checkpoint
        self.kind = kind
        self.layout = layout
    }
}

/// Why a checkpoint is taken. Raw values are the wire's.
package enum CheckpointKind: UInt8, Codable, Sendable, CaseIterable {
    case checkpoint = 0
    case savepoint = 1
    /// Stop with savepoint: sources stop at the barrier, no further row follows.
    case stop = 2
    /// Stop with savepoint and drain: sources emit the last watermark and the end before the barrier.
    case drain = 3
    /// Taken once when every task has ended, so that sinks commit the rest.
    case final = 4

    package var isSavepoint: Bool { self == .savepoint || self == .stop || self == .drain }
}

package enum Watermark {
    package static let minimum = Int64.min
    /// Follows the last row of a bounded input: fires everything.
    package static let maximum = Int64.max
}
