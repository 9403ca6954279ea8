import Testing
import Columnar
import Expressions

/// Result types as Flink's planner reports them for the same calls.
@Suite struct FunctionCatalogueTests {
    private func decimal(_ precision: Int, _ scale: Int) -> DataType { DataType(.decimal(precision: precision, scale: scale)) }

    private func result(_ name: String, _ arguments: DataType..., literals: [Value?] = []) throws -> DataType {
        try FunctionCatalogue.resolve(name: name, arguments: arguments, literals: literals).result
    }

    @Test func decimalsFollowFlinksPrecisionRules() throws {
        let int = DataType(.integer)
        #expect(try result("+", decimal(2, 1), decimal(3, 2)) == decimal(4, 2))
        #expect(try result("*", decimal(2, 1), decimal(3, 2)) == decimal(6, 3))
        #expect(try result("/", decimal(2, 1), decimal(3, 2)) == decimal(9, 6))
        #expect(try result("/", decimal(10, 2), decimal(10, 2)) == decimal(23, 13))
        #expect(try result("*", decimal(38, 10), decimal(38, 10)) == decimal(38, 6))
        #expect(try result("+", decimal(20, 5), decimal(10, 8)) == decimal(24, 8))
        #expect(try result("MOD", decimal(5, 2), decimal(5, 1)) == decimal(5, 2))
        #expect(try result("/", int, decimal(2, 1)) == decimal(17, 6))
        #expect(try result("/", decimal(5, 0), int) == decimal(16, 11))
        #expect(try result("+", decimal(3, 1), int) == decimal(12, 1))
        #expect(try result("*", decimal(3, 1), DataType(.double)) == DataType(.double))
        #expect(try result("ROUND", decimal(10, 4), int, literals: [nil, .integer(2)]) == decimal(9, 2))
        #expect(try result("ROUND", decimal(4, 0), int, literals: [nil, .integer(-1)]) == decimal(5, 0))
        #expect(try result("ROUND", decimal(8, 3), int, literals: [nil, .integer(1)]) == decimal(7, 1))
        #expect(try result("TRUNCATE", decimal(8, 3), int, literals: [nil, .integer(1)]) == decimal(7, 1))
        #expect(try result("CEIL", decimal(8, 3)) == decimal(8, 0))
        #expect(try result("SIGN", decimal(8, 3)) == decimal(8, 3))
    }

    @Test func integersKeepTheWiderWidth() throws {
        let tiny = DataType(.tinyint), int = DataType(.integer), big = DataType(.bigint)
        #expect(try result("+", tiny, tiny) == tiny)
        #expect(try result("*", int, big) == big)
        #expect(try result("/", int, int) == int)
        #expect(try result("MOD", big, int) == int)
        let resolution = try FunctionCatalogue.resolve(name: "+", arguments: [tiny.nullable(false), big])
        #expect(resolution.arguments == [DataType(.bigint, nullable: false), big])
        #expect(try result("+", tiny.nullable(false), tiny.nullable(false)) == tiny.nullable(false))
    }

    @Test func conditionalsTakeTheLeastRestrictiveType() throws {
        let text = DataType(.string), int = DataType(.integer)
        #expect(FunctionCatalogue.leastRestrictive([decimal(10, 2), int.nullable(false)]) == decimal(12, 2))
        let chars = [1, 1, 5].map { DataType(.char($0), nullable: false) }
        #expect(FunctionCatalogue.leastRestrictive(chars) == DataType(.varchar(5), nullable: false))
        #expect(FunctionCatalogue.leastRestrictive([DataType(.char(4), nullable: false), DataType(.null)]) == DataType(.char(4)))
        #expect(FunctionCatalogue.leastRestrictive([int, text]) == nil)
        #expect(try result("IFNULL", text, DataType(.char(4), nullable: false)) == text.nullable(false))
        #expect(try result("GREATEST", int, int.nullable(false)) == int)
        #expect(try result("NULLIF", text, DataType(.char(0), nullable: false)) == text)
        #expect(try result("IF", DataType(.boolean), int, int.nullable(false)) == int)
    }

