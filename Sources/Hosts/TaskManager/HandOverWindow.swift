import Dataflow

/// How much state may wait at a connection before the next piece of it is sent: rows that follow wait behind it.
package struct HandOverWindow {
    package enum Look: Hashable {
        case open
        case full
        /// Nothing has left for as long as `patience`.
        case stuck
    }

    package static let bytes = 1 << 20
    /// Rows on the same connection wait behind the state: longer than a slow network takes, shorter than a checkpoint's time.
    package static let patience = Duration.seconds(30)

    private var before = Int.max
    private var since: Instant

    package init(since: Instant) { self.since = since }

    /// `pending`: bytes that wait at the connection now.
    package mutating func look(pending: Int, at now: Instant) -> Look {
        guard pending > Self.bytes else { return .open }
        if pending < before { since = now }
        before = pending
        return now - since < Self.patience ? .full : .stuck
    }
}
