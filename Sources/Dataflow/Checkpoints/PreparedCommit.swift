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

    private let finish: @Sendable () throws(StreamError) -> Content

    package init(_ committables: [Committable] = [], unit: [UInt8]? = nil) {
        finish = { () throws(StreamError) in Content(committables, unit: unit) }
    }

    /// `finish` may wait for networks. It is called on any thread, at any time after the barrier, once for every checkpoint that carries
    /// its committables, and gives the same content each time.
    package init(later finish: @escaping @Sendable () throws(StreamError) -> Content) { self.finish = finish }

    /// Waits until the content is known.
    package func finished() throws(StreamError) -> Content { try finish() }
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
