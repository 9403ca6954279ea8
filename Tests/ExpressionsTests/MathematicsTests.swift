import Testing
import Columnar
import Expressions

/// The reference case on mathematical functions.
@Suite struct MathematicsTests {
    private let batch = Batch.of([DataType(.double), DataType(.integer), DataType(.decimal(precision: 8, scale: 3))], [
        [.double(1.5), .integer(7), .decimal(12_345)], [.double(-2.5), .integer(-7), .decimal(-12_345)], [.double(0.1), .integer(0), .decimal(5)],
        [.double(1e10), .integer(2_147_483_647), .decimal(99_999_999)], [.null, .null, .null],
        [.double(-0.4), .integer(-2_147_483_648), .decimal(-5)], [.double(123_456.789), .integer(100), .decimal(2_500)],
    ])
    private let d = column(0, .double), i = column(1, .integer), m = column(2, .decimal(precision: 8, scale: 3))

    private func check(_ expression: Expression, _ expected: String) throws {
        #expect(try printed(expression, over: batch).map { $0 ?? "" } == expected.split(separator: " ", omittingEmptySubsequences: false).map(String.init))
    }

    /// Within 1e-9 of each number, as the reference allows.
    private func near(_ expression: Expression, _ expected: [Double?]) throws {
        for (value, wanted) in zip(try values(expression, over: batch), expected) {
            guard let wanted else { #expect(value == .null); continue }
            guard case .double(let number) = value else { Issue.record("\(value) is no double"); continue }
            #expect(number == wanted || abs(number - wanted) <= abs(wanted) * 1e-9)
        }
    }

    @Test func exactResults() throws {
        try check(call("ABS", i), "7 7 0 2147483647  -2147483648 100")
        try check(call("MOD", i, int(4)), "3 -3 0 3  0 0")
        try check(call("FLOOR", d), "1.0 -3.0 0.0 1.0E10  -1.0 123456.0")
        try check(call("CEIL", m), "13 -12 1 100000  0 3")
        try check(call("ROUND", m, int(1)), "12.3 -12.3 0.0 100000.0  0.0 2.5")
        try check(call("ROUND", d), "2.0 -3.0 0.0 1.0E10  0.0 123457.0")
        try check(call("TRUNCATE", m, int(1)), "12.3 -12.3 0.0 99999.9  0.0 2.5")
        try check(call("SIGN", m), "1.000 -1.000 1.000 1.000  -1.000 1.000")
        try check(call("ROUND", call("MOD", i, int(1_000)), int(-1)), "10 -10 0 650  -650 100")
        #expect(try constant(call("ROUND", double(1.005), int(2))) == "1.01")
    }

    @Test func doubles() throws {
        try near(call("POWER", d, int(2)), [2.25, 6.25, 0.010000000000000002, 1e20, nil, 0.16, 1.5241578750190521e10])
        try near(call("SQRT", call("ABS", d)), [1.224744871391589, 1.5811388300841898, 0.31622776601683794, 1e5, nil, 0.6324555320336759, 351.3641828644462])
        try near(call("LN", call("ABS", d)), [0.4054651081081644, 0.9162907318741551, -2.3025850929940455, 23.025850929940457, nil, -0.916290731874155, 11.723646487185881])
        try near(call("LOG10", call("ABS", d)), [0.17609125905568124, 0.3979400086720376, -1, 10, nil, -0.3979400086720376, 5.09151497716927])
        #expect(try constant(call("PI")) == "3.141592653589793")
        #expect(try constant(call("DEGREES", call("PI"))) == "180.0")
        #expect(try constant(call("ATAN2", double(1), double(1))) == "0.7853981633974483")
    }

    @Test func cubeRootsOfCubesAreExact() throws {
        for number in [0, 1, 2, 3, 5, 10, 27, 100, 1_000, 12_345] {
            let root = Double(number), cube = root * root * root
            #expect(try values(call("CBRT", double(cube)), over: oneRow) == [.double(root)])
            #expect(try values(call("CBRT", double(-cube)), over: oneRow) == [.double(-root)])
        }
        #expect(try constant(call("CBRT", double(.infinity))) == "Infinity")
        #expect(try constant(call("CBRT", double(.leastNonzeroMagnitude))) == "1.7031839360032603E-108")
        #expect(try constant(call("CBRT", double(.greatestFiniteMagnitude))) == "5.643803094122362E102")
    }

    @Test func chanceFollowsItsSeed() throws {
        let ten = Batch.of([DataType(.integer)], (0..<10).map { [.integer($0)] })
        var evaluator = try Evaluator([call("RAND"), call("UUID"), call("RAND_INTEGER", int(5))])
        let first = try evaluator.evaluate(ten, context: EvaluationContext(now: 0, chance: 1))
        let again = try evaluator.evaluate(ten, context: EvaluationContext(now: 0, chance: 1))
        let other = try evaluator.evaluate(ten, context: EvaluationContext(now: 0, chance: 2))
        for column in 0..<3 {
            let values = (0..<10).map { first[column].value($0) }
            #expect(values == (0..<10).map { again[column].value($0) })
            #expect(values != (0..<10).map { other[column].value($0) })
            #expect(Set(values).count > (column == 2 ? 1 : 9))
        }
    }
}
