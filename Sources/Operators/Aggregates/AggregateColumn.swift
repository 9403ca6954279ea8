import Columnar
import Dataflow
import State

/// The accumulators of one aggregate call for all keys of a table: flat arrays by dense id. One call a batch.
protocol AggregateColumn: AnyObject {
    /// What `stateColumns` gives and `merge` takes.
    var stateTypes: [DataType] { get }

    /// Makes room for ids below `count`; new ones have seen no row.
    func grow(to count: Int)

    /// Adds rows that passed the filter and whose argument is present (`column` is nil for `COUNT(*)`). `isComplete` says that
    /// no row of the batch was left out, so that each new id has one here.
    func add(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>, isComplete: Bool)

    /// Adds the rows of a batch one after the other and writes down what each did: the result of its key before it and after it, in
    /// turn; for a key's first row the latter twice.
    ///
    /// `keys` is the number of ids there are; new ones come in rising order.
    func trace(_ rows: TracedRows, of column: Column?, keys: Int, into builder: inout ColumnBuilder)

    /// Takes such rows back; only after `init(… retracting: true)`.
    func retract(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>)

    /// Adds accumulators of elsewhere: a local aggregate's columns, another slice's or a checkpoint's.
    func merge(_ columns: [Column], rows: RowList, ids: UnsafePointer<Int32>) throws(MalformedBytes)

    /// The first `count` accumulators; unless `copying` they share memory that later calls change.
    func stateColumns(count: Int, copying: Bool) -> [Column]

    /// The first `count` accumulators as they are now, in memory that later calls do not change. Quick: what takes long is done when they are asked for.
    func frozenColumns(count: Int) -> @Sendable () -> [Column]

    /// The first `count` results; likewise.
    func result(count: Int, copying: Bool) -> Column

    func appendResult(of id: Int, to builder: inout ColumnBuilder)

    /// Forgets one key's rows.
    func clear(_ id: Int)

    /// The same accumulators in memory of their own.
    func copy() -> any AggregateColumn

    var stateBytes: Int { get }

    /// Bytes of variable-length values that `result` would put into one column.
    var resultBytes: Int { get }
}

extension AggregateColumn {
    var resultBytes: Int { 0 }

    func frozenColumns(count: Int) -> @Sendable () -> [Column] {
        let columns = stateColumns(count: count, copying: true)
        return { columns }
    }
}

/// The rows of a batch with their keys' ids, for `AggregateColumn.trace`.
struct TracedRows {
    let count: Int
    let ids: UnsafePointer<Int32>
    /// Rows that are the first of their key: not 0.
    let isFirst: UnsafePointer<UInt8>
    /// Rows that passed the filter and whose argument is present: 1, others 0. Nil: all of them.
    var passing: UnsafePointer<UInt8>?
}

extension AggregateColumn {
    func trace(_ rows: TracedRows, of column: Column?, keys: Int, into builder: inout ColumnBuilder) { traceSlowly(rows, of: column, into: &builder) }

    /// Row by row, for aggregates without a loop of their own.
    func traceSlowly(_ rows: TracedRows, of column: Column?, into builder: inout ColumnBuilder) {
        for row in 0..<rows.count {
            let id = Int(rows.ids[row]), isFirst = rows.isFirst[row] != 0
            grow(to: id + 1)
            if !isFirst { appendResult(of: id, to: &builder) }
            let passes = rows.passing.map { $0[row] != 0 } ?? true
            withUnsafePointer(to: Int32(truncatingIfNeeded: row)) { list in
                add(column, rows: RowList(list, count: passes ? 1 : 0), ids: rows.ids + row, isComplete: passes)
            }
            appendResult(of: id, to: &builder)
            if isFirst { appendResult(of: id, to: &builder) }
        }
    }
}

/// A growing array of fixed-width cells, filled with one start value.
struct Cells<Element: BitwiseCopyable> {
    private(set) var buffer: Buffer
    private(set) var count = 0
    private let start: Element

    init(start: Element) {
        self.start = start
        buffer = Buffer(capacity: 16 * MemoryLayout<Element>.stride)
    }

    var pointer: UnsafeMutablePointer<Element> { buffer.typed(Element.self) }

    var byteCount: Int { buffer.capacity }

    mutating func grow(to target: Int) {
        guard target > count else { return }
        let width = MemoryLayout<Element>.stride
        if target * width > buffer.capacity { buffer = buffer.extended(to: max(target * width, buffer.capacity * 2), keeping: count * width) }
        (pointer + count).update(repeating: start, count: target - count)
        count = target
    }

    mutating func clear(_ id: Int) { pointer[id] = start }

    func copied() -> Cells {
        var copy = self
        copy.buffer = buffer.extended(to: buffer.capacity, keeping: count * MemoryLayout<Element>.stride)
        return copy
    }

    /// The first `rows` cells as a column's values.
    func values(_ rows: Int, copying: Bool) -> Buffer {
        let bytes = rows * MemoryLayout<Element>.stride
        return copying ? buffer.extended(to: bytes, keeping: bytes) : buffer
    }
}

/// `Cells` whose type is known only at run time: 8 or 16 bytes wide.
struct NumberCells {
    private var narrow: Cells<UInt64>?
    private var wide: Cells<UInt128>?

    init<Element: BitwiseCopyable>(start: Element) {
        if MemoryLayout<Element>.size == 16 {
            wide = Cells(start: unsafeBitCast(start, to: UInt128.self))
        } else {
            narrow = Cells(start: unsafeBitCast(start, to: UInt64.self))
        }
    }

    var width: Int { wide == nil ? 8 : 16 }

    var count: Int { narrow?.count ?? wide?.count ?? 0 }

    var byteCount: Int { narrow?.byteCount ?? wide?.byteCount ?? 0 }

    func typed<Element>(_ type: Element.Type) -> UnsafeMutablePointer<Element> {
        (narrow?.buffer ?? wide.unsafelyUnwrapped.buffer).typed(type)
    }

    mutating func grow(to target: Int) {
        narrow?.grow(to: target)
        wide?.grow(to: target)
    }

    mutating func clear(_ id: Int) {
        narrow?.clear(id)
        wide?.clear(id)
    }

    func copied() -> NumberCells {
        var copy = self
        copy.narrow = narrow?.copied()
        copy.wide = wide?.copied()
        return copy
    }

    func values(_ rows: Int, copying: Bool) -> Buffer {
        narrow?.values(rows, copying: copying) ?? wide.unsafelyUnwrapped.values(rows, copying: copying)
    }
}

/// Calls `body` with each row's value and id. The body is inlined: a concrete loop per type.
@inline(__always)
func forEach<T>(_ type: T.Type, of column: Column, rows: RowList, ids: UnsafePointer<Int32>, _ body: (T, Int) -> Void) {
    let values = column.pointer(T.self)
    if let list = rows.pointer {
        for at in 0..<rows.count { body(values[Int(list[at])], Int(ids[at])) }
    } else {
        for at in 0..<rows.count { body(values[at], Int(ids[at])) }
    }
}
