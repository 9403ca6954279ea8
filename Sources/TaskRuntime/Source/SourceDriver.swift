import Columnar
import Dataflow

/// The head of a chain that reads: polls the reader, computes columns and watermarks, keeps the rate, asks for splits ahead of need.
///
/// The task calls it between barriers; it never waits.
final class SourceDriver {
    enum Outcome: Hashable {
        case worked
        /// Nothing to read until then, or until a command or the reader wakes the task.
        case waiting(until: Instant?)
        /// All splits are read and no more will come.
        case finished
    }

    private let source: TaskChain.Source
    private let batchRows: Int
    private let batchBytes: Int
    /// Rows to ask for: as many as `batchBytes` hold at the width of the last ones. Starts small: how wide rows are is not known yet.
    private var allowance: Int
    private let chain: OperatorChain
    private let outputs: OutputPartitioner?
    private let outbox: Outbox
    private let place: ErrorPlace
    private var limiter: RateLimiter?
    /// This reader's share; nil: unlimited.
    private var rowsPerSecond: Double?
    private var watermarks = SplitWatermarks()
    /// When the watermark was last passed on; while there is more to read the next one waits for `source.watermarkInterval`.
    private var passedAt: Instant?
    /// Splits that were read to their end, with the first checkpoint that held each as finished.
    private var finished: [(id: String, checkpoint: CheckpointID?)] = []
    private var finishedIDs: Set<String> = []
    /// Splits that were read to their end, while it is not known that all that comes after them is being read: they hold the watermark where they
    /// left it, and snapshots show them.
    private var ended: [SplitState] = []
    /// An answer to `needsSplits` is due.
    private var hasAsked = false
    private var noMore = false
    /// The last answer was that there is no split for now.
    private var isStarved = false
    private(set) var isIdle = false
    /// A planned change moves splits, and this reader has not been told which are its own: it reads nothing and tells no watermark.
    private(set) var isAwaitingSplits = false
    /// Since when there is no split at all, by the source's clock.
    private var emptySince: Duration?
    /// When the source last could not read although it might have had rows, and how long that was in all.
    private var heldSince: Instant?
    private var held = Duration.zero
    private(set) var rows: Int64 = 0

    init(
        _ source: TaskChain.Source, batchRows: Int, batchBytes: Int, chain: OperatorChain, outputs: OutputPartitioner?, outbox: Outbox,
        place: ErrorPlace
    ) {
        self.source = source
        self.batchRows = batchRows
        self.batchBytes = batchBytes
        allowance = min(batchRows, 512)
        self.chain = chain
        self.outputs = outputs
        self.outbox = outbox
        self.place = place
        rowsPerSecond = source.rowsPerSecond
        limiter = source.rowsPerSecond.map { RateLimiter(rate: $0, batchRows: batchRows) }
    }

    var name: String { source.name }
    var watermark: Int64 { watermarks.combined }
    var skippedRows: Int { source.reader.skippedRows }
    var gauges: [(name: String, value: Int64)] { source.reader.gauges }

    // MARK: Splits

    func add(_ splits: [SplitState], noMore: Bool, released: [String] = [], at now: Now) throws(StreamError) {
        if noMore { self.noMore = true }
        let isAnswer = !splits.isEmpty || noMore || released.isEmpty
        if isAwaitingSplits, isAnswer {
            try release(splits, at: now)
        } else if !splits.isEmpty {
            hasAsked = false
            isStarved = false
            try take(splits, at: now)
            beActive()
        } else if isAnswer {
            // "Nothing for now": the JobManager remembers who asked, and answers again when it has something.
            isStarved = !self.noMore
        }
        for split in ended.map(\.split.id) where noMore || released.contains(split) {
            ended.removeAll { $0.split.id == split }
            try finish(split)
        }
        if !isAwaitingSplits, !splits.isEmpty { try passWatermark() }
    }

    /// A split does not count any more; snapshots show it as finished.
    private func finish(_ split: String) throws(StreamError) {
        // What its last rows allow counts no more when it is gone.
        if !isAwaitingSplits { try passWatermark() }
        guard watermarks.finish(split) else {
            throw StreamError(.internal, retry: false, "split \(split) ended, which was not given to this reader")
        }
        finished.append((split, nil))
        finishedIDs.insert(split)
        if !isAwaitingSplits { try passWatermark() }
    }

