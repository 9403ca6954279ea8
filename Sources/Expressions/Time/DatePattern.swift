import Columnar

/// A pattern of DATE_FORMAT, TO_TIMESTAMP and their like (`yyyy-MM-dd HH:mm:ss.SSS`), of Java's letters
/// `y M d H h m s S a E D`; text in quotes and everything that is no letter stands for itself.
struct DatePattern: Sendable {
    private enum Piece {
        case field(UInt8, width: Int)
        case text([UInt8])
    }

    private var pieces: [Piece] = []
    /// Upper bound of what `write` writes.
    private(set) var maximumLength = 8
    /// Whether it shows only the day, so that rows of one day look alike.
    private(set) var isOfDay = true

    init(_ pattern: some Sequence<UInt8>) throws(EvaluationError) {
        let bytes = Array(pattern)
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            var end = at + 1
            if byte == 0x27 {
                while end < bytes.count, bytes[end] != 0x27 { end += 1 }
                add(text: end == at + 1 ? [0x27] : Array(bytes[(at + 1)..<end]))
                at = end + 1
            } else if (byte | 0x20) >= 0x61, (byte | 0x20) <= 0x7A {
                while end < bytes.count, bytes[end] == byte { end += 1 }
                let letter = Character(UnicodeScalar(byte))
                guard "yuMdHhmsSaED".contains(letter) else {
                    throw EvaluationError("'\(letter)' is no letter of date patterns here: '\(String(decoding: bytes, as: UTF8.self))'")
                }
                pieces.append(.field(byte == 0x75 ? 0x79 : byte, width: end - at))
                maximumLength += max(12, end - at)
                if "HhmsSa".contains(letter) { isOfDay = false }
                at = end
            } else {
                add(text: [byte])
                at = end
            }
        }
    }

    private mutating func add(text: [UInt8]) {
        maximumLength += text.count
        if case .text(let before)? = pieces.last { pieces[pieces.count - 1] = .text(before + text) } else { pieces.append(.text(text)) }
    }

    /// Writes a day and the nanoseconds of it; at most `maximumLength` bytes.
    func write(days: Int, nanoseconds: Int64, into target: UnsafeMutablePointer<UInt8>) -> Int {
        let date = CivilDate(days: days)
        let seconds = Int(nanoseconds / 1_000_000_000)
        var at = 0
        func number(_ value: Int, _ width: Int) {
            let size = UInt64(truncatingIfNeeded: value.magnitude)
            if value < 0 { target[at] = 0x2D; at += 1 }
            let digits = max(width, IntegerText.digits(size))
            IntegerText.writePadded(size, digits: digits, into: target + at)
            at += digits
        }
        func word(_ name: some Sequence<UInt8>) {
            for byte in name { target[at] = byte; at += 1 }
        }
        for piece in pieces {
            switch piece {
            case .text(let text): for byte in text { target[at] = byte; at += 1 }
            case .field(let letter, let width):
                switch letter {
                case 0x79: if width == 2 { number(date.year % 100, 2) } else { number(date.year, width) }
                case 0x4D: if width >= 3 { word(DatePattern.name(DatePattern.months[date.month - 1], width)) } else { number(date.month, width) }
                case 0x64: number(date.day, width)
                case 0x44: number(date.dayOfYear, width)
                case 0x45: word(DatePattern.name(DatePattern.weekdays[CivilDate.isoWeekday(days: days) - 1], width))
                case 0x48: number(seconds / 3_600, width)
                case 0x68: number((seconds / 3_600 + 11) % 12 + 1, width)
                case 0x6D: number(seconds / 60 % 60, width)
                case 0x73: number(seconds % 60, width)
                case 0x61: word((seconds >= 43_200 ? "PM" : "AM").utf8)
                default:
                    let digits = min(width, 9)
                    number(Int(nanoseconds % 1_000_000_000 / CastTimes.power(9 - digits)), digits)
                }
            }
        }
        return at
    }

    /// The day and the nanoseconds of it, or nil when the text does not follow the pattern. What the pattern lacks is that of 1970-01-01.
    func parse(_ text: Text.Slice) -> (days: Int, nanoseconds: Int64)? {
        var at = 0
        var year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, fraction: Int64 = 0
        var afternoon: Bool?
        func digits(_ width: Int, greedy: Bool) -> Int? {
            let start = at
            var value = 0
            while at < text.count, at - start < (greedy ? 9 : width), text[at] &- 0x30 < 10 { value = value * 10 + Int(text[at] - 0x30); at += 1 }
            return at - start >= (greedy ? 1 : width) ? value : nil
        }
        for (index, piece) in pieces.enumerated() {
            switch piece {
            case .text(let expected):
                guard at + expected.count <= text.count else { return nil }
                for byte in expected { guard text[at] == byte else { return nil }; at += 1 }
            case .field(let letter, let width):
                if letter == 0x61 {
                    guard at + 2 <= text.count, text[at + 1] | 0x20 == 0x6D else { return nil }
                    afternoon = text[at] | 0x20 == 0x70
                    at += 2
                    continue
                }
                if letter == 0x4D, width >= 3 {
                    guard let (found, length) = DatePattern.find(DatePattern.months, width, text, at) else { return nil }
                    month = found + 1
                    at += length
                    continue
                }
                // The day of the week follows from the date; that it is one is enough.
                if letter == 0x45 {
                    guard let (_, length) = DatePattern.find(DatePattern.weekdays, width, text, at) else { return nil }
                    at += length
                    continue
                }
                var followed = false
                if index + 1 < pieces.count, case .field = pieces[index + 1] { followed = true }
                guard let value = digits(width, greedy: width == 1 && !followed) else { return nil }
                switch letter {
                case 0x79: year = width == 2 ? 2_000 + value : value
                case 0x4D: month = value
                case 0x64: day = value
                case 0x48, 0x68: hour = value
                case 0x6D: minute = value
                case 0x73: second = value
                case 0x53: fraction = Int64(value) * CastTimes.power(9 - min(width, 9))
                default: return nil
                }
            }
        }
        if let afternoon { hour = hour % 12 + (afternoon ? 12 : 0) }
        guard at == text.count, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60 else { return nil }
        let days = CivilDate.days(year, month, min(day, CivilDate.length(ofMonth: month, year: year)))
        return (days, Int64(hour * 3_600 + minute * 60 + second) * 1_000_000_000 + fraction)
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ].map { Array($0.utf8) }
    private static let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"].map { Array($0.utf8) }

    /// Four letters ask for the whole name, fewer for its first three.
    private static func name(_ whole: [UInt8], _ width: Int) -> ArraySlice<UInt8> { width == 4 ? whole[...] : whole.prefix(3) }

    /// Which of the names stands at `at`, in any case, and how long it is there.
    private static func find(_ names: [[UInt8]], _ width: Int, _ text: Text.Slice, _ at: Int) -> (index: Int, length: Int)? {
        for (index, whole) in names.enumerated() {
            let name = name(whole, width)
            if at + name.count <= text.count, name.indices.allSatisfy({ text[at + $0] | 0x20 == name[$0] | 0x20 }) { return (index, name.count) }
        }
        return nil
    }
}
