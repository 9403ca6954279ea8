import Columnar
import Connectors
import Dataflow
import Glibc
import Testing

@Suite struct LatencyTests {
    private let fields = schema(("k", .string), ("born", .timestamp(3)))

    private func sink(_ options: [String: String]) throws -> any Sink {
        try StandardConnectors().sink(SinkSpec(table: "t", options: options.merging(["connector": "blackhole"]) { a, _ in a }, schema: fields))
    }

    private func batch(_ rows: (Value, RowKind)...) -> Batch {
        let plain = Batch.of(fields.types, rows.map { [.string("a"), $0.0] })
        let kinds = Buffer(capacity: rows.count)
        for (row, kind) in rows.map(\.1).enumerated() { kinds.typed(UInt8.self)[row] = kind.rawValue }
        return Batch(count: rows.count, columns: plain.columns, kinds: kinds)
    }

    @Test func agesOfRowsThatAreAddedAreCounted() throws {
        let folder = TemporaryFolder()
        let made = try sink(["latency-column": "born", "latency-file": folder.path + "/ages"])
        let writer = try made.makeWriter(WriterContext(task: TaskID(job: JobID(high: 1, low: 2), subtask: SubtaskID(vertex: 0, index: 3), attempt: 1), parallelism: 4))
        // A time before 1971 is more than a minute ago, and one after 2200 has not come.
        try writer.write(
            batch((.integer(0), .insert), (.integer(7_258_118_400_000), .updateAfter), (.null, .insert), (.integer(1), .updateBefore)), at: now(0))
        #expect(try writer.tick(at: now(0)) == now(1000).instant)
        #expect(folder.read("ages-3") == "0 1\n60000 1\n")
    }

    @Test func bothOptionsAreWantedAndTheColumnMustBeATime() {
        #expect(throws: StreamError.self) { try sink(["latency-column": "born"]) }
        #expect(throws: StreamError.self) { try sink(["latency-column": "k", "latency-file": "/tmp/x"]) }
        #expect(throws: StreamError.self) { try sink(["latency-column": "nothing", "latency-file": "/tmp/x"]) }
        #expect(throws: Never.self) { _ = try sink([:]) }
    }
}
