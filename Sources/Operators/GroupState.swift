import Columnar
import Dataflow
import State

/// All keys of a GROUP BY with their accumulators and the number of rows that each stands for.
///
/// A key whose rows were all taken back keeps its place until half of the places are such; then the table is made anew.
final class GroupState {
    private let spec: GroupAggregateSpec
    private var keys: KeyTable
    private(set) var aggregates: AggregateSet
    private var rowCounts = Cells<Int64>(start: 0)
    private var live = 0
    /// Key groups that other subtasks own, of which there may be rows here: they left, or were copied ahead of a change. In no snapshot.
    private var foreign: Set<Int> = []
    /// Those of them whose rows were copied ahead.
    private var attached: Set<Int> = []
    /// How many key groups there are; 0 until some have left.
    private var groupCount = 0
    /// While state is being copied ahead to others: keys that have changed since, among those that were there. Nil: nobody asks.
    private var changed: [UInt8]?

    init(_ spec: GroupAggregateSpec) {
        self.spec = spec
        keys = KeyTable(types: spec.keys.map { spec.input.fields[$0].type })
        aggregates = AggregateSet(spec.aggregates, input: spec.input, retracting: spec.consumesRetractions)
    }

    func intern(_ columns: [Column], hashes: UnsafePointer<UInt64>, count: Int, ids: UnsafeMutablePointer<Int32>) throws(StreamError) {
        try keys.intern(columns, hashes: hashes, rows: RowList(first: count), into: ids)
        rowCounts.grow(to: keys.count)
        try aggregates.checkResults()
    }

    /// Key columns by id; later insertions do not touch them.
    func keyColumns() -> [Column] { keys.columns() }

    func rowCount(_ id: Int) -> Int64 { rowCounts.pointer[id] }

    /// Counts rows that are all new; marks those that are the first of their key.
    func insert(count: Int, ids: UnsafePointer<Int32>, isFirst: UnsafeMutablePointer<UInt8>) {
        let counts = rowCounts.pointer
        for row in 0..<count {
            let id = Int(ids[row])
            isFirst[row] = counts[id] == 0 ? 1 : 0
            live += Int(isFirst[row])
            counts[id] += 1
        }
        if changed != nil { for row in 0..<count { note(Int(ids[row])) } }
    }

    private func note(_ id: Int) { if id < changed?.count ?? 0 { changed?[id] = 1 } }

    var keyCount: Int { keys.count }

    func update(_ batch: Batch, row: Int, id: Int, isAdd: Bool) {
        if rowCounts.pointer[id] == 0 { live += 1 }
        rowCounts.pointer[id] += isAdd ? 1 : -1
        note(id)
        aggregates.grow(to: id + 1)
        withUnsafePointer(to: Int32(truncatingIfNeeded: row)) { row in
            withUnsafePointer(to: Int32(truncatingIfNeeded: id)) { id in
                let rows = RowList(row, count: 1)
                if isAdd { aggregates.add(batch.columns, rows: rows, ids: id) } else { aggregates.retract(batch.columns, rows: rows, ids: id) }
            }
        }
    }

    func clear(_ id: Int) {
        live -= 1
        rowCounts.pointer[id] = 0
        aggregates.clear(id)
        note(id)
    }

    /// Rebuilds the table from the keys that live when most do not: their memory comes back.
    func compactIfSparse() throws(StreamError) {
        guard keys.count > 1024, live * 2 < keys.count, changed == nil, attached.isEmpty else { return }
        let (groups, foreign) = (groupCount, foreign)
        if foreign.isEmpty { return try keep { _ in true } }
        // What left goes with the dead: nothing else would ever take it away.
        let isForeign = (0..<groups).map(foreign.contains)
        try keep { !isForeign[KeyGroup.of(hash: $0, groups: groups)] }
    }

    /// Rebuilds the table from the keys that live and whose hash is wanted.
    private func keep(_ isWanted: (UInt64) -> Bool) throws(StreamError) {
        aggregates.grow(to: keys.count)
        let section = section(), hashes = keys.hashes
        let words = hashes.typed(UInt64.self)
        let rows = (0..<keys.count).filter { rowCounts.pointer[$0] > 0 && isWanted(words[$0]) }.map(Int32.init)
        let fresh = GroupState(spec)
        do throws(MalformedBytes) { try fresh.add(section, hashes: hashes.typed(UInt64.self), rows: rows) } catch {
            throw StreamError(.internal, retry: false, "accumulators of our own cannot be read: \(error)")
        }
        withExtendedLifetime(hashes) { take(fresh) }
    }

