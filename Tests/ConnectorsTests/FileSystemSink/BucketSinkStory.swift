import Columnar
import Connectors
import Dataflow

/// A sink's life in a bucket, from a seed: subtasks write numbered rows, checkpoints are taken, completed, committed, aborted; processes die or
/// are cut off and go on; successors start from the newest completed checkpoint with any parallelism; calls fail or are not answered.
final class BucketSinkStory {
    private static let fields = schema(("n", .bigint), ("text", .string))

    /// A checkpoint that is complete.
    private struct Checkpoint {
        var id: CheckpointID = 0
        var rows = 0
        /// No row follows, and no file is open.
        var isLast = false
        var units: [[UInt8]] = []
        /// Not acknowledged as committed.
        var committables: [Committable] = []
    }

    /// What `SinkDriver` keeps for a writer.
    private struct Subtask {
        var writer: any SinkWriter
        var pending: [PreparedCommit] = []
    }

    private let total: Int
    /// `auto-compaction`.
    private let merges: Bool
    private let faults: Set<SeededFault>
    private let bucket: MemoryBucket
    private let work: SteppedWork
    private var chance: SplitMix
    private var attempt: UInt32 = 0
    private var complete = Checkpoint()
    private var nextID: CheckpointID = 1
    private var subtasks: [Subtask] = []
    private var cutOff: [(subtasks: [Subtask], at: Int)] = []
    private var at = 0
    private(set) var restarts = 0

    init(seed: UInt64, fault: MemoryBucket.Fault? = nil, merges: Bool = false, faults: Set<SeededFault> = []) {
        self.merges = merges
        self.faults = faults
        chance = SplitMix(seed: seed)
        total = 50 + chance.below(400)
        bucket = MemoryBucket(seed: chance.next(), failPercent: chance.below(3) == 0 ? 0 : chance.below(25), fault: fault)
        work = SteppedWork(seed: chance.next())
    }

    private func sink() throws -> any Sink {
        let buckets = Buckets(
            open: { [bucket] (_, _) throws(StreamError) in bucket }, makeLine: { [work] in work.makeLine() }, leastPartBytes: 1,
            faults: faults)
        let merging = merges ? ["auto-compaction": "true", "compaction.file-size": "1500b", "s3.upload.min.part.size": "350b"] : [:]
        let options = [
            "connector": "filesystem", "path": "s3://memory/out", "format": "csv", "s3.upload.min.part.size": "100b",
            "s3.upload.max.concurrent.uploads": "3", "sink.rolling-policy.file-size": "700b", "sink.rolling-policy.check-interval": "1 ms",
            "sink.rolling-policy.rollover-interval": "300 ms",
        ].merging(merging) { $1 }
        return try StandardConnectors(buckets: buckets).sink(SinkSpec(table: "t", options: options, schema: BucketSinkStory.fields))
    }

    private var clock: Int64 = 0

    private func time() -> Now {
        clock += 1
        return now(Int64(nextID) * 100 + clock)
    }

    /// The text of all committed files. Throws when the job can never end.
    func run() throws -> String {
        try start()
        var steps = 0
        while true {
            steps += 1
            guard steps < 20_000, restarts < 300 else { throw StreamError(.internal, retry: false, "the job never ends") }
            do {
                if try step() { return bucket.committed }
            } catch let error as StreamError {
                // The job restarts, unless starting again cannot help.
                guard error.retry else { throw error }
                try restart()
            }
        }
    }

    private func start() throws {
        attempt += 1
        work.process = Int(attempt)
        let parallelism = 1 + chance.below(3)
        let sink = try sink()
        subtasks = try (0..<parallelism).map { index in
            let task = TaskID(job: JobID(high: 1, low: 2), subtask: SubtaskID(vertex: 3, index: index), attempt: attempt)
            let units = complete.units.enumerated().filter { $0.offset % parallelism == index }.map(\.element)
            return Subtask(writer: try sink.makeWriter(WriterContext(task: task, parallelism: parallelism, restored: units)))
        }
        at = complete.rows
    }

