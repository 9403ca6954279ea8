import Columnar
import Dataflow

/// Rows of one subtask between two barriers, in the order in which they were written.
package struct SimulatedFile: Sendable {
    package struct Row: Hashable, Sendable {
        package var kind: RowKind
        package var values: [Value]
    }

    package let id: String
    package let task: TaskID
    package let checkpoint: CheckpointID
    /// Rows that this subtask, over all its attempts, had written before.
    package let first: Int
    package let rows: [Row]
}

/// Collects rows until a barrier; they become a file that a committable names, and that is there only when its upload is done. The
/// unit carries the count of rows and, when the file goes on over several checkpoints, the rows themselves.
final class SimulatedWriter: SinkWriter {
    private let task: TaskID
    private let world: ConnectorWorld
    private let types: [DataType]
    /// A file is closed at each so many barriers.
    private let rollEvery: UInt64
    private var written = 0
    private var rows: [SimulatedFile.Row] = []

    init(_ context: WriterContext, spec: SinkSpec, world: ConnectorWorld, rollEvery: UInt64) throws(StreamError) {
        task = context.task
        types = spec.schema.types
        self.world = world
        self.rollEvery = rollEvery
        for unit in context.restored { try restore(unit) }
    }

    func write(_ batch: Batch, at now: Now) throws(StreamError) {
        for row in 0..<batch.count { rows.append(.init(kind: batch.kind(row), values: batch.row(row))) }
    }

    func tick(at now: Now) throws(StreamError) -> Instant? { nil }

    func prepareCommit(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) throws(StreamError) -> PreparedCommit {
        guard isLast || checkpoint % rollEvery == 0, !rows.isEmpty else { return PreparedCommit(unit: unit()) }
        let file = SimulatedFile(
            id: "\(task.subtask)-\(task.attempt)-\(checkpoint)", task: task, checkpoint: checkpoint, first: written, rows: rows)
        world.begin(file)
        written += rows.count
        rows = []
        let (unit, world) = (unit(), world)
        return PreparedCommit { () throws(StreamError) in
            world.finish(file.id)
            return [Committable(id: file.id, payload: [])]
        } unit: { () throws(StreamError) in unit }
    }

    func close() {}

    private func unit() -> [UInt8] {
        var writer = ByteWriter()
        writer.put(UInt64(written))
        writer.putList(rows) { writer, row in
            writer.put(row.kind.rawValue)
            for value in row.values {
                switch value {
                case .null: writer.put(UInt8(0))
                case .integer(let number):
                    writer.put(UInt8(1))
                    writer.put(number)
                case .bytes(let bytes):
                    writer.put(UInt8(2))
                    writer.put(bytes)
                default: preconditionFailure("simulated tables have integers and strings only")
                }
            }
        }
        return writer.bytes
    }

    private func restore(_ unit: [UInt8]) throws(StreamError) {
        let columns = types.count
        do {
            let (count, open) = try ByteReader.reading(unit) { reader throws(MalformedBytes) in
                let count = Int(try reader.number(UInt64.self))
                let open = try reader.list { reader throws(MalformedBytes) in
                    let kind = RowKind(rawValue: try reader.number())
                    var values: [Value] = []
                    for _ in 0..<columns {
                        switch try reader.number(UInt8.self) {
                        case 0: values.append(.null)
                        case 1: values.append(.integer(try reader.number()))
                        default: values.append(.bytes(try reader.run()))
                        }
                    }
                    guard let kind else { throw MalformedBytes("no row kind") }
                    return SimulatedFile.Row(kind: kind, values: values)
                }
                try reader.end()
                return (count, open)
            }
            written += count
            rows += open
        } catch {
            throw StreamError(.internal, retry: false, "a unit of \(task) is damaged: \(error)")
        }
    }
}

struct SimulatedSink: Sink {
    let spec: SinkSpec
    let world: ConnectorWorld
    let rollEvery: UInt64

    func makeWriter(_ context: WriterContext) throws(StreamError) -> any SinkWriter {
        try SimulatedWriter(context, spec: spec, world: world, rollEvery: rollEvery)
    }

    func commit(_ committables: [Committable]) throws(StreamError) { try world.commit(committables) }

    func discard(job: JobID, vertex: Int, attemptsBelow attempt: UInt32, keeping committables: [Committable]) throws(StreamError) {
        world.discard(attemptsBelow: attempt, keeping: Set(committables.map(\.id)))
    }
}