    var stateBytes: Int { keys.stateBytes + aggregates.stateBytes + rowCounts.byteCount + (changed?.count ?? 0) }

    func largestKeyGroup(maxParallelism: Int) -> Int? {
        keys.keysPerGroup(maxParallelism: maxParallelism).max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }

    private func take(_ other: GroupState) {
        keys = other.keys
        aggregates = other.aggregates
        rowCounts = other.rowCounts
        live = other.live
        foreign = other.foreign
        attached = other.attached
        changed = other.changed
    }

    /// Keys, row counts, accumulators, in memory that later calls change.
    private func section() -> StateSection {
        let columns = keys.columns() + [countColumn(copying: false)] + aggregates.stateColumns(count: keys.count, copying: false)
        return StateSection(label: 0, columns: columns, count: keys.count)
    }

    private func countColumn(copying: Bool) -> Column {
        Column(type: DataType(.bigint, nullable: false), count: keys.count, values: rowCounts.values(keys.count, copying: copying))
    }

    private func add(_ section: StateSection, hashes: UnsafePointer<UInt64>, rows: [Int32]) throws(MalformedBytes) {
        let width = keys.types.count, columns = section.columns
        var ids = [Int32](repeating: 0, count: rows.count)
        let result: Result<Void, MalformedBytes> = rows.withUnsafeBufferPointer { rows in
            ids.withUnsafeMutableBufferPointer { ids in
                guard let first = rows.baseAddress, let ids = ids.baseAddress else { return .success(()) }
                let rows = RowList(first, count: rows.count)
                do throws(StreamError) {
                    try keys.intern(Array(columns.prefix(width)), hashes: hashes, rows: rows, into: ids)
                } catch { return .failure(MalformedBytes(error.message)) }
                rowCounts.grow(to: keys.count)
                aggregates.grow(to: keys.count)
                let counts = section.columns[width].pointer(Int64.self)
                for at in 0..<rows.count {
                    let id = Int(ids[at])
                    // What was copied ahead is followed by what has changed since.
                    if rowCounts.pointer[id] > 0 { clear(id) }
                    rowCounts.pointer[id] = counts[rows[at]]
                    if counts[rows[at]] > 0 { live += 1 }
                }
                do throws(MalformedBytes) { try aggregates.merge(columns[(width + 1)...], rows: rows, ids: ids) } catch { return .failure(error) }
                return .success(())
            }
        }
        try result.get()
    }
}

/// Checkpoints of it.
extension GroupState {
    func freeze(_ context: OperatorContext) -> FrozenTables {
        aggregates.grow(to: keys.count)
        let count = keys.count, frozen = aggregates.frozenColumns(count: count)
        let quick = keys.columns() + [countColumn(copying: true)]
        var section = StateSection(label: 0, count: count) { quick + frozen() }, hashes = keys.hashes
        if live < count {
            let rows = (0..<count).filter { rowCounts.pointer[$0] > 0 }.map(Int32.init)
            section = StateSection(label: 0, count: rows.count) { rows.withUnsafeBufferPointer { rows in (quick + frozen()).map { $0.gather(rows) } } }
            let all = keys.hashes.typed(UInt64.self), some = Buffer(capacity: rows.count * 8)
            for (place, row) in rows.enumerated() { some.typed(UInt64.self)[place] = all[Int(row)] }
            hashes = some
        }
        return FrozenTables(
            layout: spec.stateLayout, maxParallelism: context.maxParallelism, groups: [], progress: [], sections: [(section: section, hashes: hashes)],
            foreign: foreign)
    }

    func restore(_ segments: [StateSegment], _ context: OperatorContext) throws(StreamError) {
        let fresh = GroupState(spec)
        try fresh.add(segments, context)
        take(fresh)
    }

