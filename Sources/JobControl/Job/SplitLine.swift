import Dataflow

/// Splits that leave at the front, without moving the others each time.
struct SplitLine: Sendable {
    private var slots: [SplitState] = []
    private var head = 0

    var elements: ArraySlice<SplitState> { slots[head...] }
    var count: Int { slots.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ splits: [SplitState]) { slots += splits }

    mutating func popFirst() -> SplitState? {
        guard head < slots.count else { return nil }
        defer {
            head += 1
            if head * 2 > slots.count {
                slots.removeFirst(head)
                head = 0
            }
        }
        return slots[head]
    }
}
