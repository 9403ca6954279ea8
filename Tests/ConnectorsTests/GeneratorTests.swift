import Columnar
import Connectors
import Dataflow
import Testing

@Suite struct GeneratorTests {
    private func generator(_ fields: Schema, _ options: [String: String]) throws -> any Source {
        try StandardConnectors().source(sourceSpec(fields, ["connector": "datagen"].merging(options) { $1 }))
    }

    private let fields = schema(("id", .bigint), ("price", .double), ("name", .string))

    private var options: [String: String] {
        [
            "number-of-rows": "20000", "rows-per-second": "1000000", "fields.id.kind": "sequence", "fields.id.start": "1", "fields.id.end": "20000",
            "fields.price.min": "10", "fields.price.max": "20", "fields.name.length": "5", "fields.name.null-rate": "0.1", "seed": "3",
        ]
    }

    @Test func oneReaderGivesTheRowsInOrder() throws {
        let rows = try readAll(generator(fields, options), batchRows: 1_000)
        #expect(rows.count == 20_000)
        let misplaced = rows.indices.first { rows[$0][0] != .integer(Int64($0 + 1)) }
        #expect(misplaced == nil)
        #expect(rows.allSatisfy { if case .double(let price) = $0[1] { price >= 10 && price < 20 } else { false } })
        let nulls = rows.count { $0[2] == .null }
        #expect(nulls > 1_500 && nulls < 2_500)
    }

    @Test func aRestoreGoesOnWithTheSameRows() throws {
        let source = try generator(fields, options)
        let whole = try readAll(source, batchRows: 777)
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1, batchRows: 500))
        try reader.add(source.discover(known: []).splits.map { SplitState(split: $0) })
        var rows: [[Value]] = []
        for time in 0..<12 {
            if case .batch(let batch, _) = try reader.poll(maximumRows: 500, at: now(Int64(time))) { rows += batch.rows }
        }
        rows += try readAll(source, batchRows: 64, states: reader.snapshot())
        #expect(rows.count == 20_000)
        let isSame = Set(rows) == Set(whole)
        #expect(isSame)
    }

    /// However splits are shared, all advance alike: those of a reader that has few would run ahead and hold nothing for others later.
    @Test(arguments: [1, 2, 3, 8]) func aReaderKeepsTheRateOfItsSplits(count: Int) throws {
        let source = try generator(schema(("id", .bigint)), ["rows-per-second": "800"])
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 3))
        try reader.add(source.discover(known: []).splits.prefix(count).map { SplitState(split: $0) })
        #expect(try abs(read(reader, 0...10_000) - 1_000 * count) <= 1)
    }

    /// One second's rows at once, and then the rate again; at a row in ten seconds, one.
    @Test(arguments: [(100, "100", 1_000), (1, "0.1", 1)]) func aStallIsMadeUpForByOneSecond(atOnce: Int, rate: String, later: Int) throws {
        let source = try generator(schema(("id", .bigint)), ["rows-per-second": rate])
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1))
        try reader.add(source.discover(known: []).splits.map { SplitState(split: $0) })
        _ = try read(reader, 0...5_000)
        #expect(try read(reader, 90_000...90_000) == atOnce)
        #expect(try read(reader, 90_001...100_000) == later)
    }

    /// Rows that polls give, one a millisecond and more while there are any.
    private func read(_ reader: any SourceReader, _ times: ClosedRange<Int64>) throws -> Int {
        var count = 0
        for time in times {
            while case .batch(let batch, _) = try reader.poll(maximumRows: 8_192, at: now(time)) { count += batch.count }
        }
        return count
    }

    /// Row n is there 10 n ms after the start: whoever was away reads at once what came meanwhile, and nobody reads ahead.
    @Test func aScheduleKeepsItsTimes() throws {
        let source = try generator(schema(("id", .bigint)), ["rows-per-second": "100", "starts-at": "1800000005000"])
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1))
        try reader.add(source.discover(known: []).splits.map { SplitState(split: $0) })
        func read(at time: Int64) throws -> Int {
            var count = 0
            while case .batch(let batch, _) = try reader.poll(maximumRows: 8_192, at: now(time)) { count += batch.count }
            return count
        }
        #expect(try read(at: 4_000) == 0)
        #expect(try read(at: 5_995) == 99)
        #expect(try read(at: 6_000) == 1)
        _ = try reader.poll(maximumRows: 1, at: now(65_000))
        #expect(reader.gauges.first { $0.name == SourceGauge.pendingRows }?.value == 5_899)
        #expect(reader.gauges.first { $0.name == SourceGauge.lagMilliseconds }?.value == 58_990)
        #expect(try read(at: 65_000) == 5_899)
    }

    @Test func rendersTheTemplateOfTheDataGenerator() throws {
        let template = """
            {
                "EVENT_TIME": "{{date.now("dddd, MMMM Do YYYY, h:mm:ss a")}}",
                "TICKER": "{{random.arrayElement(
                    ["ABCD","CDEF","IJKL","MNOP","QRST"]
                )}}",
                "PRICE": "{{random.number({"min":500,"max":1000})}}",
                "ID": "{{random.uuid}}"
            }
            """
        let folder = TemporaryFolder()
        let path = folder.write("template.json", template)
        let table = schema(("EVENT_TIME", .string), ("TICKER", .string), ("PRICE", .double), ("ID", .string))
        let rows = try readAll(generator(table, ["template": path, "number-of-rows": "50", "rows-per-second": "100000"]))
        #expect(rows.count == 50)
        for row in rows {
            guard case .bytes(let id) = row[3], case .double(let price) = row[2], case .bytes(let ticker) = row[1] else { Issue.record("\(row)"); continue }
            #expect(id.count == 36 && price >= 500 && price <= 1_000 && price == price.rounded() && ticker.count == 4)
        }
        #expect(Set(rows.map { $0[1] }).count == 5 && Set(rows.map { $0[3] }).count == 50)
        let text = TextBuffer()
        try Template("{{date.now(\"dddd, MMMM Do YYYY, h:mm:ss a\")}} {{random.weightedArrayElement({\"weights\":[0,1],\"data\":[\"no\",\"yes\"]})}}")
            .render(row: 1, time: 1_795_345_479_000, into: text)
        #expect(text.text == "Sunday, November 22nd 2026, 11:04:39 am yes")
    }

    @Test func templatesThatCannotWorkAreRefusedInWords() {
        for text in ["{{random.nothing}}", "{{random.arrayElement([])}}", "{{random.number(", "{{random.number({\"min\":5,\"max\":1})}}", "{{random.number({min})}}"] {
            #expect(throws: StreamError.self, "\(text)") { try Template(text) }
        }
    }
}

