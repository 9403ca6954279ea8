/// First in, first out, without moving what waits.
struct RingQueue<Element> {
    private var slots: ContiguousArray<Element?>
    private var head = 0
    private(set) var count = 0

    /// `capacity` is rounded up to a power of two; the queue grows beyond it.
    init(capacity: Int = 8) {
        var size = 4
        while size < capacity { size *= 2 }
        slots = ContiguousArray(repeating: nil, count: size)
    }

    var isEmpty: Bool { count == 0 }

    var first: Element? { count == 0 ? nil : slots[head] }

    var last: Element? {
        get { count == 0 ? nil : slots[(head + count - 1) & (slots.count - 1)] }
        set {
            precondition(count > 0 && newValue != nil, "the last element is replaced, not removed")
            slots[(head + count - 1) & (slots.count - 1)] = newValue
        }
    }

    mutating func append(_ element: Element) {
        if count == slots.count { grow() }
        slots[(head + count) & (slots.count - 1)] = element
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[head].take()
        head = (head + 1) & (slots.count - 1)
        count -= 1
        return element
    }

    mutating func removeAll() { self = RingQueue(capacity: slots.count) }

    /// From the first to the last; for checks.
    func forEach(_ body: (Element) -> Void) {
        for offset in 0..<count { if let element = slots[(head + offset) & (slots.count - 1)] { body(element) } }
    }

    private mutating func grow() {
        var larger = ContiguousArray<Element?>(repeating: nil, count: slots.count * 2)
        for offset in 0..<count { larger[offset] = slots[(head + offset) & (slots.count - 1)].take() }
        slots = larger
        head = 0
    }
}
