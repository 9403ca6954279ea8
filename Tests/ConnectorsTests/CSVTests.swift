import Columnar
import Connectors
import Dataflow
import Testing

@Suite struct CSVTests {
    private func read(_ text: String, _ schema: Schema, _ options: CSVOptions = CSVOptions(), fields: [String]? = nil) throws -> [[Value]] {
        try rows(CSVReader(schema, fileFields: fields ?? schema.names, options: options), schema.types, text)
    }

    private func written(_ kind: TypeKind, _ values: [Value], _ options: CSVOptions = CSVOptions()) throws -> [String] {
        let text = TextBuffer()
        try CSVWriter(Schema([.init("x", DataType(kind))]), options: options).write(Batch.of([DataType(kind)], values.map { [$0] }), rows: nil, to: text)
        return text.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    @Test func writesTheWindowRowsOfTheBenchAsFlinkDoes() throws {
        let fields = schema(("window_start", .timestamp(3)), ("window_end", .timestamp(3)), ("ticker", .string), ("max_price", .double))
        let batch = Batch.of(fields.types, [
            [.integer(1_795_341_595_000), .integer(1_795_341_605_000), .string("ABCD"), .double(999.3)],
            [.integer(1_795_341_595_000), .integer(1_795_341_605_120), .null, .null],
        ])
        let text = TextBuffer()
        try CSVWriter(fields).write(batch, rows: nil, to: text)
        #expect(text.text == "\"2026-11-22 09:59:55\",\"2026-11-22 10:00:05\",ABCD,999.3\n\"2026-11-22 09:59:55\",\"2026-11-22 10:00:05.12\",,\n")
    }

    @Test func anInstantIsWrittenInUTCAndMarked() throws {
        #expect(
            try written(.timestampLTZ(3), [.integer(1_774_746_000_000), .integer(1_774_746_000_500), .integer(1_774_746_000_500)])
                == ["\"2026-03-29 01:00:00Z\"", "\"2026-03-29 01:00:00.5Z\"", "\"2026-03-29 01:00:00.5Z\""])
        #expect(try read("\"2026-03-29 01:00:00.5Z\"\n", schema(("l", .timestampLTZ(3)))) == [[.integer(1_774_746_000_500)]])
    }

