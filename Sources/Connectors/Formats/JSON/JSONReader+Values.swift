import CKernels
import Columnar

/// What a value must become. One byte, so that the hot loop switches on it.
enum FieldKind: UInt8 {
    case skip, null, boolean, int8, int16, int32, int64, float, double, decimal, string, binary, date, time, timestamp, timestampLTZ

    init(_ kind: TypeKind) {
        switch kind {
        case .null: self = .null
        case .boolean: self = .boolean
        case .tinyint: self = .int8
        case .smallint: self = .int16
        case .integer, .intervalYearMonth: self = .int32
        case .bigint, .intervalDayTime: self = .int64
        case .float: self = .float
        case .double: self = .double
        case .decimal: self = .decimal
        case .char, .varchar: self = .string
        case .binary, .varbinary: self = .binary
        case .date: self = .date
        case .time: self = .time
        case .timestamp: self = .timestamp
        case .timestampLTZ: self = .timestampLTZ
        }
    }

    static func precision(_ kind: TypeKind) -> Int8 {
        switch kind {
        case .timestamp(let precision), .timestampLTZ(let precision), .time(let precision): Int8(precision)
        default: 0
        }
    }
}

extension JSONReader {
    /// Reads a value of the form that its type mostly has. Nil when it has another one, or none.
    @inline(__always)
    func fastValue(
        _ at: UnsafePointer<UInt8>, _ step: UnsafeMutablePointer<Step>, _ minute: UnsafeMutablePointer<UInt8>, _ fill: ColumnFill, _ row: Int
    ) -> UnsafePointer<UInt8>? {
        let column = Int(step.pointee.column)
        switch step.pointee.kind {
        case .skip: return at[0] == 0x22 ? skipSimpleString(at) : skipDigits(at)
        case .string: return copySimpleString(at, column, fill, row)
        case .timestamp:
            guard let (end, ticks) = readTimestamp(at, step, minute) else { return nil }
            fill.set(column, row, ticks)
            return end
        case .double:
            guard let (end, value) = readDouble(at) else { return nil }
            fill.set(column, row, value)
            return end
        case .int64:
            guard let (end, value) = readInteger(at) else { return nil }
            fill.set(column, row, value)
            return end
        case .int32:
            guard let (end, value) = readInteger(at), let small = Int32(exactly: value) else { return nil }
            fill.set(column, row, small)
            return end
        default: return nil
        }
    }

    /// Passes over a string without escapes.
    @inline(__always)
    private func skipSimpleString(_ at: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        var from = at + 1
        while true {
            let length = Int(ck_string_stop16(from))
            from += length
            if length < 16 { return from[0] == 0x22 ? from + 1 : nil }
        }
    }

    /// Passes over an integer without sign, of several digits or one.
    @inline(__always)
    private func skipDigits(_ begin: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        var at = begin
        while isDigit(at[0]) { at += 1 }
        return at > begin && (begin[0] != 0x30 || at == begin + 1) && isEnd(at[0]) ? at : nil
    }

    /// Appends a string without escapes to the column, 16 bytes at a time.
    @inline(__always)
    private func copySimpleString(_ at: UnsafePointer<UInt8>, _ column: Int, _ fill: ColumnFill, _ row: Int) -> UnsafePointer<UInt8>? {
        guard at[0] == 0x22 else { return nil }
        var from = at + 1
        var end = fill.start(column, row)
        while true {
            fill.makeRoom(column, end + 16)
            ck_copy16(fill.targets[column].bytes.unsafelyUnwrapped + end, from)
            let length = Int(ck_string_stop16(from))
            end += length
            from += length
            if length < 16 { break }
        }
        guard from[0] == 0x22 else { return nil }
        fill.endBytes(column, row, end)
        return from + 1
    }

    /// An integer of up to 18 digits.
    @inline(__always)
    private func readInteger(_ begin: UnsafePointer<UInt8>) -> (UnsafePointer<UInt8>, Int64)? {
        let negative = begin[0] == 0x2D
        let first = negative ? begin + 1 : begin
        var at = first
        var value: Int64 = 0
        while at[0] &- 0x30 < 10 {
            value = value &* 10 &+ Int64(at[0] &- 0x30)
            at += 1
        }
        let digits = at - first
        guard digits &- 1 < 18, digits > 0, first[0] != 0x30 || digits == 1, isEnd(at[0]) else { return nil }
        return (at, negative ? 0 &- value : value)
    }

