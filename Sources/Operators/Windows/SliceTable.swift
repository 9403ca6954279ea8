import Columnar
import Dataflow
import State

/// Keys and accumulators of one slice. Dropped as a whole when the last window that holds the slice has fired: nothing is
/// looked for or removed key by key.
final class SliceTable {
    let start: Int64
    private(set) var keys: KeyTable
    private(set) var aggregates: AggregateSet
    /// `stateBytes` when the state last looked, and whether rows may have come since.
    var measuredBytes = 0
    var isUnmeasured = false
    /// While state is being copied ahead to others: keys that rows came to since, among those that were there. Nil: nobody asks.
    private var changed: [UInt8]?

    init(start: Int64, keyTypes: [DataType], aggregates: AggregateSet, expecting: Int) {
        self.start = start
        self.keys = KeyTable(types: keyTypes, expecting: expecting)
        self.aggregates = aggregates
    }

    private init(start: Int64, keys: KeyTable, aggregates: AggregateSet) {
        self.start = start
        self.keys = keys
        self.aggregates = aggregates
    }

    var count: Int { keys.count }

    var stateBytes: Int { keys.stateBytes + aggregates.stateBytes + (changed?.count ?? 0) }

    /// The ids of the rows' keys, with room for their accumulators.
    func intern(_ columns: [Column], hashes: UnsafePointer<UInt64>, rows: RowList, ids: UnsafeMutablePointer<Int32>) throws(StreamError) {
        try keys.intern(columns, hashes: hashes, rows: rows, into: ids)
        aggregates.grow(to: keys.count)
        try aggregates.checkResults()
    }

    // MARK: Copies ahead of a planned change

    func noteChanges() { changed = [UInt8](repeating: 0, count: count) }

    func endNotes() { changed = nil }

    /// Rows came to these keys.
    func note(_ ids: UnsafePointer<Int32>, count: Int) {
        guard changed != nil else { return }
        for at in 0..<count where Int(ids[at]) < changed?.count ?? 0 { changed?[Int(ids[at])] = 1 }
    }

    /// Keys that rows came to since `noteChanges`, with what the others hold of them, too; all keys if the slice was not there then.
    func changes(with others: ArraySlice<SliceTable>, _ aggregates: AggregateSet) throws(StreamError) -> SliceTable {
        guard let marks = changed else { return self }
        let kept = try picking((0..<count).filter { $0 >= marks.count || marks[$0] == 1 }.map(Int32.init), aggregates)
        for other in others { try kept.absorbShares(of: other) }
        return kept
    }

    func copy(more: Int) -> SliceTable { SliceTable(start: start, keys: KeyTable(copying: keys, more: more), aggregates: aggregates.copy()) }

    /// Keys, then accumulators, as they are now: keys by reference, accumulators copied.
    func section() -> StateSection {
        let (keys, frozen) = (keys.columns(), aggregates.frozenColumns(count: count))
        return StateSection(label: start, count: count) { keys + frozen() }
    }
}

extension SliceTable {
    /// Adds a section of a checkpoint, whose first `keyCount` columns are the key. `replacing`: what is there of its keys gives way.
    func add(_ section: StateSection, keys keyCount: Int, replacing: Bool = false) throws(MalformedBytes) {
        let keyColumns = Array(section.columns.prefix(keyCount))
        var hashes = keyHashes(keyColumns, count: section.count)
        var ids = [Int32](repeating: 0, count: section.count)
        let rows = RowList(first: section.count)
        let result: Result<Void, MalformedBytes> = hashes.withUnsafeMutableBufferPointer { hashes in
            ids.withUnsafeMutableBufferPointer { ids in
                guard let hashes = hashes.baseAddress, let ids = ids.baseAddress else { return .success(()) }
                do throws(StreamError) { try intern(keyColumns, hashes: hashes, rows: rows, ids: ids) } catch {
                    return .failure(MalformedBytes(error.message))
                }
                if replacing { for row in 0..<section.count { aggregates.clear(Int(ids[row])) } }
                do throws(MalformedBytes) { try aggregates.merge(section.columns[keyCount...], rows: rows, ids: ids) } catch { return .failure(error) }
                return .success(())
            }
        }
        try result.get()
    }
}

/// The key hash of each row.
func keyHashes(_ columns: [Column], count: Int) -> [UInt64] {
    [UInt64](unsafeUninitializedCapacity: count) { target, filled in
        if let start = target.baseAddress, count > 0 { KeyHash.hashes(columns, count: count, into: start) }
        filled = count
    }
}

/// The rows of one window: key columns and results, in order of first appearance.
struct WindowRows {
    var count: Int
    var keys: [Column]
    var results: [Column]

    /// Merges the slices of a window. Slices stay as they are.
    ///
    /// All but the last are merged into one table; the last one's keys are only looked up in it, since nothing is looked up
    /// after them. `owned`: the one slice there is will not change any more, so its memory may be handed on.
    static func of(_ slices: ArraySlice<SliceTable>, owned: Bool) throws(StreamError) -> WindowRows {
        guard let first = slices.first, let last = slices.last else { return WindowRows(count: 0, keys: [], results: []) }
        if slices.count == 1 {
            return WindowRows(count: first.count, keys: first.keys.columns(), results: first.aggregates.results(count: first.count, copying: !owned))
        }
        var base = first
        var ids = [Int32](repeating: 0, count: slices.map(\.count).max() ?? 0)
        if slices.count > 2 {
            base = first.copy(more: slices.dropFirst().map(\.count).max() ?? 0)
            for slice in slices.dropFirst().dropLast() { try base.absorb(slice, &ids) }
        }
        return try base.union(with: last, &ids)
    }
}

