import Testing
import Columnar
import Expressions

/// Arithmetic, logic and conditionals; expected values are Flink's.
@Suite struct OperatorTests {
    @Test func decimalArithmeticGivesFlinksDigits() throws {
        func d(_ value: Int, _ precision: Int, _ scale: Int) -> Expression { cast(int(value), .decimal(precision: precision, scale: scale)) }
        #expect(try constant(call("+", decimal("1.1"), decimal("2.22"))) == "3.32")
        #expect(try constant(call("*", decimal("1.1"), decimal("2.22"))) == "2.442")
        #expect(try constant(call("/", decimal("1.1"), decimal("2.22"))) == "0.495495")
        #expect(try constant(call("/", d(1, 10, 2), d(3, 10, 2))) == "0.3333333333333")
        #expect(try constant(call("*", d(7, 38, 10), d(3, 38, 10))) == "21.000000")
        #expect(try constant(call("+", d(5, 20, 5), d(1, 10, 8))) == "6.00000000")
        #expect(try constant(call("MOD", cast(decimal("7.5"), .decimal(precision: 5, scale: 2)), d(2, 5, 1))) == "1.50")
        #expect(try constant(call("ROUND", cast(decimal("12.3456"), .decimal(precision: 10, scale: 4)), int(2))) == "12.35")
        #expect(try constant(call("ROUND", d(15, 4, 0), int(-1))) == "20")
        #expect(try constant(call("/", int(10), int(4))) == "2")
        #expect(try constant(call("/", int(10), decimal("4.0"))) == "2.500000")
        #expect(try constant(call("/", d(10, 5, 0), int(4))) == "2.50000000000")
        #expect(try constant(call("=", decimal("1.0"), decimal("1.00"))) == "TRUE")
        #expect(try constant(cast(decimal("999.985"), .decimal(precision: 5, scale: 2))) == "999.99")
        #expect(try constant(cast(decimal("999.995"), .decimal(precision: 5, scale: 2))) == nil)
        #expect(try constant(tryCast(decimal("9999.5"), .decimal(precision: 3, scale: 0))) == nil)
        #expect(try constant(call("+", cast(decimal("1.2"), .decimal(precision: 3, scale: 1)), int(1))) == "2.2")
        #expect(try constant(call("*", cast(decimal("1.2"), .decimal(precision: 3, scale: 1)), double(1))) == "1.2")
        #expect(try constant(call("-", decimal("0.5"))) == "-0.5")
    }

    @Test func bigDecimalProductsKeepTheirDigitsInBetween() throws {
        let a = cast(decimal("12345678901234567890.123456789"), .decimal(precision: 38, scale: 18))
        let b = cast(decimal("99999999.999999999"), .decimal(precision: 38, scale: 18))
        #expect(try constant(call("*", a, b)) == "1234567890123456776666666777.665432")
    }

    @Test func integersWrapAsInJava() throws {
        let batch = Batch.of([.tinyint, .smallint, .integer, .bigint].map { DataType($0) }, [
            [.integer(127), .integer(32_767), .integer(2_147_483_647), .integer(.max)],
            [.integer(-128), .integer(-32_768), .integer(-2_147_483_648), .integer(.min)],
            [.integer(1), .integer(2), .integer(3), .integer(4)],
            [.null, .null, .null, .null],
            [.integer(100), .integer(300), .integer(70_000), .integer(5_000_000_000)],
        ])
        let (ti, si, i, b) = (column(0, .tinyint), column(1, .smallint), column(2, .integer), column(3, .bigint))
        #expect(try printed(call("+", ti, ti), over: batch) == ["-2", "0", "2", nil, "-56"])
        #expect(try printed(call("+", si, si), over: batch) == ["-2", "0", "4", nil, "600"])
        #expect(try printed(call("+", i, int(1)), over: batch) == ["-2147483648", "-2147483647", "4", nil, "70001"])
        #expect(try printed(call("*", b, int(2)), over: batch) == ["-2", "0", "8", nil, "10000000000"])
        #expect(try printed(call("-", i), over: batch) == ["-2147483647", "-2147483648", "-3", nil, "-70000"])
        #expect(try printed(call("ABS", i), over: batch) == ["2147483647", "-2147483648", "3", nil, "70000"])
        #expect(try printed(cast(b, .integer), over: batch) == ["-1", "0", "4", nil, "705032704"])
        #expect(try printed(cast(i, .tinyint), over: batch) == ["-1", "0", "3", nil, "112"])
        #expect(try printed(call("/", i, int(2)), over: batch) == ["1073741823", "-1073741824", "1", nil, "35000"])
        #expect(try printed(call("/", b, int(3)), over: batch) == ["3074457345618258602", "-3074457345618258602", "1", nil, "1666666666"])
        #expect(try printed(call("MOD", b, int(10)), over: batch) == ["7", "-8", "4", nil, "0"])
        #expect(try printed(call("*", i, b), over: batch) == ["9223372034707292161", "0", "12", nil, "350000000000000"])
    }