    /// A number without exponent: one exact division of digits by a power of ten (Clinger). Up to seven characters, most often
    /// a price, are taken as one word; up to 15 digits one by one.
    @inline(__always)
    private func readDouble(_ begin: UnsafePointer<UInt8>) -> (UnsafePointer<UInt8>, Double)? {
        let word = UInt64(littleEndian: UnsafeRawPointer(begin).loadUnaligned(as: UInt64.self)) ^ 0x3030_3030_3030_3030
        // The high bit of every byte that is no digit.
        let others = ((word & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676 | word) & 0x8080_8080_8080_8080
        let behind = others & (others &- 1)
        let wholeBits = UInt64(others.trailingZeroBitCount & ~7)
        // "." with one digit or more on both sides, and what ends the number, in eight bytes; "0.5" but not "00.5".
        if behind != 0, wholeBits > 0, word &>> wholeBits & 0xFF == 0x1E, word & 0xFF != 0 || wholeBits == 8 {
            let bits = UInt64(behind.trailingZeroBitCount & ~7) &- 8
            let length = Int(truncatingIfNeeded: bits &>> 3)
            let decimals = Int(truncatingIfNeeded: (bits &- wholeBits) &>> 3)
            if decimals > 0, isEnd(begin[length + 1]) {
                let mask = (1 &<< wholeBits) &- 1
                let digits = (word & mask | (word &>> 8) & ~mask) &<< (64 &- bits)
                return (begin + length + 1, Double(Int64(bitPattern: number(digits))) / powers[decimals])
            }
        }
        return readLongDouble(begin)
    }

    /// The number that eight bytes of digit values (0…9) say, the first in the lowest byte.
    @inline(__always)
    private func number(_ digits: UInt64) -> UInt64 {
        let pairs = (digits &* (1 + 10 << 8)) &>> 8 & 0x00FF_00FF_00FF_00FF
        let fours = (pairs &* (1 + 100 << 16)) &>> 16 & 0x0000_FFFF_0000_FFFF
        return (fours &* (1 + 10_000 << 32)) &>> 32
    }

    private func readLongDouble(_ begin: UnsafePointer<UInt8>) -> (UnsafePointer<UInt8>, Double)? {
        let negative = begin[0] == 0x2D
        let first = negative ? begin + 1 : begin
        var at = first
        var mantissa: UInt64 = 0
        while isDigit(at[0]) {
            mantissa = mantissa &* 10 &+ UInt64(at[0] &- 0x30)
            at += 1
        }
        let whole = at - first
        guard whole > 0, first[0] != 0x30 || whole == 1 else { return nil }
        var decimals = 0
        if at[0] == 0x2E {
            let point = at + 1
            at = point
            while isDigit(at[0]) {
                mantissa = mantissa &* 10 &+ UInt64(at[0] &- 0x30)
                at += 1
            }
            decimals = at - point
            guard decimals > 0 else { return nil }
        }
        guard whole + decimals <= 15, isEnd(at[0]) else { return nil }
        let exact = Double(Int64(bitPattern: mantissa)) / powers[decimals]
        return (at, negative ? -exact : exact)
    }

    /// A timestamp as long as the last one. Within the same minute only `:ss.SSS"` is read, as one word.
    @inline(__always)
    private func readTimestamp(
        _ at: UnsafePointer<UInt8>, _ step: UnsafeMutablePointer<Step>, _ minute: UnsafeMutablePointer<UInt8>
    ) -> (UnsafePointer<UInt8>, Int64)? {
        let text = at + 1
        let length = Int(step.pointee.hint)
        if length == 23, step.pointee.precision <= 3 {
            let raw = UInt64(littleEndian: UnsafeRawPointer(text + 16).loadUnaligned(as: UInt64.self))
            let word = raw ^ 0x2230_3030_2E30_303A
            let others = ((word & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676 | word) & 0x8080_8080_8080_8080
            let seconds = word &>> 8 & 0xF &* 10 &+ (word &>> 16 & 0xF)
            if others == 0, word & 0xFF00_0000_FF00_00FF == 0, seconds < 60, at[0] == 0x22, ck_same16(text, minute, 16) != 0 {
                let fraction = (word &>> 32 & 0xF) &* 100 &+ (word &>> 40 & 0xF) &* 10 &+ (word &>> 48 & 0xF)
                return (text + 24, step.pointee.minute &+ Int64(bitPattern: seconds &* 1_000 &+ fraction))
            }
        }
        return readOtherTimestamp(at, step, minute)
    }

    @inline(never)
    private func readOtherTimestamp(
        _ at: UnsafePointer<UInt8>, _ step: UnsafeMutablePointer<Step>, _ minute: UnsafeMutablePointer<UInt8>
    ) -> (UnsafePointer<UInt8>, Int64)? {
        let text = at + 1
        let length = Int(step.pointee.hint)
        guard at[0] == 0x22, text[length] == 0x22, text[10] == options.timestamps.separator,
            let ticks = TimestampText.parse(text, count: length, precision: Int(step.pointee.precision))
        else { return nil }
        if length == 23, step.pointee.precision <= 3 {
            minute.update(from: text, count: 16)
            step.pointee.minute = TimestampText.floorDivide(ticks, 60_000).0 &* 60_000
        }
        return (text + length + 1, ticks)
    }

    /// What may stand behind a number.
    @inline(__always)
    private func isEnd(_ byte: UInt8) -> Bool { byte == 0x2C || byte == 0x7D || byte <= 0x20 || byte == 0x5D }
}
