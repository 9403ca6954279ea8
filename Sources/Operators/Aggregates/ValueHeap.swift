import Columnar

/// Values of which the best can be seen and taken out: a binary heap.
struct ValueHeap {
    /// Each is no worse than the two at twice its place, plus 1 and plus 2.
    private var values: [Value] = []

    init() {}

    init(_ values: [Value], _ isBetter: (Value, Value) -> Bool) {
        self.values = values
        for place in (0..<values.count / 2).reversed() { sink(from: place, isBetter) }
    }

    var count: Int { values.count }
    var isEmpty: Bool { values.isEmpty }
    var top: Value? { values.first }

    mutating func add(_ value: Value, _ isBetter: (Value, Value) -> Bool) {
        values.append(value)
        var place = values.count - 1
        while place > 0, isBetter(values[place], values[(place - 1) / 2]) {
            values.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func removeTop(_ isBetter: (Value, Value) -> Bool) {
        guard let last = values.popLast(), !values.isEmpty else { return }
        values[0] = last
        sink(from: 0, isBetter)
    }

    private mutating func sink(from start: Int, _ isBetter: (Value, Value) -> Bool) {
        var place = start
        while true {
            var best = place
            for child in [place * 2 + 1, place * 2 + 2] where child < values.count && isBetter(values[child], values[best]) { best = child }
            if best == place { return }
            values.swapAt(place, best)
            place = best
        }
    }
}
