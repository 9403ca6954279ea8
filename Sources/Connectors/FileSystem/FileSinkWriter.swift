import Columnar
import Dataflow

/// One subtask's open files, one for each partition folder it has rows for.
final class FileSinkWriter: SinkWriter {
    /// Open files at most; beyond, the one written longest ago is ended.
    static let maximumOpenFiles = 64

    private let sink: FileSink
    private let context: WriterContext
    private let writer: any RowWriter
    private var open: [String: PartFile] = [:]
    private var ended: [PendingFile] = []
    private var counter = 0
    private var nextCheck: Instant?

    init(_ sink: FileSink, _ context: WriterContext) {
        self.sink = sink
        self.context = context
        let keys = Set(sink.spec.partitionKeys)
        self.writer = sink.format.makeWriter(sink.spec.schema, columns: sink.spec.schema.fields.indices.filter { !keys.contains($0) })
    }

    func write(_ batch: Batch, at now: Now) throws(StreamError) {
        if let kinds = batch.kinds {
            for row in 0..<batch.count where kinds.typed(UInt8.self)[row] != RowKind.insert.rawValue {
                throw StreamError(.user, retry: false, "table \(sink.spec.table): a \(batch.kind(row).symbol) row cannot be written to files, which only grow")
            }
        }
        guard !sink.spec.partitionKeys.isEmpty else { return try write(batch, nil, to: "", now) }
        var rows: [String: [Int32]] = [:], order: [String] = []
        for row in 0..<batch.count {
            let folder = PartitionPath.folder(
                batch, row, keys: sink.spec.partitionKeys, names: sink.spec.schema.names, defaultName: sink.partitionDefault)
            if rows[folder] == nil { order.append(folder) }
            rows[folder, default: []].append(Int32(row))
        }
        for folder in order { try write(batch, rows[folder], to: folder, now) }
    }

    private func write(_ batch: Batch, _ rows: [Int32]?, to folder: String, _ now: Now) throws(StreamError) {
        guard batch.count > 0 else { return }
        let file = try file(in: folder, now)
        file.lastWrite = now.instant
        do throws(MalformedValue) {
            if let rows {
                let result: Result<Void, MalformedValue> = rows.withUnsafeBufferPointer { rows in
                    do throws(MalformedValue) { return .success(try writer.write(batch, rows: rows, to: file.text)) } catch { return .failure(error) }
                }
                try result.get()
            } else {
                try writer.write(batch, rows: nil, to: file.text)
            }
        } catch {
            throw StreamError(.user, retry: false, "table \(sink.spec.table): \(error.message)")
        }
        try file.flushWhenFull()
        if file.length >= sink.rollBytes { try end(folder) }
    }

    private func file(in folder: String, _ now: Now) throws(StreamError) -> PartFile {
        if let file = open[folder] { return file }
        if open.count >= FileSinkWriter.maximumOpenFiles {
            let oldest = open.min { ($0.value.lastWrite, $0.key) < ($1.value.lastWrite, $1.key) }
            if let oldest { try end(oldest.key) }
        }
        let task = context.task
        let name = PartName(
            job: task.job, vertex: task.subtask.vertex, subtask: task.subtask.index, attempt: task.attempt, counter: counter)
        counter += 1
        let file = try PartFile(name, in: folder.isEmpty ? sink.path : FilePath.join(sink.path, folder), at: now.instant)
        open[folder] = file
        return file
    }

    private func end(_ folder: String) throws(StreamError) {
        guard let file = open.removeValue(forKey: folder) else { return }
        ended.append(try file.finish())
    }

    func tick(at now: Now) throws(StreamError) -> Instant? {
        if let nextCheck, now.instant < nextCheck { return nextCheck }
        for folder in open.keys.sorted() {
            guard let file = open[folder] else { continue }
            if now.instant - file.created >= sink.rollAge || now.instant - file.lastWrite >= sink.rollIdle { try end(folder) }
        }
        nextCheck = now.instant + sink.checkInterval
        return nextCheck
    }

    func prepareCommit(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) throws(StreamError) -> PreparedCommit {
        for folder in open.keys.sorted() { try end(folder) }
        // The names must not be lost either: a pending file without its entry in the folder could not be committed.
        for folder in Set(ended.map { FilePath.parent($0.hidden) }).sorted() { try FilePath.sync(folder: folder) }
        defer { ended = [] }
        return PreparedCommit(ended.map(\.committable))
    }

    func close() {
        // Rows since the last checkpoint are read again; what a checkpoint names has left this writer.
        for file in open.values { file.abandon() }
        open = [:]
        for file in ended { file.remove() }
        ended = []
    }
}
