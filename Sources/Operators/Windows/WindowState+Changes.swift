import Columnar
import Dataflow
import State

/// Planned changes of the layout: key groups that come and go (docs/protocols.md 6).
extension WindowState {
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
}
