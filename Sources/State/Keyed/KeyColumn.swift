import Columnar
import Dataflow
import Glibc

/// One column of the keys of a table, by dense id: only appended to, so a frozen view shares its memory.
package final class KeyColumn {
    package let type: DataType
    package private(set) var count = 0
    private let physical: PhysicalType
    private var capacity: Int
    private var values: Buffer
    private var bytes: Buffer?
    private var byteCount = 0
    private var validity: Buffer?

    package init(type: DataType, capacity: Int) {
        self.type = type
        self.physical = type.kind.physical
        self.capacity = max(capacity, 16)
        values = Buffer(capacity: (self.capacity + 1) * physical.width)
        if physical == .bytes {
            bytes = Buffer(capacity: self.capacity * 8)
            values.typed(Int32.self)[0] = 0
        }
    }

    /// The same keys in memory of their own, with room for `more`.
    package init(copying other: KeyColumn, more: Int) {
        type = other.type
        physical = other.physical
        count = other.count
        byteCount = other.byteCount
        capacity = max(other.count + more, 16)
        values = other.values.extended(to: (capacity + 1) * physical.width, keeping: (count + 1) * physical.width)
        bytes = other.bytes?.extended(to: byteCount + byteCount / max(count, 1) * more + 16, keeping: byteCount)
        validity = other.validity?.extended(to: Column.validityBytes(capacity), keeping: Column.validityBytes(count))
    }

    package var stateBytes: Int {
        values.capacity + (bytes?.capacity ?? 0) + (validity?.capacity ?? 0)
    }

    /// What it holds now. Later appends do not touch the view's memory.
    package func view() -> Column {
        // Later appends set bits in the last word of the validity, so a view has its own.
        let present = validity?.extended(to: Column.validityBytes(count), keeping: Column.validityBytes(count))
        return Column(type: type, count: count, values: values, bytes: bytes, validity: present)
    }

    package func append(_ column: Column, rows: RowList) throws(StreamError) {
        try checkRoom(column, rows)
        reserve(rows.count)
        if column.validity != nil || validity != nil { appendValidity(column, rows) }
        switch physical {
        case .bool, .int8: move(UInt8.self, column, rows)
        case .int16: move(UInt16.self, column, rows)
        case .int32, .float32: move(UInt32.self, column, rows)
        case .int64, .float64: move(UInt64.self, column, rows)
        case .int128: move(UInt128.self, column, rows)
        case .bytes: moveBytes(column, rows)
        }
        count += rows.count
    }

    /// Offsets have 32 bits: nothing is written that they would not reach.
    private func checkRoom(_ column: Column, _ rows: RowList) throws(StreamError) {
        guard physical == .bytes else { return }
        // The whole column is nearly always far from enough.
        guard byteCount + Int(column.offsets[column.count]) > Int(Int32.max) else { return }
        var total = byteCount
        for index in 0..<rows.count { total += column.slice(rows[index]).count }
        guard total <= Int(Int32.max) else {
            throw StreamError(.memory, retry: false, "the keys of one state table take over 2 GiB")
        }
    }

    /// Calls `differ` with the position of each row that is not the key that its id stands for.
    package func compare(_ column: Column, rows: RowList, ids: UnsafePointer<Int32>, differ: (Int) -> Void) {
        if column.validity != nil || validity != nil {
            for index in 0..<rows.count where ids[index] >= 0 && !isEqual(column, row: rows[index], id: Int(ids[index])) { differ(index) }
            return
        }
        switch physical {
        case .bool, .int8: compare(UInt8.self, column, rows, ids, differ)
        case .int16: compare(UInt16.self, column, rows, ids, differ)
        case .int32: compare(UInt32.self, column, rows, ids, differ)
        case .int64: compare(UInt64.self, column, rows, ids, differ)
        case .int128: compare(UInt128.self, column, rows, ids, differ)
        case .bytes: compareBytes(column, rows, ids, differ)
        case .float32, .float64:
            for index in 0..<rows.count where ids[index] >= 0 && !isEqual(column, row: rows[index], id: Int(ids[index])) { differ(index) }
        }
    }

    /// As GROUP BY compares: NULL is NULL, −0.0 is 0.0, NaN is NaN.
    package func isEqual(_ column: Column, row: Int, id: Int) -> Bool {
        let absent = isNull(id)
        if absent || column.isNull(row) { return absent && column.isNull(row) }
        switch physical {
        case .bool, .int8: return values.typed(UInt8.self)[id] == column.pointer(UInt8.self)[row]
        case .int16: return values.typed(UInt16.self)[id] == column.pointer(UInt16.self)[row]
        case .int32: return values.typed(UInt32.self)[id] == column.pointer(UInt32.self)[row]
        case .int64: return values.typed(UInt64.self)[id] == column.pointer(UInt64.self)[row]
        case .int128: return values.typed(UInt128.self)[id] == column.pointer(UInt128.self)[row]
        case .float32:
            return KeyHash.canonicalBits(Double(values.typed(Float.self)[id])) == KeyHash.canonicalBits(Double(column.pointer(Float.self)[row]))
        case .float64:
            return KeyHash.canonicalBits(values.typed(Double.self)[id]) == KeyHash.canonicalBits(column.pointer(Double.self)[row])
        case .bytes:
            let offsets = values.typed(Int32.self)
            let slice = column.slice(row)
            let length = Int(offsets[id + 1] - offsets[id])
            guard slice.count == length else { return false }
            return length == 0 || memcmp(bytes.unsafelyUnwrapped.pointer + Int(offsets[id]), slice.baseAddress.unsafelyUnwrapped, length) == 0
        }
    }

    private func isNull(_ id: Int) -> Bool {
        guard let validity else { return false }
        return validity.typed(UInt64.self)[id >> 6] &>> UInt64(id & 63) & 1 == 0
    }

    private func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        capacity = max(count + more, capacity * 2)
        values = values.extended(to: (capacity + 1) * physical.width, keeping: (count + 1) * physical.width)
        validity = validity?.extended(to: Column.validityBytes(capacity), keeping: Column.validityBytes(count))
    }

    private func appendValidity(_ column: Column, _ rows: RowList) {
        let bits: Buffer
        if let validity { bits = validity } else {
            bits = Buffer(capacity: Column.validityBytes(capacity))
            memset(bits.pointer, 0xff, bits.capacity)
            validity = bits
        }
        let words = bits.typed(UInt64.self)
        for index in 0..<rows.count {
            let id = count + index
            let bit = UInt64(1) << UInt64(id & 63)
            if column.isNull(rows[index]) { words[id >> 6] &= ~bit } else { words[id >> 6] |= bit }
        }
    }

    private func move<T>(_ type: T.Type, _ column: Column, _ rows: RowList) {
        let from = column.pointer(T.self), to = values.typed(T.self) + count
        for index in 0..<rows.count { to[index] = from[rows[index]] }
    }

    private func moveBytes(_ column: Column, _ rows: RowList) {
        let from = column.offsets, to = values.typed(Int32.self) + count
        var total = byteCount
        for index in 0..<rows.count {
            let row = rows[index]
            total += Int(from[row + 1] &- from[row])
            to[index + 1] = Int32(truncatingIfNeeded: total)
        }
        var run = bytes.unsafelyUnwrapped
        if total > run.capacity {
            run = run.extended(to: max(total, run.capacity * 2), keeping: byteCount)
            bytes = run
        }
        let source = column.bytes.unsafelyUnwrapped.pointer
        var at = byteCount
        for index in 0..<rows.count {
            let row = rows[index]
            let start = Int(from[row]), length = Int(from[row + 1] &- from[row])
            // Short keys are one unaligned 16-byte move into the slack; the next key overwrites what is too much.
            if length <= 16 {
                let word = (source + start).loadUnaligned(as: SIMD16<UInt8>.self)
                (run.pointer + at).storeBytes(of: word, as: SIMD16<UInt8>.self)
            } else {
                memcpy(run.pointer + at, source + start, length)
            }
            at += length
        }
        byteCount = total
    }

    @inline(__always) private func compare<T: Equatable>(
        _ type: T.Type, _ column: Column, _ rows: RowList, _ ids: UnsafePointer<Int32>, _ differ: (Int) -> Void
    ) {
        let given = column.pointer(T.self), held = values.typed(T.self)
        for index in 0..<rows.count where ids[index] >= 0 && held[Int(ids[index])] != given[rows[index]] { differ(index) }
    }

    private func compareBytes(_ column: Column, _ rows: RowList, _ ids: UnsafePointer<Int32>, _ differ: (Int) -> Void) {
        let given = column.offsets, held = values.typed(Int32.self)
        let givenBytes = UnsafeRawPointer(column.bytes.unsafelyUnwrapped.pointer), heldBytes = UnsafeRawPointer(bytes.unsafelyUnwrapped.pointer)
        for index in 0..<rows.count {
            let id = Int(ids[index]), row = rows[index]
            if id < 0 { continue }
            let start = Int(given[row]), length = Int(given[row + 1] &- given[row])
            let at = Int(held[id])
            guard Int(held[id + 1]) &- at == length else { differ(index); continue }
            if length <= 8 {
                let a = (givenBytes + start).loadUnaligned(as: UInt64.self), b = (heldBytes + at).loadUnaligned(as: UInt64.self)
                // The bytes behind the key are anyone's; a shift by 64 leaves zero, which is right for the empty key.
                if (a ^ b) << UInt64(64 - length * 8) != 0 { differ(index) }
            } else if memcmp(givenBytes + start, heldBytes + at, length) != 0 {
                differ(index)
            }
        }
    }
}

