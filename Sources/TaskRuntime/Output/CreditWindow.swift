/// The sender's account of one channel: how many more batches its receiver has room for.
package struct CreditWindow: Hashable, Sendable {
    package let capacity: Int
    package private(set) var available: Int

    package init(capacity: Int) {
        self.capacity = capacity
        self.available = capacity
    }

    /// True when one batch may go now.
    package mutating func spend() -> Bool {
        guard available > 0 else { return false }
        available -= 1
        return true
    }

    /// False: the receiver announced more than it ever had room for.
    package mutating func add(_ batches: Int) -> Bool {
        guard batches >= 0, available + batches <= capacity else { return false }
        available += batches
        return true
    }
}
