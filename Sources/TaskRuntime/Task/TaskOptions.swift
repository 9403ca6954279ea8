import Dataflow
import Expressions

/// What the configuration says about tasks.
package struct TaskOptions: Equatable, Sendable {
    /// Batches that one channel may hold at its receiver. The same at both ends.
    package var channelCapacity = 8
    /// Rows a batch at most.
    package var batchRows = 8192
    /// Bytes a batch at most, unless it is one row; where an edge has many channels, each gets less, so that what may wait is bounded.
    package var batchBytes = 1 << 20
    /// Bytes a row at most between tasks.
    package static let maximumRowBytes = 128 << 20
    /// The session's time zone (`table.local-time-zone`).
    package var zone = ZoneRules.utc
    package var faults: Set<SeededFault> = []

    package init(channelCapacity: Int = 8, batchRows: Int = 8192, zone: ZoneRules = .utc) {
        self.channelCapacity = channelCapacity
        self.batchRows = batchRows
        self.zone = zone
    }
}
