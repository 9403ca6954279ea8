/// What a sink's writer answers to a barrier: what must be committed once the checkpoint is complete, and the unit that a successor
/// needs.
///
/// Known at once, or completed later by whoever turns snapshots into bytes: uploads that are under way at the barrier hold up the
/// checkpoint and never the task.
package struct PreparedCommit: Sendable {
    package struct Content: Hashable, Sendable {
        package var committables: [Committable]
        package var unit: [UInt8]?

        package init(_ committables: [Committable] = [], unit: [UInt8]? = nil) {
            self.committables = committables
            self.unit = unit
        }
    }

    private let committables: @Sendable () throws(StreamError) -> [Committable]
    private let unit: (@Sendable () throws(StreamError) -> [UInt8]?)?

    package init(_ committables: [Committable] = [], unit: [UInt8]? = nil) {
        self.committables = { () throws(StreamError) in committables }
        if let unit { self.unit = { () throws(StreamError) -> [UInt8]? in unit } } else { self.unit = nil }
    }

    /// Both may wait for networks. They are called on any thread, at any time after the barrier, and give the same each time; `committables`
    /// once for every checkpoint that carries them.
    package init(
        later committables: @escaping @Sendable () throws(StreamError) -> [Committable],
        unit: (@Sendable () throws(StreamError) -> [UInt8]?)? = nil
    ) {
        self.committables = committables
        self.unit = unit
    }

    /// Waits until the content is known.
    package func finished() throws(StreamError) -> Content { Content(try committables(), unit: try unit?()) }

    /// For the checkpoints after its own: a unit may be large.
    package var withoutUnit: PreparedCommit { PreparedCommit(later: committables) }
}

/// The sink's share of a task's snapshot, before its uploads are done.
package struct SinkSnapshot: Sendable {
    /// `ChainedOperator.uid`.
    package var uid: String
    /// Since the last completed checkpoint, oldest first: committables of aborted ones are carried on. The unit is the last one's.
    package var prepared: [PreparedCommit]

    package init(uid: String, prepared: [PreparedCommit]) {
        self.uid = uid
        self.prepared = prepared
    }
}

extension TaskSnapshot {
    /// With what the sink's uploads came to. May wait for networks: not for the task's thread.
    package func finished() throws(StreamError) -> TaskSnapshot {
        guard let sink else { return self }
        var snapshot = self
        snapshot.sink = nil
        var unit: [UInt8]?
        for prepared in sink.prepared {
            let content = try prepared.finished()
            snapshot.committables += content.committables
            unit = content.unit
        }
        snapshot.operators.append(OperatorSnapshot(uid: sink.uid, unit: unit))
        return snapshot
    }
}
