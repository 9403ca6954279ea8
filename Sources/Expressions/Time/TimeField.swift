import Columnar

/// A unit of time as EXTRACT, FLOOR, TIMESTAMPADD and their like name it.
enum TimeField: String, Sendable {
    case microsecond, millisecond, second, minute, hour, day, week, month, quarter, year
    case decade, century, millennium, epoch, dow, isodow, doy, isoyear

    init?(_ column: Column?) {
        guard let column, column.type.kind.isCharacter, !column.isNull(0) else { return nil }
        let word = String(decoding: column.slice(0), as: UTF8.self).lowercased()
        switch word {
        case "dayofmonth": self = .day
        case "dayofweek": self = .dow
        case "dayofyear": self = .doy
        case _ where word.hasPrefix("sql_tsi_"): self.init(rawValue: String(word.dropFirst(8)))
        default: self.init(rawValue: word)
        }
    }

    /// Milliseconds of units that are always equally long.
    var milliseconds: Int64? {
        switch self {
        case .millisecond: 1
        case .second: 1_000
        case .minute: 60_000
        case .hour: 3_600_000
        case .day: 86_400_000
        case .week: 604_800_000
        default: nil
        }
    }

    /// Months of units that are counted in months.
    var months: Int? {
        switch self {
        case .month: 1
        case .quarter: 3
        case .year: 12
        case .decade: 120
        case .century: 1_200
        case .millennium: 12_000
        default: nil
        }
    }

    /// A field of the calendar day; nil for fields of the clock.
    func ofDay(_ days: Int) -> Int64? {
        switch self {
        case .day: return Int64(CivilDate(days: days).day)
        case .month: return Int64(CivilDate(days: days).month)
        case .quarter: return Int64((CivilDate(days: days).month + 2) / 3)
        case .year: return Int64(CivilDate(days: days).year)
        case .week: return Int64(CivilDate.isoWeek(days: days).week)
        case .isoyear: return Int64(CivilDate.isoWeek(days: days).year)
        case .doy: return Int64(CivilDate(days: days).dayOfYear)
        case .isodow: return Int64(CivilDate.isoWeekday(days: days))
        // Sunday is 1.
        case .dow: return Int64(CivilDate.isoWeekday(days: days) % 7 + 1)
        case .decade: return Int64(CivilDate(days: days).year / 10)
        case .century: return Int64((CivilDate(days: days).year + 99) / 100)
        case .millennium: return Int64((CivilDate(days: days).year + 999) / 1_000)
        default: return nil
        }
    }

    var isOfDay: Bool { ofDay(0) != nil }

    /// A field of the clock, from ticks of the day.
    @inline(__always) func ofClock(_ ticks: Int64, perSecond: Int64) -> Int64 {
        let seconds = ticks / perSecond
        switch self {
        case .hour: return seconds / 3_600
        case .minute: return seconds / 60 % 60
        case .second: return seconds % 60
        case .millisecond: return ticks % perSecond / (perSecond / 1_000)
        case .microsecond: return perSecond >= 1_000_000 ? ticks % perSecond / (perSecond / 1_000_000) : ticks % perSecond * 1_000
        default: return 0
        }
    }

    /// The first day of the unit that a day lies in, or of the next one unless the day is such a first day.
    func rounded(_ days: Int, up: Bool) -> Int {
        let date = CivilDate(days: days)
        let start: CivilDate
        switch self {
        // Weeks start on Sunday.
        case .week:
            let first = days - CivilDate.isoWeekday(days: days) % 7
            return up && first < days ? first + 7 : first
        case .month: start = CivilDate(year: date.year, month: date.month, day: 1)
        case .quarter: start = CivilDate(year: date.year, month: (date.month - 1) / 3 * 3 + 1, day: 1)
        case .decade: start = CivilDate(year: date.year / 10 * 10, month: 1, day: 1)
        case .century: start = CivilDate(year: (date.year - 1) / 100 * 100 + 1, month: 1, day: 1)
        case .millennium: start = CivilDate(year: (date.year - 1) / 1_000 * 1_000 + 1, month: 1, day: 1)
        default: start = CivilDate(year: date.year, month: 1, day: 1)
        }
        let first = start.days
        return up && first < days ? start.adding(months: months ?? 12).days : first
    }
}
