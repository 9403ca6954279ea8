import Columnar
import Dataflow
import State

/// GROUP BY without a window: a changelog with one row a key.
///
/// Input: rows, which may take others back. Output, row by row as Flink without mini-batches: `+I` for a key's first row,
/// `-U` (when wanted) and `+U` when its result changed, `-D` when its last row was taken back; nothing when the result stays.
/// −0.0 and 0.0 are one key, and all its rows show the one that came first.
/// Source: Flink's `GroupAggFunction`.
package final class GroupAggregateOperator: Operator {
    private let spec: GroupAggregateSpec
    private var context: OperatorContext
    private let state: GroupState
    private var groupRows: KeyGroupCounter
    private let hashScratch = Scratch<UInt64>()
    private let idScratch = Scratch<Int32>()
    private let firstScratch = Scratch<UInt8>()
    /// Results of one key before a row.
    private var before: [ColumnBuilder]

    package init(_ spec: GroupAggregateSpec, context: OperatorContext) {
        self.spec = spec
        self.context = context
        state = GroupState(spec)
        groupRows = KeyGroupCounter(maxParallelism: context.maxParallelism)
        before = spec.aggregates.map { ColumnBuilder(type: $0.type, capacity: 16) }
    }

    package func process(_ batch: Batch, to output: any Output) throws(StreamError) {
        guard batch.count > 0 else { return }
        let keys = spec.keys.map { batch.columns[$0] }
        let hashes = hashScratch.reserve(batch.count), ids = idScratch.reserve(batch.count)
        KeyHash.hashes(keys, count: batch.count, into: hashes)
        groupRows.take(hashes, count: batch.count)
        try state.intern(keys, hashes: hashes, count: batch.count, ids: ids)
        let cells = KeyCells(given: keys, stored: { state.keyColumns() })
        if !spec.consumesRetractions, batch.kinds == nil { return try insert(batch, keys: cells, ids: ids, to: output) }
        var rows = ChangelogRows(types: (spec.keys.map { spec.input.fields[$0].type }) + spec.aggregates.map(\.type), capacity: batch.count)
        for row in 0..<batch.count {
            take(batch, row: row, keys: cells, id: Int(ids[row]), into: &rows)
            if rows.count >= context.batchRows { try output.emit(rows.finish()) }
        }
        if rows.count > 0 { try output.emit(rows.finish()) }
        try state.compactIfSparse()
    }

    package func snapshot() throws(StreamError) -> OperatorSnapshot { OperatorSnapshot(uid: context.uid, keyed: state.freeze(context)) }

    package func restore(_ restored: TaskRestore.OperatorState) throws(StreamError) { try state.restore(restored.segments, context) }

    package func own(_ groups: [Int], adding segments: [StateSegment]) throws(StreamError) {
        guard groups != context.groups || !segments.isEmpty || state.holdsStrangers else { return }
        let old = context
        context = context.owning(groups)
        groupRows.keep(groups)
        try state.own(segments, old: old, context)
    }

    package func copyAhead() throws(StreamError) -> (any FrozenState)? { state.copy(context) }

    package func changesSinceCopy() throws(StreamError) -> (any FrozenState)? { state.changes(context) }

    package func attach(_ segments: [StateSegment]) throws(StreamError) { try state.attach(segments, context) }

    package var stateBytes: Int { state.stateBytes }

    package var keyGroupLoads: [KeyGroupLoad] { groupRows.loads(of: context.groups) }

    package var largestKeyGroup: Int? { state.largestKeyGroup(maxParallelism: context.maxParallelism) }

    /// Rows that are all new, column by column: each aggregate writes down its results before and after every row, and what changed is
    /// picked out of that.
    private func insert(_ batch: Batch, keys: KeyCells, ids: UnsafePointer<Int32>, to output: any Output) throws(StreamError) {
        let isFirst = firstScratch.reserve(batch.count)
        state.insert(count: batch.count, ids: ids, isFirst: isFirst)
        var builders = spec.aggregates.map { ColumnBuilder(type: $0.type, capacity: batch.count * 2) }
        state.aggregates.trace(batch.columns, TracedRows(count: batch.count, ids: ids, isFirst: isFirst), keys: state.keyCount, into: &builders)
        let results = builders.indices.map { builders[$0].finish() }
        let picked = PickedRows(results, count: batch.count, isFirst: isFirst, withBefore: spec.emitsUpdateBefore)
        var from = 0
        while from < picked.kinds.count {
            let range = from..<min(from + context.batchRows, picked.kinds.count)
            try output.emit(picked.batch(range, keys: keys, ids: ids, results: results))
            from = range.upperBound
        }
    }

    private func take(_ batch: Batch, row: Int, keys: KeyCells, id: Int, into rows: inout ChangelogRows) {
        let isAdd = batch.kind(row).isAdd
        let isFirst = state.rowCount(id) == 0
        if isFirst && !isAdd { return }  // Nothing is known that could be taken back.
        if !isFirst {
            for index in before.indices { before[index].truncate(to: 0) }
            state.aggregates.appendResults(of: id, to: &before, at: 0)
        }
        state.update(batch, row: row, id: id, isAdd: isAdd)
        if state.rowCount(id) == 0 {
            rows.append(.delete, keys, row: row, id: id, results: before)
            return state.clear(id)
        }
        let width = spec.keys.count
        if isFirst { return rows.append(.insert, keys, row: row, id: id) { state.aggregates.appendResults(of: id, to: &$0, at: width) } }
        if spec.emitsUpdateBefore { rows.append(.updateBefore, keys, row: row, id: id, results: before) }
        rows.append(.updateAfter, keys, row: row, id: id) { state.aggregates.appendResults(of: id, to: &$0, at: width) }
        if rows.endsWith(results: before, keys: width) { rows.dropLast(spec.emitsUpdateBefore ? 2 : 1) }
    }
}

