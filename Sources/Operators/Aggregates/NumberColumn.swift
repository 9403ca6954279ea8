import Columnar
import Dataflow
import State

/// SUM, MIN, MAX and AVG over numbers, booleans, dates and times: one cell a key.
///
/// Whether a key has seen a value at all: AVG and a SUM that takes rows back count their rows; the others keep a flag a key,
/// and not even that as long as every key has one (`flags` nil).
final class NumberColumn: AggregateColumn {
    /// What a cell is. The class is not generic, so that every loop is compiled for its types.
    enum Family { case integers, floating, decimals }

    private let family: Family
    private let function: AggregateCall.Function
    private let type: DataType
    /// Decimals that AVG's result has beyond the argument's.
    private let extraDigits: Int
    private let counts: Bool
    private var cells: NumberCells
    private var rowCounts = Cells<Int64>(start: 0)
    private var flags: Cells<UInt8>?
    /// Ids below this were there at the end of the last call.
    private var settled = 0
    let stateTypes: [DataType]

    init(_ call: AggregateCall, argument: DataType, stateType: DataType, retracting: Bool) {
        function = call.function
        type = call.type
        counts = function == .avg || (retracting && function == .sum)
        if case .decimal(_, let scale) = call.type.kind, case .decimal(_, let argumentScale) = argument.kind, function == .avg {
            extraDigits = max(0, scale - argumentScale)
        } else {
            extraDigits = 0
        }
        switch argument.kind.physical {
        case .float32, .float64: family = .floating
        case .int128: family = .decimals
        default: family = .integers
        }
        switch family {
        case .integers: cells = NumberCells(start: NumberColumn.start(Int64.self, function))
        case .floating: cells = NumberCells(start: NumberColumn.start(Double.self, function))
        case .decimals: cells = NumberCells(start: NumberColumn.start(Int128.self, function))
        }
        if retracting && !counts { flags = Cells(start: 0) }
        stateTypes = counts ? [stateType, DataType(.bigint, nullable: false)] : [stateType]
    }

    private static func start<Cell: NumberCell>(_ type: Cell.Type, _ function: AggregateCall.Function) -> Cell {
        function == .min ? .highest : function == .max ? .lowest : .zero
    }

    private init(copying other: NumberColumn) {
        family = other.family
        function = other.function
        type = other.type
        extraDigits = other.extraDigits
        counts = other.counts
        cells = other.cells.copied()
        rowCounts = other.rowCounts.copied()
        flags = other.flags?.copied()
        settled = other.settled
        stateTypes = other.stateTypes
    }

    func copy() -> any AggregateColumn { NumberColumn(copying: self) }

    func grow(to count: Int) {
        cells.grow(to: count)
        if counts { rowCounts.grow(to: count) }
        flags?.grow(to: count)
    }

    func add(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>, isComplete: Bool) {
        guard let column else { preconditionFailure("\(function) has an argument") }
        noteRows(rows, ids, isComplete)
        fold(column, rows, ids)
        if counts {
            let target = rowCounts.pointer
            for at in 0..<rows.count { target[Int(ids[at])] &+= 1 }
        }
    }

    func trace(_ rows: TracedRows, of column: Column?, keys: Int, into builder: inout ColumnBuilder) {
        guard let column, rows.passing == nil, flags == nil, !counts, column.physical == builder.physical, type.kind != .float else {
            return traceSlowly(rows, of: column, into: &builder)
        }
        switch builder.physical {
        case .int32: trace(Int64.self, Int32.self, rows, column, keys, &builder, { Int64($0) }, { Int32(truncatingIfNeeded: $0) })
        case .int64: trace(Int64.self, Int64.self, rows, column, keys, &builder, { $0 }, { $0 })
        case .float64: trace(Double.self, Double.self, rows, column, keys, &builder, { $0 }, { $0 })
        default: traceSlowly(rows, of: column, into: &builder)
        }
    }

    func retract(_ column: Column?, rows: RowList, ids: UnsafePointer<Int32>) {
        guard let column, counts else { preconditionFailure("\(function) takes no rows back") }
        switch family {
        case .integers: apply(Int64.self, column, rows, ids) { Int64.difference($0, $1) }
        case .floating: apply(Double.self, column, rows, ids) { Double.difference($0, $1) }
        case .decimals: apply(Int128.self, column, rows, ids) { Int128.difference($0, $1) }
        }
        let target = rowCounts.pointer
        for at in 0..<rows.count { target[Int(ids[at])] &-= 1 }
    }

