import Glibc

/// Fills a column row by row. Grows as needed; a reader that knows its batch size pays for no growth.
///
/// Hot readers write through `values(_:)`, `reserveBytes` and `count` themselves; everybody else calls `append…`.
package struct ColumnBuilder {
    package let type: DataType
    package let physical: PhysicalType
    /// Rows appended so far.
    package var count = 0
    /// Bytes used in `bytes`.
    package var byteCount = 0
    package private(set) var rowCapacity: Int
    package private(set) var values: Buffer
    package private(set) var bytes: Buffer?
    private var validity: Buffer?

    package init(type: DataType, capacity: Int, bytesPerRow: Int = 16) {
        self.type = type
        self.physical = type.kind.physical
        self.rowCapacity = max(capacity, 16)
        self.values = Buffer(capacity: (rowCapacity + 1) * physical.width)
        if physical == .bytes {
            self.bytes = Buffer(capacity: rowCapacity * bytesPerRow)
            values.typed(Int32.self)[0] = 0
        }
    }

    /// Makes room for so many more rows.
    package mutating func reserveRows(_ more: Int) {
        guard count + more > rowCapacity else { return }
        let old = rowCapacity
        rowCapacity = max(count + more, rowCapacity * 2)
        values = values.grown(to: (rowCapacity + 1) * physical.width, keeping: (old + 1) * physical.width)
        if let present = validity {
            let larger = Buffer(capacity: Column.validityBytes(rowCapacity))
            memset(larger.pointer, 0xff, larger.capacity)
            memcpy(larger.pointer, present.pointer, Column.validityBytes(old))
            validity = larger
        }
    }

    /// Makes room for so many more bytes of a variable-length column.
    package mutating func reserveBytes(_ more: Int) {
        guard let held = bytes, byteCount + more > held.capacity else { return }
        bytes = held.grown(to: byteCount + more, keeping: byteCount)
    }

    package mutating func appendNull() {
        reserveRows(1)
        setNull(count)
        switch physical {
        case .bytes: values.typed(Int32.self)[count + 1] = Int32(truncatingIfNeeded: byteCount)
        case let fixed: memset(values.pointer + count * fixed.width, 0, fixed.width)
        }
        count += 1
    }

    /// Marks a row as null; its value must be defined by the caller (zero, or an empty slice).
    package mutating func setNull(_ row: Int) {
        let bits: Buffer
        if let validity { bits = validity } else {
            bits = Buffer(capacity: Column.validityBytes(rowCapacity))
            memset(bits.pointer, 0xff, bits.capacity)
            validity = bits
        }
        bits.typed(UInt64.self)[row >> 6] &= ~(1 << UInt64(row & 63))
    }

    package func isNull(_ row: Int) -> Bool {
        guard let validity else { return false }
        return validity.typed(UInt64.self)[row >> 6] &>> UInt64(row & 63) & 1 == 0
    }

    @inlinable package mutating func appendFixed<T>(_ value: T) {
        if count == rowCapacity { reserveRows(1) }
        values.typed(T.self)[count] = value
        count += 1
    }

    package mutating func appendBytes(_ slice: UnsafeBufferPointer<UInt8>) {
        reserveRows(1)
        reserveBytes(slice.count)
        if let source = slice.baseAddress, let bytes { memcpy(bytes.pointer + byteCount, source, slice.count) }
        byteCount += slice.count
        precondition(byteCount <= Int(Int32.max), "a column of variable-length values reaches 2 GiB")
        values.typed(Int32.self)[count + 1] = Int32(truncatingIfNeeded: byteCount)
        count += 1
    }

    package mutating func append(_ value: Value) {
        switch (value, physical) {
        case (.null, _): appendNull()
        case (.boolean(let flag), .bool): appendFixed(UInt8(flag ? 1 : 0))
        case (.integer(let number), .int8): appendFixed(Int8(truncatingIfNeeded: number))
        case (.integer(let number), .int16): appendFixed(Int16(truncatingIfNeeded: number))
        case (.integer(let number), .int32): appendFixed(Int32(truncatingIfNeeded: number))
        case (.integer(let number), .int64): appendFixed(number)
        case (.decimal(let number), .int128): appendFixed(number)
        case (.double(let number), .float32): appendFixed(Float(number))
        case (.double(let number), .float64): appendFixed(number)
        case (.bytes(let slice), .bytes): slice.withUnsafeBufferPointer { appendBytes($0) }
        default: preconditionFailure("a \(value) does not fit a column of \(type)")
        }
    }

    /// Copies one row of a column of the same physical type.
    package mutating func append(_ column: Column, row: Int) {
        if column.isNull(row) { return appendNull() }
        switch physical {
        case .bytes: appendBytes(column.slice(row))
        case let fixed:
            reserveRows(1)
            memcpy(values.pointer + count * fixed.width, column.values.pointer + row * fixed.width, fixed.width)
            count += 1
        }
    }

    /// Keeps the first `rows` rows: what a reader does with a row that turned out to be malformed.
    package mutating func truncate(to rows: Int) {
        guard rows < count else { return }
        if let validity {
            let words = validity.typed(UInt64.self)
            for row in rows..<min(count + 1, rowCapacity) { words[row >> 6] |= 1 << UInt64(row & 63) }
        }
        count = rows
        if physical == .bytes { byteCount = Int(values.typed(Int32.self)[rows]) }
    }

    /// The column; the builder is empty afterwards and may be used again (with new memory).
    package mutating func finish() -> Column {
        let column = Column(type: type, count: count, values: values, bytes: bytes, validity: validity)
        self = ColumnBuilder(type: type, capacity: max(count, 16), bytesPerRow: count == 0 ? 16 : byteCount / count + 1)
        return column
    }
}
