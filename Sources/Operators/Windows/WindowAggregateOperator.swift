import Columnar
import Dataflow
import State

/// Aggregates per key in windows of event time.
///
/// Input: rows, or a local aggregate's partial results. Output: once per window, when the watermark reaches its end − 1, one
/// row a key: keys, results, `window_start`, `window_end`, `window_time`; windows in order of their ends, keys in order of
/// first appearance. A row whose windows have all fired is dropped and counted in `lateRows`.
/// Source: Flink 2.x docs, "Windowing TVF"; slices as in its `SliceAssigner`.
package final class WindowAggregateOperator: Operator {
    private let spec: WindowAggregateSpec
    private var context: OperatorContext
    private let state: WindowState
    private let partition: SlicePartition
    private let clock: WindowClock
    private var groupRows: KeyGroupCounter
    private let hashScratch = Scratch<UInt64>()
    private let idScratch = Scratch<Int32>()
    /// Of `window_start`, `window_end` and `window_time`.
    private let timeType: DataType
    package private(set) var lateRows = 0

    package init(_ spec: WindowAggregateSpec, context: OperatorContext) {
        self.spec = spec
        self.context = context
        state = WindowState(spec)
        groupRows = KeyGroupCounter(maxParallelism: context.maxParallelism)
        partition = SlicePartition(state.grid)
        clock = WindowClock(spec)
        var isLocal = false
        if case .timestampLTZ = spec.input.fields[spec.timeColumn].type.kind { isLocal = true }
        timeType = DataType(isLocal ? .timestampLTZ(3) : .timestamp(3), nullable: false)
    }

    package func process(_ batch: Batch, to output: any Output) throws(StreamError) {
        guard batch.count > 0 else { return }
        let keys = spec.mergesPartials ? Array(batch.columns.prefix(spec.keys.count)) : spec.keys.map { batch.columns[$0] }
        let times = spec.mergesPartials
            ? partition.times(ofSliceEnds: batch.columns[batch.columns.count - 1]) : try partition.times(batch.columns[spec.timeColumn])
        let hashes = hashScratch.reserve(batch.count)
        KeyHash.hashes(keys, count: batch.count, into: hashes)
        groupRows.take(hashes, count: batch.count)
        let ids = idScratch.reserve(batch.count)
        for part in partition.parts(times, count: batch.count) where state.grid.belongsToWindow(slice: part.start) {
            if state.grid.isLate(slice: part.start, watermark: state.progress) {
                lateRows += part.rows.count
                continue
            }
            let table = state.table(at: part.start)
            try table.intern(keys, hashes: hashes, rows: part.rows, ids: ids)
            table.note(ids, count: part.rows.count)
            if spec.mergesPartials {
                let accumulators = Array(batch.columns[spec.keys.count..<batch.columns.count - 1])
                try table.aggregates.mergeOwn(accumulators, rows: part.rows, ids: ids)
            } else {
                table.aggregates.add(batch.columns, rows: part.rows, ids: ids)
            }
        }
    }

    package func advance(to milliseconds: Int64, to output: any Output) throws(StreamError) {
        let reading = clock.reading(of: milliseconds)
        var together = SmallBatches(batchRows: context.batchRows)
        try state.fire(by: reading) { (end, slices, owned) throws(StreamError) in
            try emit(WindowRows.of(slices, owned: owned), end: end, &together, to: output)
        }
        try together.flush(to: output)
        state.advance(to: reading)
        try output.emitWatermark(milliseconds)
    }

    package func snapshot() throws(StreamError) -> OperatorSnapshot {
        OperatorSnapshot(uid: context.uid, keyed: state.freeze(context))
    }

    package func restore(_ restored: TaskRestore.OperatorState) throws(StreamError) { try state.restore(restored.segments, context) }

    package func own(_ groups: [Int], adding segments: [StateSegment]) throws(StreamError) {
        guard groups != context.groups || !segments.isEmpty || state.holdsCopies else { return }
        let old = context
        context = context.owning(groups)
        groupRows.keep(groups)
        try state.own(segments, old: old, context)
    }

    package func copyAhead() throws(StreamError) -> (any FrozenState)? { state.copy(context) }

    package func changesSinceCopy() throws(StreamError) -> (any FrozenState)? { try state.changes(context) }

    package func attach(_ segments: [StateSegment]) throws(StreamError) { try state.attach(segments, context) }

    package var stateBytes: Int { state.stateBytes }

    package var keyGroupLoads: [KeyGroupLoad] { groupRows.loads(of: context.groups) }

    package var largestKeyGroup: Int? {
        var bytes: [Int: Int] = [:]
        for slice in state.slices {
            let perKey = slice.stateBytes / max(slice.count, 1)
            for (group, keys) in slice.keys.keysPerGroup(maxParallelism: context.maxParallelism) { bytes[group, default: 0] += keys * perKey }
        }
        return bytes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }

    private func emit(_ rows: WindowRows, end: Int64, _ together: inout SmallBatches, to output: any Output) throws(StreamError) {
        var columns = rows.keys + rows.results, count = rows.count
        if let kept = state.unfired(end, keys: rows.keys, count: count, maxParallelism: context.maxParallelism) {
            columns = kept.withUnsafeBufferPointer { kept in columns.map { $0.gather(kept) } }
            count = kept.count
        }
        guard count > 0 else { return }
        let longest = min(count, context.batchRows)
        let bounds = [end - state.grid.windowSize, end, end - 1].map { time in
            let values = Buffer(capacity: longest * 8)
            values.typed(Int64.self).update(repeating: time, count: longest)
            return values
        }
        var from = 0
        while from < count {
            let range = from..<min(from + context.batchRows, count)
            let part = range.count == count ? columns : columns.map { $0.copied(range) }
            let batch = Batch(count: range.count, columns: part + bounds.map { Column(type: timeType, count: range.count, values: $0) })
            try together.emit(batch, to: output)
            from = range.upperBound
        }
    }
}