extension SliceTable {
    /// The keys whose hash is wanted, with their accumulators, in memory of their own.
    func keeping(_ aggregates: AggregateSet, _ isWanted: (UInt64) -> Bool) throws(StreamError) -> SliceTable {
        let hashes = keys.hashes.typed(UInt64.self)
        let rows = (0..<count).filter { isWanted(hashes[$0]) }.map(Int32.init)
        return rows.count < count ? try picking(rows, aggregates) : self
    }

    private func picking(_ rows: [Int32], _ aggregates: AggregateSet) throws(StreamError) -> SliceTable {
        let kept = SliceTable(start: start, keyTypes: keys.types, aggregates: aggregates, expecting: rows.count)
        let all = keys.hashes
        var ids = [Int32](repeating: 0, count: rows.count)
        let result: Result<Void, StreamError> = rows.withUnsafeBufferPointer { rows in
            ids.withUnsafeMutableBufferPointer { ids in
                guard let first = rows.baseAddress, let ids = ids.baseAddress else { return .success(()) }
                let list = RowList(first, count: rows.count)
                do throws(StreamError) {
                    try kept.intern(keys.columns(), hashes: all.typed(UInt64.self), rows: list, ids: ids)
                    try kept.aggregates.mergeOwn(self.aggregates.stateColumns(count: count, copying: false), rows: list, ids: ids)
                    return .success(())
                } catch { return .failure(error) }
            }
        }
        try withExtendedLifetime(all) { () throws(StreamError) in try result.get() }
        return kept
    }

    /// Adds what the other holds of keys that are here.
    private func absorbShares(of other: SliceTable) throws(StreamError) {
        let hashes = keys.hashes
        var found = [Int32](repeating: -1, count: count)
        found.withUnsafeMutableBufferPointer { found in
            guard let found = found.baseAddress else { return }
            other.keys.find(keys.columns(), hashes: hashes.typed(UInt64.self), rows: RowList(first: count), into: found)
        }
        let ids = found.indices.filter { found[$0] >= 0 }.map(Int32.init), rows = ids.map { found[Int($0)] }
        let result: Result<Void, StreamError> = rows.withUnsafeBufferPointer { rows in
            ids.withUnsafeBufferPointer { ids in
                guard let first = rows.baseAddress, let ids = ids.baseAddress else { return .success(()) }
                do throws(StreamError) {
                    let columns = other.aggregates.stateColumns(count: other.count, copying: false)
                    return .success(try aggregates.mergeOwn(columns, rows: RowList(first, count: rows.count), ids: ids))
                } catch { return .failure(error) }
            }
        }
        try result.get()
    }

    func absorb(_ other: SliceTable, _ ids: inout [Int32]) throws(StreamError) {
        let rows = RowList(first: other.count)
        let result: Result<Void, StreamError> = ids.withUnsafeMutableBufferPointer { ids in
            guard let target = ids.baseAddress else { return .success(()) }
            do throws(StreamError) {
                try intern(other.keys.columns(), hashes: other.keys.hashes.typed(UInt64.self), rows: rows, ids: target)
                try aggregates.mergeOwn(other.aggregates.stateColumns(count: other.count, copying: false), rows: rows, ids: target)
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
    }

    fileprivate func union(with last: SliceTable, _ ids: inout [Int32]) throws(StreamError) -> WindowRows {
        let rows = RowList(first: last.count)
        let columns = last.keys.columns()
        let result: Result<WindowRows, StreamError> = ids.withUnsafeMutableBufferPointer { ids in
            guard let target = ids.baseAddress else { return .success(WindowRows(count: 0, keys: [], results: [])) }
            keys.find(columns, hashes: last.keys.hashes.typed(UInt64.self), rows: rows, into: target)
            var total = count
            return withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(last.count, 1)) { fresh in
                var added = 0
                for row in 0..<last.count where target[row] < 0 {
                    fresh[added] = Int32(truncatingIfNeeded: row)
                    added &+= 1
                    target[row] = Int32(truncatingIfNeeded: total)
                    total &+= 1
                }
                let merged = aggregates.copy()
                merged.grow(to: total)
                do throws(StreamError) {
                    try merged.mergeOwn(last.aggregates.stateColumns(count: last.count, copying: false), rows: rows, ids: target)
                    try merged.checkResults(spare: 0)
                    let list = RowList(UnsafePointer(fresh.baseAddress.unsafelyUnwrapped), count: added)
                    return .success(WindowRows(
                        count: total, keys: try keys.columns(appending: columns, rows: list), results: merged.results(count: total, copying: false)))
                } catch { return .failure(error) }
            }
        }
        return try result.get()
    }
}

extension AggregateSet {
    /// Merges accumulators that this process made; they are well formed.
    func mergeOwn(_ columns: [Column], rows: RowList, ids: UnsafePointer<Int32>) throws(StreamError) {
        do throws(MalformedBytes) { try merge(columns[...], rows: rows, ids: ids) } catch {
            throw StreamError(.internal, retry: false, "accumulators of our own cannot be read: \(error)")
        }
    }
}
