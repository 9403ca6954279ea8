/// The receiver's account of one channel: how many batches lie in its queue, how many more the sender may send, and how many places
/// are free but not announced yet.
///
/// queued + granted + free = capacity. Both ends know the capacity, so a channel starts with all of it granted and nothing said.
package struct CreditLedger: Hashable, Sendable {
    package let capacity: Int
    package private(set) var queued = 0
    package private(set) var granted: Int
    package private(set) var free = 0

    package init(capacity: Int) {
        precondition(capacity > 0, "a channel without credit carries nothing")
        self.capacity = capacity
        self.granted = capacity
    }

    /// False: the sender had no credit left for this batch.
    package mutating func batchArrived() -> Bool {
        guard granted > 0 else { return false }
        granted -= 1
        queued += 1
        return true
    }

    /// Returns the credits to announce, or nil when too few are free to be worth a message.
    package mutating func batchConsumed() -> Int? {
        precondition(queued > 0, "a batch is consumed after it has arrived")
        queued -= 1
        free += 1
        guard free * 2 >= capacity else { return nil }
        defer { free = 0 }
        granted += free
        return free
    }

    package func checkInvariants() {
        precondition(queued >= 0 && granted >= 0 && free >= 0, "credits are counts")
        precondition(queued + granted + free == capacity, "no credit is lost or made")
        precondition(free * 2 < capacity, "half of the places is worth a message")
    }
}
