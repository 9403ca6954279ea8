import Dataflow

/// The one queue of a run: whatever will happen, ordered by (time, number). Cluster time passes only from one entry to the next.
package final class Timeline {
    /// Cluster time since the run's start. Hosts see it through clocks of their own (`HostClock`).
    package private(set) var time = Duration.zero
    package private(set) var happened = 0
    private var nanoseconds: Int64 = 0
    private var number: UInt64 = 0
    private var heap: [Entry] = []

    private struct Entry {
        let at: Int64
        let number: UInt64
        let action: () -> Void

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
        entry.action()
        return true
    }

    private func at(_ instant: Int64, _ action: @escaping () -> Void) {
        number += 1
        heap.append(Entry(at: instant, number: number, action: action))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private func removeFirst() -> Entry? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap[0] = last
        var parent = 0
        while true {
            var child = parent * 2 + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            parent = child
        }
        return first
    }
}
