import Columnar
import Dataflow
import State

/// Aggregates per key and slice before the exchange, so that fewer rows travel.
///
/// Input: rows. Output: partial results (`WindowAggregateSpec.partialSchema`): for each slice that the watermark has passed,
/// at `flush`, and when more than `maximumEntries` have gathered. It keeps nothing over a barrier, so it has no state.
///
/// Where keys hardly repeat, aggregating costs more than it saves: when `sampleRows` rows gave more than half as many
/// entries, rows pass through as partial results of one row each; from time to time it looks again.
///
/// Rows behind all of their windows pass like that too: the next operator will drop and count them, and it shall count rows.
package final class LocalWindowAggregateOperator: Operator {
    private static let maximumEntries = 1 << 16
    private static let sampleRows = 1 << 16
    private static let passedRows = 1 << 20

    private enum Mode {
        /// With the rows and entries since the last look.
        case aggregating(rows: Int, entries: Int)
        case passing(rows: Int)
    }

    private let spec: WindowAggregateSpec
    private let context: OperatorContext
    private let state: WindowState
    private let partition: SlicePartition
    private let clock: WindowClock
    private let types: [DataType]
    private let hashScratch = Scratch<UInt64>()
    private let idScratch = Scratch<Int32>()
    private var mode = Mode.aggregating(rows: 0, entries: 0)
    private var entries = 0

    package init(_ spec: WindowAggregateSpec, context: OperatorContext) {
        self.spec = spec
        self.context = context
        state = WindowState(spec)
        partition = SlicePartition(state.grid)
        clock = WindowClock(spec)
        types = spec.partialSchema.types
    }

    package func process(_ batch: Batch, to output: any Output) throws(StreamError) {
        guard batch.count > 0 else { return }
        let times = try partition.times(batch.columns[spec.timeColumn])
        switch mode {
        case .passing(let rows):
            mode = rows >= LocalWindowAggregateOperator.passedRows ? .aggregating(rows: 0, entries: 0) : .passing(rows: rows + batch.count)
            try output.emit(onePartialEach(batch, times))
        case .aggregating(let rows, let gathered):
            let before = entries
            let late = try gather(batch, times)
            if !late.isEmpty { try output.emit(onePartialEach(batch, times, late)) }
            let sample = (rows: rows + batch.count, entries: gathered + entries - before)
            if sample.rows < LocalWindowAggregateOperator.sampleRows {
                mode = .aggregating(rows: sample.rows, entries: sample.entries)
            } else if sample.entries * 2 > sample.rows {
                try flush(to: output)
                mode = .passing(rows: 0)
            } else {
                mode = .aggregating(rows: 0, entries: 0)
            }
            if entries > LocalWindowAggregateOperator.maximumEntries { try flush(to: output) }
        }
    }

    package func advance(to milliseconds: Int64, to output: any Output) throws(StreamError) {
        let reading = clock.reading(of: milliseconds)
        let end = reading == Watermark.maximum ? reading : reading + 1
        try emit(state.removeSlices(endingBy: end), to: output)
        state.advance(to: reading)
        try output.emitWatermark(milliseconds)
    }

    package func flush(to output: any Output) throws(StreamError) { try emit(state.removeSlices(endingBy: Watermark.maximum), to: output) }

    package func snapshot() throws(StreamError) -> OperatorSnapshot {
        precondition(state.slices.isEmpty, "the task flushes before a barrier")
        return OperatorSnapshot(uid: context.uid)
    }

    package func restore(_ restored: TaskRestore.OperatorState) throws(StreamError) {
        guard restored.segments.isEmpty else {
            throw StreamError(.user, retry: false, "operator \(context.uid) keeps no state, but the checkpoint has some for it")
        }
    }

    package var stateBytes: Int { state.stateBytes }

    /// Answers the rows that it left out: those behind all of their windows.
    private func gather(_ batch: Batch, _ times: UnsafePointer<Int64>) throws(StreamError) -> [Int32] {
        var late: [Int32] = []
        let keys = spec.keys.map { batch.columns[$0] }
        let hashes = hashScratch.reserve(batch.count), ids = idScratch.reserve(batch.count)
        KeyHash.hashes(keys, count: batch.count, into: hashes)
        for part in partition.parts(times, count: batch.count) {
            if state.grid.isLate(slice: part.start, watermark: state.progress) {
                for at in 0..<part.rows.count { late.append(Int32(truncatingIfNeeded: part.rows[at])) }
                continue
            }
            let table = state.table(at: part.start)
            entries -= table.count
            try table.intern(keys, hashes: hashes, rows: part.rows, ids: ids)
            entries += table.count
            table.aggregates.add(batch.columns, rows: part.rows, ids: ids)
        }
        return late
    }

    private func emit(_ slices: ArraySlice<SliceTable>, to output: any Output) throws(StreamError) {
        var together = SmallBatches(batchRows: context.batchRows)
        for slice in slices where slice.count > 0 {
            entries -= slice.count
            let batch = partials(slice)
            var from = 0
            while from < batch.count {
                let range = from..<min(from + context.batchRows, batch.count)
                let part = range.count == batch.count ? batch : Batch(count: range.count, columns: batch.columns.map { $0.copied(range) })
                try together.emit(part, to: output)
                from = range.upperBound
            }
        }
        try together.flush(to: output)
    }

    private func partials(_ slice: SliceTable) -> Batch {
        let ends = Buffer(capacity: slice.count * 8)
        ends.typed(Int64.self).update(repeating: slice.start + state.grid.slice, count: slice.count)
        let end = Column(type: types[types.count - 1], count: slice.count, values: ends)
        return Batch(count: slice.count, columns: retyped(slice.keys.columns() + slice.aggregates.partialColumns(count: slice.count) + [end]))
    }

    private func retyped(_ columns: [Column]) -> [Column] {
        columns.indices.map { columns[$0].type == types[$0] ? columns[$0] : columns[$0].retyped(types[$0]) }
    }
}

