import Testing
import Columnar
import Expressions

/// CAST and TRY_CAST; expected values are Flink's.
@Suite struct CastTests {
    private let s = column(0, .string)
    private let words = strings([
        "42", " 7 ", "-3.99", "abc", nil, "99999999999", "2026-02-29", "2026-03-01 12:34:56.789", "true", "", "1e3", "2026-12-31", "TRUE", "+5",
    ])

    private func check(_ kind: TypeKind, _ expected: [Int: String]) throws {
        let got = try printed(tryCast(s, kind), over: words)
        for (index, value) in got.enumerated() { #expect(value == expected[index], "\(kind) of row \(index)") }
    }

    @Test func textIsReadLeniently() throws {
        try check(.date, [0: "0042-01-01", 1: "0007-01-01", 7: "2026-03-01", 11: "2026-12-31"])
        try check(.timestamp(3), [6: "2026-02-28 00:00:00.000", 7: "2026-03-01 12:34:56.789", 11: "2026-12-31 00:00:00.000"])
        try check(.time(0), [1: "07:00:00"])
        try check(.integer, [0: "42", 1: "7", 2: "-3", 13: "5"])
        try check(.bigint, [0: "42", 1: "7", 2: "-3", 5: "99999999999", 13: "5"])
        try check(.double, [0: "42.0", 1: "7.0", 2: "-3.99", 5: "9.9999999999E10", 10: "1000.0", 13: "5.0"])
        try check(.boolean, [8: "TRUE", 12: "TRUE"])
        try check(.decimal(precision: 5, scale: 1), [0: "42.0", 1: "7.0", 2: "-4.0", 10: "1000.0", 13: "5.0"])
    }

    @Test func textIsCutAndFilledUp() throws {
        let chars = try printed(call("||", tryCast(s, .char(3)), text("|")), over: words)
        #expect(chars == ["42 |", " 7 |", "-3.|", "abc|", nil, "999|", "202|", "202|", "tru|", "   |", "1e3|", "202|", "TRU|", "+5 |"])
        let cut = try printed(tryCast(s, .varchar(4)), over: words)
        #expect(cut == ["42", " 7 ", "-3.9", "abc", nil, "9999", "2026", "2026", "true", "", "1e3", "2026", "TRUE", "+5"])
        #expect(try constant(call("||", cast(text("größe"), .char(7)), text("|"))) == "größe  |")
    }

    @Test func literalsAsInFlink() throws {
        #expect(try constant(cast(text("2026-05-06 07:08:09.123456"), .timestamp(6))) == "2026-05-06 07:08:09.123456")
        #expect(try constant(cast(text("2026-05-06 07:08:09.987"), .timestamp(0))) == "2026-05-06 07:08:09")
        #expect(try constant(cast(timestamp("2026-05-06 07:08:09.5"), .date)) == "2026-05-06")
        #expect(try constant(cast(timestamp("2026-05-06 07:08:09.5"), .time(0))) == "07:08:09")
        #expect(try constant(cast(cast(text("2026-05-06"), .date), .timestamp(3))) == "2026-05-06 00:00:00.000")
        #expect(try constant(cast(boolean(true), .integer)) == "1")
        #expect(try constant(boolean(true)) == "TRUE")
        #expect(try constant(decimal("1.0")) == "1.0")
        #expect(try constant(cast(decimal("0.30"), .double)) == "0.3")
        #expect(try constant(timestamp("2026-05-06 07:08:09.120")) == "2026-05-06 07:08:09.120")
        #expect(try constant(cast(double(1.5), .decimal(precision: 4, scale: 2))) == "1.50")
        #expect(try constant(cast(text("12.5"), .decimal(precision: 3, scale: 0))) == "13")
        #expect(try constant(.literal(.bytes([0x48, 0x69]), type: DataType(.binary(2)))) == "Hi")
        #expect(try constant(days(3)) == "+3 00:00:00.000")
        #expect(try constant(months(14)) == "+1-02")
    }

    @Test func doublesBecomeIntegersAsInJava() throws {
        #expect(try constant(cast(double(-3.99), .integer)) == "-3")
        #expect(try constant(cast(double(1e20), .bigint)) == "9223372036854775807")
        #expect(try constant(cast(double(.nan), .integer)) == "0")
        #expect(try constant(cast(double(300), .tinyint)) == "44")
        #expect(try constant(cast(double(.infinity), .decimal(precision: 10, scale: 0))) == nil)
    }

    @Test func unreadableTextFailsItsRowInCastOnly() throws {
        #expect { try values(cast(s, .integer), over: words) } throws: { "\($0)".contains("cannot read '-3.99'") || "\($0)".contains("cannot read 'abc' as INT") }
        #expect(throws: EvaluationError.self) { try constant(cast(text("x"), .timestamp(3))) }
        #expect(throws: EvaluationError.self) { try constant(cast(text("x"), .decimal(precision: 4, scale: 2))) }
        #expect(try constant(cast(text("99999.5"), .decimal(precision: 4, scale: 2))) == nil)
        #expect(try printed(cast(s, .integer), over: strings([nil, "7"])) == [nil, "7"])
    }

    @Test func decimalsChangeScale() throws {
        let batch = Batch.of([DataType(.decimal(precision: 8, scale: 3))], [[.decimal(12_345)], [.decimal(-12_345)], [.null], [.decimal(5)]])
        let m = column(0, .decimal(precision: 8, scale: 3))
        #expect(try printed(cast(m, .decimal(precision: 8, scale: 1)), over: batch) == ["12.3", "-12.3", nil, "0.0"])
        #expect(try printed(cast(m, .decimal(precision: 5, scale: 4)), over: batch) == [nil, nil, nil, "0.0050"])
        #expect(try printed(cast(m, .integer), over: batch) == ["12", "-12", nil, "0"])
        #expect(try printed(cast(m, .double), over: batch) == ["12.345", "-12.345", nil, "0.005"])
    }
}
