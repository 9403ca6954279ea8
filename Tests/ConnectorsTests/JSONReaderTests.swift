import Columnar
import Connectors
import Dataflow
import Testing

@Suite struct JSONReaderTests {
    private let ticks = schema(("time", .timestamp(3)), ("ticker", .string), ("price", .double), ("n", .integer))

    private func read(_ text: String, _ schema: Schema? = nil, _ options: JSONOptions = JSONOptions()) throws -> [[Value]] {
        let schema = schema ?? ticks
        return try rows(JSONReader(schema, options: options), schema.types, text)
    }

    private func one(_ json: String, _ kind: TypeKind, _ options: JSONOptions = JSONOptions()) throws -> Value {
        try read(#"{"x": "# + json + "}", schema(("x", kind)), options)[0][0]
    }

    private func refuses(_ json: String, _ kind: TypeKind = .string) -> Bool { (try? one(json, kind)) == nil }

    private let first: [Value] = [.integer(1_795_341_600_123), .string("ABCD"), .double(712.34), .integer(7)]

    @Test func readsFieldsInAnyOrderWithWhiteSpaceAndUnknownOnes() throws {
        let lines = """
            {"time":"2026-11-22 10:00:00.123","ticker":"ABCD","price":712.34,"n":7}
            {"n":7,"price":712.34,"ticker":"ABCD","time":"2026-11-22 10:00:00.123"}
            {"time":"2026-11-22 10:00:00.123","ticker":"ABCD","price":712.34,"n":7}
            { "deep" : [1, {"a" : [[], {}, "]}\\" "]}, true, null, -1.5e-3] , "time":\t"2026-11-22 10:00:00.123","ticker":"ABCD","price":712.34,"n":7 , "z": false}\r
            {"time":"2026-11-22 10:00:00.123","ticker":"ABCD","price":712.34,"n":7,"extra":"x"}
            {"time":"2026-11-22 10:00:00.123","ticker":"ABCD","price":712.34,"n":7}

            """
        #expect(try read(lines) == Array(repeating: first, count: 6))
    }

    @Test func whiteSpaceMayDifferFromRowToRow() throws {
        let lines = [#"{"n":7,"price":1.5,"ticker":"a"}"#, #"{"n": 7,"price":  1.5,"ticker": "a"}"#, #"{ "n" :7 , "price" :1.5, "ticker":"a" }"#]
        let text = (lines + lines.reversed() + [lines[0]]).joined(separator: "\n")
        #expect(try read(text).map { Array($0[1...]) } == Array(repeating: [.string("a"), .double(1.5), .integer(7)], count: 7))
    }

    @Test func missingAndNullFieldsAreNullAlsoAfterRowsThatHadThem() throws {
        let lines = """
            {"time":"2026-11-22 10:00:00.123","ticker":"ABCD","price":712.34,"n":7}
            {"ticker":"ABCD","n":null}
            {}
            {"time":"2026-11-22 10:00:00.123","ticker":"ABCD","price":712.34,"n":7}
            """
        #expect(try read(lines) == [first, [.null, .string("ABCD"), .null, .null], [.null, .null, .null, .null], first])
        var strict = JSONOptions()
        strict.failOnMissingField = true
        #expect(throws: MalformedRow.self) { try read(lines, nil, strict) }
    }

    @Test func theLastOfRepeatedKeysWins() throws {
        let lines = #"{"n":1,"ticker":"long long long long","n":null,"ticker":"b","n":3,"ticker":"cc"}"# + "\n" + #"{"n":4,"n":null,"ticker":"x","ticker":null}"#
        #expect(try read(lines).map { Array($0[1...]) } == [[.string("cc"), .null, .integer(3)], [.null, .null, .null]])
    }

    @Test func decodesEscapes() throws {
        #expect(try one(#""a\"b\\c\/d\n\t\r\b\f""#, .string) == .string("a\"b\\c/d\n\t\r\u{8}\u{C}"))
        #expect(try one(#""\u00e9\u20AC \ud83d\ude00 plain""#, .string) == .string("é€ 😀 plain"))
        #expect(try one(#""half \ud83d pair \ude00 \ud83d\u0041""#, .string) == .string("half ? pair ? ?A"))
        #expect(try one(#""0123456789abcdef0123456789abcdef\n""#, .string) == .string("0123456789abcdef0123456789abcdef\n"))
        #expect(refuses(#""\x""#) && refuses(#""\u12g4""#) && refuses("\"a\u{1}b\"") && refuses(#""open"#))
        #expect(try read(#"{"t\u0069cker":"x"}"#)[0][1] == .string("x"))
    }

    @Test func readsNumbersExactly() throws {
        for text in ["0", "-0.0", "0.1", "712.34", "1e3", "-1.5E-7", "123456789.123456789", "1.7976931348623157e308", "5e-324", "0.000001", "1234567", "12345.6"] {
            #expect(try one(text, .double) == .double(Double(text)!), "\(text)")
            #expect(try one("\"\(text)\"", .double) == .double(Double(text)!), "\(text)")
        }
        for text in ["01", "1.", ".5", "+1", "1e", "-", "00.5", "1.e3", "0x1", "NaN"] { #expect(refuses(text, .double), "\(text)") }
    }

    @Test func coercesAsFlinkDoes() throws {
        #expect(try one("\" 42 \"", .integer) == .integer(42))
        #expect(try one("4.9", .integer) == .integer(4))
        #expect(try one("-4.9", .bigint) == .integer(-4))
        #expect(refuses("4.9", .smallint) && refuses("3000000000", .integer) && refuses("\"4.9\"", .integer) && refuses("128", .tinyint))
        #expect(try one("9223372036854775807", .bigint) == .integer(.max))
        #expect(refuses("9223372036854775808", .bigint))
        #expect(try one("5", .string) == .string("5"))
        #expect(try one("true", .string) == .string("true"))
        #expect(try one(#"{"nested" : [1.50, "a\u00e9\n" , {} ]}"#, .string) == .string(#"{"nested":[1.5,"aé\n",{}]}"#))
        #expect(try one("\"TRUE\"", .boolean) == .boolean(true))
        #expect(try one("\"yes\"", .boolean) == .boolean(false))
        #expect(try one("false", .boolean) == .boolean(false))
        #expect(try one("1.25", .decimal(precision: 5, scale: 1)) == .decimal(13))
        #expect(try one("\" 7\"", .decimal(precision: 5, scale: 1)) == .decimal(70))
        #expect(try one("99999.9", .decimal(precision: 5, scale: 1)) == .null)
        #expect(refuses("\"x\"", .decimal(precision: 5, scale: 1)))
        #expect(try one("\"2026-01-02\"", .date) == .integer(20_455))
        #expect(refuses("\"2026-02-29\"", .date))
        #expect(try one("\"10:11:12\"", .time(0)) == .integer(36_672_000))
        #expect(try one("\"SGk=\"", .bytes) == .bytes([0x48, 0x69]))
        #expect(refuses("\"SGk\"", .bytes))
        #expect(refuses("5", .timestamp(3)) && refuses("{}", .integer))
    }

    @Test func readsTimestampsOfTheStandardOnly() throws {
        var iso = JSONOptions()
        iso.timestamps = .iso8601
        #expect(try one("\"2026-01-01T00:00:00\"", .timestamp(3), iso) == .integer(1_767_225_600_000))
        #expect(try one("\"2026-01-01T00:00\"", .timestamp(3), iso) == .integer(1_767_225_600_000))
        #expect(try one("\"2026-01-01T00:00:00.5Z\"", .timestampLTZ(3), iso) == .integer(1_767_225_600_500))
        #expect(try one("\"2026-01-01 00:00:00.123456789\"", .timestamp(9)) == .integer(1_767_225_600_123_456_789))
        #expect(refuses("\"2026-01-01T00:00:00\"", .timestamp(3)) && refuses("\"2026-01-01 00:00:00\"", .timestampLTZ(3)))
        // The reader remembers the minute of the row before.
        let lines = ["10:00:59.999", "10:01:00.000", "10:01:00.5", "10:01:60.000", "09:59:00.001"].map { "{\"x\":\"2026-01-01 \($0)\"}" }
        var ignore = JSONOptions()
        ignore.ignoreParseErrors = true
        let base: Int64 = 1_767_225_600_000 + 36_000_000
        #expect(
            try read(lines.joined(separator: "\n"), schema(("x", .timestamp(3))), ignore).map { $0[0] } == [
                .integer(base + 59_999), .integer(base + 60_000), .integer(base + 60_500), .null, .integer(base - 59_999),
            ])
    }

    @Test func ignoringParseErrorsDropsBrokenRowsAndValues() throws {
        var ignore = JSONOptions()
        ignore.ignoreParseErrors = true
        let reader = JSONReader(ticks, options: ignore)
        let lines = """
            {"n":1}
            not json at all
            {"n":"x","price":1.5}
            {"n":2} trailing
            [1]

            {"n":3,"ticker":"open}
            {"n":4
            {"n":5}
            """
        let numbers = try rows(reader, ticks.types, lines).map { $0[3] }
        #expect(numbers == [.integer(1), .null, .integer(5)])
        #expect(reader.skippedRows == 5)
        #expect(reader.skippedValues == 1)
    }

    @Test func invalidUTF8IsRefusedAlsoInWhatIsSkipped() throws {
        let good = Array(#"{"a":"é😀","ticker":"ü"}"#.utf8)
        #expect(try rows(JSONReader(ticks), ticks.types, good)[0][1] == .string("ü"))
        for bad: [UInt8] in [[0xC3], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82]] {
            let line = Array(#"{"a":""#.utf8) + bad + Array(#"","ticker":"x"}"#.utf8)
            #expect(throws: MalformedRow.self) { try rows(JSONReader(ticks), ticks.types, line) }
        }
    }

    @Test func nestingIsBounded() throws {
        let deep = String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000)
        #expect(try read("{\"q\":\(deep),\"n\":1}")[0][3] == .integer(1))
        #expect(throws: MalformedRow.self) { try read("{\"q\":[\(deep)],\"n\":1}") }
    }

    @Test func noBytesCrashTheReader() {
        var random = Seeded(7)
        let alphabet = Array(#"{}[]":,\u0123456789eE+-.truefalsn "#.utf8) + [0, 0x0A, 0x0D, 0x09, 0xC3, 0xA9, 0xFF]
        let line = Array(#"{"time":"2026-11-22 10:00:00.123","ticker":"AB\u00e9CD","price":712.34,"n":7,"q":[{"a":1}]}"#.utf8)
        for round in 0..<4_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes += round % 2 == 0 ? (0..<Int.random(in: 0...80, using: &random)).map { _ in alphabet.randomElement(using: &random)! } : mutated(line, &random)
                bytes.append(0x0A)
            }
            var ignore = JSONOptions()
            ignore.ignoreParseErrors = true
            let reader = JSONReader(ticks, options: ignore)
            let count = (try? rows(reader, ticks.types, bytes, batchRows: 3).count) ?? -1
            #expect(count >= 0 && count + reader.skippedRows <= bytes.count { $0 == 0x0A } + 1)
        }
    }

    private func mutated(_ line: [UInt8], _ random: inout Seeded) -> [UInt8] {
        var line = line
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let at = Int.random(in: line.indices, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: line[at] = UInt8.random(in: 0...255, using: &random)
            case 1 where line.count > 1: line.remove(at: at)
            default: line.insert(line[at], at: at)
            }
        }
        return line
    }
}

struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
