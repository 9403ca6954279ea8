import Testing
import Columnar

@Suite struct TextTests {
    private func parse(_ text: String, _ precision: Int = 3) -> Int64? {
        Array(text.utf8).withUnsafeBufferPointer { TimestampText.parse($0.baseAddress!, count: $0.count, precision: precision) }
    }

    private func write(_ body: (UnsafeMutablePointer<UInt8>) -> Int) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { target in
            let count = body(target.baseAddress!)
            return String(decoding: target[..<count], as: UTF8.self)
        }
    }

    private func double(_ text: String) -> Double? {
        Array(text.utf8).withUnsafeBufferPointer { DoubleText.parse($0.baseAddress!, count: $0.count) }
    }

    private func decimal(_ text: String, _ precision: Int, _ scale: Int) -> Int128? {
        Array(text.utf8).withUnsafeBufferPointer { DecimalText.parse($0.baseAddress!, count: $0.count, precision: precision, scale: scale) }
    }

    @Test func timestampsAreReadInBothForms() {
        #expect(parse("1970-01-01 00:00:00") == 0)
        #expect(parse("2026-11-22 10:00:00.123") == 1_795_341_600_123)
        #expect(parse("2026-11-22T10:00:00.123") == 1_795_341_600_123)
        #expect(parse("2026-11-22 10:00:00.1") == 1_795_341_600_100)
        #expect(parse("2026-11-22 10:00:00.123456789") == 1_795_341_600_123)
        #expect(parse("2026-11-22 10:00:00.123456", 6) == 1_795_341_600_123_456)
        #expect(parse("2026-11-22 10:00:00.123456789", 9) == 1_795_341_600_123_456_789)
        #expect(parse("1969-12-31 23:59:59.500") == -500)
        #expect(parse("2026-02-29 00:00:00") == parse("2026-02-28 00:00:00"))
    }

    @Test(arguments: [
        "", "2026", "2026-11-22", "2026-11-22 10:00", "2026-13-01 00:00:00", "2026-00-01 00:00:00", "2026-01-00 00:00:00",
        "2026-01-32 00:00:00", "2026-01-01 24:00:00", "2026-01-01 00:60:00", "2026-01-01 00:00:60", "2026/01/01 00:00:00",
        "2026-01-01x00:00:00", "2026-01-01 00:00:00.12x", "2026-01-01 00:00:00,123", "2026-01-01 00:00:00.1234567890",
        "2026-01-01 00:00:00Z", "a026-01-01 00:00:00", "2026-0\u{e9}01 00:00:00",
    ])
    func malformedTimestampsAreRefused(text: String) {
        #expect(parse(text) == nil)
        #expect(parse(text, 6) == nil)
    }

    @Test func nanosecondsOutside64BitsAreRefused() {
        #expect(parse("1500-01-01 00:00:00", 9) == nil)
        #expect(parse("1500-01-01 00:00:00", 6) != nil)
    }

    @Test func timestampsComeBackAsTheyWereWritten() {
        var random = SplitMix(seed: 7)
        for _ in 0..<20_000 {
            let ticks = Int64(truncatingIfNeeded: random.next() % 300_000_000_000_000) - 60_000_000_000_000
            #expect(parse(write { TimestampText.write(ticks, precision: 3, into: $0) }) == ticks)
            #expect(parse(write { TimestampText.writeShortest(ticks * 1_000, precision: 6, into: $0) }, 6) == ticks * 1_000)
        }
        #expect(write { TimestampText.write(1_795_341_600_120, precision: 3, into: $0) } == "2026-11-22 10:00:00.120")
        #expect(write { TimestampText.writeShortest(1_795_341_600_120, precision: 3, into: $0) } == "2026-11-22 10:00:00.12")
        #expect(write { TimestampText.writeShortest(1_795_341_600_000, precision: 3, into: $0) } == "2026-11-22 10:00:00")
        #expect(write { TimestampText.write(1_795_341_600_120, precision: 0, into: $0) } == "2026-11-22 10:00:00")
        #expect(write { TimestampText.write(-1, precision: 3, separator: 0x54, into: $0) } == "1969-12-31T23:59:59.999")
        #expect(write { TimestampText.writeTime(3_723_004, precision: 3, into: $0) } == "01:02:03.004")
    }

    @Test func everyDayComesBack() {
        var expected = CivilDate(year: -400, month: 1, day: 1)
        for days in expected.days..<CivilDate.days(2400, 1, 1) {
            #expect(CivilDate(days: days) == expected && expected.days == days)
            expected.day += 1
            if expected.day > CivilDate.length(ofMonth: expected.month, year: expected.year) { expected.day = 1; expected.month += 1 }
            if expected.month > 12 { expected.month = 1; expected.year += 1 }
        }
        #expect(CivilDate.isoWeekday(days: 0) == 4)
        #expect(CivilDate.isoWeek(days: CivilDate.days(2025, 12, 29)) == (2026, 1))
        #expect(CivilDate.isoWeek(days: CivilDate.days(2027, 1, 1)) == (2026, 53))
        #expect(CivilDate(year: 2026, month: 1, day: 31).adding(months: -11) == CivilDate(year: 2025, month: 2, day: 28))
    }

    @Test(arguments: [
        (987.0, "987.0"), (1e7, "1.0E7"), (1e-4, "1.0E-4"), (0.001, "0.001"), (9_999_999.5, "9999999.5"), (12_345_678.9, "1.23456789E7"),
        (0.1 + 0.2, "0.30000000000000004"), (-0.0, "-0.0"), (0, "0.0"), (1.0 / 3, "0.3333333333333333"), (.nan, "NaN"), (.infinity, "Infinity"),
        (-.infinity, "-Infinity"), (.leastNonzeroMagnitude, "4.9E-324"), (.greatestFiniteMagnitude, "1.7976931348623157E308"), (123_456.789, "123456.789"),
        (-2.5, "-2.5"), (100, "100.0"), (1_234_567, "1234567.0"), (0.00123, "0.00123"), (1e22, "1.0E22"), (1.5e-10, "1.5E-10"),
    ])
    func doublesAreWrittenAsJavaWritesThem(value: Double, text: String) {
        #expect(write { DoubleText.write(value, into: $0) } == text)
    }

    @Test func floatsHaveTheirOwnDigits() {
        #expect(write { DoubleText.write(Float(0.1), into: $0) } == "0.1")
        #expect(write { DoubleText.write(Float(16_777_216), into: $0) } == "1.6777216E7")
    }

    @Test func doublesComeBackAsTheyWereWritten() {
        var random = SplitMix(seed: 11)
        for round in 0..<40_000 {
            let value = switch round % 4 {
            case 0: Double(bitPattern: random.next())
            case 1: Double(Int64(random.next() % 100_000_000)) / 100
            case 2: Double(random.next() % 1_000_000_007) / 1e9
            default: Double(Int64(bitPattern: random.next()))
            }
            guard value.isFinite else { continue }
            let text = write { DoubleText.write(value, into: $0) }
            #expect(double(text) == value, "\(text)")
            #expect(text.filter { "0"..."9" ~= $0 }.count <= 20)
        }
    }

    @Test func decimalTextIsReadAsStrtodReadsIt() {
        for text in ["1", "-1.5", "+2", ".5", "5.", "1e3", "1E-3", "123456789012345678", "0.1", "1e400", "1e-400", "9007199254740993", "1e23"] {
            #expect(double(text) == Double(text.hasPrefix(".") ? "0" + text : text.hasSuffix(".") ? text + "0" : text), "\(text)")
        }
        for text in ["", ".", "-", "e5", "1e", "1e+", "1.2.3", "0x10", "inf", "nan", "1 ", " 1", "1d"] { #expect(double(text) == nil, "\(text)") }
        #expect(double("NaN")?.isNaN == true)
        #expect(double("-Infinity") == -.infinity)
    }

    @Test func integersKeepToTheirRange() {
        func parse(_ text: String) -> Int64? {
            Array(text.utf8).withUnsafeBufferPointer { IntegerText.parse($0.baseAddress!, count: $0.count) }
        }
        for value in [0, 1, -1, 9, 10, 99, 100, 101, .max, .min, .max - 1, .min + 1, 1_000_000_000_000_000_000] as [Int64] {
            let text = write { IntegerText.write(value, into: $0) }
            #expect(text == String(value))
            #expect(parse(text) == value)
        }
        #expect(parse("+7") == 7)
        for text in ["9223372036854775808", "-9223372036854775809", "99999999999999999999", "", "-", "1a", "1.0", " 1"] { #expect(parse(text) == nil) }
    }

    @Test func decimalsRoundHalfUpAndKeepTheirPrecision() {
        #expect(decimal("1.005", 5, 2) == 101)
        #expect(decimal("-1.005", 5, 2) == -101)
        #expect(decimal("1.0049999999999999999999999999999999999999999", 5, 2) == 100)
        #expect(decimal("999.995", 5, 2) == nil)
        #expect(decimal("1e2", 5, 2) == 10_000)
        #expect(decimal("12.5", 3, 0) == 13)
        #expect(decimal("99999999999999999999999999999999999999", 38, 0) == DecimalText.powers[38] - 1)
        #expect(decimal("100000000000000000000000000000000000000", 38, 0) == nil)
        #expect(decimal("", 5, 2) == nil)
        #expect(decimal("1,5", 5, 2) == nil)
        #expect(write { DecimalText.write(-5, scale: 3, into: $0) } == "-0.005")
        #expect(write { DecimalText.write(150, scale: 2, into: $0) } == "1.50")
        #expect(write { DecimalText.write(DecimalText.powers[37], scale: 20, into: $0) } == "100000000000000000.00000000000000000000")
    }
}

/// A small seeded generator, so that every run sees the same numbers.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
