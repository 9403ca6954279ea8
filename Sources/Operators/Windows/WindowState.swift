import Columnar
import Dataflow
import State

/// Open slices in order of time, and the event time up to which their windows have fired.
final class WindowState {
    let grid: SliceGrid
    private let spec: WindowAggregateSpec
    /// In order of time. Where a planned change brought key groups there are several of one time: a key may be in each of them, with a share of
    /// its rows.
    private(set) var slices: [SliceTable] = []
    /// Readers far apart in event time keep many slices open: only those given out for writing since are measured again.
    private var measured = 0
    private var unmeasured: [SliceTable] = []
    /// The watermark: windows with end − 1 ≤ this have fired.
    private(set) var progress = Watermark.minimum
    /// Groups that had fired further than `progress` in the checkpoint they were restored from.
    private var ahead: [Int: Int64] = [:]
    /// Key groups that have left, whose rows are in slices here still, and the event time at which the last of these is gone.
    private var foreign: (groups: Set<Int>, until: Int64) = ([], Watermark.minimum)
    /// What came ahead of a planned change, by slice, and the key groups that it is of. In no snapshot and no window.
    private var incoming: (state: WindowState, groups: Set<Int>)?

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

    /// Rows of a window whose key groups are owned here and have not fired it before the restore; nil: all of them.
    func unfired(_ end: Int64, keys: [Column], count: Int, maxParallelism: Int) -> [Int32]? {
        guard !foreign.groups.isEmpty || ahead.contains(where: { $0.value >= end - 1 }) else { return nil }
        let hashes = keyHashes(keys, count: count)
        let isWanted = (0..<maxParallelism).map { !foreign.groups.contains($0) && ahead[$0] ?? Watermark.minimum < end - 1 }
        return (0..<count).filter { isWanted[KeyGroup.of(hash: hashes[$0], groups: maxParallelism)] }.map(Int32.init)
    }
}

/// Checkpoints of it.
extension WindowState {
    func freeze(_ context: OperatorContext) -> FrozenTables {
        FrozenTables(
            layout: spec.stateLayout, maxParallelism: context.maxParallelism, groups: context.groups,
            progress: context.groups.map { max(progress, ahead[$0] ?? Watermark.minimum) },
            sections: slices.map { (section: $0.section(), hashes: $0.keys.hashes) }, foreign: foreign.groups)
    }