    func merge(_ columns: [Column], rows: RowList, ids: UnsafePointer<Int32>) {
        let column = columns[0]
        if counts {
            fold(column, rows, ids)  // A null sum's value is zero.
            let target = rowCounts.pointer
            forEach(Int64.self, of: columns[1], rows: rows, ids: ids) { target[$1] &+= $0 }
            return
        }
        guard column.validity != nil else {
            noteRows(rows, ids, true)
            return fold(column, rows, ids)
        }
        var present: [Int32] = [], owners: [Int32] = []
        for at in 0..<rows.count where !column.isNull(rows[at]) {
            present.append(Int32(truncatingIfNeeded: rows[at]))
            owners.append(ids[at])
        }
        present.withUnsafeBufferPointer { present in
            owners.withUnsafeBufferPointer { owners in
                guard let start = present.baseAddress, let owner = owners.baseAddress else { return noteRows(RowList(first: 0), ids, false) }
                noteRows(RowList(start, count: present.count), owner, present.count == rows.count)
                fold(column, RowList(start, count: present.count), owner)
            }
        }
    }

    func stateColumns(count: Int, copying: Bool) -> [Column] {
        let values = Column(
            type: stateTypes[0], count: count, values: cells.values(count, copying: copying), validity: counts ? nil : validity(count))
        // Cells without a row hold a start value; as a column's null they must be zero.
        guard counts else { return [values.zeroingNulls()] }
        return [values, Column(type: stateTypes[1], count: count, values: rowCounts.values(count, copying: copying))]
    }

    func clear(_ id: Int) {
        cells.clear(id)
        if counts { rowCounts.clear(id) }
        flags?.clear(id)
    }

    var stateBytes: Int { cells.byteCount + (counts ? rowCounts.byteCount : 0) + (flags?.byteCount ?? 0) }

    private func isAbsent(_ id: Int) -> Bool {
        counts ? rowCounts.pointer[id] == 0 : flags.map { $0.pointer[id] == 0 } ?? false
    }

    private func validity(_ count: Int) -> Buffer? {
        guard counts || flags != nil else { return nil }
        let bits = Buffer.zeroed(capacity: Column.validityBytes(count))
        let words = bits.typed(UInt64.self)
        for id in 0..<count where !isAbsent(id) { words[id >> 6] |= 1 << UInt64(id & 63) }
        return bits
    }

    private func noteRows(_ rows: RowList, _ ids: UnsafePointer<Int32>, _ isComplete: Bool) {
        guard !counts else { return }
        if flags == nil && !isComplete {
            var made = Cells<UInt8>(start: 0)
            made.grow(to: cells.count)
            made.pointer.update(repeating: 1, count: settled)
            flags = made
        }
        settled = cells.count
        guard let flags = flags?.pointer else { return }
        for at in 0..<rows.count { flags[Int(ids[at])] = 1 }
    }

    private func fold(_ column: Column, _ rows: RowList, _ ids: UnsafePointer<Int32>) {
        if function == .sum && family == .decimals && !counts { return sumDecimals(column, rows, ids) }
        if function == .sum && type.kind == .float { return sumFloats(column, rows, ids) }
        switch family {
        case .integers: fold(Int64.self, column, rows, ids)
        case .floating: fold(Double.self, column, rows, ids)
        case .decimals: fold(Int128.self, column, rows, ids)
        }
    }

    @inline(__always)
    private func fold<Cell: NumberCell>(_ type: Cell.Type, _ column: Column, _ rows: RowList, _ ids: UnsafePointer<Int32>) {
        switch function {
        case .min: apply(Cell.self, column, rows, ids) { Cell.lesser($0, $1) }
        case .max: apply(Cell.self, column, rows, ids) { Cell.greater($0, $1) }
        case .avg, .sum, .count, .countStar: apply(Cell.self, column, rows, ids) { Cell.sum($0, $1) }
        }
    }

    /// One loop per (function, physical type).
    @inline(__always)
    private func apply<Cell: NumberCell>(
        _ type: Cell.Type, _ column: Column, _ rows: RowList, _ ids: UnsafePointer<Int32>, _ combine: (Cell, Cell) -> Cell
    ) {
        let cells = self.cells.typed(Cell.self)
        @inline(__always) func widened<T>(_ type: T.Type, _ widen: (T) -> Cell) {
            forEach(T.self, of: column, rows: rows, ids: ids) { value, id in cells[id] = combine(cells[id], widen(value)) }
        }
        if Cell.self == Int64.self {
            switch column.physical {
            case .bool: widened(UInt8.self) { unsafeBitCast(Int64($0), to: Cell.self) }
            case .int8: widened(Int8.self) { unsafeBitCast(Int64($0), to: Cell.self) }
            case .int16: widened(Int16.self) { unsafeBitCast(Int64($0), to: Cell.self) }
            case .int32: widened(Int32.self) { unsafeBitCast(Int64($0), to: Cell.self) }
            default: widened(Cell.self) { $0 }
            }
        } else if column.physical == .float32 {
            widened(Float.self) { unsafeBitCast(Double($0), to: Cell.self) }
        } else {
            widened(Cell.self) { $0 }
        }
    }

