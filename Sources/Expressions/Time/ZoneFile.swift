import Columnar

/// A TZif file (RFC 8536), read from its 64-bit block; the rule in its footer is written out to the year 2200.
struct ZoneFile {
    private(set) var instants: [Int64] = []
    /// One more than instants.
    private(set) var offsets: [Int64] = []

    init?(_ bytes: [UInt8]) {
        func big(_ at: Int, _ width: Int) -> Int64 {
            var value: UInt64 = 0
            for index in at..<at + width { value = value << 8 | UInt64(bytes[index]) }
            return width == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
        }
        func isHeader(_ at: Int) -> Bool { at + 44 <= bytes.count && bytes[at..<at + 4].elementsEqual([0x54, 0x5A, 0x69, 0x66]) }
        func counts(_ at: Int) -> [Int] { (0..<6).map { Int(big(at + 20 + $0 * 4, 4)) } }
        // isutc, isstd, leap, time, type, char
        func length(_ n: [Int], _ wide: Int) -> Int { n[3] * (wide + 1) + n[4] * 6 + n[5] + n[2] * (wide + 4) + n[1] + n[0] }

        guard isHeader(0), bytes[4] >= 0x32 else { return nil }
        let first = counts(0)
        guard first.allSatisfy({ $0 >= 0 && $0 < 1 << 16 }) else { return nil }
        let second = 44 + length(first, 4)
        guard isHeader(second) else { return nil }
        let n = counts(second)
        guard n.allSatisfy({ $0 >= 0 && $0 < 1 << 16 }), second + 44 + length(n, 8) <= bytes.count, n[4] > 0 else { return nil }
        let times = second + 44, kinds = times + n[3] * 8, types = kinds + n[3]
        func offset(_ kind: Int) -> Int64? { kind < n[4] ? big(types + kind * 6, 4) : nil }
        guard let start = offset(0) else { return nil }
        offsets = [start]
        for index in 0..<n[3] {
            guard let next = offset(Int(bytes[kinds + index])) else { return nil }
            instants.append(big(times + index * 8, 8))
            offsets.append(next)
        }
        let footer = second + 44 + length(n, 8) + 1
        guard footer < bytes.count, let end = bytes[footer...].firstIndex(of: 0x0A) else { return }
        if let rule = FooterRule(String(decoding: bytes[footer..<end], as: UTF8.self)) { extend(by: rule) }
    }

    private mutating func extend(by rule: FooterRule) {
        let last = instants.last ?? .min
        guard let summer = rule.summer else {
            if instants.isEmpty { offsets = [rule.offset] }
            return
        }
        var changes: [(Int64, Int64)] = []
        for year in 1970...2200 {
            changes.append((summer.start.seconds(year) - rule.offset, summer.offset))
            changes.append((summer.end.seconds(year) - summer.offset, rule.offset))
        }
        for (instant, offset) in changes.sorted(by: { $0.0 < $1.0 }) where instant > last {
            instants.append(instant)
            offsets.append(offset)
        }
    }
}

/// `CET-1CEST,M3.5.0,M10.5.0/3`: the standard offset, and summer time's with the days on which it starts and ends.
private struct FooterRule {
    struct Day {
        enum Form { case week(month: Int, week: Int, weekday: Int), julian(Int), zeroBased(Int) }

        var form: Form
        var time: Int64

        /// Local seconds of the change.
        func seconds(_ year: Int) -> Int64 {
            let days: Int
            switch form {
            case .julian(let day):
                days = CivilDate.days(year, 1, 1) + day - 1 + (CivilDate.isLeap(year) && day >= 60 ? 1 : 0)
            case .zeroBased(let day): days = CivilDate.days(year, 1, 1) + day
            case .week(let month, let week, let weekday):
                let first = CivilDate.days(year, month, 1)
                var day = (weekday - CivilDate.isoWeekday(days: first) % 7 + 7) % 7 + (week - 1) * 7
                while day >= CivilDate.length(ofMonth: month, year: year) { day -= 7 }
                days = first + day
            }
            return Int64(days) * 86_400 + time
        }
    }

    var offset: Int64
    var summer: (offset: Int64, start: Day, end: Day)?

    init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        func name() -> Bool {
            if rest.first == 0x3C {
                guard let end = rest.firstIndex(of: 0x3E) else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let letters = rest.prefix { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A }
            rest = rest.dropFirst(letters.count)
            return letters.count >= 3
        }
        func number() -> Int? {
            let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
            rest = rest.dropFirst(digits.count)
            return Int(String(decoding: digits, as: UTF8.self))
        }
        func time() -> Int64? {
            var sign: Int64 = 1
            if rest.first == 0x2D || rest.first == 0x2B { sign = rest.first == 0x2D ? -1 : 1; rest = rest.dropFirst() }
            guard let hours = number() else { return nil }
            var seconds = Int64(hours) * 3_600
            for unit in [60, 1] as [Int64] where rest.first == 0x3A {
                rest = rest.dropFirst()
                guard let part = number() else { return nil }
                seconds += Int64(part) * unit
            }
            return sign * seconds
        }
        func day() -> Day? {
            guard rest.first == 0x2C else { return nil }
            rest = rest.dropFirst()
            let form: Day.Form
            if rest.first == 0x4D {
                rest = rest.dropFirst()
                guard let month = number(), (1...12).contains(month), rest.popFirst() == 0x2E, let week = number(), rest.popFirst() == 0x2E,
                    let weekday = number()
                else { return nil }
                form = .week(month: month, week: week, weekday: weekday)
            } else if rest.first == 0x4A {
                rest = rest.dropFirst()
                guard let number = number() else { return nil }
                form = .julian(number)
            } else {
                guard let number = number() else { return nil }
                form = .zeroBased(number)
            }
            guard rest.first == 0x2F else { return Day(form: form, time: 7_200) }
            rest = rest.dropFirst()
            guard let at = time() else { return nil }
            return Day(form: form, time: at)
        }
        // The text counts offsets westwards.
        guard name(), let standard = time() else { return nil }
        offset = -standard
        guard !rest.isEmpty else { return }
        guard name() else { return nil }
        var summerOffset = offset + 3_600
        if rest.first != 0x2C {
            guard let written = time() else { return nil }
            summerOffset = -written
        }
        guard let start = day(), let end = day() else { return nil }
        summer = (summerOffset, start, end)
    }
}