    /// A split holds the watermark from when rows of it come, or were read; from the start, if it is read side by side with others, or if the
    /// watermark of one behind it is known already: that one alone would let it rise while this one is waited for. `moved`: other readers may
    /// have left it.
    private func take(_ splits: [SplitState], moved: Bool = false, at now: Now) throws(StreamError) {
        var fresh = splits.filter { split in !finishedIDs.contains(split.split.id) && watermarks.watermark(of: split.split.id) == nil }
        // It begins where those ended that it comes after.
        for index in fresh.indices {
            let before = ended.filter { fresh[index].split.after.contains($0.split.id) }.compactMap { watermarks.watermark(of: $0.split.id) }
            fresh[index].watermark = max(fresh[index].watermark, before.min() ?? Watermark.minimum)
        }
        let begun = fresh.indices.filter { fresh[$0].watermark > Watermark.minimum || !fresh[$0].position.isEmpty }
        let hasRead = !watermarks.isEmpty || watermarks.combined > Watermark.minimum
        let before = max(begun.last ?? 0, moved && hasRead ? begun.first ?? fresh.count : 0)
        if !begun.isEmpty { watermarks.holdAll() }
        for (index, split) in fresh.enumerated() {
            let holds = source.reader.readsSideBySide || index < before
            watermarks.add(split, begins: holds, at: clock(now))
        }
        try noting { () throws(StreamError) in try source.reader.add(fresh) }
    }

    // MARK: Planned changes

    /// Until `add` says which splits are this reader's. It counts as active meanwhile, so that nobody passes rows that are on their way.
    func awaitSplits() {
        isAwaitingSplits = true
        isIdle = false
        isStarved = false
        emptySince = nil
        noMore = false
        hasAsked = true
    }

    /// The reader knows its splits again, and says where it stands now: lower than before, when it got one that is behind.
    private func release(_ splits: [SplitState], at now: Now) throws(StreamError) {
        isAwaitingSplits = false
        hasAsked = false
        if !splits.isEmpty { try take(splits, moved: true, at: now) } else { isStarved = !noMore }
        watermarks.restate()
        outputs?.declare(watermarks.combined)
    }

    /// The source is one of so many now.
    func share(rateOf parallelism: Int, before: Int) {
        guard parallelism > 0, parallelism != before else { return }
        guard let rate = rowsPerSecond else { return }
        rowsPerSecond = rate * Double(before) / Double(parallelism)
        limiter = rowsPerSecond.map { RateLimiter(rate: $0, batchRows: batchRows) }
    }

    /// Asks for splits when there are none left beside the one that is being read.
    private func askAhead() {
        guard !noMore, !hasAsked, watermarks.count <= 1 else { return }
        hasAsked = true
        outbox.effects.append(.needsSplits)
    }

    // MARK: Reading

    /// The task may not read now, for lack of credit.
    func hold(at now: Now) { if heldSince == nil { heldSince = now.instant } }

    func poll(at now: Now) throws(StreamError) -> Outcome {
        if isAwaitingSplits {
            hold(at: now)
            return .waiting(until: nil)
        }
        if let since = heldSince {
            held += now.instant - since
            heldSince = nil
        }
        if watermarks.isEmpty {
            if noMore { return .finished }
            askAhead()
        }
        var most = allowance
        switch limiter?.permit(at: now.instant) {
        case .rows(let permitted)?: most = min(permitted, allowance)
        case .wait(let until)?:
            try passWatermark()
            hold(at: now)
            return .waiting(until: until)
        case nil: break
        }
        switch try noting({ () throws(StreamError) in try source.reader.poll(maximumRows: most, at: now) }) {
        case .batch(let batch, let split):
            limiter?.spent(batch.count)
            adjustAllowance(batch)
            try deliver(batch, of: split, at: now)
            askAhead()
            return .worked
        case .splitFinished(let split):
            outbox.effects.append(.splitFinished(split))
            try finish(split)
            return .worked
        case .splitEnded(let split):
            outbox.effects.append(.splitFinished(split.split.id))
            if noMore {
                try finish(split.split.id)
            } else {
                ended.append(split)
                watermarks.end(split.split.id)
            }
            return .worked
        case .nothing(let until):
            try passWatermark()
            return .waiting(until: earliest(until, try rest(at: now)))
        case .needsSplits:
            try passWatermark()
            if noMore { return .finished }
            askAhead()
            return .waiting(until: try rest(at: now))
        }
    }

    private func adjustAllowance(_ batch: Batch) {
        guard batch.count > 0 else { return }
        let fitting = batchBytes * batch.count / max(batch.byteCount, 1)
        allowance = max(min(fitting, allowance * 4, batchRows), 1)
    }