    @Test func quotesWhatJacksonQuotes() throws {
        let texts = ["plain", "a b", "a,b", "q\"q", "a+b", "a-b", "", "line\nbreak", "exactly_twenty_four_chars", "more_than_twenty_four_chars", "ééééééééééééééééééééééé"]
        #expect(
            try written(.string, texts.map { .string($0) }).joined(separator: "|")
                == "plain|\"a b\"|\"a,b\"|\"q\"\"q\"|\"a+b\"|a-b||\"line|break\"|\"exactly_twenty_four_chars\"|\"more_than_twenty_four_chars\"|ééééééééééééééééééééééé")
        #expect(try written(.date, [.integer(20_455)]) == ["2026-01-02"])
        #expect(try written(.decimal(precision: 10, scale: 2), [.decimal(150), .decimal(-5)]) == ["1.50", "-0.05"])
        #expect(try written(.decimal(precision: 10, scale: 8), [.decimal(12), .decimal(0)]) == ["1.2E-7", "0E-8"])
        #expect(try written(.double, [.double(1e7), .double(987), .double(1e-4)]) == ["1.0E7", "987.0", "1.0E-4"])
        #expect(try written(.bytes, [.bytes([0x48, 0x69])]) == ["SGk="])
        #expect(try written(.boolean, [.boolean(true), .null]) == ["true", ""])
        var options = CSVOptions()
        options.quote = nil
        options.nullLiteral = Array("n/a".utf8)
        #expect(try written(.string, [.string("a,b c"), .null], options) == ["a,b c", "n/a"])
        #expect(try written(.timestamp(3), [.integer(0)], options) == ["1970-01-01 00:00:00"])
    }

    @Test func whatIsWrittenReadsBack() throws {
        let fields = schema(("s", .string), ("d", .double), ("t", .timestamp(3)), ("b", .bytes), ("n", .bigint))
        var random = Seeded(3)
        let pieces = ["a", "é", "\"", ",", "\n", " ", "\r\n", "😀", "0123456789", "\\"]
        var values: [[Value]] = []
        for number in 0..<300 {
            let text = (0..<Int.random(in: 1...6, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
            values.append([
                .string(text), .double(Double.random(in: -1e9...1e9, using: &random)), .integer(Int64.random(in: 0...1_800_000_000_000, using: &random)),
                .bytes([1, UInt8(number & 255)]), .integer(Int64(number)),
            ])
        }
        let text = TextBuffer()
        try CSVWriter(fields).write(Batch.of(fields.types, values), rows: nil, to: text)
        #expect(try read(text.text, fields) == values)
    }

    @Test func readsByPlaceAndProjects() throws {
        let all = ["id", "name", "city"]
        #expect(try read("1,Anna,DE\n2,\"B, \"\"b\"\"\",\r\n\n3,x,y", schema(("city", .string), ("id", .integer)), fields: all) == [
            [.string("DE"), .integer(1)], [.string(""), .integer(2)], [.string("y"), .integer(3)],
        ])
        #expect(throws: MalformedRow.self) { try read("1,2", schema(("id", .integer)), fields: all) }
        #expect(throws: MalformedRow.self) { try read("x,2,3", schema(("id", .integer)), fields: all) }
        #expect(throws: MalformedRow.self) { try read("1,\"open\n2,3,4\n", schema(("id", .integer)), fields: all) }
    }

    @Test func obeysItsOptions() throws {
        var options = CSVOptions()
        options.delimiter = 0x3B
        options.quote = 0x27
        options.nullLiteral = []
        options.allowComments = true
        let fields = schema(("a", .string), ("n", .integer))
        #expect(try read("#no;1\n'x;y';2\n;\n", fields, options) == [[.string("x;y"), .integer(2)], [.null, .null]])
        options = CSVOptions()
        options.escape = 0x5C
        #expect(try read(#"a\,b,1"# + "\n" + #""q\"q",2"#, fields, options) == [[.string("a,b"), .integer(1)], [.string("q\"q"), .integer(2)]])
        options = CSVOptions()
        options.ignoreParseErrors = true
        #expect(try read("a,x\nb\nc,3", fields, options) == [[.string("a"), .null], [.string("b"), .null], [.string("c"), .integer(3)]])
    }

    @Test func noBytesCrashTheReader() {
        var random = Seeded(11)
        let alphabet = Array(#"",;a1 \"#.utf8) + [0x0A, 0x0D, 0xC3, 0xFF, 0]
        let fields = schema(("a", .string), ("n", .integer))
        for _ in 0..<4_000 {
            let bytes = (0..<Int.random(in: 1...60, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
            var options = CSVOptions()
            options.ignoreParseErrors = true
            options.escape = Bool.random(using: &random) ? 0x5C : nil
            let count = (try? rows(CSVReader(fields, fileFields: ["a", "n"], options: options), fields.types, bytes, batchRows: 3).count) ?? -1
            #expect(count >= 0)
        }
    }

    @Test func writesJSONAsJacksonDoes() throws {
        let fields = schema(("s", .string), ("d", .double), ("t", .timestamp(3)), ("l", .timestampLTZ(3)), ("b", .boolean), ("x", .bytes), ("n", .integer))
        let batch = Batch.of(fields.types, [
            [.string("a\"b\\\n\u{1}é/"), .double(.infinity), .integer(1_500), .integer(0), .boolean(true), .bytes([1]), .integer(-5)],
            [.null, .double(1e10), .null, .null, .null, .null, .null],
        ])
        let text = TextBuffer()
        try JSONWriter(fields).write(batch, rows: nil, to: text)
        #expect(text.text == """
            {"s":"a\\"b\\\\\\n\\u0001é/","d":"Infinity","t":"1970-01-01 00:00:01.5","l":"1970-01-01 00:00:00Z","b":true,"x":"AQ==","n":-5}
            {"s":null,"d":1.0E10,"t":null,"l":null,"b":null,"x":null,"n":null}

            """)
    }
}
