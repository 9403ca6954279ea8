import Glibc

/// Seconds since 1970, UTC, and the three ways in which AWS writes them.
package struct UnixTime: Hashable, Sendable, Comparable {
    package var seconds: Int64

    package init(seconds: Int64) { self.seconds = seconds }

    package static func < (a: UnixTime, b: UnixTime) -> Bool { a.seconds < b.seconds }

    /// This machine's wall clock.
    package static func now() -> UnixTime { UnixTime(seconds: Int64(time(nil))) }

    package func adding(_ seconds: Int64) -> UnixTime { UnixTime(seconds: self.seconds + seconds) }

    /// `20130524T000000Z`.
    package var basic: String {
        var time = time_t(seconds)
        var fields = tm()
        gmtime_r(&time, &fields)
        return Self.digits(Int(fields.tm_year) + 1900, 4) + Self.digits(Int(fields.tm_mon) + 1, 2) + Self.digits(Int(fields.tm_mday), 2)
            + "T" + Self.digits(Int(fields.tm_hour), 2) + Self.digits(Int(fields.tm_min), 2) + Self.digits(Int(fields.tm_sec), 2) + "Z"
    }

    /// `2026-11-22T16:35:07Z`, with or without a fraction, or the same in the basic form. Only UTC.
    package init?(iso text: String) {
        let digits = text.utf8.prefix { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "+") }.filter { (0x30...0x39).contains($0) }.map { Int64($0 - 0x30) }
        guard digits.count == 14, text.hasSuffix("Z") || text.hasSuffix("+00:00") || text.contains(".") else { return nil }
        func number(_ range: Range<Int>) -> Int64 { digits[range].reduce(0) { $0 * 10 + $1 } }
        self.init(
            year: number(0..<4), month: number(4..<6), day: number(6..<8), hour: number(8..<10), minute: number(10..<12), second: number(12..<14))
    }

    /// `Fri, 24 May 2013 00:00:00 GMT`, the form of HTTP's `Date`.
    package init?(http text: String) {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT" || words[5] == "UTC", let day = Int64(words[1]), let month = months.firstIndex(of: String(words[2])),
            let year = Int64(words[3])
        else { return nil }
        let clock = words[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3 else { return nil }
        self.init(year: year, month: Int64(month + 1), day: day, hour: clock[0], minute: clock[1], second: clock[2])
    }

    private init?(year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64) {
        guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61 else { return nil }
        // Days from civil: http://howardhinnant.github.io/date_algorithms.html
        let y = month <= 2 ? year - 1 : year
        let era = y / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        seconds = (era * 146_097 + dayOfEra - 719_468) * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
