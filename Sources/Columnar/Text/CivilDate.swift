/// A day of the proleptic Gregorian calendar, and its number since 1970-01-01 (day 0).
///
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms".
package struct CivilDate: Equatable, Sendable {
    /// Year 0 is 1 BC.
    package var year: Int
    /// 1…12
    package var month: Int
    /// 1…31
    package var day: Int

    @inlinable package init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    @inlinable package init(days: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let march = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * march + 2) / 5 + 1
        self.month = march < 10 ? march + 3 : march - 9
        self.year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01. Month and day must be in range.
    @inlinable package var days: Int { CivilDate.days(year, month, day) }

    @inlinable package static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let march = month > 2 ? year : year &- 1
        let era = (march >= 0 ? march : march &- 399) / 400
        let yearOfEra = march &- era &* 400
        let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
        return era &* 146_097 &+ yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear &- 719_468
    }

    @inlinable package static func isLeap(_ year: Int) -> Bool { year & 3 == 0 && (year % 100 != 0 || year % 400 == 0) }

    @inlinable package static func length(ofMonth month: Int, year: Int) -> Int {
        month == 2 ? (isLeap(year) ? 29 : 28) : 30 + (month + month >> 3) & 1
    }

    /// 1 on January 1.
    @inlinable package var dayOfYear: Int { days - CivilDate.days(year, 1, 1) + 1 }

    /// 1 = Monday … 7 = Sunday.
    @inlinable package static func isoWeekday(days: Int) -> Int {
        let rest = (days + 3) % 7
        return (rest < 0 ? rest + 7 : rest) + 1
    }

    /// The year and week (1…53) of ISO 8601 that a day lies in: the week's Thursday decides.
    @inlinable package static func isoWeek(days: Int) -> (year: Int, week: Int) {
        let thursday = days + 4 - isoWeekday(days: days)
        let year = CivilDate(days: thursday).year
        return (year, (thursday - CivilDate.days(year, 1, 1)) / 7 + 1)
    }

    /// The same day `months` later; a day that the month does not have becomes its last (31 January + 1 month = 28 February).
    @inlinable package func adding(months: Int) -> CivilDate {
        let total = year * 12 + month - 1 + months
        let newYear = total >= 0 ? total / 12 : (total - 11) / 12
        let newMonth = total - newYear * 12 + 1
        return CivilDate(year: newYear, month: newMonth, day: min(day, CivilDate.length(ofMonth: newMonth, year: newYear)))
    }
}
