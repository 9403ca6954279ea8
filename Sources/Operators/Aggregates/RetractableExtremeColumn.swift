import Columnar
import Dataflow
import State

/// MIN and MAX over an input that takes rows back: all values of a key in a bag, and the best of them at hand.
final class RetractableExtremeColumn: AggregateColumn {
    let stateTypes = [ValueBag.type]
    private let call: AggregateCall
    private let argument: DataType
    private var bags: [ValueBag] = []
    private var best: [Value?] = []
    /// By id: what to take when the best is taken back. Empty until that happens to a large bag; then every value of the bag is in it, and
    /// some that have gone.
    private var heaps: [ValueHeap] = []
    private static let largeBag = 32
    /// In all heaps.
    private var candidates = 0
    private var entries = 0

    init(_ call: AggregateCall, argument: DataType) {
        self.call = call
        self.argument = argument
    }

    func copy() -> any AggregateColumn {
        let other = RetractableExtremeColumn(call, argument: argument)
        other.bags = bags
        other.best = best
        other.heaps = heaps
        other.candidates = candidates
        other.entries = entries
        return other
    }

    func grow(to count: Int) {
        while bags.count < count {
            bags.append(ValueBag())
            best.append(nil)
            heaps.append(ValueHeap())
        }
    }

    func add(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>, isComplete: Bool) {
        guard let column else { preconditionFailure("MIN and MAX have an argument") }
        for at in 0..<rows.count { add(.keyed(column, row: rows[at]), times: 1, to: Int(ids[at])) }
    }

    func retract(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>) {
        guard let column else { preconditionFailure("MIN and MAX have an argument") }
        for at in 0..<rows.count {
            let value = Value.keyed(column, row: rows[at]), id = Int(ids[at])
            guard bags[id].remove(value) else { continue }
            entries -= 1
            guard best[id] == value else { continue }
            best[id] = nextBest(id)
        }
    }

    /// The best of what is left: each value goes through the heap once, whatever the order in which they are taken back.
    private func nextBest(_ id: Int) -> Value? {
        let counts = bags[id].counts
        guard counts.count >= RetractableExtremeColumn.largeBag else {
            change(id) { $0 = ValueHeap() }
            return counts.keys.reduce(nil) { best, other in best.map { isBetter(other, $0) ? other : $0 } ?? other }
        }
        change(id) { heap in
            if heap.isEmpty { heap = ValueHeap(Array(counts.keys), isBetter) }
            while let top = heap.top, counts[top] == nil { heap.removeTop(isBetter) }
        }
        return heaps[id].top
    }

    private func change(_ id: Int, _ body: (inout ValueHeap) -> Void) {
        candidates -= heaps[id].count
        body(&heaps[id])
        candidates += heaps[id].count
    }

    func merge(_ columns: [Column], rows: RowList, ids: UnsafePointer<Int32>) throws(MalformedBytes) {
        for at in 0..<rows.count {
            for (value, count) in try ValueBag.entries(of: columns[0].slice(rows[at]), type: argument) { add(value, times: count, to: Int(ids[at])) }
        }
    }

    func stateColumns(count: Int, copying: Bool) -> [Column] { [ValueBag.column(bags[..<count])] }

    func frozenColumns(count: Int) -> @Sendable () -> [Column] { { [bags] in [ValueBag.column(bags[..<count])] } }

    func result(count: Int, copying: Bool) -> Column {
        var builder = ColumnBuilder(type: call.type, capacity: count)
        for id in 0..<count { appendResult(of: id, to: &builder) }
        return builder.finish()
    }

    func appendResult(of id: Int, to builder: inout ColumnBuilder) {
        guard let value = best[id] else { return builder.appendNull() }
        builder.append(value.unkeyed)
    }

    func clear(_ id: Int) {
        entries -= bags[id].counts.count
        bags[id] = ValueBag()
        best[id] = nil
        change(id) { $0 = ValueHeap() }
    }

    /// An entry of a dictionary takes about 64 bytes with its share of free places, one of a heap 24.
    var stateBytes: Int { bags.count * 40 + entries * 64 + candidates * 24 }

    private func add(_ value: Value, times: Int64, to id: Int) {
        if bags[id].add(value, times: times) {
            entries += 1
            let live = bags[id].counts.count
            change(id) { heap in
                if !heap.isEmpty { heap.add(value, isBetter) }
                // Mostly of values that have gone: it is made anew when it is needed.
                if heap.count > live * 2 { heap = ValueHeap() }
            }
        }
        if best[id].map({ isBetter(value, $0) }) ?? true { best[id] = value }
    }

    private func isBetter(_ a: Value, _ b: Value) -> Bool { call.function == .max ? b.isOrderedBefore(a) : a.isOrderedBefore(b) }
}
