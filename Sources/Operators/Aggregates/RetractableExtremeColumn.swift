import Columnar
import Dataflow
import State

/// MIN and MAX over an input that takes rows back: all values of a key in a bag, and the best of them at hand.
final class RetractableExtremeColumn: AggregateColumn {
    let stateTypes = [DataType(.bytes, nullable: false)]
    private let call: AggregateCall
    private let argument: DataType
    private var bags: [ValueBag] = []
    private var best: [Value?] = []
    private var entries = 0

    init(_ call: AggregateCall, argument: DataType) {
        self.call = call
        self.argument = argument
    }

    func copy() -> any AggregateColumn {
        let other = RetractableExtremeColumn(call, argument: argument)
        other.bags = bags
        other.best = best
        other.entries = entries
        return other
    }

    func grow(to count: Int) {
        while bags.count < count {
            bags.append(ValueBag())
            best.append(nil)
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
            best[id] = bags[id].counts.keys.reduce(nil) { best, other in best.map { isBetter(other, $0) ? other : $0 } ?? other }
        }
    }

    func merge(_ columns: [Column], rows: RowList, ids: UnsafePointer<Int32>) throws(MalformedBytes) {
        for at in 0..<rows.count {
            for (value, count) in try ValueBag.entries(of: columns[0].slice(rows[at]), type: argument) { add(value, times: count, to: Int(ids[at])) }
        }
    }

    func stateColumns(count: Int, copying: Bool) -> [Column] {
        var builder = ColumnBuilder(type: stateTypes[0], capacity: count)
        for id in 0..<count { bags[id].bytes.withUnsafeBufferPointer { builder.appendBytes($0) } }
        return [builder.finish()]
    }

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
    }

    /// An entry of a dictionary takes about 64 bytes with its share of free places.
    var stateBytes: Int { bags.count * 32 + entries * 64 }

    private func add(_ value: Value, times: Int64, to id: Int) {
        if bags[id].add(value, times: times) { entries += 1 }
        if best[id].map({ isBetter(value, $0) }) ?? true { best[id] = value }
    }

    private func isBetter(_ a: Value, _ b: Value) -> Bool { call.function == .max ? b.isOrderedBefore(a) : a.isOrderedBefore(b) }
}