extension Buffer {
    /// A buffer of this capacity with the first `count` bytes of this one.
    package func extended(to capacity: Int, keeping count: Int) -> Buffer {
        let other = Buffer(capacity: max(capacity, count))
        memcpy(other.pointer, pointer, count)
        return other
    }
}

extension Column {
    /// Rows `range` in memory of their own: runs of memory, not row by row.
    package func copied(_ range: Range<Int>) -> Column {
        var present: Buffer?
        if validity != nil {
            let bits = Buffer.zeroed(capacity: Column.validityBytes(range.count))
            for row in range where !isNull(row) { bits.typed(UInt64.self)[(row - range.lowerBound) >> 6] |= 1 << UInt64((row - range.lowerBound) & 63) }
            present = bits
        }
        guard physical == .bytes, let bytes else {
            let width = physical.width
            let target = Buffer(capacity: range.count * width)
            memcpy(target.pointer, values.pointer + range.lowerBound * width, range.count * width)
            return Column(type: type, count: range.count, values: target, validity: present)
        }
        let first = offsets[range.lowerBound], length = Int(offsets[range.upperBound] - first)
        let target = Buffer(capacity: (range.count + 1) * 4), run = Buffer(capacity: length)
        let to = target.typed(Int32.self), from = offsets + range.lowerBound
        for index in 0...range.count { to[index] = from[index] &- first }
        memcpy(run.pointer, bytes.pointer + Int(first), length)
        return Column(type: type, count: range.count, values: target, bytes: run, validity: present)
    }
}
