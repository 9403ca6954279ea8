/// Flink's durations: a whole number and a unit, `10 s`, `200ms`, `1 min`, `1 h`, `1 d`; a plain number is milliseconds.
///
/// Source: Flink 2.x, `TimeUtils` (labels of its units, in any case).
extension Duration: ConfigValue {
    package init?(configText: String) {
        guard let (number, unit) = numberAndUnit(configText) else { return nil }
        let nanosecondsEach: Int
        switch unit {
        case "", "ms", "milli", "millis", "millisecond", "milliseconds": nanosecondsEach = 1_000_000
        case "s", "sec", "secs", "second", "seconds": nanosecondsEach = 1_000_000_000
        case "m", "min", "minute", "minutes": nanosecondsEach = 60_000_000_000
        case "h", "hour", "hours": nanosecondsEach = 3_600_000_000_000
        case "d", "day", "days": nanosecondsEach = 86_400_000_000_000
        case "µs", "μs", "us", "micro", "micros", "microsecond", "microseconds": nanosecondsEach = 1_000
        case "ns", "nano", "nanos", "nanosecond", "nanoseconds": nanosecondsEach = 1
        default: return nil
        }
        let (nanoseconds, overflow) = number.multipliedReportingOverflow(by: nanosecondsEach)
        if overflow { return nil }
        self = .nanoseconds(nanoseconds)
    }

    /// In the largest unit that leaves a whole number.
    package var configText: String? {
        let (seconds, attoseconds) = components
        if attoseconds != 0 {
            let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
            if nanoseconds % 1_000_000 == 0 { return "\(nanoseconds / 1_000_000) ms" }
            return nanoseconds % 1_000 == 0 ? "\(nanoseconds / 1_000) us" : "\(nanoseconds) ns"
        }
        if seconds == 0 { return "0 ms" }
        if seconds % 86_400 == 0 { return "\(seconds / 86_400) d" }
        if seconds % 3_600 == 0 { return "\(seconds / 3_600) h" }
        if seconds % 60 == 0 { return "\(seconds / 60) min" }
        return "\(seconds) s"
    }

    package static var expected: String { "a duration such as 10 s, 200 ms, 1 min, 1 h or 1 d" }
    package static var typeName: String { "Duration" }
}

/// Flink's memory sizes: `2048m`, `1gb`, `64 kb`; units count in powers of 1,024; a plain number is bytes.
package struct MemorySize: ConfigValue, Comparable, Hashable {
    package let bytes: Int

    package init(bytes: Int) { self.bytes = bytes }
    package static func mebibytes(_ count: Int) -> MemorySize { MemorySize(bytes: count << 20) }
    package static func gibibytes(_ count: Int) -> MemorySize { MemorySize(bytes: count << 30) }

    package init?(configText: String) {
        guard let (number, unit) = numberAndUnit(configText) else { return nil }
        let shift: Int
        switch unit {
        case "", "b", "bytes": shift = 0
        case "k", "kb", "kib", "kibibytes": shift = 10
        case "m", "mb", "mib", "mebibytes": shift = 20
        case "g", "gb", "gib", "gibibytes": shift = 30
        case "t", "tb", "tib", "tebibytes": shift = 40
        default: return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        if overflow { return nil }
        self.bytes = bytes
    }

    package var configText: String? {
        for (shift, unit) in [(40, "tb"), (30, "gb"), (20, "mb"), (10, "kb")] where bytes != 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift) \(unit)"
        }
        return "\(bytes) bytes"
    }

    package static var expected: String { "a size such as 2048m, 1gb or 64kb" }
    package static var typeName: String { "MemorySize" }
    package static func < (a: MemorySize, b: MemorySize) -> Bool { a.bytes < b.bytes }
}

/// Ports to try in order: `6122`, `50100-50200`, `6122,50100-50200`; 0 lets the system choose.
package struct PortRange: ConfigValue, Hashable {
    package let ranges: [ClosedRange<Int>]

    package init(_ port: Int) { ranges = [port...port] }

    package init?(configText: String) {
        var ranges: [ClosedRange<Int>] = []
        for part in configText.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int(trimmed($0)) }
            guard ends.count == 1 || ends.count == 2, let low = ends[0], let high = ends[ends.count - 1], 0 <= low, low <= high, high <= 65535 else { return nil }
            ranges.append(low...high)
        }
        self.ranges = ranges
    }

    package var configText: String? {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }

    /// Every port once, in the order given.
    package var ports: [Int] { ranges.flatMap { Array($0) } }

    package static var expected: String { "a port, a range such as 50100-50200, or a list of them" }
    package static var typeName: String { "PortRange" }
}

/// A whole number that is not negative, and what follows it in lower case. Nil when it does not begin with a digit or does not fit.
private func numberAndUnit(_ text: String) -> (Int, String)? {
    let text = trimmed(text)
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits) else { return nil }
    return (number, trimmed(text.dropFirst(digits.count)).lowercased())
}
