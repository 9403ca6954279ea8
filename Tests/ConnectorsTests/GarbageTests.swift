import Columnar
import Connectors
import Dataflow
import Testing

/// What is no row, in large amounts.
@Suite struct GarbageTests {
    private let fields = schema(("id", .bigint))

    private func source(_ path: String, _ more: [String: String]) throws -> any Source {
        try StandardConnectors().source(sourceSpec(fields, ["connector": "filesystem", "path": path].merging(more) { $1 }))
    }

    /// More bad lines in a row than one batch may take of a file: that no row came is no end.
    @Test(arguments: [("json", "{\"id\":"), ("csv", "1,\"2\"x")]) func aFileOfBadLinesIsReadToItsEnd(format: String, bad: String) throws {
        let folder = TemporaryFolder()
        let line = bad + String(repeating: "y", count: 10_000) + "\n"
        let lines = (34 << 20) / line.utf8.count
        let good = format == "json" ? "{\"id\":7}\n" : "7\n"
        let path = folder.write("a", String(repeating: line, count: lines) + good)
        let source = try source(path, ["format": format, "\(format).ignore-parse-errors": "true"])
        let reader = try source.makeReader(ReaderContext(subtask: 0, parallelism: 1))
        try reader.add(source.discover(known: []).splits.map { SplitState(split: $0) })
        var rows: [[Value]] = []
        while true {
            let poll = try reader.poll(maximumRows: 8192, at: now(0))
            if case .batch(let batch, _) = poll { rows += batch.rows }
            if case .needsSplits = poll { break }
        }
        #expect(rows == [[.integer(7)]] && reader.skippedRows == lines)
    }
}
