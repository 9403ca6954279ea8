import Glibc

/// `count` values of one type. Arrow's layout: a values buffer, validity bits, and for variable-length types 32-bit offsets
/// (`count + 1` of them, in the values buffer) into a run of bytes.
///
/// Immutable once built; copies share memory. The values of null rows are defined (zero or empty) so that kernels need not branch.
package struct Column: Sendable {
    package let type: DataType
    package let count: Int
    /// `count` values of `type.kind.physical`, or `count + 1` offsets.
    package let values: Buffer
    /// The bytes that offsets point into; nil for fixed-width types.
    package let bytes: Buffer?
    /// One bit a row in 64-bit words, 1 = present; nil when nothing is null.
    package let validity: Buffer?

    package init(type: DataType, count: Int, values: Buffer, bytes: Buffer? = nil, validity: Buffer? = nil) {
        self.type = type
        self.count = count
        self.values = values
        self.bytes = bytes
        self.validity = validity
    }

    @inlinable package var physical: PhysicalType { type.kind.physical }

    @inlinable package func isNull(_ row: Int) -> Bool {
        guard let validity else { return false }
        return validity.typed(UInt64.self)[row >> 6] &>> UInt64(row & 63) & 1 == 0
    }

    @inlinable package func pointer<T>(_ type: T.Type = T.self) -> UnsafeMutablePointer<T> { values.typed(T.self) }

    @inlinable package var offsets: UnsafeMutablePointer<Int32> { values.typed(Int32.self) }

    /// The bytes of one row of a variable-length column; valid while the column lives.
    @inlinable package func slice(_ row: Int) -> UnsafeBufferPointer<UInt8> {
        let offsets = self.offsets
        let start = Int(offsets[row])
        return UnsafeBufferPointer(start: bytes.unsafelyUnwrapped.typed(UInt8.self) + start, count: Int(offsets[row + 1]) - start)
    }

    /// Bytes of memory that the rows take, for bounds on buffers and state.
    package var byteCount: Int {
        var total = physical.width * count
        if bytes != nil { total += Int(offsets[count]) + 4 }
        if validity != nil { total += Column.validityBytes(count) }
        return total
    }

    /// Bytes of a validity buffer for so many rows: whole words.
    @inlinable package static func validityBytes(_ count: Int) -> Int { (count + 63) / 64 * 8 }

    package var nullCount: Int {
        guard let validity else { return 0 }
        let words = validity.typed(UInt64.self)
        var present = 0
        for word in 0..<(count >> 6) { present += words[word].nonzeroBitCount }
        if count & 63 != 0 { present += (words[count >> 6] & ((1 << UInt64(count & 63)) - 1)).nonzeroBitCount }
        return count - present
    }

    /// The same values under another type of the same physical layout.
    package func retyped(_ type: DataType) -> Column {
        precondition(type.kind.physical == physical, "retyping changes no bytes")
        return Column(type: type, count: count, values: values, bytes: bytes, validity: validity)
    }

    /// One cell as a value; slow, for printing and tests.
    package func value(_ row: Int) -> Value {
        if isNull(row) { return .null }
        switch physical {
        case .bool: return type.kind == .null ? .null : .boolean(pointer(UInt8.self)[row] != 0)
        case .int8: return .integer(Int64(pointer(Int8.self)[row]))
        case .int16: return .integer(Int64(pointer(Int16.self)[row]))
        case .int32: return .integer(Int64(pointer(Int32.self)[row]))
        case .int64: return .integer(pointer(Int64.self)[row])
        case .int128: return .decimal(pointer(Int128.self)[row])
        case .float32: return .double(Double(pointer(Float.self)[row]))
        case .float64: return .double(pointer(Double.self)[row])
        case .bytes: return .bytes(Array(slice(row)))
        }
    }

    /// `count` times the same value.
    package static func constant(_ value: Value, type: DataType, count: Int) -> Column {
        var builder = ColumnBuilder(type: type, capacity: count)
        for _ in 0..<count { builder.append(value) }
        return builder.finish()
    }

    package static func of(_ type: DataType, _ values: [Value]) -> Column {
        var builder = ColumnBuilder(type: type, capacity: values.count)
        for value in values { builder.append(value) }
        return builder.finish()
    }
}
