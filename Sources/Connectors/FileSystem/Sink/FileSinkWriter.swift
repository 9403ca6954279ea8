import Columnar
import Dataflow

/// One subtask's open files, one for each folder it has rows for.
final class FileSinkWriter: SinkWriter {
    /// Files that have buffers and descriptors at most; beyond, the one written longest ago rests.
    private let mostAwake: Int
    /// Bytes that open files hold in memory at most, buffers included; beyond, the one that holds most has to end.
    private let mostHeldBytes: Int
    private let store: any PartStore
    /// What they hold since the last row.
    private var openBytes = 0
    /// Open files at most; beyond, the one written longest ago ends. A compressor has a quarter of a megabyte.
    private var mostOpen: Int { sink.isCompressed ? 256 : 1024 }

    private let sink: FileSink
    private let context: WriterContext
    private let writer: any RowWriter
    private let line: any UploadLine
    private let salt: UInt32
    /// By folder.
    private var open: [ExactText: PartFile] = [:]
    /// Those with buffers and descriptors, the one written last at the end.
    private var awake: [PartFile] = []
    /// Files that had an end since the last checkpoint.
    private var ended: [(folder: String, body: any PartBody, committable: Ended)] = []
    /// Uploads of earlier attempts, until the next checkpoint has them.
    private var adopted: [Adoption] = []
    /// Folders that want a success file, and since when.
    private var folders: [ExactText: Int64] = [:]
    private var watermark = Watermark.minimum
    /// What the next file that ends will say.
    private var lineage = FileLineage()
    private var counter = 0
    private var nextCheck: Instant?
    private var bucket = ""
    /// Of uploads that ended while a snapshot waited for them.
    private let trouble = Trouble()

    /// What earlier attempts uploaded is taken over: their files end with what the checkpoint held.
    init(_ sink: FileSink, _ context: WriterContext) throws(StreamError) {
        self.sink = sink
        self.context = context
        self.line = sink.makeLine()
        salt = sink.draw()
        // A checkpoint holds what files hold twice more, as its unit and in the object that is written; parts in flight and the rest come on top.
        let share = context.slotBytes / 8
        store = sink.store.within(share)
        let partBytes = store.partBytes
        mostHeldBytes = partBytes == 0 ? .max : max(min(share, 64 * (partBytes + PartFile.mostBufferBytes)), partBytes + 2 * PartFile.mostBufferBytes)
        mostAwake = partBytes == 0 ? 64 : min(64, max(2, share / 4 / PartFile.mostBufferBytes))
        let keys = Set(sink.spec.partitionKeys)
        self.writer = sink.format.makeWriter(sink.spec.schema, columns: sink.spec.schema.fields.indices.filter { !keys.contains($0) })
        var tails: [OpenFile] = []
        let units = try context.restored.map { bytes throws(StreamError) in try WriterUnit(bytes) }
        for unit in units {
            lineage.after += unit.lineage.after
            if let job = unit.job { lineage.origin = job == context.task.job ? unit.lineage.origin : "\(job)@\(unit.checkpoint)" }
        }
        for unit in units {
            folders.merge(unit.folders) { min($0, $1) }
            for var file in unit.files {
                file.file.lineage = lineage
                if let adoption = sink.store.adopt(file, attempt: context.task.attempt, line: line) {
                    adopted.append(adoption)
                    lineage.after = [file.file.path]
                } else {
                    tails.append(file)
                }
            }
        }
        // Nothing of these was uploaded: their rows begin this attempt's own files.
        for file in tails { try part(in: file.folder, at: nil).take(file) }
    }

    // MARK: Rows

