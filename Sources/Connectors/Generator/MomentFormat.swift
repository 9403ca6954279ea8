import Columnar

/// A date format of moment.js, in UTC: `dddd, MMMM Do YYYY, h:mm:ss a` is `Sunday, November 22nd 2026, 11:04:39 am`.
struct MomentFormat: Equatable, Sendable {
    private enum Part: Equatable {
        case text(String)
        case token(String)
    }

    /// Longest first of those that begin alike.
    private static let tokens = [
        "YYYY", "YY", "MMMM", "MMM", "MM", "Mo", "M", "DDDD", "DDD", "DD", "Do", "D", "dddd", "ddd", "d", "HH", "H", "hh", "h", "mm", "m", "ss", "s", "SSS",
        "A", "a", "X", "x", "Z",
    ]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    private let parts: [Part]

    init(_ format: String) {
        var parts: [Part] = []
        var rest = format[...]
        while let first = rest.first {
            if first == "[", let end = rest.firstIndex(of: "]") {
                parts.append(.text(String(rest[rest.index(after: rest.startIndex)..<end])))
                rest = rest[rest.index(after: end)...]
            } else if let token = MomentFormat.tokens.first(where: { rest.hasPrefix($0) }) {
                parts.append(.token(token))
                rest = rest.dropFirst(token.count)
            } else {
                parts.append(.text(String(first)))
                rest = rest.dropFirst()
            }
        }
        self.parts = parts
    }

    /// `time`: milliseconds since the epoch.
    func text(_ time: Int64) -> String {
        let (day, clock) = TimestampText.floorDivide(time, 86_400_000)
        let date = CivilDate(days: Int(day))
        let weekday = CivilDate.isoWeekday(days: Int(day)) % 7
        let hour = Int(clock / 3_600_000), minute = Int(clock / 60_000 % 60), second = Int(clock / 1_000 % 60)
        return parts.map { part in
            switch part {
            case .text(let text): return text
            case .token(let token):
                switch token {
                case "YYYY": return padded(date.year, 4)
                case "YY": return padded(date.year % 100, 2)
                case "MMMM": return MomentFormat.months[date.month - 1]
                case "MMM": return String(MomentFormat.months[date.month - 1].prefix(3))
                case "MM": return padded(date.month, 2)
                case "Mo": return ordinal(date.month)
                case "M": return "\(date.month)"
                case "DDDD": return padded(date.dayOfYear, 3)
                case "DDD": return "\(date.dayOfYear)"
                case "DD": return padded(date.day, 2)
                case "Do": return ordinal(date.day)
                case "D": return "\(date.day)"
                case "dddd": return MomentFormat.days[weekday]
                case "ddd": return String(MomentFormat.days[weekday].prefix(3))
                case "d": return "\(weekday)"
                case "HH": return padded(hour, 2)
                case "H": return "\(hour)"
                case "hh": return padded((hour + 11) % 12 + 1, 2)
                case "h": return "\((hour + 11) % 12 + 1)"
                case "mm": return padded(minute, 2)
                case "m": return "\(minute)"
                case "ss": return padded(second, 2)
                case "s": return "\(second)"
                case "SSS": return padded(Int(clock % 1_000), 3)
                case "A": return hour < 12 ? "AM" : "PM"
                case "a": return hour < 12 ? "am" : "pm"
                case "X": return "\(TimestampText.floorDivide(time, 1_000).0)"
                case "x": return "\(time)"
                default: return "+00:00"
                }
            }
        }.joined()
    }

    private func padded(_ value: Int, _ width: Int) -> String {
        let digits = "\(value)"
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private func ordinal(_ value: Int) -> String {
        let suffix = value / 10 % 10 == 1 ? "th" : ["th", "st", "nd", "rd"][value % 10 < 4 ? value % 10 : 0]
        return "\(value)\(suffix)"
    }
}
