import CKernels
import Columnar
import Dataflow

/// Keys to dense ids, 0, 1, 2 … in order of first appearance. Accumulators are flat arrays by id, beside the table.
///
/// Open addressing: an entry is the hash's high 32 bits and the id + 1, its place the hash's low bits. Rows are first looked
/// up by hash alone, whole batches at a time, and then compared column by column; the few whose hash lies take the long way.
/// Keys are never removed one by one: a table is dropped with its slice, or rebuilt from the keys that live.
package final class KeyTable {
    package let types: [DataType]
    package private(set) var count = 0
    private var keys: [KeyColumn]
    private var hashWords: Buffer
    private var index: UnsafeMutablePointer<UInt64>
    private var mask: Int
    private let fresh = Scratch<Int32>()

    /// Bytes of index above which look-ups are asked for ahead: more than an L1 cache. Mispredicted branches keep the
    /// processor from running ahead by itself.
    private static let prefetchBytes = 32 << 10
    private static let ahead = 16

    package init(types: [DataType], expecting expected: Int = 16) {
        self.types = types
        keys = types.map { KeyColumn(type: $0, capacity: expected) }
        let places = KeyTable.places(for: expected)
        hashWords = Buffer(capacity: (places / 2 + 1) * 8)
        index = .allocate(capacity: places)
        index.initialize(repeating: 0, count: places)
        mask = places - 1
    }

    /// The same keys and ids in memory of their own, with room for `more`.
    package init(copying other: KeyTable, more: Int) {
        types = other.types
        count = other.count
        keys = other.keys.map { KeyColumn(copying: $0, more: more) }
        mask = other.mask
        hashWords = other.hashWords.extended(to: ((mask + 1) / 2 + 1) * 8, keeping: other.count * 8)
        index = .allocate(capacity: mask + 1)
        index.initialize(from: other.index, count: mask + 1)
    }

    deinit { index.deallocate() }

    /// The id of each row's key; keys not seen before get the next ids.
    package func intern(_ columns: [Column], hashes: UnsafePointer<UInt64>, rows: RowList, into ids: UnsafeMutablePointer<Int32>) throws(StreamError) {
        let first = count
        let fresh = self.fresh.reserve(rows.count)
        probe(hashes, rows, ids, fresh)
        let added = count - first
        if added > 0 {
            let list = RowList(fresh, count: added)
            for (key, column) in zip(keys, columns) { try key.append(column, rows: list) }
        }
        for at in liars(columns, rows, ids) {
            let row = rows[at], hash = hashes[row]
            if let id = place(columns, row: row, hash: hash) { ids[at] = Int32(truncatingIfNeeded: id); continue }
            try append(columns, row: row)
            ids[at] = Int32(truncatingIfNeeded: insert(hash))
        }
    }

    private func append(_ columns: [Column], row: Int) throws(StreamError) {
        let result: Result<Void, StreamError> = withUnsafePointer(to: Int32(truncatingIfNeeded: row)) { single in
            do throws(StreamError) {
                for (key, column) in zip(keys, columns) { try key.append(column, rows: RowList(single, count: 1)) }
                return .success(())
            } catch { return .failure(error) }
        }
        try result.get()
    }

    /// The id of each row's key, or −1. The table stays as it is.
    package func find(_ columns: [Column], hashes: UnsafePointer<UInt64>, rows: RowList, into ids: UnsafeMutablePointer<Int32>) {
        let index = self.index, mask = self.mask
        let wide = (mask + 1) * 8 > KeyTable.prefetchBytes
        for at in 0..<rows.count {
            if wide && at + KeyTable.ahead < rows.count {
                swiftwater_prefetch(index + (Int(truncatingIfNeeded: hashes[rows[at + KeyTable.ahead]]) & mask))
            }
            let hash = hashes[rows[at]], tag = hash &>> 32
            var place = Int(truncatingIfNeeded: hash) & mask
            var entry = index[place]
            while entry != 0 && entry &>> 32 != tag {
                place = (place &+ 1) & mask
                entry = index[place]
            }
            ids[at] = Int32(truncatingIfNeeded: Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) &- 1)
        }
        for at in liars(columns, rows, ids) {
            ids[at] = Int32(truncatingIfNeeded: place(columns, row: rows[at], hash: hashes[rows[at]]) ?? -1)
        }
    }

    /// Key columns by id; later insertions do not touch them.
    package func columns() -> [Column] { keys.map { $0.view() } }

    /// The keys' columns with others appended: a union's keys, in memory of their own.
    package func columns(appending others: [Column], rows: RowList) throws(StreamError) -> [Column] {
        var columns: [Column] = []
        for (key, other) in zip(keys, others) {
            let copy = KeyColumn(copying: key, more: rows.count)
            try copy.append(other, rows: rows)
            columns.append(copy.view())
        }
        return columns
    }

    /// `count` hashes by id; later insertions do not touch them.
    package var hashes: Buffer { hashWords }

    /// How many keys each group has; groups without keys are absent.
    package func keysPerGroup(maxParallelism: Int) -> [Int: Int] {
        var counts: [Int: Int] = [:]
        let words = hashWords.typed(UInt64.self)
        for id in 0..<count { counts[KeyGroup.of(hash: words[id], groups: maxParallelism), default: 0] += 1 }
        return counts
    }

    package var stateBytes: Int {
        (mask + 1) * 8 + hashWords.capacity + keys.reduce(0) { $0 + $1.stateBytes }
    }

    private static func places(for count: Int) -> Int {
        var places = 16
        while places < count * 2 { places *= 2 }
        return places
    }

    /// Looks every row up by hash alone; `fresh` lists the rows whose hash was new.
    private func probe(_ hashes: UnsafePointer<UInt64>, _ rows: RowList, _ ids: UnsafeMutablePointer<Int32>, _ fresh: UnsafeMutablePointer<Int32>) {
        var index = self.index, mask = self.mask
        var room = (mask + 1) / 2 - count
        var added = 0
        var words = hashWords.typed(UInt64.self)
        let wide = (mask + 1) * 8 > KeyTable.prefetchBytes
        for at in 0..<rows.count {
            if wide && at + KeyTable.ahead < rows.count {
                swiftwater_prefetch(index + (Int(truncatingIfNeeded: hashes[rows[at + KeyTable.ahead]]) & mask))
            }
            let row = rows[at]
            let hash = hashes[row], tag = hash &>> 32
            var place = Int(truncatingIfNeeded: hash) & mask
            var entry = index[place]
            while entry != 0 && entry &>> 32 != tag {
                place = (place &+ 1) & mask
                entry = index[place]
            }
            if entry != 0 {
                ids[at] = Int32(truncatingIfNeeded: Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) &- 1)
                continue
            }
            let id = count
            index[place] = (hash & 0xFFFF_FFFF_0000_0000) | UInt64(truncatingIfNeeded: id &+ 1)
            words[id] = hash
            ids[at] = Int32(truncatingIfNeeded: id)
            fresh[added] = Int32(truncatingIfNeeded: row)
            added &+= 1
            count = id &+ 1
            room &-= 1
            if room <= 0 {
                rehash()
                index = self.index
                mask = self.mask
                words = hashWords.typed(UInt64.self)
                room = (mask + 1) / 2 - count
            }
        }
    }

    /// Positions whose id was found by hash but whose key differs. Nearly always none.
    private func liars(_ columns: [Column], _ rows: RowList, _ ids: UnsafePointer<Int32>) -> [Int] {
        var found: [Int] = []
        for (key, column) in zip(keys, columns) { key.compare(column, rows: rows, ids: ids) { found.append($0) } }
        return keys.count > 1 && found.count > 1 ? Set(found).sorted() : found
    }

    /// The id of one row's key, every candidate compared.
    private func place(_ columns: [Column], row: Int, hash: UInt64) -> Int? {
        var place = Int(truncatingIfNeeded: hash) & mask
        while index[place] != 0 {
            let entry = index[place]
            if entry >> 32 == hash >> 32 {
                let id = Int(entry & 0xFFFF_FFFF) - 1
                var same = true
                for (key, column) in zip(keys, columns) { same = same && key.isEqual(column, row: row, id: id) }
                if same { return id }
            }
            place = (place + 1) & mask
        }
        return nil
    }

    private func insert(_ hash: UInt64) -> Int {
        hashWords.typed(UInt64.self)[count] = hash
        var place = Int(truncatingIfNeeded: hash) & mask
        while index[place] != 0 { place = (place + 1) & mask }
        index[place] = (hash & 0xFFFF_FFFF_0000_0000) | UInt64(count + 1)
        count += 1
        if count >= (mask + 1) / 2 { rehash() }
        return count - 1
    }

    /// Twice the places, and hashes for half of them: more keys than that there never are.
    private func rehash() {
        let places = (mask + 1) * 2
        index.deallocate()
        index = .allocate(capacity: places)
        index.initialize(repeating: 0, count: places)
        mask = places - 1
        hashWords = hashWords.extended(to: (places / 2 + 1) * 8, keeping: count * 8)
        let words = hashWords.typed(UInt64.self)
        for id in 0..<count {
            if id + KeyTable.ahead < count { swiftwater_prefetch(index + (Int(truncatingIfNeeded: words[id + KeyTable.ahead]) & mask)) }
            var place = Int(truncatingIfNeeded: words[id]) & mask
            while index[place] != 0 { place = (place &+ 1) & mask }
            index[place] = (words[id] & 0xFFFF_FFFF_0000_0000) | UInt64(truncatingIfNeeded: id + 1)
        }
    }
}
