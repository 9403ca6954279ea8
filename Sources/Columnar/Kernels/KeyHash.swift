/// The hash that routes rows and keys state: fixed across processes, builds and processors, so it may stand in checkpoints.
///
/// Equal SQL values hash equally: −0.0 as 0.0, every NaN as one NaN, strings by their UTF-8 bytes. NULL has a hash of its own.
package enum KeyHash {
    @usableFromInline static let seed: UInt64 = 0x9E37_79B9_7F4A_7C15
    @usableFromInline static let null: UInt64 = 0xA24B_AED4_963E_E407

    /// One multiplication to 128 bits, both halves folded: mixes 64 bits well for three cycles.
    @inlinable package static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }

    @inlinable package static func of(_ word: UInt64) -> UInt64 {
        mix(word ^ 0xE703_7ED1_A0B4_28DB, seed)
    }

    /// Reads up to 7 bytes behind `count` (columns have slack) only when `count` ≥ 8 or the memory has slack.
    @inlinable package static func of(_ bytes: UnsafePointer<UInt8>, count: Int) -> UInt64 {
        let raw = UnsafeRawPointer(bytes)
        var hash = UInt64(truncatingIfNeeded: count) &* seed ^ 0x8EBC_6AF0_9C88_C6E3
        var at = 0
        while at + 8 <= count {
            hash = mix(hash ^ UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)), seed)
            at += 8
        }
        if at < count {
            let rest = count - at
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self)) & (~0 &>> UInt64(64 - rest * 8))
            hash = mix(hash ^ word, seed)
        }
        return mix(hash, 0x5895_89FD_3B2C_6E4F)
    }

    /// A hash for each row over all key columns. No key columns: every row has the same one.
    package static func hashes(_ columns: [Column], count: Int, into target: UnsafeMutablePointer<UInt64>) {
        guard let first = columns.first else {
            for row in 0..<count { target[row] = seed }
            return
        }
        fold(first, into: target, first: true)
        for column in columns.dropFirst() { fold(column, into: target, first: false) }
    }

    private static func fold(_ column: Column, into target: UnsafeMutablePointer<UInt64>, first: Bool) {
        @inline(__always) func put(_ row: Int, _ hash: UInt64) {
            target[row] = first ? hash : mix(target[row] ^ hash, seed)
        }
        let count = column.count
        if column.validity != nil {
            for row in 0..<count { put(row, column.isNull(row) ? null : hash(column, row: row)) }
            return
        }
        switch column.physical {
        case .int64:
            let values = column.pointer(UInt64.self)
            for row in 0..<count { put(row, of(values[row])) }
        case .int32:
            let values = column.pointer(Int32.self)
            for row in 0..<count { put(row, of(UInt64(bitPattern: Int64(values[row])))) }
        case .bytes:
            let offsets = column.offsets
            let bytes = column.bytes.unsafelyUnwrapped.typed(UInt8.self)
            for row in 0..<count { put(row, of(bytes + Int(offsets[row]), count: Int(offsets[row + 1] - offsets[row]))) }
        default:
            for row in 0..<count { put(row, hash(column, row: row)) }
        }
    }

    /// The hash of one present value.
    package static func hash(_ column: Column, row: Int) -> UInt64 {
        switch column.physical {
        case .bool: return of(UInt64(column.pointer(UInt8.self)[row]))
        case .int8: return of(UInt64(bitPattern: Int64(column.pointer(Int8.self)[row])))
        case .int16: return of(UInt64(bitPattern: Int64(column.pointer(Int16.self)[row])))
        case .int32: return of(UInt64(bitPattern: Int64(column.pointer(Int32.self)[row])))
        case .int64: return of(UInt64(bitPattern: column.pointer(Int64.self)[row]))
        case .int128:
            let value = UInt128(bitPattern: column.pointer(Int128.self)[row])
            return mix(of(UInt64(truncatingIfNeeded: value)) ^ UInt64(truncatingIfNeeded: value >> 64), seed)
        case .float32: return of(canonicalBits(Double(column.pointer(Float.self)[row])))
        case .float64: return of(canonicalBits(column.pointer(Double.self)[row]))
        case .bytes:
            let slice = column.slice(row)
            return of(slice.baseAddress.unsafelyUnwrapped, count: slice.count)
        }
    }

    /// The bits by which doubles are compared as keys.
    @inlinable package static func canonicalBits(_ value: Double) -> UInt64 {
        value == 0 ? 0 : value.isNaN ? 0x7FF8_0000_0000_0000 : value.bitPattern
    }
}
