import Columnar

/// Dates and times as casts read them: parts may be short or missing (`2026-3-1`, `2026`, `7:5`), as in Flink.
enum LenientTime {
    /// Days since 1970-01-01. `y`, `y-m`, `y-m-d`; what follows a blank is left aside. The day must exist.
    static func date(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        var end = text.count
        if let blank = text.firstIndex(of: 0x20), blank > 0 { end = blank }
        var parts = (1, 1, 1), count = 0, start = 0
        for at in 0...end where at == end || (text[at] == 0x2D && count < 2) {
            guard let number = number(text, start, at, atMost: 9_999) else { return nil }
            if count == 0 { parts.0 = number } else if count == 1 { parts.1 = number } else { parts.2 = number }
            count += 1
            start = at + 1
        }
        guard (1...12).contains(parts.1), parts.2 >= 1, parts.2 <= CivilDate.length(ofMonth: parts.1, year: parts.0) else { return nil }
        return CivilDate.days(parts.0, parts.1, parts.2)
    }

    /// Milliseconds of the day: `H`, `H:m`, `H:m:s`, `H:m:s.f`.
    static func time(_ text: UnsafeBufferPointer<UInt8>) -> Int32? {
        var end = text.count, milliseconds = 0
        if let point = text.firstIndex(of: 0x2E) {
            guard let fraction = fraction(text, point + 1, text.count) else { return nil }
            milliseconds = Int(fraction / 1_000_000)
            end = point
        }
        var parts = [0, 0, 0], count = 0, start = 0
        for at in 0...end where at == end || text[at] == 0x3A {
            guard count < 3, let number = number(text, start, at, atMost: count == 0 ? 23 : 59) else { return nil }
            parts[count] = number
            count += 1
            start = at + 1
        }
        if end < text.count, count < 3 { return nil }
        return Int32((parts[0] * 3_600 + parts[1] * 60 + parts[2]) * 1_000 + milliseconds)
    }

    /// Ticks: `yyyy-M-d[ H:m:s[.f…]]`. A day past its month's end is the month's last.
    static func timestamp(_ text: UnsafeBufferPointer<UInt8>, precision: Int) -> Int64? {
        let text = Text.trimmed(text)
        guard let start = text.baseAddress else { return nil }
        if text.count >= 19, text[10] == 0x20, let ticks = TimestampText.parse(start, count: text.count, precision: precision) { return ticks }
        var date = text, clock = UnsafeBufferPointer<UInt8>(start: start, count: 0)
        if let blank = text.firstIndex(of: 0x20) {
            date = UnsafeBufferPointer(rebasing: text[..<blank])
            clock = UnsafeBufferPointer(rebasing: text[(blank + 1)...])
            guard clock.filter({ $0 == 0x3A }).count == 2 else { return nil }
        }
        let parts = date.split(separator: 0x2D, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, parts[1].count <= 2, parts[2].count <= 2,
            let year = number(date, parts[0].startIndex, parts[0].endIndex, atMost: 9_999),
            let month = number(date, parts[1].startIndex, parts[1].endIndex, atMost: 12),
            let day = number(date, parts[2].startIndex, parts[2].endIndex, atMost: 31), month >= 1, day >= 1
        else { return nil }
        let days = CivilDate.days(year, month, min(day, CivilDate.length(ofMonth: month, year: year)))
        var seconds = Int64(days) * 86_400, nanoseconds: Int64 = 0
        if clock.count > 0 {
            var end = clock.count
            if let point = clock.firstIndex(of: 0x2E) {
                guard let fraction = fraction(clock, point + 1, clock.count) else { return nil }
                nanoseconds = fraction
                end = point
            }
            guard let time = time(UnsafeBufferPointer(rebasing: clock[..<end])) else { return nil }
            seconds += Int64(time / 1_000)
        }
        let unit = TimeUnit.of(precision: precision).ticksPerSecond
        let (whole, over) = seconds.multipliedReportingOverflow(by: unit)
        return over ? nil : whole + nanoseconds / (1_000_000_000 / unit)
    }

    /// Digits with blanks around them.
    private static func number(_ text: UnsafeBufferPointer<UInt8>, _ from: Int, _ to: Int, atMost: Int) -> Int? {
        var from = from, to = to
        while from < to, text[from] == 0x20 { from += 1 }
        while to > from, text[to - 1] == 0x20 { to -= 1 }
        guard from < to, to - from <= 9 else { return nil }
        var value = 0
        for at in from..<to {
            guard text[at] &- 0x30 < 10 else { return nil }
            value = value * 10 + Int(text[at] - 0x30)
        }
        return value <= atMost ? value : nil
    }

    /// Up to 9 digits as nanoseconds.
    private static func fraction(_ text: UnsafeBufferPointer<UInt8>, _ from: Int, _ to: Int) -> Int64? {
        guard to - from <= 9 else { return nil }
        var value: Int64 = 0
        for at in from..<from + 9 {
            value *= 10
            guard at < to else { continue }
            guard text[at] &- 0x30 < 10 else { return nil }
            value += Int64(text[at] - 0x30)
        }
        return value
    }
}
