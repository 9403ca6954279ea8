import Columnar
import Dataflow
import State

/// Open slices in order of time, and the event time up to which their windows have fired.
final class WindowState {
    let grid: SliceGrid
    private let spec: WindowAggregateSpec
    private(set) var slices: [SliceTable] = []
    /// Readers far apart in event time keep many slices open: only those given out for writing since are measured again.
    private var measured = 0
    private var unmeasured: [SliceTable] = []
    /// The watermark: windows with end − 1 ≤ this have fired.
    private(set) var progress = Watermark.minimum
    /// Groups that had fired further than `progress` in the checkpoint they were restored from.
    private var ahead: [Int: Int64] = [:]

    init(_ spec: WindowAggregateSpec) {
        self.spec = spec
        grid = SliceGrid(spec.window)
    }

    private var keyTypes: [DataType] { spec.keys.map { spec.input.fields[$0].type } }

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

    /// The end of the next window with rows that the watermark reaches; nil when there is none.
    func nextEnd(by watermark: Int64) -> Int64? {
        guard let first = slices.first else { return nil }
        let end = max(grid.firstEnd(ofSlice: first.start), grid.firstEnd(after: progress))
        guard end - 1 <= watermark else { return nil }
        precondition(end - 1 > progress, "a window fires once")
        return end
    }

    /// Hands over the slices of the window that ends at `end`, and drops those that no later window holds. The flag: it is one
    /// slice, and its last window, so its memory may be handed on.
    func fire(_ end: Int64, _ body: (ArraySlice<SliceTable>, Bool) throws(StreamError) -> Void) throws(StreamError) {
        let begin = slices.firstIndex { $0.start >= end - grid.windowSize } ?? slices.count
        let behind = slices.firstIndex { $0.start + grid.slice > end } ?? slices.count
        let window = slices[begin..<max(begin, behind)]
        let owned = window.count == 1 && window.allSatisfy { grid.lastEnd(ofSlice: $0.start) <= end }
        try body(window, owned)
        progress = max(progress, end - 1)
        drop(slices.firstIndex { grid.lastEnd(ofSlice: $0.start) > end } ?? slices.count)
    }

    func advance(to watermark: Int64) {
        progress = max(progress, watermark)
        ahead = ahead.filter { $0.value > progress }
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
        return measured
    }

    private func measureLater(_ slice: SliceTable) {
        guard !slice.isUnmeasured else { return }
        slice.isUnmeasured = true
        unmeasured.append(slice)
    }

    /// After slices came or went other than one by one.
    private func measureAll() {
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

    /// Rows of a window whose key groups have not fired it before the restore; nil: all of them.
    func unfired(_ end: Int64, keys: [Column], count: Int, maxParallelism: Int) -> [Int32]? {
        guard ahead.contains(where: { $0.value >= end - 1 }) else { return nil }
        let hashes = keyHashes(keys, count: count)
        return (0..<count).filter { (ahead[KeyGroup.of(hash: hashes[$0], groups: maxParallelism)] ?? Watermark.minimum) < end - 1 }.map(Int32.init)
    }
}

/// Checkpoints of it.
extension WindowState {
    func freeze(_ context: OperatorContext) -> FrozenTables {
        FrozenTables(
            layout: spec.stateLayout, maxParallelism: context.maxParallelism, groups: context.groups,
            progress: context.groups.map { max(progress, ahead[$0] ?? Watermark.minimum) },
            sections: slices.map { (section: $0.section(), hashes: $0.keys.hashes) })
    }

    func restore(_ segments: [StateSegment], _ context: OperatorContext) throws(StreamError) {
        let types = keyTypes + AggregateSet(spec.aggregates, input: spec.input).stateTypes
        let contents = try SegmentCodec.decode(
            segments, layout: spec.stateLayout, types: types, keys: keyTypes.count, maxParallelism: context.maxParallelism, uid: context.uid)
        let restored = WindowState(spec)
        for segment in contents {
            for section in segment.sections { try restored.add(section, uid: context.uid, group: segment.group) }
        }
        // Sources may have been at different watermarks. The least one holds: nothing becomes late that was not; and a group
        // that was further does not fire again what it has fired.
        let owned = Set(context.groups), known = contents.filter { owned.contains($0.group) }
        let least = known.count < owned.count ? Watermark.minimum : known.map(\.progress).min() ?? Watermark.minimum
        slices = restored.slices
        measureAll()
        progress = least
        ahead = [:]
        for segment in known where segment.progress > least { ahead[segment.group] = segment.progress }
    }

    /// Drops the keys of groups that `context` no longer has, and adds the segments. Groups may have fired differently far: the least of
    /// them holds, and what has fired does not fire again.
    func own(_ segments: [StateSegment], old: OperatorContext, _ context: OperatorContext) throws(StreamError) {
        let owned = Set(context.groups)
        let types = keyTypes + AggregateSet(spec.aggregates, input: spec.input).stateTypes
        let contents = try SegmentCodec.decode(
            segments, layout: spec.stateLayout, types: types, keys: keyTypes.count, maxParallelism: context.maxParallelism, uid: context.uid)
        var reached = Dictionary(uniqueKeysWithValues: old.groups.filter(owned.contains).map { ($0, max(progress, ahead[$0] ?? Watermark.minimum)) })
        if old.groups.contains(where: { !owned.contains($0) }) {
            slices = try slices.map { slice throws(StreamError) in
                try slice.keeping(AggregateSet(spec.aggregates, input: spec.input)) {
                    owned.contains(KeyGroup.of(hash: $0, groups: context.maxParallelism))
                }
            }
        }
        measureAll()
        for segment in contents {
            for section in segment.sections { try add(section, uid: context.uid, group: segment.group) }
            reached[segment.group] = segment.progress
        }
        // A group that came without a segment has neither keys nor fired windows.
        progress = context.groups.map { reached[$0] ?? Watermark.minimum }.min() ?? progress
        ahead = reached.filter { $0.value > progress }
    }

    private func add(_ section: StateSection, uid: String, group: Int) throws(StreamError) {
        guard section.label == grid.start(of: section.label) else {
            throw StreamError(.user, retry: false, "the state of operator \(uid), key group \(group), has a slice at \(section.label), where none begins")
        }
        do throws(MalformedBytes) {
            try table(at: section.label).add(section, keys: keyTypes.count)
        } catch {
            throw StreamError(.user, retry: false, "the state of operator \(uid), key group \(group), cannot be restored: \(error)")
        }
    }
}
