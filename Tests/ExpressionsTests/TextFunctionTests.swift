import Testing
import Columnar
import Expressions

/// Text functions; expected values are Flink's (the reference cases on strings and patterns).
@Suite struct TextFunctionTests {
    private let rows: [(String?, String?)] = [
        ("Hello World", "lo"), ("  trim me ", " "), ("größe ÄÖÜ", "ö"), ("日本語テキスト", "語"), (nil, "x"), ("", ""), ("a-b-c--d", "-"),
        ("emoji 😀 end", "😀"), ("tab\there", nil),
    ]
    private var batch: Batch {
        func value(_ text: String?) -> Value { text.map { .string($0) } ?? .null }
        return Batch.of([DataType(.string), DataType(.string)], rows.map { [value($0.0), value($0.1)] })
    }
    private let s = column(0, .string), t = column(1, .string)

    private func check(_ expression: Expression, _ expected: [String?]) throws { #expect(try printed(expression, over: batch) == expected) }

    @Test func padding() throws {
        try check(call("LPAD", s, int(5), text("*")), ["Hello", "  tri", "größe", "日本語テキ", nil, "*****", "a-b-c", "emoji", "tab\th"])
        try check(call("RPAD", s, int(12), text(".-")), [
            "Hello World.", "  trim me .-", "größe ÄÖÜ.-.", "日本語テキスト.-.-.", nil, ".-.-.-.-.-.-", "a-b-c--d.-.-", "emoji 😀 end", "tab\there.-.-",
        ])
        try check(call("REPEAT", t, int(3)), ["lololo", "   ", "ööö", "語語語", "xxx", "", "---", "😀😀😀", nil])
    }

    @Test func parts() throws {
        try check(call("LEFT", s, int(2)), ["He", "  ", "gr", "日本", nil, "", "a-", "em", "ta"])
        try check(call("RIGHT", s, int(2)), ["ld", "e ", "ÖÜ", "スト", nil, "", "-d", "nd", "re"])
        try check(call("LOCATE", t, s), ["4", "1", "3", "3", nil, "1", "2", "7", nil])
        try check(call("INSTR", s, t), ["4", "1", "3", "3", nil, "1", "2", "7", nil])
        try check(call("POSITION", t, s), ["4", "1", "3", "3", nil, "1", "2", "7", nil])
        try check(call("SPLIT_INDEX", s, text("-"), int(1)), [nil, nil, nil, nil, nil, nil, "b", nil, nil])
        try check(call("SPLIT_INDEX", s, text("-"), int(3)), [nil, nil, nil, nil, nil, nil, "", nil, nil])
        try check(call("OVERLAY", s, text("XX"), int(2), int(3)), [
            "HXXo World", " XXim me ", "gXXe ÄÖÜ", "日XXキスト", nil, "", "aXXc--d", "eXXi 😀 end", "tXXhere",
        ])
        try check(call("TRIM", text("BOTH"), text("e"), s), [
            "Hello World", "  trim me ", "größe ÄÖÜ", "日本語テキスト", nil, "", "a-b-c--d", "moji 😀 end", "tab\ther",
        ])
        try check(call("TRIM", s), ["Hello World", "trim me", "größe ÄÖÜ", "日本語テキスト", nil, "", "a-b-c--d", "emoji 😀 end", "tab\there"])
        try check(call("SUBSTRING", s, int(2), int(3)), ["ell", " tr", "röß", "本語テ", nil, "", "-b-", "moj", "ab\t"])
        try check(call("SUBSTRING", s, int(-2)), ["ld", "e ", "ÖÜ", "スト", nil, "", "-d", "nd", "re"])
        try check(call("STARTSWITH", s, t), ["FALSE", "TRUE", "FALSE", "FALSE", nil, "TRUE", "FALSE", "FALSE", nil])
        try check(call("ENDSWITH", s, t), ["FALSE", "TRUE", "FALSE", "FALSE", nil, "TRUE", "FALSE", "FALSE", nil])
    }

    @Test func rewriting() throws {
        try check(call("UPPER", s), ["HELLO WORLD", "  TRIM ME ", "GRÖSSE ÄÖÜ", "日本語テキスト", nil, "", "A-B-C--D", "EMOJI 😀 END", "TAB\tHERE"])
        try check(call("LOWER", s), ["hello world", "  trim me ", "größe äöü", "日本語テキスト", nil, "", "a-b-c--d", "emoji 😀 end", "tab\there"])
        try check(call("REVERSE", s), ["dlroW olleH", " em mirt  ", "ÜÖÄ eßörg", "トスキテ語本日", nil, "", "d--c-b-a", "dne 😀 ijome", "ereh\tbat"])
        try check(call("CHAR_LENGTH", s), ["11", "10", "9", "7", nil, "0", "8", "11", "8"])
        try check(call("REPLACE", s, t, text("_")), ["Hel_ World", "__trim_me_", "gr_ße ÄÖÜ", "日本_テキスト", nil, "_", "a_b_c__d", "emoji _ end", nil])
        #expect(try printed(call("REPLACE", s, text(""), text("x")), over: strings(["hello", "é😀", ""])) == ["xhxexlxlxox", "xéx😀x", "x"])
        try check(call("CONCAT", s, t), ["Hello Worldlo", "  trim me  ", "größe ÄÖÜö", "日本語テキスト語", nil, "", "a-b-c--d-", "emoji 😀 end😀", nil])
        try check(call("CONCAT_WS", text("/"), s, t), [
            "Hello World/lo", "  trim me / ", "größe ÄÖÜ/ö", "日本語テキスト/語", "x", "/", "a-b-c--d/-", "emoji 😀 end/😀", "tab\there",
        ])
        #expect(try constant(call("INITCAP", text("ab cD-1"))) == "Ab Cd-1")
        #expect(try constant(call("TRANSLATE", text("abcabd"), text("ab"), text("x"))) == "xcxd")
        #expect(try constant(call("||", text("a"), cast(null(.null), .string))) == nil)
    }

    @Test func codesAndDigests() throws {
        try check(call("ASCII", call("||", text("x"), s)), ["120", "120", "120", "120", nil, "120", "120", "120", "120"])
        #expect(try printed(call("MD5", s), over: batch)[0] == "b10a8db164e0754105b7a99be72e3fe5")
        #expect(try printed(call("MD5", s), over: batch)[3] == "291a033f45232d75458716bcc03d90a0")
        #expect(try printed(call("MD5", s), over: batch)[5] == "d41d8cd98f00b204e9800998ecf8427e")
        #expect(try constant(call("MD5", text(String(repeating: "a", count: 64)))) == "014842d480b571495a4a0363793f7367")
        #expect(try constant(call("SHA1", text("abc"))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(try constant(call("SHA256", text("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        try check(call("TO_BASE64", s), [
            "SGVsbG8gV29ybGQ=", "ICB0cmltIG1lIA==", "Z3LDtsOfZSDDhMOWw5w=", "5pel5pys6Kqe44OG44Kt44K544OI", nil, "", "YS1iLWMtLWQ=",
            "ZW1vamkg8J+YgCBlbmQ=", "dGFiCWhlcmU=",
        ])
        try check(call("FROM_BASE64", call("TO_BASE64", s)), rows.map(\.0))
        #expect(try constant(call("CHR", big(65))) == "A")
        #expect(try constant(call("BIN", big(10))) == "1010")
        #expect(try constant(call("HEX", text("Hi"))) == "4869")
    }

    @Test func likeAndSimilar() throws {
        let words = strings(["abc123", "ABC", "50%_off", "foo.bar@x.org", nil, "", "line1\nline2", "a1b22c333", "größe"])
        func shown(_ expression: Expression) throws -> String {
            try values(expression, over: words).map { $0 == .boolean(true) ? "T" : $0 == .boolean(false) ? "F" : "-" }.joined()
        }
        #expect(try shown(call("LIKE", s, text("abc%"))) == "TFFF-FFFF")
        #expect(try shown(call("LIKE", s, text("%\\_off"), text("\\"))) == "FFTF-FFFF")
        #expect(try shown(call("LIKE", s, text("___"))) == "FTFF-FFFF")
        #expect(try shown(call("NOT LIKE", s, text("%a%"))) == "FTTF-TTFT")
        #expect(try shown(call("SIMILAR TO", s, text("[a-z]+[0-9]+"))) == "TFFF-FFFF")
        #expect(try shown(call("SIMILAR TO", s, text("(abc|ABC)%"))) == "TTFF-FFFF")
        #expect(try shown(call("NOT SIMILAR TO", s, text("%@%"))) == "TTTF-TTTT")
        #expect(try shown(call("LIKE", s, text("%50\\%%"), text("\\"))) == "FFTF-FFFF")
        #expect(try shown(call("LIKE", s, text("%line2"))) == "FFFF-FTFF")
        #expect(try shown(call("LIKE", s, text("a%c%3"))) == "TFFF-FFTF")
        #expect(try shown(call("LIKE", s, text("gr__e"))) == "FFFF-FFFT")
        #expect(try shown(call("LIKE", s, s)) == "TTTT-TTTT")
        #expect(try shown(call("LIKE", s, text("%"))) == "TTTT-TTTT")
        #expect(throws: EvaluationError.self) { try Evaluator([call("LIKE", s, text("a\\b"), text("\\"))]) }
    }

    @Test func regularExpressions() throws {
        func extract(_ value: String, _ pattern: String, _ group: Int = 0) throws -> String? {
            try printed(call("REGEXP_EXTRACT", s, text(pattern), int(group)), over: strings([value]))[0]
        }
        #expect(try extract("https://x/?a=1&channel_id=apple&b=2", "(&|^)channel_id=([^&]*)", 2) == "apple")
        #expect(try extract("channel_id=", "(&|^)channel_id=([^&]*)", 2) == "")
        #expect(try extract("https://x/", "(&|^)channel_id=([^&]*)", 2) == nil)
        #expect(try extract("foo123bar", "[0-9]+") == "123")
        #expect(try extract("aaa", "a*?") == "")
        #expect(try extract("aaa", "a{2}") == "aa")
        #expect(try extract("abab-abc", "(ab)+c", 1) == "ab")
        #expect(try extract("größe", "ö.e") == "öße")
        #expect(try extract("größe", "[^a-z]+") == "öß")
        #expect(try extract("x2026-11-22y", "(\\d{4})-(\\d\\d)-(\\d+)", 3) == "22")
        #expect(try extract("one two", "\\btwo\\b") == "two")
        #expect(try extract("ABC", "(?i)b") == "B")
        #expect(try extract("foo", "(x)?foo", 1) == nil)
        #expect(try extract("aXbX", "a.*X") == "aXbX")
        #expect(try extract("aXbX", "a.*?X") == "aX")
        #expect(try extract("foobar", "foo|foobar") == "foo")
        #expect(try printed(call("REGEXP", s, text("^a.c$")), over: strings(["abc", "xabc", nil, ""])) == ["TRUE", "FALSE", nil, "FALSE"])
        #expect(try printed(call("REGEXP_REPLACE", s, text("[0-9]+"), text("#")), over: strings(["a1b22", "x", nil])) == ["a#b#", "x", nil])
        #expect(try printed(call("REGEXP_REPLACE", s, text("x*"), text("-")), over: strings(["abc"])) == ["-a-b-c-"])
        for pattern in ["(", "a)", "[a", "*a", "a{2", "(?=a)", "\\1"] {
            #expect(throws: EvaluationError.self, "\(pattern)") { try Evaluator([call("REGEXP", s, text(pattern))]) }
        }
    }

    @Test func nestedRepeatsEnd() throws {
        let long = String(repeating: "a", count: 2_000) + "b"
        #expect(try printed(call("REGEXP", s, text("^(a*)*$")), over: strings([long])) == ["FALSE"])
        #expect(try printed(call("REGEXP", s, text("(a|aa)+c")), over: strings([long])) == ["FALSE"])
    }

    @Test func malformedUTF8NeverReadsPastItsEnd() throws {
        var random = SplitMix(seed: 3)
        let cells: [[Value]] = (0..<300).map { _ in [.bytes((0..<Int.random(in: 0...9, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) })] }
        let batch = Batch.of([DataType(.string)], cells)
        let expressions = [
            call("UPPER", s), call("REVERSE", s), call("SUBSTRING", s, int(2), int(2)), call("LPAD", s, int(7), s), call("LIKE", s, text("%_a_%")),
            call("REGEXP_REPLACE", s, text("."), text("x")), call("TRIM", text("BOTH"), s, s), call("TRANSLATE", s, s, text("ab")),
            call("INITCAP", s), tryCast(s, .integer), tryCast(s, .double), tryCast(s, .timestamp(3)), tryCast(s, .date), tryCast(s, .time(0)),
            tryCast(s, .boolean), tryCast(s, .decimal(precision: 10, scale: 2)), tryCast(s, .char(3)), call("FROM_BASE64", s),
        ]
        var evaluator = try Evaluator(expressions)
        for column in try evaluator.evaluate(batch, context: EvaluationContext(now: 0)) { #expect(column.count == 300) }
    }
}