    /// Every key has a value, so cells are results.
    @inline(__always)
    private func trace<Cell: NumberCell, Result>(
        _ cell: Cell.Type, _ result: Result.Type, _ rows: TracedRows, _ column: Column, _ keys: Int, _ builder: inout ColumnBuilder,
        _ widen: (Result) -> Cell, _ narrow: (Cell) -> Result
    ) {
        grow(to: keys)
        settled = cells.count
        builder.reserveRows(rows.count * 2)
        let cells = self.cells.typed(Cell.self), values = column.pointer(Result.self), out = builder.values.typed(Result.self) + builder.count
        @inline(__always) func each(_ combine: (Cell, Cell) -> Cell) {
            for row in 0..<rows.count {
                let id = Int(rows.ids[row]), before = cells[id], after = combine(before, widen(values[row]))
                cells[id] = after
                out[row * 2] = narrow(before)
                out[row * 2 + 1] = narrow(after)
            }
        }
        switch function {
        case .min: each { Cell.lesser($0, $1) }
        case .max: each { Cell.greater($0, $1) }
        case .sum, .avg, .count, .countStar: each { Cell.sum($0, $1) }
        }
        builder.count += rows.count * 2
    }

    /// A sum past 38 digits is NULL, and the next value starts it anew: what Flink's generated code does.
    private func sumDecimals(_ column: Column, _ rows: RowList, _ ids: UnsafePointer<Int32>) {
        let sums = cells.typed(Int128.self)
        forEach(Int128.self, of: column, rows: rows, ids: ids) { value, id in
            let (sum, overflow) = sums[id].addingReportingOverflow(value)
            if overflow || sum.magnitude >= UInt128(Int128.decimalBound) {
                noteRows(RowList(first: 0), ids, false)
                sums[id] = 0
                flags.unsafelyUnwrapped.pointer[id] = 0
            } else {
                sums[id] = sum
                if let flags { flags.pointer[id] = 1 }
            }
        }
    }

    /// SUM(FLOAT) is rounded to a FLOAT after every addition, as in Flink.
    private func sumFloats(_ column: Column, _ rows: RowList, _ ids: UnsafePointer<Int32>) {
        let sums = cells.typed(Double.self)
        if column.physical == .float32 {
            forEach(Float.self, of: column, rows: rows, ids: ids) { value, id in sums[id] = Double(Float(sums[id]) + value) }
        } else {
            forEach(Double.self, of: column, rows: rows, ids: ids) { value, id in sums[id] = Double(Float(sums[id]) + Float(value)) }
        }
    }
}

extension NumberColumn {
    func result(count: Int, copying: Bool) -> Column {
        let present = validity(count)
        if function != .avg, type.kind.physical.width == cells.width, !(counts && family == .decimals) {
            return Column(type: type, count: count, values: cells.values(count, copying: copying), validity: present).zeroingNulls()
        }
        if present == nil, function != .avg, family == .integers, type.kind.physical == .int32 {
            let values = Buffer(capacity: count * 4)
            let target = values.typed(Int32.self), from = cells.typed(Int64.self)
            for id in 0..<count { target[id] = Int32(truncatingIfNeeded: from[id]) }
            return Column(type: type, count: count, values: values)
        }
        var builder = ColumnBuilder(type: type, capacity: count)
        for id in 0..<count { appendResult(of: id, to: &builder) }
        return builder.finish()
    }

    func appendResult(of id: Int, to builder: inout ColumnBuilder) {
        guard !isAbsent(id) else { return builder.appendNull() }
        let rows = function == .avg ? rowCounts.pointer[id] : 1
        switch builder.physical {
        case .bool: builder.appendFixed(UInt8(truncatingIfNeeded: integer(id)))
        case .int8: builder.appendFixed(Int8(truncatingIfNeeded: integer(id) / rows))
        case .int16: builder.appendFixed(Int16(truncatingIfNeeded: integer(id) / rows))
        case .int32: builder.appendFixed(Int32(truncatingIfNeeded: integer(id) / rows))
        case .int64: builder.appendFixed(integer(id) / rows)
        case .float32: builder.appendFixed(Float(cells.typed(Double.self)[id] / Double(rows)))
        case .float64: builder.appendFixed(cells.typed(Double.self)[id] / Double(rows))
        case .int128:
            let value = cells.typed(Int128.self)[id]
            guard function == .avg || counts else { return builder.appendFixed(value) }
            guard let average = averageDecimal(value, count: rows, digits: extraDigits) else { return builder.appendNull() }
            builder.appendFixed(average)
        case .bytes: preconditionFailure("numbers give numbers")
        }
    }

    private func integer(_ id: Int) -> Int64 { cells.typed(Int64.self)[id] }
}

extension Column {
    /// Null rows' values set to zero, in memory of its own when there are any.
    fileprivate func zeroingNulls() -> Column {
        guard validity != nil, nullCount > 0 else { return Column(type: type, count: count, values: values) }
        let width = physical.width
        let clean = values.extended(to: count * width, keeping: count * width)
        for row in 0..<count where isNull(row) { (clean.pointer + row * width).initializeMemory(as: UInt8.self, repeating: 0, count: width) }
        return Column(type: type, count: count, values: clean, validity: validity)
    }
}
