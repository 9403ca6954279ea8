import Synchronization

/// What all tasks of a process hold together: bytes of state and of batches that wait. Any thread may tell it.
package final class MemoryBudget: Sendable {
    /// Bytes.
    package let limit: Int
    private let bytes = Atomic<Int>(0)
    private let tasks = Atomic<Int>(0)

    package init(limit: Int) { self.limit = limit }

    package static var unlimited: MemoryBudget { MemoryBudget(limit: .max) }

    package var held: Int { bytes.load(ordering: .relaxed) }

    func join() { tasks.wrappingAdd(1, ordering: .relaxed) }

    func leave(holding share: Int) {
        tasks.wrappingSubtract(1, ordering: .relaxed)
        bytes.wrappingSubtract(share, ordering: .relaxed)
    }

    /// A task's share went from `old` to `new`. True when the limit is passed and this task holds at least the mean of all: the one
    /// that fails should be one whose end helps.
    func change(from old: Int, to new: Int) -> Bool {
        let total = bytes.wrappingAdd(new - old, ordering: .relaxed).newValue
        return total > limit && new >= total / max(tasks.load(ordering: .relaxed), 1)
    }
}
