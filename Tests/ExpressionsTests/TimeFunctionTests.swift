import Testing
import Columnar
import Expressions

/// Times, intervals and zones; expected values are Flink's.
@Suite struct TimeFunctionTests {
    private let t = column(0, .timestamp(3))

    @Test func fieldsOfTimestamps() throws {
        let batch = timestamps([
            "2026-01-01 00:00:00.000", "2024-02-29 23:59:59.999", "2026-06-15 13:45:07.123", nil, "2025-12-29 07:00:00.000",
            "2026-03-29 01:30:00.000",
        ])
        func check(_ unit: String, _ expected: [Int?]) throws {
            #expect(try printed(call("EXTRACT", text(unit), t), over: batch) == expected.map { $0.map(String.init) }, "\(unit)")
        }
        try check("YEAR", [2026, 2024, 2026, nil, 2025, 2026])
        try check("QUARTER", [1, 1, 2, nil, 4, 1])
        try check("WEEK", [1, 9, 25, nil, 1, 13])
        try check("MILLISECOND", [0, 999, 123, nil, 0, 0])
        try check("EPOCH", [1_767_225_600, 1_709_251_199, 1_781_531_107, nil, 1_766_991_600, 1_774_747_800])
        try check("ISODOW", [4, 4, 1, nil, 1, 7])
        try check("DECADE", [202, 202, 202, nil, 202, 202])
        try check("CENTURY", [21, 21, 21, nil, 21, 21])
        for (name, expected) in [
            ("MONTH", [1, 2, 6, nil, 12, 3]), ("DAYOFMONTH", [1, 29, 15, nil, 29, 29]), ("DAYOFWEEK", [5, 5, 2, nil, 2, 1]),
            ("DAYOFYEAR", [1, 60, 166, nil, 363, 88]), ("HOUR", [0, 23, 13, nil, 7, 1]), ("MINUTE", [0, 59, 45, nil, 0, 30]),
            ("SECOND", [0, 59, 7, nil, 0, 0]),
        ] as [(String, [Int?])] {
            #expect(try printed(call(name, t), over: batch) == expected.map { $0.map(String.init) }, "\(name)")
        }
    }