    func write(_ batch: Batch, at now: Now) throws(StreamError) {
        if let kinds = batch.kinds {
            for row in 0..<batch.count where kinds.typed(UInt8.self)[row] != RowKind.insert.rawValue {
                throw StreamError(.user, retry: false, "table \(sink.spec.table): a \(batch.kind(row).symbol) row cannot be written to files, which only grow")
            }
        }
        if let times = sink.times { bucket = times.folder(at: now.wallMilliseconds) }
        defer { if store.partBytes > 0 { openBytes = heldByOpenFiles } }
        guard !sink.spec.partitionKeys.isEmpty else { return try write(batch, nil, to: bucket, now) }
        var rows: [ExactText: [Int32]] = [:], order: [ExactText] = []
        for row in 0..<batch.count {
            let folder = ExactText(PartitionPath.folder(
                batch, row, keys: sink.spec.partitionKeys, names: sink.spec.schema.names, defaultName: sink.partitionDefault))
            if rows[folder] == nil { order.append(folder) }
            rows[folder, default: []].append(Int32(row))
        }
        for folder in order { try write(batch, rows[folder], to: bucket.isEmpty ? folder.text : "\(folder.text)/\(bucket)", now) }
        if sink.store.keepsFilesOpen { try endLargest() }
    }

    private func write(_ batch: Batch, _ rows: [Int32]?, to folder: String, _ now: Now) throws(StreamError) {
        guard batch.count > 0 else { return }
        let file = try part(in: folder, at: now.instant)
        if let success = sink.success, folders[ExactText(folder)] == nil {
            folders[ExactText(folder)] = now.wallMilliseconds
            _ = try success.partitionTime?.moment(of: folder, defaultName: sink.partitionDefault)
        }
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
        try file.wrote(rows: rows?.count ?? batch.count, at: now.instant)
        if sink.rolling.endsBySize(file) { try end(ExactText(folder)) }
    }

    /// Files that lie in memory end, the largest first, until the others hold no more than they may.
    private func endLargest() throws(StreamError) {
        var held = heldByOpenFiles
        guard held > mostHeldBytes else { return }
        for (folder, file) in open.sorted(by: { ($1.value.heldBytes, $0.key) < ($0.value.heldBytes, $1.key) }) where held > mostHeldBytes {
            held -= file.heldBytes
            try end(folder)
        }
    }

    private var heldByOpenFiles: Int { open.values.reduce(0) { $0 + $1.heldBytes } }

    /// Parts on their way count as full.
    var heldBytes: Int { store.partBytes == 0 ? 0 : openBytes + line.running * store.partBytes }

    private func part(in folder: String, at now: Instant?) throws(StreamError) -> PartFile {
        if let file = open[ExactText(folder)] {
            try wake(file)
            return file
        }
        if open.count >= mostOpen {
            let oldest = open.min { ($0.value.lastWrite, $0.key) < ($1.value.lastWrite, $1.key) }
            if let oldest { try end(oldest.key) }
        }
        let task = context.task
        let name = PartName(
            job: task.job, vertex: task.subtask.vertex, subtask: task.subtask.index, attempt: task.attempt, salt: salt, counter: counter,
            suffix: sink.isCompressed ? ".gz" : "")
        counter += 1
        let body = try store.makeBody(name, in: folder, line: line)
        let file = PartFile(name, in: folder, body: body, isCompressed: sink.isCompressed, at: now)
        open[ExactText(folder)] = file
        try wake(file)
        return file
    }

    /// The file is written next.
    private func wake(_ file: PartFile) throws(StreamError) {
        if awake.last === file { return }
        awake.removeAll { $0 === file }
        awake.append(file)
        if awake.count > mostAwake { try awake.removeFirst().rest() }
    }

    private func end(_ folder: ExactText) throws(StreamError) {
        guard let file = open.removeValue(forKey: folder) else { return }
        awake.removeAll { $0 === file }
        ended.append((folder.text, file.body, try file.finish(&lineage)))
    }

    // MARK: Time

    func advance(to milliseconds: Int64) { watermark = milliseconds }

    func tick(at now: Now) throws(StreamError) -> Instant? {
        if let error = trouble.error { throw error }
        if let nextCheck, now.instant < nextCheck { return nextCheck }
        try endByTime(now)
        nextCheck = now.instant + sink.rolling.checkInterval
        return nextCheck
    }

    private func endByTime(_ now: Now) throws(StreamError) {
        if let times = sink.times { bucket = times.folder(at: now.wallMilliseconds) }
        for folder in open.keys.sorted() {
            guard let file = open[folder] else { continue }
            if sink.rolling.endsByTime(file, at: now.instant) || !isCurrent(folder.text) { try end(folder) }
        }
    }

