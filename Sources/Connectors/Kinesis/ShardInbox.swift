import AWS
import Dataflow
import Synchronization

/// Between the fetchers of a reader's shards and the task that reads: decoded records wait here, bounded in bytes however many shards there are.
package final class ShardInbox: Sendable {
    package enum Item: Sendable {
        case records(shard: String, RecordBlock)
        /// Everything of it was put in.
        case ended(shard: String)
        case failed(StreamError)
    }

    struct Counts: Sendable {
        var throttled: Int64 = 0
        var expiredIterators: Int64 = 0
        /// Shards of which records were gone before they were read.
        var trimmedShards: Int64 = 0
        var kinesisRecords: Int64 = 0
        /// User records in aggregates that other shards' readers read.
        var elsewhere: Int64 = 0
    }

    private struct State {
        var items: [Item] = []
        var first = 0
        var bytes = 0
        var fetches = 0
        var isClosed = false
        var waiting: [(countsAsFetch: Bool, resume: CheckedContinuation<Bool, Never>)] = []
        /// Shards for which it was told that records belong to others.
        var elsewhere: Set<String> = []
        var lags: [String: Int64] = [:]
        var counts = Counts()
    }

    private let state = Mutex(State())
    private let maximumBytes: Int
    private let maximumFetches: Int
    private let wake: @Sendable () -> Void
    let warn: @Sendable (String) -> Void

    init(maximumBytes: Int, maximumFetches: Int, wake: @escaping @Sendable () -> Void, warn: @escaping @Sendable (String) -> Void) {
        (self.maximumBytes, self.maximumFetches, self.wake, self.warn) = (maximumBytes, maximumFetches, wake, warn)
    }

    // MARK: Fetchers

    /// Waits for room. A fetch has to `leave`; false: nobody reads any more.
    func enter(isFetch: Bool = true) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer: Bool? = state.withLock { state in
                if state.isClosed { return false }
                if admits(&state, isFetch) { return true }
                state.waiting.append((isFetch, continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    func leave() { admitMore { $0.fetches -= 1 } }

    package func put(_ item: Item) {
        let wasEmpty = state.withLock { state in
            if state.isClosed { return false }
            if case .records(_, let block) = item {
                state.bytes += block.bytes
                state.counts.kinesisRecords += Int64(block.kinesisRecords)
            }
            if case .ended(let shard) = item { state.lags[shard] = nil }
            state.items.append(item)
            return state.items.count == state.first + 1
        }
        if wasEmpty { wake() }
    }

    func behind(_ shard: String, _ milliseconds: Int64) { state.withLock { if !$0.isClosed { $0.lags[shard] = milliseconds } } }
    func count(_ body: @Sendable (inout Counts) -> Void) { state.withLock { body(&$0.counts) } }

    /// Records were gone before they were read: counted, and told.
    func trimmed(_ words: String) {
        count { $0.trimmedShards += 1 }
        warn(words)
    }

    /// User records were left out since their hash keys are those of other shards: told once a shard.
    func belongElsewhere(_ shard: String, _ count: Int, _ name: String) {
        let isFirst = state.withLock { state in
            state.counts.elsewhere += Int64(count)
            return state.elsewhere.insert(shard).inserted
        }
        if isFirst {
            warn("\(name): an aggregated record holds \(count) user record(s) whose hash keys belong to other shards; they are left out, since the producer library "
                + "puts them again (after a reshard). A producer that does not put them again must not aggregate them")
        }
    }

    private func admits(_ state: inout State, _ isFetch: Bool) -> Bool {
        guard state.bytes < maximumBytes, !isFetch || state.fetches < maximumFetches else { return false }
        if isFetch { state.fetches += 1 }
        return true
    }

    private func admitMore(_ change: (inout State) -> Void) {
        let admitted = state.withLock { state in
            change(&state)
            var admitted: [CheckedContinuation<Bool, Never>] = []
            // In the order of coming, so that every shard has its turn.
            while let next = state.waiting.first, admits(&state, next.countsAsFetch) { admitted.append(state.waiting.removeFirst().resume) }
            return admitted
        }
        for waiter in admitted { waiter.resume(returning: true) }
    }

    // MARK: The task

    func take() -> Item? {
        state.withLock { state in
            guard state.first < state.items.count else { return nil }
            let item = state.items[state.first]
            state.first += 1
            if state.first == state.items.count || state.first > 64 {
                state.items.removeFirst(state.first)
                state.first = 0
            }
            return item
        }
    }

    /// A block's rows were all given.
    func release(_ block: RecordBlock) {
        let bytes = block.bytes
        admitMore { $0.bytes -= bytes }
    }

    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            state.items = []
            state.first = 0
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.resume.resume(returning: false) }
    }

    var figures: (counts: Counts, behind: Int64?, bytes: Int) { state.withLock { ($0.counts, $0.lags.values.max(), $0.bytes) } }
}