    @Test func arithmetic() throws {
        let batch = timestamps([
            "2026-01-01 00:00:00.000", "2024-02-29 23:59:59.999", "1969-12-31 23:59:59.500", "2026-06-15 13:45:07.123", nil,
            "2025-12-29 07:00:00.000", "0999-05-05 05:05:05.000", "2026-03-29 01:30:00.000",
        ])
        func check(_ expression: Expression, _ expected: [String?]) throws { #expect(try printed(expression, over: batch) == expected) }
        try check(call("+", t, days(1)), [
            "2026-01-02 00:00:00.000", "2024-03-01 23:59:59.999", "1970-01-01 23:59:59.500", "2026-06-16 13:45:07.123", nil,
            "2025-12-30 07:00:00.000", "0999-05-06 05:05:05.000", "2026-03-30 01:30:00.000",
        ])
        try check(call("-", t, months(1)), [
            "2025-12-01 00:00:00.000", "2024-01-29 23:59:59.999", "1969-11-30 23:59:59.500", "2026-05-15 13:45:07.123", nil,
            "2025-11-29 07:00:00.000", "0999-04-05 05:05:05.000", "2026-02-28 01:30:00.000",
        ])
        try check(call("+", t, months(14)), [
            "2027-03-01 00:00:00.000", "2025-04-29 23:59:59.999", "1971-02-28 23:59:59.500", "2027-08-15 13:45:07.123", nil,
            "2027-02-28 07:00:00.000", "1000-07-05 05:05:05.000", "2027-05-29 01:30:00.000",
        ])
        try check(call("TIMESTAMPADD", text("WEEK"), int(2), t), [
            "2026-01-15 00:00:00.000", "2024-03-14 23:59:59.999", "1970-01-14 23:59:59.500", "2026-06-29 13:45:07.123", nil,
            "2026-01-12 07:00:00.000", "0999-05-19 05:05:05.000", "2026-04-12 01:30:00.000",
        ])
        try check(call("TIMESTAMPDIFF", text("DAY"), timestamp("2026-01-01 00:00:00"), t), ["0", "-671", "-20454", "165", nil, "-2", "-374979", "87"])
        try check(call("TIMESTAMPDIFF", text("MONTH"), t, timestamp("2026-01-31 00:00:00")), ["0", "23", "672", "-4", nil, "1", "12320", "-1"])
        try check(call("TIMESTAMPDIFF", text("SECOND"), t, timestamp("2026-01-01 00:00:00.999")), [
            "0", "57974401", "1767225601", "-14305506", nil, "234000", "-1961484673", "-7522199",
        ])
        try check(call("TIMESTAMPADD", text("MONTH"), int(1), cast(t, .date)), [
            "2026-02-01", "2024-03-29", "1970-01-31", "2026-07-15", nil, "2026-01-29", "0999-06-05", "2026-04-29",
        ].enumerated().map { $0 == 2 ? "1970-01-31" : $1 })
        try check(call(">", t, timestamp("2026-01-01 00:00:00")), ["FALSE", "FALSE", "FALSE", "TRUE", nil, "FALSE", "FALSE", "TRUE"])
        #expect(try constant(call("-", timestamp("2026-01-02 00:00:00"), timestamp("2026-01-01 12:00:00"))) == "+0 12:00:00.000")
        #expect(try constant(call("*", days(1), int(3))) == "+3 00:00:00.000")
    }

    @Test func roundingToUnits() throws {
        let time = timestamp("2026-05-20 13:45:07.123")
        for (unit, floor, ceil) in [
            ("SECOND", "2026-05-20 13:45:07.000", "2026-05-20 13:45:08.000"), ("MINUTE", "2026-05-20 13:45:00.000", "2026-05-20 13:46:00.000"),
            ("HOUR", "2026-05-20 13:00:00.000", "2026-05-20 14:00:00.000"), ("DAY", "2026-05-20 00:00:00.000", "2026-05-21 00:00:00.000"),
            ("MONTH", "2026-05-01 00:00:00.000", "2026-06-01 00:00:00.000"), ("QUARTER", "2026-04-01 00:00:00.000", "2026-07-01 00:00:00.000"),
            ("YEAR", "2026-01-01 00:00:00.000", "2027-01-01 00:00:00.000"),
        ] {
            #expect(try constant(call("FLOOR", time, text(unit))) == floor)
            #expect(try constant(call("CEIL", time, text(unit))) == ceil)
        }
        #expect(try constant(call("CEIL", timestamp("2026-05-01 00:00:00"), text("MONTH"))) == "2026-05-01 00:00:00.000")
    }

    @Test func patterns() throws {
        let batch = timestamps(["2026-01-05 08:09:10.007", nil, "2026-01-05 23:00:00.000", "2025-12-31 00:00:00.000"])
        #expect(try printed(call("DATE_FORMAT", t, text("yyyy-MM-dd")), over: batch) == ["2026-01-05", nil, "2026-01-05", "2025-12-31"])
        #expect(try printed(call("DATE_FORMAT", t, text("HH:mm")), over: batch) == ["08:09", nil, "23:00", "00:00"])
        #expect(try printed(call("DATE_FORMAT", t, text("d.M.yy 'at' h:mm a, SSS EEE")), over: batch)[2] == "5.1.26 at 11:00 PM, 000 Mon")
        #expect(try constant(call("TO_TIMESTAMP", text("05/01/2026 08:09"), text("dd/MM/yyyy HH:mm"))) == "2026-01-05 08:09:00.000")
        #expect(try constant(call("TO_TIMESTAMP", text("2026-01-05 08:09:10.5"))) == "2026-01-05 08:09:10.500")
        let words = text("EEEE, MMMM d yyyy, h:mm:ss a")
        #expect(try constant(call("TO_TIMESTAMP", text("Sunday, November 22 2026, 11:04:39 pm"), words)) == "2026-11-22 23:04:39.000")
        #expect(try constant(call("TO_TIMESTAMP", text("Sun, Nov 22 2026, 11:04:39 pm"), words)) == nil)
        #expect(try constant(call("TO_TIMESTAMP", text("Sun, MAY 3 2026, 12:04:39 am"), text("EEE, MMM d yyyy, h:mm:ss a"))) == "2026-05-03 00:04:39.000")
        #expect(try printed(call("DATE_FORMAT", t, text("EEEE, d MMMM")), over: batch)[2] == "Monday, 5 January")
        #expect(try constant(call("TO_TIMESTAMP", text("nonsense"))) == nil)
        #expect(try constant(call("TO_DATE", text("2026-01-05"))) == "2026-01-05")
        #expect(try constant(call("TO_DATE", text("20260105"), text("yyyyMMdd"))) == "2026-01-05")
        #expect(try constant(call("TO_DATE", text("2026-13-05"))) == nil)
        #expect(throws: EvaluationError.self) { try Evaluator([call("DATE_FORMAT", t, text("qq"))]) }
    }

    @Test func theSessionsZone() throws {
        let berlin = try #require(ZoneRules(named: "Europe/Berlin"))
        let batch = Batch.of([DataType(.bigint)], [0, 1_767_225_599_999, 1_774_747_800_000, 1_774_744_200_000, 1_751_364_000_000].map { [.integer($0)] })
        let ms = column(0, .bigint), instant = call("TO_TIMESTAMP_LTZ", ms, int(3))
        let shown = [
            "1970-01-01 01:00:00.000", "2026-01-01 00:59:59.999", "2026-03-29 03:30:00.000", "2026-03-29 01:30:00.000", "2025-07-01 12:00:00.000",
        ]
        #expect(try printed(instant, over: batch, zone: berlin) == shown)
        #expect(try printed(cast(instant, .timestamp(3)), over: batch, zone: berlin) == shown)
        #expect(try printed(cast(instant, .date), over: batch, zone: berlin) == shown.map { String($0.prefix(10)) })
        #expect(try printed(call("FLOOR", instant, text("HOUR")), over: batch, zone: berlin) == [
            "1970-01-01 01:00:00.000", "2026-01-01 00:00:00.000", "2026-03-29 03:00:00.000", "2026-03-29 01:00:00.000", "2025-07-01 12:00:00.000",
        ])
        #expect(try printed(call("FROM_UNIXTIME", call("/", ms, big(1_000))), over: batch, zone: berlin) == shown.map { String($0.prefix(19)) })
        #expect(try constant(call("UNIX_TIMESTAMP", text("2026-07-01 00:00:00")), zone: berlin) == "1782856800")
        #expect(try constant(cast(timestamp("2026-07-01 12:00:00"), .timestampLTZ(3)), zone: berlin) == "2026-07-01 12:00:00.000")
        #expect(try values(cast(timestamp("2026-07-01 12:00:00"), .timestampLTZ(3)), over: oneRow, zone: berlin) == [.integer(1_782_900_000_000)])
        #expect(try printed(call("HOUR", instant), over: batch, zone: berlin) == ["1", "0", "3", "1", "12"])
        #expect(try constant(call("CONVERT_TZ", text("1970-01-01 00:00:00"), text("UTC"), text("America/Los_Angeles"))) == "1969-12-31 16:00:00")
    }

    @Test func thereAreNoInstantsOutsideTheYears0000To9999() throws {
        let inside: [Int64] = [-62_167_219_200_000, 253_402_300_799_999], outside = [inside[0] - 1, inside[1] + 1, .max, .min, 1 << 62]
        let batch = Batch.of([DataType(.bigint)], (inside + outside).map { [.integer($0)] })
        #expect(try values(call("TO_TIMESTAMP_LTZ", column(0, .bigint), int(3)), over: batch) == inside.map { .integer($0) } + outside.map { _ in .null })
        let seconds = Batch.of([DataType(.bigint)], [-62_167_219_200, 253_402_300_799, 253_402_300_800, .max].map { [.integer($0)] })
        #expect(try values(call("TO_TIMESTAMP_LTZ", column(0, .bigint), int(0)), over: seconds) == [.integer(inside[0]), .integer(253_402_300_799_000), .null, .null])
        let doubles = Batch.of([DataType(.double)], [1.5, 1e300, .nan].map { [.double($0)] })
        #expect(try values(call("TO_TIMESTAMP_LTZ", column(0, .double), int(0)), over: doubles) == [.integer(1_500), .null, .null])
    }

    @Test func zoneRulesKnowGapsOverlapsAndTheFuture() throws {
        let berlin = try #require(ZoneRules(named: "Europe/Berlin"))
        let day = Int64(CivilDate.days(2026, 3, 29)) * 86_400
        // 02:30 does not exist: it is taken as 03:30.
        #expect(berlin.instant(ofLocal: day + 9_000, perSecond: 1) == day + 5_400)
        let autumn = Int64(CivilDate.days(2026, 10, 25)) * 86_400
        // 02:30 exists twice: the first is meant.
        #expect(berlin.instant(ofLocal: autumn + 9_000, perSecond: 1) == autumn + 1_800)
        #expect(berlin.offset(at: Int64(CivilDate.days(2100, 7, 1)) * 86_400) == 7_200)
        #expect(berlin.offset(at: Int64(CivilDate.days(2100, 1, 1)) * 86_400) == 3_600)
        #expect(try #require(ZoneRules(named: "America/New_York")).offset(at: Int64(CivilDate.days(2060, 7, 1)) * 86_400) == -14_400)
        #expect(ZoneRules(named: "GMT+08:00")?.offset(at: 0) == 28_800)
        #expect(ZoneRules(named: "-03:30")?.offset(at: 0) == -12_600)
        #expect(ZoneRules(named: "Asia/Kolkata")?.offset(at: 0) == 19_800)
        for name in ["Europe/Nowhere", "../passwd", "/etc/passwd", "", "UTC+99"] { #expect(ZoneRules(named: name) == nil, "\(name)") }
    }

    @Test func theClockComesFromOutside() throws {
        let now: Int64 = 1_795_341_600_123
        let tokyo = ZoneRules(name: "Tokyo", fixed: 9 * 3_600)
        #expect(try values(call("NOW"), over: oneRow, now: now) == [.integer(now)])
        #expect(try printed(call("LOCALTIMESTAMP"), now: now, zone: tokyo) == ["2026-11-22 19:00:00.123"])
        #expect(try printed(call("CURRENT_DATE"), now: now + 6 * 3_600_000, zone: tokyo) == ["2026-11-23"])
        #expect(try printed(call("UNIX_TIMESTAMP"), now: now) == ["1795341600"])
        // Two batches, one evaluator: nothing is kept.
        var evaluator = try Evaluator([call("PROCTIME")])
        #expect(try evaluator.evaluate(oneRow, context: EvaluationContext(now: 1))[0].value(0) == .integer(1))
        #expect(try evaluator.evaluate(oneRow, context: EvaluationContext(now: 2))[0].value(0) == .integer(2))
    }
}