    /// A bucket whose time is over gets no more rows.
    private func isCurrent(_ folder: String) -> Bool { bucket.isEmpty || folder == bucket || folder.hasSuffix("/" + bucket) }

    // MARK: Checkpoints

    func prepareCommit(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) throws(StreamError) -> PreparedCommit {
        try prepare(checkpoint, isLast: isLast, endsFiles: isLast, at: now)
    }

    /// All files end: one that went on could be completed once only, at one length.
    func prepareSavepoint(_ checkpoint: CheckpointID, at now: Now) throws(StreamError) -> PreparedCommit {
        try prepare(checkpoint, isLast: false, endsFiles: true, at: now)
    }

    private func prepare(_ checkpoint: CheckpointID, isLast: Bool, endsFiles: Bool, at now: Now) throws(StreamError) -> PreparedCommit {
        if let error = trouble.error { throw error }
        try endByTime(now)
        var suspended: [Later<OpenFile>] = []
        for folder in open.keys.sorted() {
            guard let file = open[folder] else { continue }
            if !endsFiles, try !isDue(folder, at: now), let later = try file.suspend(checkpoint) { suspended.append(later) } else { try end(folder) }
        }
        if store.partBytes > 0 { openBytes = heldByOpenFiles }
        let marks = try marks(checkpoint, isLast: isLast, at: now)
        let files = adopted.map(\.ended) + ended.map(\.committable)
        try sink.store.settle(folders: ended.map(\.folder))
        ended = []
        adopted = []
        return prepared(checkpoint, files, marks, suspended)
    }

    private func prepared(
        _ checkpoint: CheckpointID, _ files: [Ended], _ marks: [Committable], _ suspended: [Later<OpenFile>]
    ) -> PreparedCommit {
        let (trouble, folders, lineage, job) = (trouble, folders, lineage, context.task.job)
        return PreparedCommit { () throws(StreamError) in
            do throws(StreamError) {
                var committables: [Committable] = []
                for file in files { if let committable = try file(checkpoint) { committables.append(committable) } }
                return committables + marks
            } catch {
                trouble.note(error)
                throw error
            }
        } unit: { () throws(StreamError) in
            do throws(StreamError) {
                let files = try suspended.map { later throws(StreamError) in try later() }
                return WriterUnit(job: job, checkpoint: checkpoint, lineage: lineage, files: files, folders: folders).bytes
            } catch {
                trouble.note(error)
                throw error
            }
        }
    }

    /// By the clock without a delay, a file's end decides.
    private func isDue(_ folder: ExactText, at now: Now) throws(StreamError) -> Bool {
        guard let success = sink.success, success.delay > .zero || success.partitionTime != nil else { return false }
        return try isTime(folder, at: now)
    }

    private func isTime(_ folder: ExactText, at now: Now) throws(StreamError) -> Bool {
        guard let success = sink.success, let since = folders[folder] else { return false }
        return try success.isTime(folder.text, since: since, at: now.wallMilliseconds, watermark: watermark, defaultName: sink.partitionDefault)
    }

    /// A folder is marked when its time has come and all its files here have ended.
    private func marks(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) throws(StreamError) -> [Committable] {
        guard let success = sink.success else { return [] }
        var due: [ExactText] = []
        for folder in folders.keys.sorted() where open[folder] == nil && !folder.text.isEmpty {
            var isTime = isLast
            if !isTime { isTime = try self.isTime(folder, at: now) }
            if isTime { due.append(folder) }
        }
        for folder in due { folders[folder] = nil }
        return due.map { SuccessMark(path: "\($0.text)/\(success.fileName)").committable(context.task, checkpoint) }
    }

    func close() {
        // Rows since the last checkpoint are read again; what a checkpoint names has left this writer.
        for file in open.values { file.body.abandon() }
        for file in ended { file.body.abandon() }
        open = [:]
        awake = []
        ended = []
        adopted = []
    }
}
