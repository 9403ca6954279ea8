import AWS
import Columnar
import Dataflow

/// Turns one subtask's rows into records and hands them to lanes, which put them.
final class KinesisSinkWriter: SinkWriter {
    private let sink: KinesisSink
    private let subtask: Int
    private let lanes: [PutLane]
    private let rows: (any RowWriter)?
    private let text = TextBuffer()
    private var chance = SystemRandomNumberGenerator()
    private var nextFlush: Instant?

    init(_ sink: KinesisSink, _ context: WriterContext) {
        self.sink = sink
        subtask = context.task.subtask.index
        let table = sink.table, client = table.client, limits = sink.limits
        lanes = (0..<sink.lanes).map { _ in
            PutLane(limits) { (entries: [KinesisEntry]) async throws(StreamError) -> [String?] in
                do throws(AWSError) {
                    return try await client.putRecords(entries).map { $0.map { "\($0.code): \($0.message)" } }
                } catch { throw table.error(error) }
            }
        }
        switch sink.format {
        case .raw: rows = nil
        case .text(let format): rows = format.makeWriter(sink.spec.schema, columns: Array(sink.spec.schema.fields.indices))
        }
    }

    func write(_ batch: Batch, at now: Now) throws(StreamError) {
        if let kinds = batch.kinds {
            for row in 0..<batch.count where kinds.typed(UInt8.self)[row] != RowKind.insert.rawValue {
                throw StreamError(.user, retry: false, "table \(sink.spec.table): a \(batch.kind(row).symbol) row cannot be written to a stream, which only grows")
            }
        }
        var entries = Array(repeating: [KinesisEntry](), count: lanes.count)
        for row in 0..<batch.count {
            let entry = KinesisEntry(data: try data(batch, row), partitionKey: key(batch, row))
            guard entry.bytes <= KinesisEntry.maximumBytes, entry.partitionKey.unicodeScalars.count <= 256 else {
                throw StreamError(
                    .user, retry: false, "table \(sink.spec.table): a record of \(entry.bytes) bytes with a key of "
                        + "\(entry.partitionKey.unicodeScalars.count) characters is too large: there may be \(KinesisEntry.maximumBytes) and 256")
            }
            entries[lane(of: entry.partitionKey)].append(entry)
        }
        for (lane, entries) in zip(lanes, entries) where !entries.isEmpty { lane.add(entries) }
        for lane in lanes where !lane.hasRoom { try Blocking.wait { () async throws(StreamError) in try await lane.room() } }
    }

    private func data(_ batch: Batch, _ row: Int) throws(StreamError) -> [UInt8] {
        guard let rows else {
            let column = batch.columns[0]
            if column.isNull(row) { return [] }
            if case .bytes = column.type.kind.physical { return Array(column.slice(row)) }
            return Array(ValueString.of(column, row).utf8)
        }
        text.count = 0
        var one = Int32(row)
        do throws(MalformedValue) {
            let written: Result<Void, MalformedValue> = withUnsafePointer(to: &one) { pointer in
                do throws(MalformedValue) {
                    try rows.write(batch, rows: UnsafeBufferPointer(start: pointer, count: 1), to: text)
                    return .success(())
                } catch { return .failure(error) }
            }
            try written.get()
        } catch {
            throw StreamError(.user, retry: false, "table \(sink.spec.table): \(error.message)")
        }
        if text.count > 0, text.pointer[text.count - 1] == 0x0A { text.count -= 1 }
        return Array(UnsafeBufferPointer(start: text.pointer, count: text.count))
    }

    private func key(_ batch: Batch, _ row: Int) -> String {
        switch sink.partitioner {
        case .random: return String(chance.next(), radix: 16)
        case .fixed: return String(subtask)
        case .columns(let columns, let delimiter):
            let key = columns.map { ValueString.of(batch.columns[$0], row) }.joined(separator: delimiter)
            // The service wants one character at least.
            return key.isEmpty ? "-" : key
        }
    }

    /// FNV-1a: a key has one lane.
    private func lane(of key: String) -> Int {
        if lanes.count == 1 { return 0 }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int(hash >> 33) % lanes.count
    }

    func tick(at now: Now) throws(StreamError) -> Instant? {
        for lane in lanes { if let failure = lane.failure { throw failure } }
        if let nextFlush, now.instant < nextFlush { return nextFlush }
        for lane in lanes { _ = lane.flush() }
        nextFlush = now.instant + sink.flushInterval
        return nextFlush
    }

    func prepareCommit(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) throws(StreamError) -> PreparedCommit {
        let marks = lanes.map { (lane: $0, through: $0.flush()) }
        return PreparedCommit(later: { () throws(StreamError) in
            try Blocking.wait { () async throws(StreamError) in
                for mark in marks { try await mark.lane.finished(through: mark.through) }
            }
            return []
        })
    }

    func close() { for lane in lanes { lane.close() } }
}
