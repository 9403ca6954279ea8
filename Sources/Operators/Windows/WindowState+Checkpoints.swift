import Columnar
import Dataflow
import State

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

    func decode(_ segments: [StateSegment], _ context: OperatorContext) throws(StreamError) -> [SegmentCodec.Contents] {
        try SegmentCodec.decode(
            segments, layout: spec.stateLayout, types: keyTypes + AggregateSet(spec.aggregates, input: spec.input).stateTypes, keys: keyTypes.count,
            maxParallelism: context.maxParallelism, uid: context.uid)
    }

    func add(_ section: StateSection, uid: String, group: Int, replacing: Bool = false) throws(StreamError) {
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
