import Columnar
import Dataflow
import TaskRuntime

/// Rows of two columns, (key BIGINT, time TIMESTAMP(3)), and small parts that tasks are made of in tests.
struct Row: Hashable {
    var key: Int64
    var time: Int64

    init(_ key: Int64, _ time: Int64) {
        self.key = key
        self.time = time
    }
}

let rowSchema = Schema([.init("key", DataType(.bigint, nullable: false)), .init("t", DataType(.timestamp(3), nullable: false))])

func batch(_ rows: [Row]) -> Batch {
    Batch.of(rowSchema.types, rows.map { [.integer($0.key), .integer($0.time)] })
}

func batch(_ rows: Row...) -> Batch { batch(rows) }

func rows(_ batch: Batch) -> [Row] {
    (0..<batch.count).map { Row(batch.columns[0].pointer(Int64.self)[$0], batch.columns[1].pointer(Int64.self)[$0]) }
}

extension Now {
    static func milliseconds(_ count: Int64) -> Now { Now(instant: .milliseconds(count), wallMilliseconds: count) }
}

let job = JobID(high: 1, low: 2)

func channel(_ edge: Int, _ from: Int, _ to: Int, attempt: UInt32 = 1) -> ChannelID {
    ChannelID(job: job, edge: edge, from: from, to: to, attempt: attempt)
}

/// Counts rows a key and lets them through.
final class CountingOperator: Operator {
    struct Counts: FrozenState, Hashable {
        var counts: [Int64: Int]
        func segments() -> [StateSegment] { [] }
    }

    let uid: String
    private(set) var counts: [Int64: Int] = [:]
    private(set) var watermarks: [Int64] = []
    /// Rows kept back until a flush, as partial aggregates are.
    private let keeps: Int
    private var kept: [Batch] = []

    init(uid: String = "count", keeps: Int = 0) {
        self.uid = uid
        self.keeps = keeps
    }

    func process(_ batch: Batch, to output: any Output) throws(StreamError) {
        for row in rows(batch) { counts[row.key, default: 0] += 1 }
        kept.append(batch)
        if kept.count > keeps { try flush(to: output) }
    }

    func advance(to milliseconds: Int64, to output: any Output) throws(StreamError) {
        watermarks.append(milliseconds)
        try flush(to: output)
        try output.emitWatermark(milliseconds)
    }

    func flush(to output: any Output) throws(StreamError) {
        for batch in kept { try output.emit(batch) }
        kept = []
    }

    func snapshot() throws(StreamError) -> OperatorSnapshot { OperatorSnapshot(uid: uid, keyed: Counts(counts: counts)) }
    func restore(_ state: TaskRestore.OperatorState) throws(StreamError) {}
    var stateBytes: Int { counts.count * 16 }
    var largestKeyGroup: Int? { 7 }
}

/// Fails at the first row whose key is `key`.
final class FailingOperator: Operator {
    private let key: Int64
    init(on key: Int64) { self.key = key }

    func process(_ batch: Batch, to output: any Output) throws(StreamError) {
        if rows(batch).contains(where: { $0.key == key }) { throw StreamError(.user, retry: false, "key \(key)") }
        try output.emit(batch)
    }

    func snapshot() throws(StreamError) -> OperatorSnapshot { OperatorSnapshot(uid: "fail") }
    func restore(_ state: TaskRestore.OperatorState) throws(StreamError) {}
}

/// Reads splits whose payload is a row count; row n of split "s" is `make(s, n)`. The position is the number of rows read.
final class ListReader: SourceReader {
    private let make: (String, Int) -> Row
    private let most: Int
    private var splits: [(split: Split, next: Int, count: Int)] = []
    private(set) var isClosed = false
    var readsSideBySide = false
    /// Splits come after one another: those that end are said to hold their place.
    var hasFollowers = false
    /// Splits do not end by themselves: after their rows there is nothing for now.
    private let isUnbounded: Bool

    init(most: Int = 4, isUnbounded: Bool = false, _ make: @escaping (String, Int) -> Row) {
        self.make = make
        self.most = most
        self.isUnbounded = isUnbounded
    }