    private func deliver(_ read: Batch, of split: String, at now: Now) throws(StreamError) {
        guard read.count > 0 else { return }
        beActive()
        rows += Int64(read.count)
        let start = try watermarks.begin(split, at: clock(now))
        var readAt = now
        if source.stampsRows, start >= now.wallMilliseconds { readAt = Now(instant: now.instant, wallMilliseconds: start + 1) }
        let batch = if let project = source.project { try noting { () throws(StreamError) in try project(read, readAt) } } else { read }
        guard let watermark = source.watermark else { return try chain.head.emit(batch) }
        let marks = try noting { () throws(StreamError) in try watermark(batch, now) }
        if source.watermarkAfterEveryRow {
            let last = try RowWatermarks.cut(
                batch, watermarks: marks, times: source.timeColumn.map { batch.columns[$0] }, from: start, combined: watermarks.combined,
                bound: watermarks.bound(without: split)
            ) { (piece, watermark) throws(StreamError) in
                if piece.count > 0 { try chain.head.emit(piece) }
                if let watermark {
                    watermarks.passed(watermark)
                    try chain.head.emitWatermark(watermark)
                }
            }
            watermarks.raise(split, to: last)
        } else {
            try chain.head.emit(batch)
            watermarks.raise(split, to: RowWatermarks.greatest(marks))
            // Each watermark costs every window operator behind a look at its windows: in the midst of reading not after each batch.
            if let passedAt, now.instant - passedAt < source.watermarkInterval { return }
            passedAt = now.instant
        }
        try passWatermark()
    }

    /// Tells what the rows read so far allow: when there is nothing more to read for now, before a barrier, and from time to time.
    func passWatermark() throws(StreamError) {
        if let watermark = watermarks.rise() { try chain.head.emitWatermark(watermark) }
    }

    // MARK: Idleness

    /// A clock that stands still while the source may not read: what it could not see must not count as silence.
    private func clock(_ now: Now) -> Duration { .nanoseconds(now.instant.nanoseconds) - held }

    private func beActive() {
        guard isIdle else { return }
        isIdle = false
        outputs?.send(.active)
    }

    /// Nothing came: goes idle when it is time. Answers when it may be time next.
    private func rest(at now: Now) throws(StreamError) -> Instant? {
        guard !isIdle else { return nil }
        var due: Duration?
        var isQuiet = isStarved && watermarks.isEmpty
        if source.idleTimeout > .zero {
            if watermarks.isEmpty {
                let since = emptySince ?? clock(now)
                emptySince = since
                due = since + source.idleTimeout
                isQuiet = isQuiet || since + source.idleTimeout <= clock(now)
            } else {
                emptySince = nil
                due = watermarks.markIdle(after: source.idleTimeout, at: clock(now))
                isQuiet = watermarks.allIdle
                // The quiet ones may have held back the others.
                if !isQuiet { try passWatermark() }
            }
        }
        guard isQuiet else { return due.map { now.instant + ($0 - clock(now)) } }
        isIdle = true
        if let watermark = watermarks.riseToGreatest() { try chain.head.emitWatermark(watermark) }
        // Rows that operators hold back for efficiency must not be overtaken by others' watermarks.
        try chain.flush()
        outputs?.send(.idle)
        return nil
    }

    // MARK: Checkpoints

    func snapshot(_ checkpoint: CheckpointID) throws(StreamError) -> (splits: [SplitState], finished: [String]) {
        var splits = try noting { () throws(StreamError) in try source.reader.snapshot() } + ended
        for index in splits.indices { splits[index].watermark = watermarks.watermark(of: splits[index].split.id) ?? splits[index].watermark }
        for index in finished.indices where finished[index].checkpoint == nil { finished[index].checkpoint = checkpoint }
        return (splits, finished.map(\.id))
    }

    func completed(_ checkpoint: CheckpointID) {
        finished.removeAll { entry in entry.checkpoint.map { $0 <= checkpoint } ?? false }
        if finishedIDs.count > finished.count { finishedIDs = Set(finished.map(\.id)) }
        // The word of it may have been lost.
        for split in ended { outbox.effects.append(.splitFinished(split.split.id)) }
    }

    func close() { source.reader.close() }

    private func noting<T>(_ body: () throws(StreamError) -> T) throws(StreamError) -> T {
        do throws(StreamError) { return try body() } catch {
            place.note(source.name)
            throw error
        }
    }

    private func earliest(_ a: Instant?, _ b: Instant?) -> Instant? {
        guard let a else { return b }
        guard let b else { return a }
        return min(a, b)
    }
}
