import Columnar
import Dataflow
import State

/// An aggregate with DISTINCT: a bag of values a key in front of the plain aggregate, which sees each value once.
final class DistinctColumn: AggregateColumn {
    let stateTypes = [ValueBag.type]
    private let argument: DataType
    private let inner: any AggregateColumn
    private var bags: [ValueBag] = []
    private var entries = 0

    init(argument: DataType, inner: any AggregateColumn) {
        self.argument = argument
        self.inner = inner
    }

    func copy() -> any AggregateColumn {
        let other = DistinctColumn(argument: argument, inner: inner.copy())
        other.bags = bags
        other.entries = entries
        return other
    }

    func grow(to count: Int) {
        while bags.count < count { bags.append(ValueBag()) }
        inner.grow(to: count)
    }

    func add(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>, isComplete: Bool) {
        guard let column else { preconditionFailure("DISTINCT has an argument") }
        passOn(rows, ids, where: { bags[Int($1)].add(.keyed(column, row: $0)) }) { rows, ids in
            entries += rows.count
            inner.add(column, rows: rows, ids: ids, isComplete: false)
        }
    }

    func retract(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>) {
        guard let column else { preconditionFailure("DISTINCT has an argument") }
        passOn(rows, ids, where: { bags[Int($1)].remove(.keyed(column, row: $0)) }) { rows, ids in
            entries -= rows.count
            inner.retract(column, rows: rows, ids: ids)
        }
    }

    func merge(_ columns: [Column], rows: RowList, ids: UnsafePointer<Int32>) throws(MalformedBytes) {
        var fresh: [Value] = [], owners: [Int32] = []
        for at in 0..<rows.count {
            for (value, count) in try ValueBag.entries(of: columns[0].slice(rows[at]), type: argument) where bags[Int(ids[at])].add(value, times: count) {
                fresh.append(value.unkeyed)
                owners.append(ids[at])
            }
        }
        entries += fresh.count
        let column = Column.of(argument, fresh)
        owners.withUnsafeBufferPointer { owners in
            guard let start = owners.baseAddress else { return }
            inner.add(column, rows: RowList(first: owners.count), ids: start, isComplete: false)
        }
    }

    func stateColumns(count: Int, copying: Bool) -> [Column] { [ValueBag.column(bags[..<count])] }

    func frozenColumns(count: Int) -> @Sendable () -> [Column] { { [bags] in [ValueBag.column(bags[..<count])] } }

    func result(count: Int, copying: Bool) -> Column { inner.result(count: count, copying: copying) }

    func appendResult(of id: Int, to builder: inout ColumnBuilder) { inner.appendResult(of: id, to: &builder) }

    func clear(_ id: Int) {
        entries -= bags[id].counts.count
        bags[id] = ValueBag()
        inner.clear(id)
    }

    /// An entry of a dictionary takes about 64 bytes with its share of free places.
    var stateBytes: Int { inner.stateBytes + bags.count * 8 + entries * 64 }

    private func passOn(
        _ rows: RowList, _ ids: UnsafePointer<Int32>, where changes: (Int, Int32) -> Bool, _ body: (RowList, UnsafePointer<Int32>) -> Void
    ) {
        var taken: [Int32] = [], owners: [Int32] = []
        for at in 0..<rows.count where changes(rows[at], ids[at]) {
            taken.append(Int32(truncatingIfNeeded: rows[at]))
            owners.append(ids[at])
        }
        taken.withUnsafeBufferPointer { taken in
            owners.withUnsafeBufferPointer { owners in
                guard let rows = taken.baseAddress, let ids = owners.baseAddress else { return }
                body(RowList(rows, count: taken.count), ids)
            }
        }
    }
}
