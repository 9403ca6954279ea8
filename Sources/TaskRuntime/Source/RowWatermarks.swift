import Columnar
import Dataflow

/// Reads watermarks and event times out of columns, in milliseconds.
enum RowWatermarks {
    /// The greatest watermark of a batch; `Watermark.minimum` when all are null.
    static func greatest(_ column: Column) -> Int64 {
        let values = column.pointer(Int64.self)
        var greatest = Int64.min
        if column.validity == nil {
            // Four at a time: one alone waits for the comparison before it.
            var (a, b, c, d) = (greatest, greatest, greatest, greatest)
            let whole = column.count & ~3
            for row in stride(from: 0, to: whole, by: 4) {
                a = max(a, values[row])
                b = max(b, values[row + 1])
                c = max(c, values[row + 2])
                d = max(d, values[row + 3])
            }
            for row in whole..<column.count { a = max(a, values[row]) }
            greatest = max(max(a, b), max(c, d))
        } else {
            for row in 0..<column.count where !column.isNull(row) { greatest = max(greatest, values[row]) }
        }
        return greatest == .min ? Watermark.minimum : milliseconds(greatest, ticks: ticks(column))
    }

    /// Cuts a batch before each row that the watermarks of earlier rows make late, so that it is late for whatever follows; no
    /// other cut is needed, since a row that is not late falls into windows that are open either way.
    ///
    /// `body` gets each piece and the watermark to pass on before the next one (nil behind the last piece). Answers the split's
    /// watermark after the batch. `times` nil: a row counts as late when its own watermark is not above the earlier ones'.
    static func cut(
        _ batch: Batch, watermarks: Column, times: Column?, from start: Int64, combined: Int64, bound: Int64,
        to body: (Batch, Int64?) throws(StreamError) -> Void
    ) throws(StreamError) -> Int64 {
        let marks = watermarks.pointer(Int64.self)
        let markTicks = ticks(watermarks)
        let timeColumn = times ?? watermarks
        let rowTimes = timeColumn.pointer(Int64.self)
        let timeTicks = ticks(timeColumn)
        let hasNulls = watermarks.validity != nil || timeColumn.validity != nil
        var running = start
        var passed = combined
        var current = max(combined, min(bound, running))
        var first = 0
        for row in 0..<batch.count {
            if hasNulls, watermarks.isNull(row) || timeColumn.isNull(row) { continue }
            if current > passed, milliseconds(rowTimes[row], ticks: timeTicks) <= current {
                if row > first { try body(batch.slice(first..<row), current) } else { try body(batch.slice(0..<0), current) }
                passed = current
                first = row
            }
            let mark = milliseconds(marks[row], ticks: markTicks)
            if mark > running {
                running = mark
                current = max(current, min(bound, running))
            }
        }
        try body(batch.slice(first..<batch.count), nil)
        return running
    }

    private static func ticks(_ column: Column) -> Int64 { column.type.kind.timeUnit?.ticksPerMillisecond ?? 1 }

    @inline(__always) private static func milliseconds(_ value: Int64, ticks: Int64) -> Int64 {
        if ticks == 1 { return value }
        let quotient = value / ticks
        return value % ticks < 0 ? quotient - 1 : quotient
    }
}