    @Test func logicHasThreeValues() throws {
        let truth: [Bool?] = [true, false, nil]
        let cells = truth.flatMap { a in truth.map { b in [a, b].map { $0.map { Value.boolean($0) } ?? .null } } }
        let batch = Batch.of([DataType(.boolean), DataType(.boolean)], cells)
        let (a, b) = (column(0, .boolean), column(1, .boolean))
        func shown(_ expression: Expression) throws -> String {
            try values(expression, over: batch).map { $0 == .boolean(true) ? "T" : $0 == .boolean(false) ? "F" : "-" }.joined()
        }
        #expect(try shown(call("AND", a, b)) == "TF-FFF-F-")
        #expect(try shown(call("OR", a, b)) == "TTTTF-T--")
        #expect(try shown(call("NOT", a)) == "FFFTTT---")
        #expect(try shown(call("IS TRUE", a)) == "TTTFFFFFF")
        #expect(try shown(call("IS NOT TRUE", a)) == "FFFTTTTTT")
        #expect(try shown(call("IS FALSE", a)) == "FFFTTTFFF")
        #expect(try shown(call("IS UNKNOWN", a)) == "FFFFFFTTT")
        #expect(try shown(call("=", a, b)) == "TF-FT----")
        #expect(try shown(call("<>", a, b)) == "FT-TF----")
        #expect(try shown(call("IS DISTINCT FROM", a, b)) == "FTTTFTTTF")
        #expect(try shown(call("IS NOT DISTINCT FROM", a, b)) == "TFFFTFFFT")
        #expect(try shown(call("COALESCE", a, b)) == "TTTFFFTF-")
    }

    @Test func listsFindAndMiss() throws {
        let batch = Batch.of([DataType(.integer)], [[.integer(1)], [.null], [.integer(3)]])
        let x = column(0, .integer), nothing = null(.null)
        #expect(try printed(call("IN", x, int(1), int(2), nothing), over: batch) == ["TRUE", nil, nil])
        #expect(try printed(call("NOT IN", x, int(1), nothing), over: batch) == ["FALSE", nil, nil])
        #expect(try printed(call("IN", x, int(1), int(2)), over: batch) == ["TRUE", nil, "FALSE"])
        #expect(try printed(bind("IN", [x] + (2...40).map { int($0) }), over: batch) == ["FALSE", nil, "TRUE"])
        #expect(try printed(call("IN", x, x, int(7)), over: batch) == ["TRUE", nil, "TRUE"])
        #expect(try printed(call("BETWEEN", x, int(1), int(2)), over: batch) == ["TRUE", nil, "FALSE"])
        #expect(try printed(call("NOT BETWEEN", x, int(1), int(2)), over: batch) == ["FALSE", nil, "TRUE"])
        let words = strings(["pen", "", nil, "book"])
        let s = column(0, .string)
        #expect(try printed(call("IN", s, text("pen"), text("")), over: words) == ["TRUE", "TRUE", nil, "FALSE"])
    }