/// Rows as partial results of one row each: most columns are the input's own memory.
extension LocalWindowAggregateOperator {
    private func onePartialEach(_ batch: Batch, _ times: UnsafePointer<Int64>, _ rows: [Int32]) -> Batch {
        let picked = rows.withUnsafeBufferPointer { rows in Batch(count: rows.count, columns: batch.columns.map { $0.gather(rows) }) }
        return rows.map { times[Int($0)] }.withUnsafeBufferPointer { onePartialEach(picked, $0.baseAddress ?? times) }
    }

    private func onePartialEach(_ batch: Batch, _ times: UnsafePointer<Int64>) -> Batch {
        var columns = spec.keys.map { batch.columns[$0] }
        for call in spec.aggregates {
            let argument = call.argument.map { batch.columns[$0] }
            let present = OnePartial.presence(filter: call.filter.map { batch.columns[$0] }, argument: argument, count: batch.count)
            switch call.function {
            case .countStar, .count: columns.append(OnePartial.counts(present, count: batch.count))
            case .sum, .min, .max:
                guard let argument else { preconditionFailure("\(call.function) has an argument") }
                columns.append(OnePartial.values(argument, as: call.type.nullable(true), present))
            case .avg:
                guard let argument else { preconditionFailure("AVG has an argument") }
                columns.append(OnePartial.values(argument, as: types[columns.count], present))
                columns.append(OnePartial.counts(present, count: batch.count))
            }
        }
        let ends = partition.sliceEnds(times, count: batch.count)
        columns.append(Column(type: types[types.count - 1], count: batch.count, values: ends))
        return Batch(count: batch.count, columns: retyped(columns))
    }
}

private enum OnePartial {
    /// Validity bits of rows that count; nil: all of them.
    static func presence(filter: Column?, argument: Column?, count: Int) -> Buffer? {
        guard filter != nil || argument?.validity != nil else { return nil }
        guard let filter else { return argument?.validity }
        let bits = Buffer.zeroed(capacity: Column.validityBytes(count))
        for row in 0..<count where !filter.isNull(row) && filter.pointer(UInt8.self)[row] != 0 && !(argument?.isNull(row) ?? false) {
            bits.typed(UInt64.self)[row >> 6] |= 1 << UInt64(row & 63)
        }
        return bits
    }

    static func counts(_ present: Buffer?, count: Int) -> Column {
        let values = Buffer(capacity: count * 8)
        let target = values.typed(Int64.self)
        if let words = present?.typed(UInt64.self) {
            for row in 0..<count { target[row] = Int64(bitPattern: words[row >> 6] &>> UInt64(row & 63) & 1) }
        } else {
            target.update(repeating: 1, count: count)
        }
        return Column(type: DataType(.bigint, nullable: false), count: count, values: values)
    }

    static func values(_ argument: Column, as type: DataType, _ present: Buffer?) -> Column {
        let count = argument.count
        let column = Column(type: argument.type, count: count, values: argument.values, bytes: argument.bytes, validity: present)
        if argument.physical == type.kind.physical && present.map({ $0 === argument.validity }) ?? true { return column.retyped(type) }
        var builder = ColumnBuilder(type: type, capacity: count)
        for row in 0..<count {
            if column.isNull(row) { builder.appendNull() } else { builder.append(argument.value(row)) }
        }
        return builder.finish()
    }
}