/// Output rows with their kinds, on their way into a batch.
private struct ChangelogRows {
    private let types: [DataType]
    private var builders: [ColumnBuilder]
    private var kinds: [RowKind] = []

    init(types: [DataType], capacity: Int) {
        self.types = types
        builders = types.map { ColumnBuilder(type: $0, capacity: capacity) }
    }

    var count: Int { kinds.count }

    mutating func append(_ kind: RowKind, _ keys: KeyCells, row: Int, id: Int, results: (inout [ColumnBuilder]) -> Void) {
        kinds.append(kind)
        keys.append(row: row, id: id, to: &builders)
        results(&builders)
    }

    mutating func append(_ kind: RowKind, _ keys: KeyCells, row: Int, id: Int, results: [ColumnBuilder]) {
        append(kind, keys, row: row, id: id) { builders in
            let first = builders.count - results.count
            for (index, result) in results.enumerated() { builders[first + index].append(lastOf: result) }
        }
    }

    /// Whether the last row's results are these.
    func endsWith(results: [ColumnBuilder], keys: Int) -> Bool {
        results.indices.allSatisfy { builders[keys + $0].lastEquals(results[$0]) }
    }

    mutating func dropLast(_ rows: Int) {
        kinds.removeLast(rows)
        for index in builders.indices { builders[index].truncate(to: kinds.count) }
    }

    mutating func finish() -> Batch {
        let buffer = Buffer(capacity: kinds.count)
        for (row, kind) in kinds.enumerated() { buffer.typed(UInt8.self)[row] = kind.rawValue }
        defer { kinds.removeAll(keepingCapacity: true) }
        return Batch(count: kinds.count, columns: builders.indices.map { builders[$0].finish() }, kinds: kinds.allSatisfy { $0 == .insert } ? nil : buffer)
    }
}

extension ColumnBuilder {
    fileprivate mutating func append(lastOf other: ColumnBuilder) {
        if other.isNull(other.count - 1) { return appendNull() }
        guard physical == .bytes else {
            reserveRows(1)
            let width = physical.width
            (values.pointer + count * width).copyMemory(from: other.values.pointer + (other.count - 1) * width, byteCount: width)
            count += 1
            return
        }
        appendBytes(other.lastSlice)
    }

    fileprivate func lastEquals(_ other: ColumnBuilder) -> Bool {
        if isNull(count - 1) || other.isNull(other.count - 1) { return isNull(count - 1) && other.isNull(other.count - 1) }
        if physical == .bytes { return lastSlice.elementsEqual(other.lastSlice) }
        let width = physical.width
        let a = UnsafeRawBufferPointer(start: values.pointer + (count - 1) * width, count: width)
        return a.elementsEqual(UnsafeRawBufferPointer(start: other.values.pointer + (other.count - 1) * width, count: width))
    }

    private var lastSlice: UnsafeBufferPointer<UInt8> {
        let offsets = values.typed(Int32.self)
        let start = Int(offsets[count - 1])
        return UnsafeBufferPointer(start: bytes.unsafelyUnwrapped.typed(UInt8.self) + start, count: Int(offsets[count]) - start)
    }
}
