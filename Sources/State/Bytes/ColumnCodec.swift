import Columnar

/// Columns as state bytes: integers as zigzag varints, so that counts and small sums take a byte or two; floating point and
/// one-byte types as they are; variable-length values as varint lengths, then the bytes.
///
/// `hasNulls: u8 | [validity: one bit a row] | values`.
struct ColumnEncoder {
    private var memory: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 1 << 12) {
        self.capacity = capacity
        memory = .allocate(capacity: capacity)
    }

    func free() { memory.deallocate() }

    /// What was written so far; the encoder starts anew.
    mutating func take() -> [UInt8] {
        defer { count = 0 }
        return Array(UnsafeBufferPointer(start: memory, count: count))
    }

    mutating func put(byte: UInt8) {
        reserve(1)
        memory[count] = byte
        count += 1
    }

    mutating func put(signed value: Int64) {
        reserve(10)
        putVarint(UInt64(bitPattern: value &<< 1 ^ value &>> 63))
    }

    mutating func put(unsigned value: UInt64) {
        reserve(10)
        putVarint(value)
    }

    mutating func put(text: String) {
        let utf8 = Array(text.utf8)
        put(unsigned: UInt64(utf8.count))
        reserve(utf8.count)
        for byte in utf8 {
            memory[count] = byte
            count += 1
        }
    }

    mutating func put(_ column: Column, rows: UnsafeBufferPointer<Int32>) {
        let hasNulls = column.validity != nil && rows.contains { column.isNull(Int($0)) }
        put(byte: hasNulls ? 1 : 0)
        if hasNulls {
            let length = (rows.count + 7) / 8
            reserve(length)
            (memory + count).update(repeating: 0, count: length)
            for (at, row) in rows.enumerated() where !column.isNull(Int(row)) { memory[count + at >> 3] |= 1 << UInt8(at & 7) }
            count += length
        }
        switch column.physical {
        case .bool, .int8: copy(UInt8.self, column, rows)
        case .int16: varints(Int16.self, column, rows)
        case .int32: varints(Int32.self, column, rows)
        case .int64: varints(Int64.self, column, rows)
        case .int128: wideVarints(column, rows)
        case .float32: copy(UInt32.self, column, rows)
        case .float64: copy(UInt64.self, column, rows)
        case .bytes: runs(column, rows)
        }
    }

    private mutating func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: max(capacity * 2, count + more))
        larger.update(from: memory, count: count)
        memory.deallocate()
        capacity = max(capacity * 2, count + more)
        memory = larger
    }

    @inline(__always) private mutating func putVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            memory[count] = UInt8(truncatingIfNeeded: rest) | 0x80
            count &+= 1
            rest &>>= 7
        }
        memory[count] = UInt8(truncatingIfNeeded: rest)
        count &+= 1
    }

    private mutating func varints<T: FixedWidthInteger & SignedInteger>(_ type: T.Type, _ column: Column, _ rows: UnsafeBufferPointer<Int32>) {
        let values = column.pointer(T.self)
        reserve(rows.count * 10)
        for row in rows {
            let value = Int64(truncatingIfNeeded: values[Int(row)])
            putVarint(UInt64(bitPattern: value &<< 1 ^ value &>> 63))
        }
    }

    private mutating func wideVarints(_ column: Column, _ rows: UnsafeBufferPointer<Int32>) {
        let values = column.pointer(Int128.self)
        reserve(rows.count * 19)
        for row in rows {
            let value = values[Int(row)]
            var rest = UInt128(bitPattern: value &<< 1 ^ value &>> 127)
            while rest >= 0x80 {
                memory[count] = UInt8(truncatingIfNeeded: rest) | 0x80
                count &+= 1
                rest &>>= 7
            }
            memory[count] = UInt8(truncatingIfNeeded: rest)
            count &+= 1
        }
    }

    private mutating func copy<T: FixedWidthInteger>(_ type: T.Type, _ column: Column, _ rows: UnsafeBufferPointer<Int32>) {
        let values = column.pointer(T.self), width = MemoryLayout<T>.size
        reserve(rows.count * width)
        for row in rows {
            UnsafeMutableRawPointer(memory + count).storeBytes(of: values[Int(row)].littleEndian, as: T.self)
            count &+= width
        }
    }

    private mutating func runs(_ column: Column, _ rows: UnsafeBufferPointer<Int32>) {
        let offsets = column.offsets
        reserve(rows.count * 5)
        var total = 0
        for row in rows {
            let length = Int(offsets[Int(row) + 1] - offsets[Int(row)])
            total += length
            putVarint(UInt64(length))
        }
        reserve(total)
        for row in rows {
            let slice = column.slice(Int(row))
            if let start = slice.baseAddress { (memory + count).update(from: start, count: slice.count) }
            count += slice.count
        }
    }
}