    private func restart() throws {
        restarts += 1
        switch chance.below(3) {
        case 0: work.kill(Int(attempt))  // kill -9
        case 1: for subtask in subtasks { subtask.writer.close() }
        default: cutOff.append((subtasks, at))  // It does not know, and goes on.
        }
        subtasks = []
        try start()
    }

    private func step() throws -> Bool {
        switch chance.below(20) {
        case 0: try restart()
        case 1, 2, 3: try checkpoint(isLast: false)
        case 4: try commit()
        case 5, 6: try goOnCutOff()
        case 7...12: for _ in 0..<chance.below(6) { work.step() }
        default: try write(&subtasks, &at)
        }
        guard at == total, chance.percent(20) else { return false }
        try checkpoint(isLast: true)
        return complete.isLast && complete.committables.isEmpty
    }

    private func write(_ subtasks: inout [Subtask], _ at: inout Int) throws {
        let end = min(total, at + 1 + chance.below(20))
        for (index, subtask) in subtasks.enumerated() {
            let rows = (at..<end).filter { $0 % subtasks.count == index }
            let batch = Batch.of(BucketSinkStory.fields.types, rows.map { [.integer(Int64($0)), .string(String(repeating: "x", count: $0 % 40))] })
            try subtask.writer.write(batch, at: time())
            _ = try subtask.writer.tick(at: time())
        }
        at = end
    }

    /// An attempt that is over writes on, prepares checkpoints that nobody completes, and closes in the end.
    private func goOnCutOff() throws {
        guard !cutOff.isEmpty else { return }
        var old = cutOff.removeFirst()
        do {
            try write(&old.subtasks, &old.at)
            if chance.percent(30) { for subtask in old.subtasks { _ = try subtask.writer.prepareCommit(nextID + 1, isLast: false, at: time()).finished() } }
        } catch { return }
        if chance.percent(70) { cutOff.append(old) } else { for subtask in old.subtasks { subtask.writer.close() } }
    }

    private func checkpoint(isLast: Bool) throws {
        let id = nextID
        nextID += 1
        let isSavepoint = !isLast && chance.percent(10)
        var prepared: [[PreparedCommit]] = []
        for index in subtasks.indices {
            let writer = subtasks[index].writer
            let new = isSavepoint ? try writer.prepareSavepoint(id, at: time()) : try writer.prepareCommit(id, isLast: isLast, at: time())
            prepared.append(subtasks[index].pending + [new])
            subtasks[index].pending.append(new.withoutUnit)
        }
        let rows = at
        // Rows go on while the uploads do.
        if !isLast, at < total, chance.percent(50) { try write(&subtasks, &at) }
        var next = Checkpoint(id: id, rows: rows, isLast: isLast, committables: complete.committables)
        for prepared in prepared {
            var unit: [UInt8]?
            for one in prepared {
                let content = try one.finished()
                next.committables += content.committables
                unit = content.unit
            }
            if let unit { next.units.append(unit) }
        }
        // Aborted: the next one carries its files too. After the last barrier the job would have to start again.
        if chance.percent(20) { return isLast ? try restart() : () }
        complete = next
        for index in subtasks.indices { subtasks[index].pending = [] }
        if isLast || chance.percent(60) { try commit() }
    }

    /// By any process, of all or some, again and again until it is acknowledged.
    private func commit() throws {
        guard !complete.committables.isEmpty else { return }
        var some = complete.committables
        if chance.percent(30) { some = Array(some.prefix(1 + chance.below(some.count))) }
        if chance.percent(30) { some.reverse() }
        try sink().commit(some)
        // The answer may be lost.
        if chance.percent(80) { complete.committables.removeAll { some.contains($0) } }
    }

    /// Each row once, whatever the order.
    var expected: [String] { (0..<total).map { row in "\(row),\(String(repeating: "x", count: row % 40))" }.sorted() }
}