    @Test func textBesideATimestampIsReadAsOne() throws {
        let resolution = try FunctionCatalogue.resolve(name: "<", arguments: [DataType(.timestamp(3)), DataType(.char(10), nullable: false)])
        #expect(resolution.arguments == [DataType(.timestamp(3)), DataType(.timestamp(3), nullable: false)])
        #expect(throws: FunctionError.self) { try FunctionCatalogue.resolve(name: "=", arguments: [DataType(.integer), DataType(.string)]) }
    }

    @Test func timesAndIntervals() throws {
        let time = DataType(.timestamp(3)), date = DataType(.date)
        let days = DataType(.intervalDayTime, nullable: false), months = DataType(.intervalYearMonth, nullable: false)
        #expect(try result("+", time, days) == time)
        #expect(try result("-", date, days) == date)
        #expect(try result("+", time, months) == time)
        #expect(try result("-", time, time) == DataType(.intervalDayTime))
        #expect(try result("TIMESTAMPDIFF", DataType(.char(3), nullable: false), time, time) == DataType(.integer))
        let unit: [Value?] = [.string("MONTH"), nil, nil]
        #expect(try result("TIMESTAMPADD", DataType(.char(5), nullable: false), DataType(.integer, nullable: false), date, literals: unit) == date)
        #expect(try result("EXTRACT", DataType(.char(4), nullable: false), time) == DataType(.bigint))
        #expect(try result("FLOOR", DataType(.timestampLTZ(3)), DataType(.char(4), nullable: false)) == DataType(.timestampLTZ(3)))
        #expect(try result("UNIX_TIMESTAMP", DataType(.char(19), nullable: false)) == DataType(.bigint, nullable: false))
        #expect(try result("TO_TIMESTAMP_LTZ", DataType(.bigint, nullable: false), DataType(.integer, nullable: false)) == DataType(.timestampLTZ(3)))
    }

    @Test func textsJoin() throws {
        let five = DataType(.char(5), nullable: false), one = DataType(.char(1), nullable: false)
        #expect(try result("||", five, one) == DataType(.char(6), nullable: false))
        #expect(try result("||", DataType(.string), one) == DataType(.string))
        #expect(try result("concat", five, one) == DataType(.string, nullable: false))
        #expect(try result("MD5", DataType(.string)) == DataType(.char(32)))
        #expect(try FunctionCatalogue.resolve(name: "Character_Length", arguments: [five]).name == "CHAR_LENGTH")
    }

    @Test func whatDoesNotFitIsNamedInFlinksWords() {
        #expect {
            try FunctionCatalogue.resolve(name: "ABS", arguments: [DataType(.string)])
        } throws: { error in
            "\(error)" == "Cannot apply 'ABS' to arguments of type 'ABS(<VARCHAR(2147483647)>)'. Supported form(s): 'ABS(<NUMERIC>)'"
        }
        #expect {
            try FunctionCatalogue.resolve(name: "UPER", arguments: [DataType(.string)])
        } throws: { error in
            guard case .unknown(let name, let names)? = error as? FunctionError else { return false }
            return name == "UPER" && names.contains("UPPER")
        }
    }

    @Test func chanceAndClockAreNotDeterministic() {
        for name in ["UUID", "RAND", "NOW", "CURRENT_TIMESTAMP", "PROCTIME"] { #expect(!FunctionCatalogue.isDeterministic(name)) }
        for name in ["UPPER", "+", "IS NULL"] { #expect(FunctionCatalogue.isDeterministic(name)) }
    }

    @Test func castsFollowFlinksMatrix() {
        #expect(FunctionCatalogue.castSupported(from: .string, to: .timestamp(3)))
        #expect(FunctionCatalogue.castSupported(from: .boolean, to: .integer))
        #expect(FunctionCatalogue.castSupported(from: .timestampLTZ(3), to: .date))
        #expect(!FunctionCatalogue.castSupported(from: .boolean, to: .date))
        #expect(!FunctionCatalogue.castSupported(from: .timestamp(3), to: .integer))
    }
}