    func add(_ states: [SplitState]) throws(StreamError) {
        for state in states {
            splits.append((state.split, state.position.isEmpty ? 0 : position(state), Int(state.split.payload[0])))
        }
    }

    func poll(maximumRows: Int, at now: Now) throws(StreamError) -> SourcePoll {
        guard let first = splits.first else { return .needsSplits }
        if first.next == first.count {
            if isUnbounded { return .nothing(until: nil) }
            splits.removeFirst()
            if hasFollowers { return .splitEnded(SplitState(split: first.split, position: Array(String(first.next).utf8))) }
            return .splitFinished(first.split.id)
        }
        let end = min(first.count, first.next + min(most, maximumRows))
        splits[0].next = end
        return .batch(batch((first.next..<end).map { make(first.split.id, $0) }), split: first.split.id)
    }

    func snapshot() throws(StreamError) -> [SplitState] {
        splits.map { SplitState(split: $0.split, position: Array(String($0.next).utf8)) }
    }

    func close() { isClosed = true }
}

func split(_ id: String, rows: Int, after: [String] = []) -> SplitState {
    SplitState(split: Split(id: id, label: id, payload: [UInt8(rows)], after: after))
}
func position(_ state: SplitState) -> Int { Int(String(decoding: state.position, as: UTF8.self)) ?? 0 }

/// Keeps what is written; one committable a barrier with the number of rows.
final class ListWriter: SinkWriter {
    private(set) var written: [Row] = []
    private(set) var ticks: [Instant] = []
    private(set) var isClosed = false
    private(set) var last: [CheckpointID] = []
    /// What finishing a prepared commit comes to.
    private let failing = Failing()
    var failure: StreamError? {
        get { failing.error }
        set { failing.error = newValue }
    }

    private final class Failing: @unchecked Sendable { var error: StreamError? }

    func write(_ batch: Batch, at now: Now) throws(StreamError) { written += rows(batch) }

    func tick(at now: Now) throws(StreamError) -> Instant? {
        ticks.append(now.instant)
        return nil
    }

    func prepareCommit(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) throws(StreamError) -> PreparedCommit {
        if isLast { last.append(checkpoint) }
        let content = PreparedCommit.Content([Committable(id: "c\(checkpoint)", payload: [])], unit: Array(String(written.count).utf8))
        return PreparedCommit { [failing] () throws(StreamError) in
            if let failure = failing.error { throw failure }
            return content.committables
        } unit: { () throws(StreamError) in content.unit }
    }

    func close() { isClosed = true }
}

/// The watermark of a row is its time less `delay`.
func watermarks(delay: Int64) -> TaskChain.Source.Watermarks {
    { (batch, now) throws(StreamError) in Column.of(DataType(.timestamp(3)), rows(batch).map { .integer($0.time - delay) }) }
}

/// What a task sent, in words that tests compare.
func words(_ effects: [TaskEffect]) -> [String] {
    effects.map { effect in
        switch effect {
        case .send(let channel, let sequence, let element): "\(channel.from)→\(channel.to) #\(sequence) \(word(element))"
        case .credit(let channel, let batches): "credit \(channel.from)→\(channel.to) \(batches)"
        case .snapshot(let checkpoint, _): "snapshot \(checkpoint)"
        case .needsSplits: "needsSplits"
        case .splitFinished(let split): "finished \(split)"
        case .copied(let layout): "copied \(layout)"
        case .handOver(_, let departure, let layout, _): "hands \(departure.groups) to \(departure.to.subtask)#\(departure.to.attempt) in layout \(layout)"
        case .settled(let layout): "settled \(layout)"
        case .ended: "ended"
        case .failed(let error): "failed \(error)"
        }
    }
}

func word(_ element: StreamElement) -> String {
    switch element {
    case .batch(let batch): "rows " + rows(batch).map { "\($0.key)@\($0.time)" }.joined(separator: " ")
    case .watermark(Watermark.maximum): "watermark max"
    case .watermark(let milliseconds): "watermark \(milliseconds)"
    case .barrier(let barrier): "barrier \(barrier.checkpoint)"
    case .idle: "idle"
    case .active: "active"
    case .end: "end"
    }
}