    @Test func caseLeavesRowsOfOtherBranchesAlone() throws {
        let batch = Batch.of([DataType(.integer)], [[.integer(0)], [.integer(5)], [.null], [.integer(2)], [.integer(0)]])
        let x = column(0, .integer)
        let guarded = Expression.conditional(
            [.init(condition: call("=", x, int(0)), value: int(-1))], otherwise: call("/", int(10), x), type: DataType(.integer))
        #expect(try printed(guarded, over: batch) == ["-1", "2", nil, "5", "-1"])
        let safe = call("AND", call("<>", x, int(0)), call(">", call("/", int(10), x), int(3)))
        #expect(try printed(safe, over: batch) == ["FALSE", "FALSE", nil, "TRUE", "FALSE"])
        let either = call("OR", call("=", x, int(0)), call(">", call("/", int(10), x), int(3)))
        #expect(try printed(either, over: batch) == ["TRUE", "FALSE", nil, "TRUE", "TRUE"])
        #expect(try printed(call("COALESCE", x, call("/", int(1), int(0))), over: Batch.of([DataType(.integer)], [[.integer(1)]])) == ["1"])
        let word = Expression.conditional(
            [.init(condition: call("IS NULL", x), value: text("none")), .init(condition: call(">", x, int(4)), value: cast(x, .string))],
            otherwise: text("few"), type: DataType(.string))
        #expect(try printed(word, over: batch) == ["few", "5", "none", "few", "few"])
    }

    @Test func wholeNumbersByZeroFailTheRow() throws {
        let batch = Batch.of([DataType(.integer)], [[.integer(1)], [.integer(0)]])
        #expect {
            try values(call("/", int(10), column(0, .integer)), over: batch)
        } throws: { error in
            (error as? EvaluationError)?.reason == "/ by zero" && "\(error)".contains("(10 / $0)")
        }
        let nulls = Batch.of([DataType(.integer)], [[.integer(1)], [.null]])
        #expect(try printed(call("/", int(10), column(0, .integer)), over: nulls) == ["10", nil])
        #expect(throws: EvaluationError.self) { try constant(call("/", int(1), int(0))) }
        #expect(try constant(call("/", double(1), double(0))) == "Infinity")
        #expect(throws: EvaluationError.self) { try constant(call("/", decimal("1.0"), decimal("0.0"))) }
        #expect(try values(call("/", int(1), int(0)), over: Batch.of([DataType(.integer)], [])) == [])
    }

    @Test func smallConditionals() throws {
        let batch = Batch.of([DataType(.integer), DataType(.integer), DataType(.string)], [
            [.integer(3), .integer(10), .string("pen")], [.integer(-2), .integer(10), .string("")], [.null, .integer(13), .null],
            [.integer(7), .null, .string("ink")],
        ])
        let (qty, cust, item) = (column(0, .integer), column(1, .integer), column(2, .string))
        #expect(try printed(call("IF", call(">", qty, int(0)), qty, int(0)), over: batch) == ["3", "0", "0", "7"])
        #expect(try printed(call("NULLIF", item, text("")), over: batch) == ["pen", nil, nil, "ink"])
        #expect(try printed(call("GREATEST", qty, int(2), cust), over: batch) == ["10", "10", nil, nil])
        #expect(try printed(call("LEAST", qty, int(2)), over: batch) == ["2", "-2", nil, "2"])
        #expect(try printed(call("IFNULL", item, text("none")), over: batch) == ["pen", "", "none", "ink"])
        #expect(try printed(call("GREATEST", item, text("lid")), over: batch) == ["pen", "lid", nil, "lid"])
    }

    @Test func filtersKeepTrueRowsOnly() throws {
        let batch = Batch.of([DataType(.integer)], [[.integer(1)], [.null], [.integer(3)], [.integer(0)]])
        var evaluator = try Evaluator([call(">", column(0, .integer), int(0))])
        let rows = try evaluator.select(batch, context: EvaluationContext(now: 0))
        #expect(Array(rows.indices) == [0, 2])
        var none = try Evaluator([boolean(false)])
        #expect(try none.select(batch, context: EvaluationContext(now: 0)).count == 0)
    }

    @Test func passedColumnsShareTheBatchsMemory() throws {
        let batch = strings(["a", nil])
        var evaluator = try Evaluator([column(0, .string)])
        #expect(try evaluator.evaluate(batch, context: EvaluationContext(now: 0))[0].values === batch.columns[0].values)
    }
}
