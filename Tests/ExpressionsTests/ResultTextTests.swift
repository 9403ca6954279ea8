import Columnar
import Expressions
import Testing

/// Cells as `swiftwater run` prints them; expected values are the Flink SQL client's.
@Suite struct ResultTextTests {
    private func shown(_ kind: TypeKind, _ value: Value, zone: String = "UTC") throws -> String? {
        ResultText.of(Column.of(DataType(kind), [value]), 0, zone: try #require(ZoneRules(named: zone)))
    }

    @Test func anInstantShowsTheSessionsClockAsItsCastDoes() throws {
        let instant = Value.integer(1_774_746_000_000)
        #expect(try shown(.timestampLTZ(3), instant) == "2026-03-29 01:00:00.000")
        #expect(try shown(.timestampLTZ(3), instant, zone: "Europe/Berlin") == "2026-03-29 03:00:00.000")
        #expect(try shown(.timestamp(3), instant, zone: "Europe/Berlin") == "2026-03-29 01:00:00.000")
        let cast = cast(.literal(instant, type: DataType(.timestampLTZ(3))), .string)
        #expect(try constant(cast, zone: #require(ZoneRules(named: "Europe/Berlin"))) == "2026-03-29 03:00:00.000")
    }

    @Test func timesHaveAllDecimalsOfTheirType() throws {
        #expect(try shown(.timestamp(3), .integer(1_500)) == "1970-01-01 00:00:01.500")
        #expect(try shown(.timestamp(0), .integer(1_000)) == "1970-01-01 00:00:01")
        #expect(try shown(.timestamp(6), .integer(1_000_000)) == "1970-01-01 00:00:01.000000")
        #expect(try shown(.time(0), .integer(3_600_000)) == "01:00:00")
    }

    @Test func everythingElse() throws {
        #expect(try shown(.bytes, .bytes([0, 255, 16])) == "x'00ff10'")
        #expect(ResultText.base64(Column.of(DataType(.bytes), [.bytes([0, 255, 16])]), 0) == "AP8Q")
        #expect(try shown(.double, .double(1e7)) == "1.0E7")
        #expect(try shown(.boolean, .boolean(true)) == "true")
        #expect(try shown(.string, .string("é")) == "é")
        #expect(try shown(.integer, .null) == nil)
        #expect(try shown(.decimal(precision: 5, scale: 2), .decimal(150)) == "1.50")
    }
}

@Suite struct ZoneRulesTests {
    /// 2026-10-25 in Berlin: at 01:00 UTC the clock goes from 03:00 back to 02:00.
    @Test func anHourThatIsShownTwiceIsSettledOnlyTheSecondTime() throws {
        let berlin = try #require(ZoneRules(named: "Europe/Berlin"))
        let midnight: Int64 = 1_792_886_400_000, hour: Int64 = 3_600_000  // 2026-10-25 00:00 UTC, 02:00 in Berlin
        #expect(berlin.settledLocal(midnight - 1) == midnight + 2 * hour - 1)
        #expect(berlin.settledLocal(midnight) == midnight + 2 * hour - 1)
        #expect(berlin.settledLocal(midnight + hour - 1) == midnight + 2 * hour - 1)
        #expect(berlin.settledLocal(midnight + hour) == midnight + 2 * hour)
        #expect(berlin.settledLocal(midnight + 2 * hour) == midnight + 3 * hour)
    }

    /// 2026-03-29: at 01:00 UTC the clock goes from 02:00 to 03:00.
    @Test func anHourThatIsLeftOutIsSettledAtOnce() throws {
        let berlin = try #require(ZoneRules(named: "Europe/Berlin")), change: Int64 = 1_774_746_000_000
        #expect(berlin.settledLocal(change - 1) == change + 3_600_000 - 1)
        #expect(berlin.settledLocal(change) == change + 2 * 3_600_000)
    }

    @Test func itNeverGoesBack() throws {
        let zone = try #require(ZoneRules(named: "Australia/Lord_Howe"))  // Half an hour of summer time.
        var last = Int64.min
        for quarter in 0..<(366 * 96) {
            let reading = zone.settledLocal(1_767_225_600_000 + Int64(quarter) * 900_000)
            #expect(reading >= last)
            last = reading
        }
    }
}