@Suite struct StandardConnectorsTests {
    private func message(_ options: [String: String]) -> String {
        do throws(StreamError) { _ = try StandardConnectors().source(sourceSpec(schema(("a", .integer)), options)) } catch { return error.message }
        return "fine"
    }

    @Test func wrongOptionsAreNamedWithWhatThereIs() {
        #expect(message([:]).contains("'connector' is missing"))
        #expect(message(["connector": "filesytem"]).contains("did you mean 'filesystem'?; there are 'blackhole', 'collect', 'datagen', 'filesystem', 'kinesis', 'print'"))
        #expect(message(["connector": "filesystem", "format": "json"]).contains("needs the option 'path'"))
        #expect(message(["connector": "filesystem", "path": "/a", "format": "avro"]).contains("unknown format 'avro'"))
        #expect(message(["connector": "filesystem", "path": "/a", "format": "json", "json.ignore-parse-error": "true"]).contains("did you mean 'json.ignore-parse-errors'?"))
        #expect(message(["connector": "filesystem", "path": "/a", "format": "json", "csv.null-literal": ""]).contains("unknown option 'csv.null-literal'"))
        #expect(message(["connector": "filesystem", "path": "/a", "format": "json", "json.ignore-parse-errors": "yes"]).contains("true or false"))
        #expect(message(["connector": "filesystem", "path": "hdfs://b/a", "format": "json"]).contains("file:// and s3://"))
        #expect(message(["connector": "print"]).contains("cannot be read"))
        #expect(message(["connector": "datagen", "fields.b.min": "1"]).contains("unknown option 'fields.b.min'"))
        #expect(message(["connector": "datagen", "fields.a.lenght": "1"]).contains("did you mean 'fields.a.length'?"))
        #expect(message(["connector": "datagen", "sink.parallelism": "1"]).contains("'sink.parallelism'"))
        #expect(message(["connector": "datagen", "seed": "1", "scan.parallelism": "2", "fields.a.min": "1"]) == "fine")
        #expect(message(["connector": "filesystem", "path": "/a", "format": "json", "source.monitor-interval": "5 s"]) == "fine")
    }

    @Test func rowsArePrintedAsFlinkPrintsThem() {
        let batch = Batch.of(
            [DataType(.string), DataType(.double), DataType(.timestamp(3)), DataType(.bytes)],
            [[.string("a"), .double(1), .integer(1_500), .bytes([1, 255])], [.null, .null, .null, .null]], kinds: [.insert, .delete])
        #expect(PrintSink.line(batch, 0) == "+I[a, 1.0, 1970-01-01T00:00:01.5, [1, -1]]")
        #expect(PrintSink.line(batch, 1) == "-D[null, null, null, null]")
    }

    @Test(arguments: [
        ("{{random.hexaDecimal(4)}}", "0x[0-9a-f]{4}"), ("{{random.word}}", "[a-z]+"), ("{{random.words(2)}}", "[a-z]+ [a-z]+"),
        (#"{{random.objectElement({"x": 1, "y": 2})}}"#, "[12]"), ("{{date.month}}", "[A-Z][a-z]+"), ("{{date.weekday}}", "[A-Z][a-z]+day"),
        (#"{{date.past(1, "YYYY")}}"#, "2025|2026"), (#"{{date.soon(1, "YYYY-MM-DD")}}"#, "2026-11-2[23]"),
        (#"{{date.between("2020-01-01", "2020-01-31", "YYYY-MM")}}"#, "2020-01"), ("{{date.recent}}", "2026-11-2[12]T.*"),
    ]) func callsOfTheDataGeneratorGiveWhatTheySay(template: String, pattern: String) throws {
        let template = try Template(template, seed: 7), regex = try Regex(pattern)
        for row: Int64 in 0..<50 {
            let text = TextBuffer()
            template.render(row: row, time: 1_795_348_800_000, into: text)
            #expect(text.text.wholeMatch(of: regex) != nil)
        }
    }
}
