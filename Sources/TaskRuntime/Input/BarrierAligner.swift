import Dataflow

/// Decides when a task has seen a checkpoint's barrier on every channel of every input, and which channels wait until then.
///
/// Only a channel that has delivered the barrier waits. A newer barrier takes the place of a pending one. Barriers of checkpoints
/// that are over here, or were aborted (perhaps before any of their barriers came), pass without effect. Channels that have ended
/// still carry barriers, so all channels count always.
///
/// A barrier that ends in another layout is never taken back: what follows it on its channel is of that layout, and means something else in
/// this one. When its checkpoint is aborted the attempt is over, and its channels wait until it is taken off.
package struct BarrierAligner {
    package enum Decision: Hashable {
        /// Of a checkpoint that is over: go on.
        case late
        /// The channel waits now; `released` are the ones that an older, abandoned alignment held.
        case waits(released: [Int])
        /// The last channel has delivered: take the snapshot; `released` may go on after it.
        case aligned(since: Instant, released: [Int])
    }

    private struct Pending {
        var barrier: Barrier
        var since: Instant
        /// Positions of channels, in the order of their barriers.
        var delivered: [Int]
    }

    private let channels: Int
    private var pending: Pending?
    /// Barriers up to this id are over.
    private var floor: CheckpointID
    /// Aborted ones above the floor, ascending.
    private var aborted: [CheckpointID] = []

    /// Barriers up to `floor` are over.
    package init(channels: Int, floor: CheckpointID = 0) {
        self.channels = channels
        self.floor = floor
    }

    package var isPending: Bool { pending != nil }

    package mutating func receive(_ barrier: Barrier, from channel: Int, at now: Instant) -> Decision {
        let id = barrier.checkpoint
        guard id > floor, barrier.layout != nil || !aborted.contains(id) else { return .late }
        var released: [Int] = []
        switch pending {
        case let alignment? where alignment.barrier.checkpoint == id:
            guard !alignment.delivered.contains(channel) else { return .late }
            pending?.delivered.append(channel)
        case let alignment? where alignment.barrier.checkpoint > id:
            // The older one was abandoned when the newer came; its barriers are stragglers.
            return .late
        case let alignment?:
            released = alignment.delivered
            raiseFloor(to: alignment.barrier.checkpoint)
            pending = Pending(barrier: barrier, since: now, delivered: [channel])
        case nil:
            pending = Pending(barrier: barrier, since: now, delivered: [channel])
        }
        guard let alignment = pending, alignment.delivered.count == channels else { return .waits(released: released.filter { $0 != channel }) }
        pending = nil
        raiseFloor(to: id)
        return .aligned(since: alignment.since, released: Array(Set(alignment.delivered + released)).sorted())
    }

    /// Returns the channels that may go on.
    package mutating func abort(_ id: CheckpointID) -> [Int] {
        guard id > floor else { return [] }
        if let alignment = pending, alignment.barrier.checkpoint == id {
            guard alignment.barrier.layout == nil else { return [] }
            pending = nil
            raiseFloor(to: id)
            return alignment.delivered
        }
        if !aborted.contains(id) { aborted.append(id) }
        return []
    }

    private mutating func raiseFloor(to id: CheckpointID) {
        floor = max(floor, id)
        aborted.removeAll { $0 <= floor }
    }

    package func checkInvariants() {
        precondition(aborted.allSatisfy { $0 > floor }, "what is over needs no mark")
        guard let pending else { return }
        precondition(pending.barrier.checkpoint > floor, "what is pending is not over")
        precondition(!pending.delivered.isEmpty && pending.delivered.count < channels, "an alignment has begun and is not complete")
        precondition(Set(pending.delivered).count == pending.delivered.count, "a channel delivers a barrier once")
    }

    /// Channels that wait; for checks.
    var waiting: [Int] { pending?.delivered ?? [] }
}