    func restore(_ segments: [StateSegment], _ context: OperatorContext) throws(StreamError) {
        let contents = try decode(segments, context)
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

    /// The groups of `context` are owned from here on, with what was attached and the segments. Groups may have fired differently far: the
    /// least of them holds, and what has fired does not fire again. Rows of groups that leave stay where they are while they are few: their
    /// slices go in time.
    func own(_ segments: [StateSegment], old: OperatorContext, _ context: OperatorContext) throws(StreamError) {
        let owned = Set(context.groups)
        let contents = try decode(segments, context)
        for slice in slices { slice.endNotes() }
        var reached = Dictionary(uniqueKeysWithValues: old.groups.filter(owned.contains).map { ($0, max(progress, ahead[$0] ?? Watermark.minimum)) })
        let isReturning = !foreign.groups.isDisjoint(with: owned), stays = reached.count
        foreign.groups.formUnion(Set(old.groups).subtracting(owned))
        foreign.until = slices.map { grid.lastEnd(ofSlice: $0.start) }.max() ?? Watermark.minimum
        if isReturning || foreign.groups.count > stays { try dropStrangers(context) }
        if let groups = incoming?.groups, !groups.isSubset(of: owned) { try incoming?.state.keep(owned, context) }
        let arriving = incoming?.state ?? WindowState(spec), copied = incoming?.groups ?? []
        incoming = nil
        for segment in contents {
            // What was copied ahead is followed by what has changed since.
            let isCopied = copied.contains(segment.group)
            for section in segment.sections { try arriving.add(section, uid: context.uid, group: segment.group, replacing: isCopied) }
            reached[segment.group] = segment.progress
        }
        try insert(arriving.slices)
        // A group that came without a segment has neither keys nor fired windows.
        progress = context.groups.map { reached[$0] ?? Watermark.minimum }.min() ?? progress
        ahead = reached.filter { $0.value > progress }
        // Copied ahead, and fired at the old owner since.
        slices.removeFirst(slices.firstIndex { !grid.isLate(slice: $0.start, watermark: progress) } ?? slices.count)
        measureAll()
    }

    private func decode(_ segments: [StateSegment], _ context: OperatorContext) throws(StreamError) -> [SegmentCodec.Contents] {
        try SegmentCodec.decode(
            segments, layout: spec.stateLayout, types: keyTypes + AggregateSet(spec.aggregates, input: spec.input).stateTypes, keys: keyTypes.count,
            maxParallelism: context.maxParallelism, uid: context.uid)
    }

    /// Beside the slices of the same time: keys are put together when their window fires, as those of several slices are.
    private func insert(_ arriving: [SliceTable]) throws(StreamError) {
        var ids = [Int32](repeating: 0, count: arriving.map(\.count).max() ?? 0)
        for table in arriving where table.count > 0 {
            let place = slices.firstIndex { $0.start > table.start } ?? slices.count
            if slices[..<place].suffix(WindowState.mostOfOneTime).count(where: { $0.start == table.start }) == WindowState.mostOfOneTime {
                try slices[place - 1].absorb(table, &ids)
            } else {
                slices.insert(table, at: place)
            }
        }
    }

    /// So many tables of one slice are kept apart.
    private static let mostOfOneTime = 4

    private func dropStrangers(_ context: OperatorContext) throws(StreamError) {
        try keep(Set(0..<context.maxParallelism).subtracting(foreign.groups), context)
        foreign.groups = []
    }

    private func keep(_ groups: Set<Int>, _ context: OperatorContext) throws(StreamError) {
        let isKept = (0..<context.maxParallelism).map(groups.contains)
        slices = try slices.map { slice throws(StreamError) in
            try slice.keeping(AggregateSet(spec.aggregates, input: spec.input)) { isKept[KeyGroup.of(hash: $0, groups: isKept.count)] }
        }
        measureAll()
    }

    // MARK: Copies ahead of a change

    /// All keys as of now; from here on it is known which of them change.
    func copy(_ context: OperatorContext) -> FrozenTables {
        for slice in slices { slice.noteChanges() }
        measureAll()
        return freeze(context)
    }

    /// Keys that rows came to since `copy`; slices that are gone have fired as far as the groups' progress says.
    func changes(_ context: OperatorContext) throws(StreamError) -> FrozenTables {
        var frozen = freeze(context)
        frozen.sections = []
        for (place, slice) in slices.enumerated() where place == 0 || slices[place - 1].start != slice.start {
            // Of several tables of one slice only the first takes rows.
            let others = slices[(place + 1)...].prefix { $0.start == slice.start }
            let changes = try slice.changes(with: others, AggregateSet(spec.aggregates, input: spec.input))
            frozen.sections.append((section: changes.section(), hashes: changes.keys.hashes))
        }
        for slice in slices { slice.endNotes() }
        measureAll()
        return frozen
    }

    /// Keys of groups that will be owned after a change.
    func attach(_ segments: [StateSegment], _ context: OperatorContext) throws(StreamError) {
        let groups = Set(segments.map(\.group))
        if !foreign.groups.isDisjoint(with: groups) { try dropStrangers(context) }
        let held = incoming ?? (WindowState(spec), [])
        // Of a change that came to nothing.
        if !held.groups.isDisjoint(with: groups) { try held.state.keep(held.groups.subtracting(groups), context) }
        incoming = (held.state, held.groups.union(groups))
        for segment in try decode(segments, context) {
            for section in segment.sections { try held.state.add(section, uid: context.uid, group: segment.group) }
        }
    }

    var holdsCopies: Bool { incoming != nil }

    private func add(_ section: StateSection, uid: String, group: Int, replacing: Bool = false) throws(StreamError) {
        guard section.label == grid.start(of: section.label) else {
            throw StreamError(.user, retry: false, "the state of operator \(uid), key group \(group), has a slice at \(section.label), where none begins")
        }
        do throws(MalformedBytes) {
            try table(at: section.label).add(section, keys: keyTypes.count, replacing: replacing)
        } catch {
            throw StreamError(.user, retry: false, "the state of operator \(uid), key group \(group), cannot be restored: \(error)")
        }
    }
}
