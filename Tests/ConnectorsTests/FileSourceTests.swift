import Columnar
import Connectors
import Dataflow
import Glibc
import Testing

@Suite struct FileSourceTests {
    private let fields = schema(("id", .bigint), ("s", .string))

    private func source(_ path: String, _ more: [String: String] = [:]) throws -> any Source {
        try StandardConnectors().source(sourceSpec(fields, ["connector": "filesystem", "path": path, "format": "json"].merging(more) { $1 }))
    }

    private func lines(_ range: Range<Int>) -> String {
        range.map { "{\"id\":\($0),\"s\":\"\(String(repeating: "x", count: $0 % 5))\"}\n" }.joined()
    }

    private func ids(_ rows: [[Value]]) -> [Int] { rows.map { if case .integer(let id) = $0[0] { Int(id) } else { -1 } } }

    @Test(arguments: ["", "\n", "x"]) func everyRowIsReadOnceWhereverTheFileIsCut(end: String) throws {
        let folder = TemporaryFolder()
        var text = lines(0..<12)
        if end == "" { text.removeLast() }
        if end == "\n" { text += "\n\r\n" }
        let path = folder.write("a.json", text)
        for size in 1...text.utf8.count + 1 {
            let rows = try readAll(source(path, ["source.split.size": "\(size)"]), batchRows: 3)
            #expect(ids(rows) == Array(0..<12), "splits of \(size) bytes")
        }
    }

