import Columnar
import Dataflow
import State

/// Open slices in order of time, and the event time up to which their windows have fired.
final class WindowState {
    let grid: SliceGrid
    let spec: WindowAggregateSpec
    /// In order of time. Where a planned change brought key groups there are several of one time: a key may be in each of them, with a share of
    /// its rows.
    var slices: [SliceTable] = []
    /// Readers far apart in event time keep many slices open: only those given out for writing since are measured again.
    private var measured = 0
    private var unmeasured: [SliceTable] = []
    /// The watermark: windows with end − 1 ≤ this have fired.
    var progress = Watermark.minimum
    /// Groups that had fired further than `progress` in the checkpoint they were restored from.
    var ahead: [Int: Int64] = [:]
    /// Key groups that have left, whose rows are in slices here still, and the event time at which the last of these is gone.
    var foreign: (groups: Set<Int>, until: Int64) = ([], Watermark.minimum)
    /// What came ahead of a planned change, by slice, and the key groups that it is of. In no snapshot and no window.
    var incoming: (state: WindowState, groups: Set<Int>)?

    init(_ spec: WindowAggregateSpec) {
        self.spec = spec
        grid = SliceGrid(spec.window)
    }

    var keyTypes: [DataType] { spec.keys.map { spec.input.fields[$0].type } }

    /// The table of a slice, made if need be; sized like its neighbour, so that it seldom grows.
    func table(at start: Int64) -> SliceTable {
        var low = 0, high = slices.count
        while low < high {
            let middle = (low + high) / 2
            if slices[middle].start < start { low = middle + 1 } else { high = middle }
        }
        if low < slices.count, slices[low].start == start {
            measureLater(slices[low])
            return slices[low]
        }
        let expected = low > 0 ? slices[low - 1].count : 0
        let table = SliceTable(start: start, keyTypes: keyTypes, aggregates: AggregateSet(spec.aggregates, input: spec.input), expecting: expected)
        slices.insert(table, at: low)
        measureLater(table)
        return table
    }

    /// Takes out every slice up to the one that ends at `end`, in order.
    func removeSlices(endingBy end: Int64) -> ArraySlice<SliceTable> {
        let count = slices.firstIndex { $0.start + grid.slice > end } ?? slices.count
        defer { drop(count) }
        return slices[..<count]
    }

    /// Hands over each window with rows that the watermark reaches, in order of their ends, with its slices, and drops those that no later
    /// window holds. The flag: it is one slice, and its last window, so its memory may be handed on.
    func fire(by watermark: Int64, _ body: (Int64, ArraySlice<SliceTable>, Bool) throws(StreamError) -> Void) throws(StreamError) {
        var gone = 0
        while gone < slices.count {
            let end = max(grid.firstEnd(ofSlice: slices[gone].start), grid.firstEnd(after: progress))
            guard end - 1 <= watermark else { break }
            precondition(end - 1 > progress, "a window fires once")
            let begin = slices[gone...].firstIndex { $0.start >= end - grid.windowSize } ?? slices.count
            let behind = slices[begin...].firstIndex { $0.start + grid.slice > end } ?? slices.count
            let owned = behind - begin == 1 && grid.lastEnd(ofSlice: slices[begin].start) <= end
            try body(end, slices[begin..<behind], owned)
            progress = max(progress, end - 1)
            gone = slices[gone...].firstIndex { grid.lastEnd(ofSlice: $0.start) > end } ?? slices.count
        }
        if gone > 0 { drop(gone) }
    }

    func advance(to watermark: Int64) {
        progress = max(progress, watermark)
        ahead = ahead.filter { $0.value > progress }
        if !foreign.groups.isEmpty, progress >= foreign.until { foreign.groups = [] }
    }

    var stateBytes: Int {
        for slice in unmeasured {
            guard slice.isUnmeasured else { continue }
            slice.isUnmeasured = false
            measured -= slice.measuredBytes
            slice.measuredBytes = slice.stateBytes
            measured += slice.measuredBytes
        }
        unmeasured.removeAll(keepingCapacity: true)
        return measured + (incoming?.state.stateBytes ?? 0)
    }

    private func measureLater(_ slice: SliceTable) {
        guard !slice.isUnmeasured else { return }
        slice.isUnmeasured = true
        unmeasured.append(slice)
    }

    /// After slices came or went other than one by one.
    func measureAll() {
        measured = 0
        for slice in slices {
            slice.measuredBytes = 0
            slice.isUnmeasured = true
        }
        unmeasured = slices
    }

    private func drop(_ count: Int) {
        for slice in slices[..<count] {
            measured -= slice.measuredBytes
            slice.isUnmeasured = false
        }
        slices.removeFirst(count)
    }

    /// Rows of a window whose key groups are owned here and have not fired it before the restore; nil: all of them.
    func unfired(_ end: Int64, keys: [Column], count: Int, maxParallelism: Int) -> [Int32]? {
        guard !foreign.groups.isEmpty || ahead.contains(where: { $0.value >= end - 1 }) else { return nil }
        let hashes = keyHashes(keys, count: count)
        let isWanted = (0..<maxParallelism).map { !foreign.groups.contains($0) && ahead[$0] ?? Watermark.minimum < end - 1 }
        return (0..<count).filter { isWanted[KeyGroup.of(hash: hashes[$0], groups: maxParallelism)] }.map(Int32.init)
    }
}
