/// Text of timestamps, dates and times, to and from raw bytes. Ticks are those of the type (`TimeUnit.of(precision:)`).
///
/// Fixed-width forms are read a word at a time; a day past the end of its month becomes the month's last, as Java's smart
/// resolver does (2026-02-29 is read as 2026-02-28).
package enum TimestampText {
    /// Bytes that any `write…` may use.
    package static let maximumLength = 40

    /// `yyyy-MM-dd HH:mm:ss[.f…]` or the same with `T`; up to 9 decimals, those past the tick are cut off. Nil when malformed.
    @inlinable package static func parse(_ text: UnsafePointer<UInt8>, count: Int, precision: Int) -> Int64? {
        guard count >= 19, text[10] == 0x20 || text[10] == 0x54, let days = parseDay(text), let seconds = parseClock(text + 11)
        else { return nil }
        let total = Int64(days) &* 86_400 &+ Int64(seconds)
        if precision <= 3 {
            if count == 19 { return total &* 1_000 }
            if count == 23 {
                let raw = UnsafeRawPointer(text + 19).loadUnaligned(as: UInt32.self)
                let word = UInt32(littleEndian: raw) ^ 0x3030_302E
                let wrong = ((word &+ 0x7676_7676) | word) & 0x8080_8080
                guard word & 0xFF == 0, wrong == 0 else { return nil }
                let hundreds: UInt32 = (word >> 8 & 0xF) &* 100
                let tens: UInt32 = (word >> 16 & 0xF) &* 10
                return total &* 1_000 &+ Int64(hundreds &+ tens &+ (word >> 24))
            }
        }
        guard let nanoseconds = parseFraction(text + 19, count: count - 19) else { return nil }
        return ticks(seconds: total, nanoseconds: nanoseconds, precision: precision)
    }

    /// The same with a `Z` behind it, which may be missing: how formats write TIMESTAMP_LTZ.
    @inlinable package static func parseUTC(_ text: UnsafePointer<UInt8>, count: Int, precision: Int) -> Int64? {
        parse(text, count: count > 0 && text[count - 1] == 0x5A ? count - 1 : count, precision: precision)
    }

    /// Days since 1970-01-01 of `yyyy-MM-dd` in the first 10 bytes, of which 11 must be readable.
    @inlinable static func parseDay(_ text: UnsafePointer<UInt8>) -> Int? {
        // yyyy-MM- xor its pattern: digits become 0…9, the separators 0.
        let word = UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self)) ^ 0x2D30_302D_3030_3030
        guard ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080 == 0, word & 0xFF00_00FF_0000_0000 == 0 else { return nil }
        let pairs = word &* 10 &+ (word >> 8)
        let year = Int(truncatingIfNeeded: pairs & 0xFF) &* 100 &+ Int(truncatingIfNeeded: pairs >> 16 & 0xFF)
        let month = Int(truncatingIfNeeded: pairs >> 40 & 0xFF)
        let tens = text[8] &- 0x30, ones = text[9] &- 0x30
        var day = Int(tens) &* 10 &+ Int(ones)
        guard tens < 4, ones < 10, month &- 1 < 12, month >= 1, day >= 1, day <= 31 else { return nil }
        if day > 28 { day = min(day, CivilDate.length(ofMonth: month, year: year)) }
        return CivilDate.days(year, month, day)
    }

    /// Seconds of the day of `HH:mm:ss` in 8 bytes.
    @inlinable static func parseClock(_ text: UnsafePointer<UInt8>) -> Int? {
        let word = UInt64(littleEndian: UnsafeRawPointer(text).loadUnaligned(as: UInt64.self)) ^ 0x3030_3A30_303A_3030
        guard ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080 == 0, word & 0x0000_FF00_00FF_0000 == 0 else { return nil }
        let pairs = word &* 10 &+ (word >> 8)
        let hour = Int(truncatingIfNeeded: pairs & 0xFF), minute = Int(truncatingIfNeeded: pairs >> 24 & 0xFF)
        let second = Int(truncatingIfNeeded: pairs >> 48 & 0xFF)
        guard hour < 24, minute < 60, second < 60 else { return nil }
        return hour &* 3_600 &+ minute &* 60 &+ second
    }

    /// Nothing, or `.` and up to 9 digits, as nanoseconds.
    @inlinable static func parseFraction(_ text: UnsafePointer<UInt8>, count: Int) -> Int64? {
        if count == 0 { return 0 }
        guard text[0] == 0x2E, count <= 10 else { return nil }
        var value: Int64 = 0
        for at in 1..<10 {
            value = value &* 10
            guard at < count else { continue }
            let digit = text[at] &- 0x30
            guard digit < 10 else { return nil }
            value = value &+ Int64(digit)
        }
        return value
    }

    /// Nil when the ticks leave 64 bits (nanoseconds outside 1677…2262).
    @inlinable static func ticks(seconds: Int64, nanoseconds: Int64, precision: Int) -> Int64? {
        let unit = TimeUnit.of(precision: precision).ticksPerSecond
        let (whole, over) = seconds.multipliedReportingOverflow(by: unit)
        let (sum, farther) = whole.addingReportingOverflow(nanoseconds / (1_000_000_000 / unit))
        return over || farther ? nil : sum
    }

    /// `yyyy-MM-dd HH:mm:ss` and `precision` decimals. Returns the bytes written (at most `maximumLength`).
    @inlinable package static func write(
        _ ticks: Int64, precision: Int, separator: UInt8 = 0x20, into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let unit = TimeUnit.of(precision: precision)
        let (seconds, rest) = floorDivide(ticks, unit.ticksPerSecond)
        let at = writeSeconds(seconds, separator: separator, into: target)
        guard precision > 0 else { return at }
        let digits = unit == .milliseconds ? 3 : unit == .microseconds ? 6 : 9
        target[at] = 0x2E
        if digits == 3 {
            let milliseconds = Int(rest)
            target[at + 1] = 0x30 &+ UInt8(truncatingIfNeeded: milliseconds / 100)
            IntegerText.writeTwo(milliseconds % 100, into: target + at + 2)
        } else {
            IntegerText.writePadded(UInt64(bitPattern: rest), digits: digits, into: target + at + 1)
        }
        return at + 1 + min(precision, digits)
    }

    /// The same with only as many decimals as are not zero, and no point when there are none: what formats write.
    @inlinable package static func writeShortest(
        _ ticks: Int64, precision: Int, separator: UInt8 = 0x20, into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var count = write(ticks, precision: precision, separator: separator, into: target)
        guard precision > 0 else { return count }
        while target[count - 1] == 0x30 { count -= 1 }
        return target[count - 1] == 0x2E ? count - 1 : count
    }

    @inlinable static func writeSeconds(_ seconds: Int64, separator: UInt8, into target: UnsafeMutablePointer<UInt8>) -> Int {
        let (days, clock) = floorDivide(seconds, 86_400)
        let at = writeDate(Int(days), into: target)
        target[at] = separator
        writeClock(Int(clock), into: target + at + 1)
        return at + 9
    }

    @inlinable static func writeClock(_ seconds: Int, into target: UnsafeMutablePointer<UInt8>) {
        let small = UInt32(truncatingIfNeeded: seconds), minutes = small / 60
        IntegerText.writeTwo(Int(minutes / 60), into: target)
        target[2] = 0x3A
        IntegerText.writeTwo(Int(minutes % 60), into: target + 3)
        target[5] = 0x3A
        IntegerText.writeTwo(Int(small % 60), into: target + 6)
    }

    /// Days since 1970-01-01 of `yyyy-MM-dd`. Nil when malformed.
    @inlinable package static func parseDate(_ text: UnsafePointer<UInt8>, count: Int) -> Int32? {
        guard count == 10, let days = parseDay(text) else { return nil }
        return Int32(truncatingIfNeeded: days)
    }

    /// `yyyy-MM-dd`; years beyond four digits with all of theirs, before year 0 with `-`.
    @inlinable package static func writeDate(_ days: Int, into target: UnsafeMutablePointer<UInt8>) -> Int {
        let date = CivilDate(days: days)
        var at = 0
        if date.year >= 0, date.year < 10_000 {
            IntegerText.writeTwo(date.year / 100, into: target)
            IntegerText.writeTwo(date.year % 100, into: target + 2)
            at = 4
        } else {
            if date.year < 0 { target[0] = 0x2D; at = 1 }
            let year = UInt64(truncatingIfNeeded: date.year.magnitude), digits = max(4, IntegerText.digits(year))
            IntegerText.writePadded(year, digits: digits, into: target + at)
            at += digits
        }
        target[at] = 0x2D
        IntegerText.writeTwo(date.month, into: target + at + 1)
        target[at + 3] = 0x2D
        IntegerText.writeTwo(date.day, into: target + at + 4)
        return at + 6
    }

    /// Milliseconds of the day of `HH:mm:ss[.f…]`. Nil when malformed.
    @inlinable package static func parseTime(_ text: UnsafePointer<UInt8>, count: Int) -> Int32? {
        guard count >= 8, let seconds = parseClock(text), let fraction = parseFraction(text + 8, count: count - 8) else { return nil }
        return Int32(truncatingIfNeeded: Int64(seconds) &* 1_000 &+ fraction / 1_000_000)
    }

    /// `HH:mm:ss` and `precision` decimals (0…3).
    @inlinable package static func writeTime(_ milliseconds: Int32, precision: Int, into target: UnsafeMutablePointer<UInt8>) -> Int {
        writeClock(Int(milliseconds / 1_000), into: target)
        guard precision > 0 else { return 8 }
        target[8] = 0x2E
        IntegerText.writePadded(UInt64(truncatingIfNeeded: milliseconds % 1_000), digits: 3, into: target + 9)
        return 9 + min(precision, 3)
    }

    /// Quotient rounded down, and the rest, which is never negative.
    @inlinable package static func floorDivide(_ value: Int64, _ by: Int64) -> (Int64, Int64) {
        let quotient = value / by, rest = value % by
        return rest < 0 ? (quotient - 1, rest + by) : (quotient, rest)
    }
}