    @Test func restoresAtEveryPosition() throws {
        let folder = TemporaryFolder()
        let path = folder.write("a.json", lines(0..<20))
        let source = try source("file://" + path, ["source.split.size": "100"])
        for pollsBefore in 0..<40 {
            let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1, batchRows: 2))
            try reader.add(source.discover(known: []).splits.map { SplitState(split: $0) })
            var before: [[Value]] = []
            for _ in 0..<pollsBefore {
                if case .batch(let batch, _) = try reader.poll(maximumRows: 2, at: now(0)) { before += batch.rows }
            }
            let states = try reader.snapshot()
            reader.close()
            #expect(ids(before + (try readAll(source, states: states))) == Array(0..<20), "after \(pollsBefore) polls")
        }
    }

    @Test func readsFoldersInOrderWithoutHiddenFiles() throws {
        let folder = TemporaryFolder()
        folder.write("b.json", lines(5..<7))
        folder.write("a/2.json", lines(2..<5))
        folder.write("a/1.json", lines(0..<2))
        folder.write(".c.json", "broken")
        folder.write("_d/e.json", "broken")
        folder.write("empty.json", "")
        #expect(ids(try readAll(source(folder.path))) == Array(0..<7))
    }

    @Test func aWatchedFolderGivesEachFileOnce() throws {
        let folder = TemporaryFolder()
        folder.write("1.json", lines(0..<2))
        let source = try source(folder.path, ["source.monitor-interval": "1 s"])
        let (first, complete) = try source.discover(known: [])
        #expect(first.count == 1 && !complete && source.discoveryInterval == .seconds(1))
        folder.write("1.json", lines(0..<9))
        folder.write("2.json", lines(2..<4))
        let (second, _) = try source.discover(known: Set(first.map(\.id)))
        #expect(second.map(\.label).count == 1 && second[0].id == "2.json#0")
    }

    @Test func aMalformedRowIsFoundByFileLineAndColumn() throws {
        let folder = TemporaryFolder()
        let path = folder.write("a.json", lines(0..<10) + "{\"id\":10,\"s\":}\n" + lines(11..<12))
        for size in ["64", "100000"] {
            let error = #expect(throws: StreamError.self) { try readAll(source(path, ["source.split.size": size]), batchRows: 4) }
            #expect(error?.message == "\(path) line 11 column 14: expected a value: {\"id\":10,\"s\":}")
        }
    }

    @Test func aFileThatChangedOrVanishedIsAnError() throws {
        let folder = TemporaryFolder()
        let path = folder.write("a.json", lines(0..<10))
        let source = try source(path)
        let splits = try source.discover(known: []).splits.map { SplitState(split: $0) }
        folder.write("a.json", lines(0..<3))
        #expect(throws: StreamError.self) { try readAll(source, states: splits) }
        unlink(path)
        let error = #expect(throws: StreamError.self) { try readAll(source, states: splits) }
        #expect(error?.message.contains("vanished") == true)
        #expect(throws: StreamError.self) { try source.discover(known: []) }
    }

    @Test func aFileThatGrewIsReadToWhereItEnded() throws {
        let folder = TemporaryFolder()
        // The last line was half written; whoever appends to a file that is found while it grows gets that line as it is by then.
        let path = folder.write("a.json", lines(0..<10) + "{\"id\":10,")
        let source = try source(path, ["source.split.size": "50"])
        let splits = try source.discover(known: []).splits.map { SplitState(split: $0) }
        folder.write("a.json", lines(0..<10) + "{\"id\":10,\"s\":\"y\"}\n" + lines(11..<20))
        #expect(ids(try readAll(source, states: splits)) == Array(0...10))
    }

    @Test func aFileThatWasTouchedIsAnErrorWhenItIsOpenedAgain() throws {
        let folder = TemporaryFolder()
        let path = folder.write("a.json", lines(0..<10))
        let source = try source(path)
        let splits = try source.discover(known: []).splits.map { SplitState(split: $0) }
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1, batchRows: 4))
        try reader.add(splits)
        _ = try reader.poll(maximumRows: 4, at: now(0))
        let middle = try reader.snapshot()
        var times = [timespec(tv_sec: 7, tv_nsec: 0), timespec(tv_sec: 7, tv_nsec: 0)]
        #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
        // Who has it open reads on; after a restore it could be another file.
        guard case .batch(let rest, _) = try reader.poll(maximumRows: 4, at: now(0)) else { return #expect(Bool(false)) }
        #expect(ids(rest.rows) == Array(4..<8))
        let error = #expect(throws: StreamError.self) { try readAll(source, states: middle) }
        #expect(error?.retry == false && error?.message.contains("touched") == true)
    }

    @Test func quotedNewlinesInCSVAreNoSplitBoundary() throws {
        let folder = TemporaryFolder()
        let text = (0..<500).map { "\($0),\"line\n\($0),x \"\"quoted\"\" \(String(repeating: "y", count: $0))\"\n" }.joined()
        let path = folder.write("a.csv", text)
        let source = try source(path, ["format": "csv", "source.split.size": "10"])
        #expect(try source.discover(known: []).splits.count == 1)
        let rows = try readAll(source, batchRows: 50)
        #expect(ids(rows) == Array(0..<500))
        #expect(rows[3][1] == .string("line\n3,x \"quoted\" yyy"))
        let plain = try self.source(path, ["format": "csv", "csv.disable-quote-character": "true", "source.split.size": "1000"])
        #expect(try plain.discover(known: []).splits.count > 10)
    }

    @Test func partitionColumnsComeFromThePath() throws {
        let folder = TemporaryFolder()
        folder.write("day=2026-01-01/h=2/a.csv", "1,a\n")
        folder.write("day=a%3Ab/h=__DEFAULT_PARTITION__/a.csv", "2,b\n")
        let columns = schema(("id", .integer), ("day", .string), ("h", .integer))
        let spec = sourceSpec(
            columns, ["connector": "filesystem", "path": folder.path, "format": "csv"], tableColumns: ["id", "s", "day", "h"], partitionKeys: ["day", "h"])
        #expect(try readAll(StandardConnectors().source(spec)) == [
            [.integer(1), .string("2026-01-01"), .integer(2)], [.integer(2), .string("a:b"), .null],
        ])
    }

    @Test func rowsLongerThanTheBufferAreRead() throws {
        let folder = TemporaryFolder()
        let long = String(repeating: "long ", count: 200_000)
        let path = folder.write("a.json", "{\"id\":1,\"s\":\"\(long)\"}\n" + lines(2..<4))
        let rows = try readAll(source(path))
        #expect(ids(rows) == [1, 2, 3] && rows[0][1] == .string(long))
    }
}
