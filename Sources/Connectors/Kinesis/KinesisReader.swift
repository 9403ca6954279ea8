import AWS
import CKernels
import Columnar
import Dataflow

/// Reads the shards that one subtask was given, side by side: fetchers put decoded blocks into the inbox, `poll` turns them into rows.
final class KinesisReader: SourceReader {
    private struct Shard {
        let split: Split
        var position: ShardPosition?
        /// Records up to here were given before this reader began; nil once one beyond it was seen.
        var skipsThrough: ShardPosition?
        let stop: @Sendable () -> Void
    }

    private let source: KinesisSource
    private let inbox: ShardInbox
    private let messages: MessageReader
    private let fill: ColumnFill
    private var described: RecordColumns
    private let fanOut: FanOutConsumer?
    /// In the order of being given.
    private var order: [String] = []
    private var shards: [String: Shard] = [:]
    private var current: (shard: String, block: RecordBlock, next: Int)?

    init(_ source: KinesisSource, _ context: ReaderContext) {
        self.source = source
        inbox = ShardInbox(maximumBytes: source.reading.bufferBytes, maximumFetches: source.reading.maximumFetches, wake: context.wake, warn: source.warn)
        described = RecordColumns(source.spec)
        let schema = described.inRecords
        messages = source.format.makeReader(schema, tableColumns: source.spec.tableColumns.isEmpty ? schema.names : source.spec.tableColumns)
        fill = ColumnFill(schema.types, capacity: context.batchRows)
        if case .fanOut(let consumer, let registers) = source.reading.kind {
            fanOut = FanOutConsumer(source.table.client, name: consumer, registers: registers)
        } else {
            fanOut = nil
        }
    }

    var skippedRows: Int { messages.skippedRows }
    var readsSideBySide: Bool { true }

    var gauges: [(name: String, value: Int64)] {
        let (counts, behind, bytes) = inbox.figures
        let lag = behind.map { [(name: SourceGauge.lagMilliseconds, value: $0)] } ?? []
        return lag + [
            ("numShards", Int64(shards.count)), ("bufferedBytes", Int64(bytes)), ("numKinesisRecordsIn", counts.kinesisRecords),
            ("numThrottledFetches", counts.throttled), ("numExpiredIterators", counts.expiredIterators), ("numTrimmedShards", counts.trimmedShards),
            ("numMisroutedUserRecords", counts.elsewhere),
        ]
    }

    func add(_ splits: [SplitState]) throws(StreamError) {
        for state in splits {
            let shard = try ShardSplit(state.split)
            guard shard.stream == source.table.stream.name else {
                throw StreamError(
                    .user, retry: false,
                    "table \(source.table.name): the state is of stream \(shard.stream), and the table is now stream \(source.table.stream): start the job without that state")
            }
            let position = try ShardPosition(state)
            shards[shard.shard] = Shard(
                split: state.split, position: position, skipsThrough: source.faults.contains(.lastRecordReadAgain) ? nil : position,
                stop: fetch(shard, resuming: position))
            order.append(shard.shard)
        }
    }

    private func fetch(_ shard: ShardSplit, resuming position: ShardPosition?) -> @Sendable () -> Void {
        if let service = source.service { return service.fetch(shard, from: ShardPlace(shard.begin, resuming: position), into: inbox) }
        let fetcher = ShardFetcher(source.table, source.reading, shard, resuming: position, inbox: inbox, patience: source.patience)
        let fanOut = fanOut
        let fetching = Task.detached(executorPreference: fetcher.executor) { if let fanOut { await fetcher.subscribe(as: fanOut) } else { await fetcher.poll() } }
        return { fetching.cancel() }
    }

    func poll(maximumRows: Int, at now: Now) throws(StreamError) -> SourcePoll {
        while true {
            if let (id, block, next) = current {
                let rows = try read(block, from: next, of: id, maximumRows: maximumRows)
                if let rows { return .batch(rows, split: id) }
                continue
            }
            switch inbox.take() {
            case .records(let shard, let block)?:
                messages.begin(isASCII: ck_is_ascii(block.text, block.count) != 0)
                current = (shard, block, 0)
                if source.faults.contains(.fetchedCountsAsRead), let last = block.records.last {
                    shards[shard]?.position = ShardPosition(sequence: block.sequence(last), sub: last.sub, isLast: last.isLast)
                }
            case .ended(let shard)?:
                order.removeAll { $0 == shard }
                guard let read = shards.removeValue(forKey: shard), !source.faults.contains(.endsForgotten) else { return .splitFinished(shard) }
                return .splitEnded(SplitState(split: read.split, position: read.position?.bytes ?? []))
            case .failed(let error)?: throw error
            case nil: return shards.isEmpty ? .needsSplits : .nothing(until: nil)
            }
        }
    }

    /// The next rows of a block; nil when it has none left. A record's rows are never divided between batches, since a position cannot be.
    private func read(_ block: RecordBlock, from first: Int, of id: String, maximumRows: Int) throws(StreamError) -> Batch? {
        guard var shard = shards[id] else { throw StreamError(.internal, retry: false, "records of shard \(id), which is not being read") }
        let most = min(maximumRows, fill.capacity)
        var next = first
        while next < block.records.count, fill.count < most {
            let record = block.records[next]
            if let through = shard.skipsThrough {
                if block.sequence(record) == through.sequence, through.isLast || record.sub <= through.sub {
                    next += 1
                    continue
                }
                shard.skipsThrough = nil
            }
            do throws(MalformedRow) {
                let fitted = try messages.read(block.text, from: record.start, to: record.start + record.count, into: fill)
                if !fitted {
                    if fill.count > 0 { break }
                    throw MalformedRow(offset: 0, rowStart: 0, "the record has more than \(fill.capacity) rows")
                }
            } catch {
                throw malformed(error, record, block, id)
            }
            described.note(record, of: block, rowsSoFar: fill.count)
            next += 1
        }
        if next > first {
            let last = block.records[next - 1]
            if !source.faults.contains(.fetchedCountsAsRead) {
                shard.position = ShardPosition(sequence: block.sequence(last), sub: last.sub, isLast: last.isLast)
            }
        }
        shards[id] = shard
        if next == block.records.count {
            current = nil
            inbox.release(block)
        } else {
            current = (id, block, next)
        }
        guard fill.count > 0 else { return nil }
        return described.batch(fill.finish(), shard: id)
    }

    private func malformed(_ row: MalformedRow, _ record: RecordBlock.Record, _ block: RecordBlock, _ shard: String) -> StreamError {
        let shown = String(decoding: UnsafeBufferPointer(start: block.text + record.start, count: min(record.count, 120)), as: UTF8.self)
        let sub = record.isLast && record.sub == 0 ? "" : " (user record \(record.sub))"
        return StreamError(
            .user, retry: false,
            "table \(source.spec.table): stream \(source.table.stream), \(shard), sequence number \(block.sequence(record))\(sub): \(row.message): "
                + (record.count > 120 ? shown + "…" : shown))
    }

    func snapshot() throws(StreamError) -> [SplitState] {
        order.compactMap { id in shards[id].map { SplitState(split: $0.split, position: $0.position?.bytes ?? []) } }
    }

    func close() {
        for shard in shards.values { shard.stop() }
        inbox.close()
        current = nil
    }
}
