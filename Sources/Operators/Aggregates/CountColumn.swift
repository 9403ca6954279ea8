import Columnar
import Dataflow
import State

/// COUNT(*) and COUNT(x): one 64-bit number a key.
final class CountColumn: AggregateColumn {
    let stateTypes = [DataType(.bigint, nullable: false)]
    private let type: DataType
    private var counts = Cells<Int64>(start: 0)

    init(type: DataType) { self.type = type }

    private init(type: DataType, counts: Cells<Int64>) {
        self.type = type
        self.counts = counts
    }

    func grow(to count: Int) { counts.grow(to: count) }

    func add(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>, isComplete: Bool) {
        let counts = self.counts.pointer
        for at in 0..<rows.count { counts[Int(ids[at])] &+= 1 }
    }

    func trace(_ rows: TracedRows, of column: Column?, keys: Int, into builder: inout ColumnBuilder) {
        grow(to: keys)
        builder.reserveRows(rows.count * 2)
        let counts = self.counts.pointer, out = builder.values.typed(Int64.self) + builder.count
        for row in 0..<rows.count {
            let id = Int(rows.ids[row]), before = counts[id]
            let after = before &+ Int64(rows.passing.map { $0[row] } ?? 1)
            counts[id] = after
            out[row * 2] = before
            out[row * 2 + 1] = after
        }
        builder.count += rows.count * 2
    }

    func retract(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>) {
        let counts = self.counts.pointer
        for at in 0..<rows.count { counts[Int(ids[at])] &-= 1 }
    }

    func merge(_ columns: [Column], rows: RowList, ids: UnsafePointer<Int32>) {
        let counts = self.counts.pointer
        forEach(Int64.self, of: columns[0], rows: rows, ids: ids) { counts[$1] &+= $0 }
    }

    func stateColumns(count: Int, copying: Bool) -> [Column] {
        [Column(type: stateTypes[0], count: count, values: counts.values(count, copying: copying))]
    }

    func result(count: Int, copying: Bool) -> Column {
        Column(type: type, count: count, values: counts.values(count, copying: copying))
    }

    func appendResult(of id: Int, to builder: inout ColumnBuilder) { builder.appendFixed(counts.pointer[id]) }

    func clear(_ id: Int) { counts.clear(id) }

    func copy() -> any AggregateColumn { CountColumn(type: type, counts: counts.copied()) }

    var stateBytes: Int { counts.byteCount }
}
