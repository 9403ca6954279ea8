import CKernels
import Columnar

/// The columns of one batch while a format reader fills them in place, row by row, over raw memory.
///
/// Every column of a row is set before the row counts; setting one again replaces the value, so a duplicate key or a row that
/// turns out to be malformed costs nothing.
package final class ColumnFill {
    struct Target {
        var values: UnsafeMutableRawPointer
        /// The run of a variable-length column. 16 bytes past `byteCapacity` may be written.
        var bytes: UnsafeMutablePointer<UInt8>?
        var byteCapacity: Int
        /// Nil until the batch's first null.
        var validity: UnsafeMutablePointer<UInt64>?
        /// The row that was set last.
        var row: Int32
        var width: Int32
    }

    package let types: [DataType]
    /// Rows at most.
    package let capacity: Int
    /// Rows that are complete.
    package var count = 0
    let targets: UnsafeMutablePointer<Target>
    private var values: [Buffer] = []
    private var bytes: [Buffer?] = []
    private var validity: [Buffer?] = []
    private var byteGuess: [Int]

    package init(_ types: [DataType], capacity: Int) {
        self.types = types
        self.capacity = capacity
        self.targets = .allocate(capacity: max(types.count, 1))
        self.byteGuess = types.map { _ in capacity * 12 }
        open()
    }

    deinit { targets.deallocate() }

    private func open() {
        count = 0
        values = types.map { Buffer(capacity: (capacity + 1) * $0.kind.physical.width) }
        bytes = types.indices.map { types[$0].kind.physical == .bytes ? Buffer(capacity: byteGuess[$0] + 64) : nil }
        validity = types.map { _ in nil }
        for (column, type) in types.enumerated() {
            targets[column] = Target(
                values: values[column].pointer, bytes: bytes[column]?.typed(), byteCapacity: bytes[column]?.capacity ?? 0, validity: nil,
                row: -1, width: Int32(type.kind.physical.width))
            if bytes[column] != nil { values[column].typed(Int32.self)[0] = 0 }
        }
    }

    /// The batch so far; the fill starts anew.
    package func finish() -> Batch {
        let columns = types.indices.map { column in
            Column(type: types[column], count: count, values: values[column], bytes: bytes[column], validity: validity[column])
        }
        for column in types.indices where bytes[column] != nil {
            let used = Int(values[column].typed(Int32.self)[count])
            byteGuess[column] = min(used + used / 8 + 64, capacity * 256)
        }
        let batch = Batch(count: count, columns: columns)
        open()
        return batch
    }

    @inline(__always) func set<T>(_ column: Int, _ row: Int, _ value: T) {
        let target = targets + column
        target.pointee.values.assumingMemoryBound(to: T.self)[row] = value
        markPresent(target, row)
    }

    /// Where the bytes of a row's value begin; valid until `makeRoom`.
    @inline(__always) func start(_ column: Int, _ row: Int) -> Int {
        Int(targets[column].values.assumingMemoryBound(to: Int32.self)[row])
    }

    /// Makes sure that `total` bytes, and 16 of slack, lie in the column's run.
    @inline(__always) func makeRoom(_ column: Int, _ total: Int) {
        if total > targets[column].byteCapacity { grow(column, total) }
    }

    @inline(never) private func grow(_ column: Int, _ total: Int) {
        guard let old = bytes[column] else { return }
        let larger = old.grown(to: total + total / 2, keeping: old.capacity)
        bytes[column] = larger
        targets[column].bytes = larger.typed()
        targets[column].byteCapacity = larger.capacity
    }

    /// The row's bytes end at `end` of the run.
    @inline(__always) func endBytes(_ column: Int, _ row: Int, _ end: Int) {
        let target = targets + column
        target.pointee.values.assumingMemoryBound(to: Int32.self)[row + 1] = Int32(truncatingIfNeeded: end)
        markPresent(target, row)
    }

    func setBytes(_ column: Int, _ row: Int, _ text: UnsafePointer<UInt8>, _ count: Int) {
        let from = start(column, row)
        makeRoom(column, from + count)
        if let run = targets[column].bytes { (run + from).update(from: text, count: count) }
        endBytes(column, row, from + count)
    }

    func setNull(_ column: Int, _ row: Int) {
        let target = targets + column
        if target.pointee.validity == nil {
            let bits = Buffer(capacity: Column.validityBytes(capacity))
            bits.typed(UInt8.self).update(repeating: 0xff, count: bits.capacity)
            validity[column] = bits
            target.pointee.validity = bits.typed()
        }
        target.pointee.validity.unsafelyUnwrapped[row >> 6] &= ~(1 << UInt64(row & 63))
        target.pointee.row = Int32(truncatingIfNeeded: row)
        if target.pointee.bytes != nil {
            let offsets = target.pointee.values.assumingMemoryBound(to: Int32.self)
            offsets[row + 1] = offsets[row]
        } else {
            let width = Int(target.pointee.width)
            (target.pointee.values + row * width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
        }
    }

    /// Nothing that was set for the row in work counts.
    func forgetRow() {
        for column in types.indices { targets[column].row = -1 }
    }

    @inline(__always) private func markPresent(_ target: UnsafeMutablePointer<Target>, _ row: Int) {
        target.pointee.row = Int32(truncatingIfNeeded: row)
        if let bits = target.pointee.validity { bits[row >> 6] |= 1 << UInt64(row & 63) }
    }
}
