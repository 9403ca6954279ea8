import Columnar
import Dataflow
import State

/// MIN and MAX over strings and bytes, compared byte by byte.
final class BytesExtremeColumn: AggregateColumn {
    private let isMax: Bool
    private let type: DataType
    private var best: [[UInt8]?] = []
    private var heldBytes = 0
    private var heldCount = 0

    init(_ call: AggregateCall) {
        isMax = call.function == .max
        type = call.type
    }

    private init(copying other: BytesExtremeColumn) {
        isMax = other.isMax
        type = other.type
        best = other.best
        heldBytes = other.heldBytes
        heldCount = other.heldCount
    }

    var stateTypes: [DataType] { [type.nullable(true)] }

    func copy() -> any AggregateColumn { BytesExtremeColumn(copying: self) }

    func grow(to count: Int) {
        while best.count < count { best.append(nil) }
    }

    func add(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>, isComplete: Bool) {
        guard let column else { preconditionFailure("MIN and MAX have an argument") }
        for at in 0..<rows.count where !column.isNull(rows[at]) {
            let slice = column.slice(rows[at]), id = Int(ids[at])
            if let held = best[id] {
                guard isMax ? held.lexicographicallyPrecedes(slice) : slice.lexicographicallyPrecedes(held) else { continue }
                heldBytes -= held.count
            } else {
                heldCount += 1
            }
            best[id] = Array(slice)
            heldBytes += slice.count
        }
    }

    func retract(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>) {
        preconditionFailure("rows are taken back from a set of values (RetractableExtremeColumn)")
    }

    func merge(_ columns: [Column], rows: RowList, ids: UnsafePointer<Int32>) { add(columns[0], rows: rows, ids: ids, isComplete: false) }

    func stateColumns(count: Int, copying: Bool) -> [Column] { [result(count: count, copying: copying)] }

    func result(count: Int, copying: Bool) -> Column {
        var builder = ColumnBuilder(type: type.nullable(true), capacity: count)
        for id in 0..<count { appendResult(of: id, to: &builder) }
        return builder.finish()
    }

    func appendResult(of id: Int, to builder: inout ColumnBuilder) {
        guard let held = best[id] else { return builder.appendNull() }
        held.withUnsafeBufferPointer { builder.appendBytes($0) }
    }

    func clear(_ id: Int) {
        guard let held = best[id] else { return }
        heldBytes -= held.count
        heldCount -= 1
        best[id] = nil
    }

    /// Each value is an array of its own: 32 bytes before the first, and what malloc rounds up and keeps.
    var stateBytes: Int { best.capacity * 8 + heldCount * 48 + heldBytes }

    var resultBytes: Int { heldBytes }
}
