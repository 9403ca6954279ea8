import Dataflow

/// The one queue of a run: whatever will happen, ordered by (time, number). Cluster time passes only from one entry to the next.
package final class Timeline {
    /// Cluster time since the run's start. Hosts see it through clocks of their own (`HostClock`).
    package private(set) var time = Duration.zero
    package private(set) var happened = 0
    private var nanoseconds: Int64 = 0
    private var number: UInt64 = 0
    private var heap: [Entry] = []
    /// What entries stand for, by their places: so the heap moves plain numbers.
    private var actions: [(() -> Void)?] = []
    private var free: [Int] = []

    private struct Entry {
        let at: Int64
        let number: UInt64
        let place: Int

        func isBefore(_ other: Entry) -> Bool { at == other.at ? number < other.number : at < other.at }
    }

    package init() {}

    package func after(_ delay: Duration, _ action: @escaping () -> Void) { at(nanoseconds + max(0, delay.nanoseconds), action) }

    /// At a cluster time; one that has passed means now.
    package func at(_ instant: Duration, _ action: @escaping () -> Void) { at(max(nanoseconds, instant.nanoseconds), action) }

    /// Lets the next thing happen. False when nothing is left.
    package func step() -> Bool {
        guard let entry = removeFirst() else { return false }
        nanoseconds = entry.at
        time = .nanoseconds(nanoseconds)
        happened += 1
        guard let action = actions[entry.place].take() else { preconditionFailure("an entry happens once") }
        free.append(entry.place)
        action()
        return true
    }

    private func at(_ instant: Int64, _ action: @escaping () -> Void) {
        number += 1
        let place: Int
        if let last = free.popLast() {
            place = last
            actions[place] = action
        } else {
            place = actions.count
            actions.append(action)
        }
        let entry = Entry(at: instant, number: number, place: place)
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entry.isBefore(heap[parent]) else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = entry
    }

    private func removeFirst() -> Entry? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        var parent = 0
        while true {
            var child = parent * 2 + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(last) else { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = last
        return first
    }
}
