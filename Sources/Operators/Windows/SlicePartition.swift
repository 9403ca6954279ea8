import Columnar
import Dataflow
import State

/// Sorts the rows of one batch by slice, keeping their order within a slice. Memory is kept from batch to batch.
final class SlicePartition {
    /// One slice's rows in the batch.
    struct Part {
        let start: Int64
        let rows: RowList
    }

    private let grid: SliceGrid
    private let timeScratch = Scratch<Int64>()
    private let numbers = Scratch<Int32>()
    private let order = Scratch<Int32>()

    /// Up to so many slices in one batch each is picked out by a pass of its own.
    private static let few = 4
    /// Beyond so many slices in one batch they are told apart by a dictionary.
    private static let dense = 1 << 12

    init(_ grid: SliceGrid) { self.grid = grid }

    /// Event times of a batch in milliseconds, valid until the next call. NULL there fails the job, as in Flink.
    func times(_ column: Column) throws(StreamError) -> UnsafePointer<Int64> {
        if column.validity != nil, column.nullCount > 0 {
            throw StreamError(.user, retry: false, "the event-time column is NULL in a row; filter such rows out before the window")
        }
        let ticks = column.pointer(Int64.self)
        let perMillisecond = column.type.kind.timeUnit?.ticksPerMillisecond ?? 1
        guard perMillisecond > 1 else { return UnsafePointer(ticks) }
        let times = timeScratch.reserve(column.count)
        for row in 0..<column.count {
            let quotient = ticks[row] / perMillisecond
            times[row] = ticks[row] < quotient &* perMillisecond ? quotient - 1 : quotient
        }
        return UnsafePointer(times)
    }

    /// Times of partial results: the last millisecond of each one's slice.
    func times(ofSliceEnds column: Column) -> UnsafePointer<Int64> {
        let ends = column.pointer(Int64.self)
        let times = timeScratch.reserve(column.count)
        for row in 0..<column.count { times[row] = ends[row] &- 1 }
        return UnsafePointer(times)
    }

    /// Parts in order of their slices. Valid until the next call.
    func parts(_ times: UnsafePointer<Int64>, count: Int) -> [Part] {
        guard count > 0 else { return [] }
        let (base, slices) = span(times, count)
        if slices == 1 { return [Part(start: base, rows: RowList(first: count))] }
        guard slices <= SlicePartition.dense else { return sparseParts(times, count) }
        if slices <= SlicePartition.few { return fewParts(times, count, base: base, slices: slices) }
        let numbers = self.numbers.reserve(count), order = self.order.reserve(count)
        number(times, count, base: base, slices: slices, into: numbers)
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: slices + 1) { next in
            next.update(repeating: 0)
            for row in 0..<count { next[Int(numbers[row]) + 1] &+= 1 }
            for slice in 0..<slices { next[slice + 1] += next[slice] }
            let starts = Array(next)
            for row in 0..<count {
                let number = Int(numbers[row])
                order[Int(next[number])] = Int32(truncatingIfNeeded: row)
                next[number] &+= 1
            }
            return (0..<slices).compactMap { slice in
                let rows = Int(starts[slice + 1] - starts[slice])
                return rows == 0 ? nil : Part(start: base + Int64(slice) * grid.slice, rows: RowList(order + Int(starts[slice]), count: rows))
            }
        }
    }

    /// The end of each row's slice.
    func sliceEnds(_ times: UnsafePointer<Int64>, count: Int) -> Buffer {
        let ends = Buffer(capacity: count * 8)
        let target = ends.typed(Int64.self)
        guard count > 0 else { return ends }
        let (base, slices) = span(times, count)
        if slices == 1 {
            target.update(repeating: base + grid.slice, count: count)
        } else if slices <= SlicePartition.few {
            // A comparison for each slice but the first: no division, no branch.
            let slice = grid.slice, one = base &+ slice, two = slices > 2 ? one &+ slice : .max, three = slices > 3 ? two &+ slice : .max
            for row in 0..<count {
                let time = times[row]
                let number = unsafeBitCast(time >= one, to: UInt8.self) &+ unsafeBitCast(time >= two, to: UInt8.self)
                    &+ unsafeBitCast(time >= three, to: UInt8.self)
                target[row] = one &+ Int64(number) &* slice
            }
        } else if slices <= SlicePartition.dense {
            let numbers = self.numbers.reserve(count)
            number(times, count, base: base, slices: slices, into: numbers)
            for row in 0..<count { target[row] = base &+ (Int64(numbers[row]) &+ 1) &* grid.slice }
        } else {
            for row in 0..<count { target[row] = grid.start(of: times[row]) + grid.slice }
        }
        return ends
    }

    /// The first slice and how many there are from it to the last (`Int.max`: very many).
    private func span(_ times: UnsafePointer<Int64>, _ count: Int) -> (base: Int64, slices: Int) {
        // Two rows at a time, so that a comparison need not wait for the one before it.
        var least = times[0], greatest = least, otherLeast = least, otherGreatest = least
        for row in stride(from: 0, to: count - 1, by: 2) {
            least = min(least, times[row])
            greatest = max(greatest, times[row])
            otherLeast = min(otherLeast, times[row + 1])
            otherGreatest = max(otherGreatest, times[row + 1])
        }
        least = min(least, otherLeast, times[count - 1])
        greatest = max(greatest, otherGreatest, times[count - 1])
        let base = grid.start(of: least), last = grid.start(of: greatest)
        // Times at the ends of Int64 are clamped row by row, on the slow path.
        if least < -SliceGrid.limit || greatest > SliceGrid.limit { return (base, base == last ? 1 : .max) }
        let (distance, overflow) = last.subtractingReportingOverflow(base)
        return (base, overflow ? .max : Int(distance / grid.slice) + 1)
    }

    private func number(_ times: UnsafePointer<Int64>, _ count: Int, base: Int64, slices: Int, into numbers: UnsafeMutablePointer<Int32>) {
        let slice = grid.slice
        for row in 0..<count { numbers[row] = Int32(truncatingIfNeeded: (times[row] &- base) / slice) }
    }

    /// One pass a slice, without a branch: the row number is written in any case, and kept by moving on.
    private func fewParts(_ times: UnsafePointer<Int64>, _ count: Int, base: Int64, slices: Int) -> [Part] {
        let order = self.order.reserve(count + 1)
        var at = 0
        return (0..<slices).compactMap { slice in
            let start = base &+ Int64(slice) &* grid.slice, first = at
            let length = UInt64(bitPattern: grid.slice)
            for row in 0..<count {
                order[at] = Int32(truncatingIfNeeded: row)
                at &+= Int(unsafeBitCast(UInt64(bitPattern: times[row] &- start) < length, to: UInt8.self))
            }
            return at == first ? nil : Part(start: start, rows: RowList(order + first, count: at - first))
        }
    }

    private func sparseParts(_ times: UnsafePointer<Int64>, _ count: Int) -> [Part] {
        var rowsOf: [Int64: [Int32]] = [:]
        for row in 0..<count { rowsOf[grid.start(of: times[row]), default: []].append(Int32(truncatingIfNeeded: row)) }
        let order = self.order.reserve(count)
        var at = 0
        return rowsOf.keys.sorted().map { start in
            let rows = rowsOf[start, default: []]
            for (index, row) in rows.enumerated() { order[at + index] = row }
            defer { at += rows.count }
            return Part(start: start, rows: RowList(order + at, count: rows.count))
        }
    }
}
