import Synchronization

/// What all tasks of a process hold together: bytes of state and of batches that wait; and what is being written. Any thread may tell it.
package final class MemoryBudget: Sendable {
    /// Bytes for state and batches.
    package let limit: Int
    /// What falls to one slot of that.
    let slotShare: Int
    /// Bytes for these and checkpoints on their way.
    private let uploadLimit: Int
    private let bytes = Atomic<Int>(0)
    /// State on its way to other tasks. Of an account of its own: it is there for moments, and no task's end would help.
    private let handOvers = Atomic<Int>(0)
    private let tasks = Atomic<Int>(0)
    /// What the process had in all when it was found to be too much; 0: it was not.
    private let alarmed = Atomic<Int>(0)

    package init(limit: Int) {
        self.limit = limit
        slotShare = limit
        uploadLimit = limit
    }

    /// A share of what the process may use: the rest is for what it needs itself, for frozen state, buffers of connections, and what malloc keeps.
    package init(processSize: Int, slots: Int = 1) {
        limit = processSize / 10 * 7
        slotShare = limit / max(slots, 1)
        uploadLimit = processSize / 10 * 9
    }

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
        return total > limit && isLarge(new, of: total)
    }

    private func isLarge(_ share: Int, of total: Int) -> Bool { share >= total / max(tasks.load(ordering: .relaxed), 1) }

    // MARK: Checkpoints on their way

    /// False, and nothing taken, when there is no room for a state object.
    package func charge(upload size: Int) -> Bool {
        let total = bytes.wrappingAdd(size, ordering: .relaxed).newValue
        if total + handOvers.load(ordering: .relaxed) <= uploadLimit { return true }
        release(upload: size)
        return false
    }

    /// State that is on its way to another task. It is sent in any case; uploads wait for it, tasks do not fail for it.
    package func charge(handOver size: Int) { handOvers.wrappingAdd(size, ordering: .relaxed) }
    package func release(handOver size: Int) { handOvers.wrappingSubtract(size, ordering: .relaxed) }

    package func release(upload size: Int) { bytes.wrappingSubtract(size, ordering: .relaxed) }

    // MARK: The process as the system sees it

    /// The process has so many bytes, more than it may: the next large task that is stepped fails. Nil: it has not (any more).
    package func alarm(_ size: Int?) { alarmed.store(size ?? 0, ordering: .relaxed) }

    var isAlarmed: Bool { alarmed.load(ordering: .relaxed) > 0 }

    /// The alarm's bytes for one task that holds at least the mean; then it is over.
    func takeAlarm(holding share: Int) -> Int? {
        let size = alarmed.load(ordering: .relaxed)
        guard size > 0, isLarge(share, of: held) else { return nil }
        return alarmed.compareExchange(expected: size, desired: 0, ordering: .relaxed).exchanged ? size : nil
    }
}
