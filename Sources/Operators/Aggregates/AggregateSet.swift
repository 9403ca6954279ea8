import Columnar
import Dataflow
import State

/// The accumulators of all aggregates of one operator, for the keys of one table.
final class AggregateSet {
    private let calls: [AggregateCall]
    private var columns: [any AggregateColumn]
    private let rowScratch = Scratch<Int32>()
    private let idScratch = Scratch<Int32>()
    private let markScratch = Scratch<UInt8>()

    /// - Parameter retracting: the input may take rows back.
    init(_ calls: [AggregateCall], input: Schema, retracting: Bool = false) {
        self.calls = calls
        columns = calls.map { AggregateSet.make($0, input: input, retracting: retracting) }
    }

    private init(_ calls: [AggregateCall], _ columns: [any AggregateColumn]) {
        self.calls = calls
        self.columns = columns
    }

    private static func make(_ call: AggregateCall, input: Schema, retracting: Bool) -> any AggregateColumn {
        guard call.function != .countStar, let index = call.argument else { return CountColumn(type: call.type) }
        let argument = input.fields[index].type
        let isExtreme = call.function == .min || call.function == .max
        if isExtreme && retracting { return RetractableExtremeColumn(call, argument: argument) }
        // The least and the greatest value are the same with and without DISTINCT.
        if call.distinct && !isExtreme {
            var plain = call
            plain.distinct = false
            return DistinctColumn(argument: argument, inner: make(plain, input: input, retracting: retracting))
        }
        if call.function == .count { return CountColumn(type: call.type) }
        if argument.kind.physical == .bytes { return BytesExtremeColumn(call) }
        return NumberColumn(call, argument: argument, stateType: stateType(call, argument: argument, input: input), retracting: retracting)
    }

    private static func stateType(_ call: AggregateCall, argument: DataType, input: Schema) -> DataType {
        switch argument.kind {
        case .decimal(_, let scale): DataType(.decimal(precision: 38, scale: scale))
        case .float, .double: DataType(.double)
        default: DataType(.bigint)
        }
    }

    /// The types of `stateColumns`, in order.
    var stateTypes: [DataType] { columns.flatMap(\.stateTypes) }

    func grow(to count: Int) {
        for column in columns { column.grow(to: count) }
    }

    /// Before rows are added, and before results are taken: a column's offsets have 32 bits. `spare`: room for what may come before the next look.
    func checkResults(spare: Int = 512 << 20) throws(StreamError) {
        for column in columns where column.resultBytes > Int(Int32.max) - spare {
            throw StreamError(.memory, retry: false, "the values of one aggregate take \(column.resultBytes) bytes, and reach the 2 GiB that one column can hold")
        }
    }

    /// Adds rows of the input; ids must be below the last `grow`.
    func add(_ batch: [Column], rows: RowList, ids: UnsafePointer<Int32>) { update(batch, rows, ids, retract: false) }

    func retract(_ batch: [Column], rows: RowList, ids: UnsafePointer<Int32>) { update(batch, rows, ids, retract: true) }

    /// Adds the rows of a batch one after the other; each call's results before and after each row go into its builder, in turn.
    func trace(_ batch: [Column], _ rows: TracedRows, keys: Int, into builders: inout [ColumnBuilder]) {
        for (index, call) in calls.enumerated() {
            let argument = call.argument.map { batch[$0] }
            var rows = rows
            rows.passing = passing(call.filter.map { batch[$0] }, argument, count: rows.count)
            columns[index].trace(rows, of: argument, keys: keys, into: &builders[index])
        }
    }

    /// Adds accumulators in the order of `stateColumns` or `partialColumns`.
    func merge(_ parts: ArraySlice<Column>, rows: RowList, ids: UnsafePointer<Int32>) throws(MalformedBytes) {
        var at = parts.startIndex
        for column in columns {
            let width = column.stateTypes.count
            try column.merge(Array(parts[at..<at + width]), rows: rows, ids: ids)
            at += width
        }
    }

    func stateColumns(count: Int, copying: Bool) -> [Column] { columns.flatMap { $0.stateColumns(count: count, copying: copying) } }

    func frozenColumns(count: Int) -> @Sendable () -> [Column] {
        let parts = columns.map { $0.frozenColumns(count: count) }
        return { parts.flatMap { $0() } }
    }

    func results(count: Int, copying: Bool) -> [Column] { columns.map { $0.result(count: count, copying: copying) } }

    /// As `WindowAggregateSpec.partialSchema` has them.
    func partialColumns(count: Int) -> [Column] {
        zip(calls, columns).flatMap { call, column in
            call.function == .avg ? column.stateColumns(count: count, copying: true) : [column.result(count: count, copying: true)]
        }
    }

    func appendResults(of id: Int, to builders: inout [ColumnBuilder], at first: Int) {
        for index in columns.indices { columns[index].appendResult(of: id, to: &builders[first + index]) }
    }

    func clear(_ id: Int) {
        for column in columns { column.clear(id) }
    }

    func copy() -> AggregateSet { AggregateSet(calls, columns.map { $0.copy() }) }

    var stateBytes: Int { columns.reduce(0) { $0 + $1.stateBytes } }

    private func update(_ batch: [Column], _ rows: RowList, _ ids: UnsafePointer<Int32>, retract: Bool) {
        for (call, column) in zip(calls, columns) {
            let argument = call.argument.map { batch[$0] }
            let filter = call.filter.map { batch[$0] }
            if filter == nil && argument?.validity == nil {
                if retract { column.retract(argument, rows: rows, ids: ids) } else { column.add(argument, rows: rows, ids: ids, isComplete: true) }
                continue
            }
            let (taken, owners) = passing(filter, argument, rows, ids)
            if retract {
                column.retract(argument, rows: taken, ids: owners)
            } else {
                column.add(argument, rows: taken, ids: owners, isComplete: taken.count == rows.count)
            }
        }
    }

    /// 1 for rows that the filter lets through and whose argument is present; nil: all of them. Valid until the next call.
    private func passing(_ filter: Column?, _ argument: Column?, count: Int) -> UnsafePointer<UInt8>? {
        guard filter != nil || argument?.validity != nil else { return nil }
        let marks = markScratch.reserve(count)
        for row in 0..<count {
            let isLetThrough = filter.map { !$0.isNull(row) && $0.pointer(UInt8.self)[row] != 0 } ?? true
            marks[row] = isLetThrough && !(argument?.isNull(row) ?? false) ? 1 : 0
        }
        return UnsafePointer(marks)
    }

    /// Rows that the filter lets through and whose argument is present; valid until the next call.
    private func passing(_ filter: Column?, _ argument: Column?, _ rows: RowList, _ ids: UnsafePointer<Int32>) -> (RowList, UnsafePointer<Int32>) {
        let taken = rowScratch.reserve(rows.count), owners = idScratch.reserve(rows.count)
        var count = 0
        for at in 0..<rows.count {
            let row = rows[at]
            if let filter, filter.isNull(row) || filter.pointer(UInt8.self)[row] == 0 { continue }
            if let argument, argument.isNull(row) { continue }
            taken[count] = Int32(truncatingIfNeeded: row)
            owners[count] = ids[at]
            count += 1
        }
        return (RowList(taken, count: count), UnsafePointer(owners))
    }
}