/// Reads what `ColumnEncoder` wrote; every read checks its bounds.
extension ByteReader {
    mutating func varint() throws(MalformedBytes) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try number(UInt8.self)
            guard shift < 63 || byte <= 1 else { throw MalformedBytes("a number longer than 64 bits") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    mutating func signedVarint() throws(MalformedBytes) -> Int64 {
        let raw = try varint()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    mutating func shortText() throws(MalformedBytes) -> String {
        let length = try varint()
        guard length <= UInt64(remaining) else { throw MalformedBytes("cut off inside a text") }
        guard let text = String(validating: try take(Int(length)), as: UTF8.self) else { throw MalformedBytes("text that is not UTF-8") }
        return text
    }

    mutating func column(_ type: DataType, count: Int) throws(MalformedBytes) -> Column {
        var validity: Buffer?
        if try bool() {
            let bits = Buffer.zeroed(capacity: Column.validityBytes(count))
            let raw = try take((count + 7) / 8)
            for at in 0..<raw.count { bits.typed(UInt8.self)[at] = raw[at] }
            validity = bits
        }
        let physical = type.kind.physical
        guard physical != .bytes else { return try runs(type, count, validity) }
        let values = Buffer(capacity: count * physical.width)
        switch physical {
        case .bool, .int8, .float32, .float64:
            let raw = try take(count * physical.width)
            if let start = raw.baseAddress { values.pointer.copyMemory(from: start, byteCount: raw.count) }
        case .int16: try varints(Int16.self, values, count)
        case .int32: try varints(Int32.self, values, count)
        case .int64: try varints(Int64.self, values, count)
        case .int128, .bytes: try wideVarints(values, count)
        }
        return Column(type: type, count: count, values: values, validity: validity)
    }

    @inline(__always)
    private mutating func varints<T: FixedWidthInteger>(_ type: T.Type, _ values: Buffer, _ count: Int) throws(MalformedBytes) {
        let target = values.typed(T.self)
        try eachVarint(count) { row, raw in
            let value = Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
            target[row] = T(truncatingIfNeeded: value)
            return Int64(target[row]) == value
        }
    }

    /// Reads `count` varints in one loop over memory; `body` says whether the value is one that fits.
    @inline(__always)
    private mutating func eachVarint(_ count: Int, _ body: (Int, UInt64) -> Bool) throws(MalformedBytes) {
        var ahead = self
        let rest = try ahead.take(remaining)
        var at = 0
        for row in 0..<count {
            var value: UInt64 = 0, shift: UInt64 = 0, byte: UInt8 = 0x80
            while byte >= 0x80 {
                guard at < rest.count else { throw MalformedBytes("cut off inside a number") }
                byte = rest[at]
                guard shift < 63 || (shift == 63 && byte <= 1) else { throw MalformedBytes("a number longer than 64 bits") }
                value |= UInt64(byte & 0x7F) &<< shift
                shift &+= 7
                at &+= 1
            }
            guard body(row, value) else { throw MalformedBytes("a number that its column cannot hold") }
        }
        _ = try take(at)
    }

    private mutating func wideVarints(_ values: Buffer, _ count: Int) throws(MalformedBytes) {
        let target = values.typed(Int128.self)
        for row in 0..<count {
            var value: UInt128 = 0
            var shift: UInt128 = 0
            while true {
                let byte = try number(UInt8.self)
                guard shift < 126 || byte <= 3 else { throw MalformedBytes("a number longer than 128 bits") }
                value |= UInt128(byte & 0x7F) << shift
                if byte < 0x80 { break }
                shift += 7
            }
            target[row] = Int128(bitPattern: value >> 1) ^ -Int128(bitPattern: value & 1)
        }
    }

    private mutating func runs(_ type: DataType, _ count: Int, _ validity: Buffer?) throws(MalformedBytes) -> Column {
        let offsets = Buffer(capacity: (count + 1) * 4)
        let target = offsets.typed(Int32.self)
        target[0] = 0
        var total: UInt64 = 0
        let limit = UInt64(min(remaining, Int(Int32.max)))
        try eachVarint(count) { row, length in
            guard length <= limit, total + length <= limit else { return false }
            total += length
            target[row + 1] = Int32(truncatingIfNeeded: total)
            return true
        }
        let raw = try take(Int(total))
        let run = Buffer(capacity: raw.count)
        if let start = raw.baseAddress { run.pointer.copyMemory(from: start, byteCount: raw.count) }
        return Column(type: type, count: count, values: offsets, bytes: run, validity: validity)
    }
}