    /// The groups of `context` are owned from here on. Rows of others stay where they are while they are few: making the table anew takes long.
    func own(_ segments: [StateSegment], old: OperatorContext, _ context: OperatorContext) throws(StreamError) {
        changed = nil
        groupCount = context.maxParallelism
        let owned = Set(context.groups)
        foreign.formUnion(Set(old.groups).subtracting(owned))
        forget(foreign.intersection(owned).subtracting(attached), context)
        foreign.subtract(owned)
        attached = []
        if !foreign.isEmpty {
            let groups = context.maxParallelism, hashes = keys.hashes.typed(UInt64.self), isForeign = (0..<groups).map(foreign.contains)
            let strangers = (0..<keys.count).count { rowCounts.pointer[$0] == 0 || isForeign[KeyGroup.of(hash: hashes[$0], groups: groups)] }
            if strangers * 2 > keys.count {
                try keep { owned.contains(KeyGroup.of(hash: $0, groups: groups)) }
                foreign = []
            }
        }
        try add(segments, context)
    }

    /// Rows of these groups are from another time.
    private func forget(_ groups: Set<Int>, _ context: OperatorContext) {
        guard !groups.isEmpty else { return }
        aggregates.grow(to: keys.count)
        let hashes = keys.hashes, words = hashes.typed(UInt64.self), count = context.maxParallelism
        let isMeant = (0..<count).map(groups.contains)
        for id in 0..<keys.count where rowCounts.pointer[id] > 0 && isMeant[KeyGroup.of(hash: words[id], groups: count)] { clear(id) }
    }

    // MARK: Copies ahead of a change

    /// All keys as of now; from here on it is known which of them change.
    func copy(_ context: OperatorContext) -> FrozenTables {
        changed = [UInt8](repeating: 0, count: keys.count)
        return freeze(context)
    }

    /// Keys that have changed since `copy`, those that are gone with no rows.
    func changes(_ context: OperatorContext) -> FrozenTables {
        aggregates.grow(to: keys.count)
        let marks = changed ?? [], all = keys.hashes, words = all.typed(UInt64.self)
        let rows = (0..<keys.count).filter { $0 >= marks.count || marks[$0] == 1 }.map(Int32.init)
        let columns = section().columns
        let gathered = rows.withUnsafeBufferPointer { rows in columns.map { $0.gather(rows) } }
        let hashes = Buffer(capacity: max(1, rows.count) * 8)
        for (place, row) in rows.enumerated() { hashes.typed(UInt64.self)[place] = words[Int(row)] }
        changed = nil
        return FrozenTables(
            layout: spec.stateLayout, maxParallelism: context.maxParallelism, groups: [], progress: [],
            sections: [(section: StateSection(label: 0, columns: gathered, count: rows.count), hashes: hashes)], foreign: foreign)
    }

    /// Rows of groups that will be owned after a change.
    func attach(_ segments: [StateSegment], _ context: OperatorContext) throws(StreamError) {
        let groups = Set(segments.map(\.group))
        let left = foreign.subtracting(attached)
        if !left.isDisjoint(with: groups) {
            // One look over the table for all groups that left, not one for each that comes back.
            forget(left, context)
            foreign = attached
        }
        forget(groups.intersection(attached), context)
        foreign.formUnion(groups)
        attached.formUnion(groups)
        try add(segments, context)
    }

    var holdsStrangers: Bool { !foreign.isEmpty }

    /// Keys of the segments that are in the table already are replaced.
    private func add(_ segments: [StateSegment], _ context: OperatorContext) throws(StreamError) {
        let types = keys.types + [DataType(.bigint, nullable: false)] + aggregates.stateTypes
        let contents = try SegmentCodec.decode(
            segments, layout: spec.stateLayout, types: types, keys: keys.types.count, maxParallelism: context.maxParallelism, uid: context.uid)
        for segment in contents {
            for section in segment.sections {
                let hashes = keyHashes(Array(section.columns.prefix(keys.types.count)), count: section.count)
                do throws(MalformedBytes) {
                    let rows = Array(0..<Int32(truncatingIfNeeded: section.count))
                    let result: Result<Void, MalformedBytes> = hashes.withUnsafeBufferPointer { hashes in
                        guard let start = hashes.baseAddress else { return .success(()) }
                        do throws(MalformedBytes) { try add(section, hashes: start, rows: rows) } catch { return .failure(error) }
                        return .success(())
                    }
                    try result.get()
                } catch {
                    throw StreamError(.user, retry: false, "the state of operator \(context.uid), key group \(segment.group), cannot be restored: \(error)")
                }
            }
        }
    }
}
