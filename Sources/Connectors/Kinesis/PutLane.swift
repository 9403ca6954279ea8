import AWS
import Dataflow
import Synchronization

/// Puts records in their order, one request at a time: what a request leaves out goes in front of the next.
package final class PutLane: Sendable {
    package struct Limits: Sendable {
        /// Of one request.
        package var records = KinesisEntry.maximumInRequest
        package var bytes = KinesisEntry.maximumRequestBytes
        /// Records that wait; beyond, `hasRoom` is false.
        package var buffered = 10_000
        /// Records of a key that was refused are put again from the first refused one on.
        package var keepsOrder: Bool
        /// A refused record fails the job instead of being put again.
        package var failsOnError = false

        package init(keepsOrder: Bool) { self.keepsOrder = keepsOrder }
    }

    /// Puts one request's records; for each why it was refused, or nil.
    package typealias Put = @Sendable ([KinesisEntry]) async throws(StreamError) -> [String?]

    private struct State {
        var waiting: [KinesisEntry] = []
        var first = 0
        /// Counts of records ever added, and put.
        var added = 0
        var done = 0
        /// Everything up to here goes without waiting for a full request.
        var flushed = 0
        var isPutting = false
        var isClosed = false
        var refusals = 0
        var failure: StreamError?
        var waiters: [(until: Condition, resume: CheckedContinuation<Void, Never>)] = []
    }

    private enum Condition {
        case room
        case done(Int)
    }

    private let state = Mutex(State())
    private let limits: Limits
    private let put: Put
    private let pause: @Sendable (Int) async -> Void

    /// `pause`: after so many requests in a row that brought nothing, or one that was refused in part.
    package init(
        _ limits: Limits, pause: @escaping @Sendable (Int) async -> Void = { try? await Task.sleep(for: .milliseconds(100) * (1 << min($0, 6)) * Double.random(in: 0.1...1)) },
        put: @escaping Put
    ) { (self.limits, self.pause, self.put) = (limits, pause, put) }

    // MARK: The writer

    package func add(_ entries: [KinesisEntry]) {
        startIfDue { state in
            state.waiting += entries
            state.added += entries.count
        }
    }

    /// Puts all that waits. Answers what to wait for with `finished`.
    package func flush() -> Int {
        startIfDue { $0.flushed = $0.added }
        return state.withLock { $0.added }
    }

    package var failure: StreamError? { state.withLock { $0.failure } }
    package var hasRoom: Bool { state.withLock { isMet(.room, $0) && $0.failure == nil } }

    package func room() async throws(StreamError) { try await wait(.room) }
    package func finished(through count: Int) async throws(StreamError) { try await wait(.done(count)) }

    package func close() { settle { $0.isClosed = true } }

    private func isMet(_ condition: Condition, _ state: State) -> Bool {
        switch condition {
        case .room: state.waiting.count - state.first < limits.buffered
        case .done(let count): state.done >= count
        }
    }

    private func wait(_ condition: Condition) async throws(StreamError) {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOver: Bool = state.withLock { state in
                if state.failure != nil || state.isClosed || isMet(condition, state) { return true }
                state.waiters.append((condition, continuation))
                return false
            }
            if isOver { continuation.resume() }
        }
        if let failure { throw failure }
        if !state.withLock({ isMet(condition, $0) }) { throw StreamError(.internal, retry: true, "the writer was closed before its records were put") }
    }

    // MARK: Putting

    private func startIfDue(_ change: (inout State) -> Void) {
        let isDue: Bool = state.withLock { state in
            change(&state)
            guard !state.isPutting, !state.isClosed, state.failure == nil, self.isDue(state) else { return false }
            state.isPutting = true
            return true
        }
        if isDue { Task.detached { [self] in await run() } }
    }

    /// A full request waits, or what is to be flushed.
    private func isDue(_ state: State) -> Bool {
        let count = state.waiting.count - state.first
        guard count > 0 else { return false }
        return count >= limits.records || state.done < state.flushed || state.waiting[state.first...].prefix(limits.records).reduce(0) { $0 + $1.bytes } >= limits.bytes
    }

    private func run() async {
        while let entries = nextRequest() {
            let refused: [String?]
            do throws(StreamError) { refused = try await put(entries) } catch {
                return settle { state in
                    state.failure = error
                    state.isPutting = false
                }
            }
            let again = PutLane.again(entries, refused, keepsOrder: limits.keepsOrder)
            if limits.failsOnError, let reason = refused.compactMap(\.self).first {
                return settle { state in
                    state.failure = StreamError(.externalSystem, retry: true, "a record was refused: \(reason)")
                    state.isPutting = false
                }
            }
            let refusals = settle { state in
                state.done += entries.count - again.count
                state.waiting.insert(contentsOf: again, at: state.first)
                state.refusals = again.isEmpty ? 0 : again.count < entries.count ? 1 : state.refusals + 1
                return state.refusals
            }
            if refusals > 0 { await pause(refusals) }
        }
    }

    private func nextRequest() -> [KinesisEntry]? {
        settle { state in
            guard !state.isClosed, isDue(state) else {
                state.isPutting = false
                return nil
            }
            var end = state.first
            var bytes = 0
            while end < state.waiting.count, end - state.first < limits.records {
                bytes += state.waiting[end].bytes
                if bytes > limits.bytes, end > state.first { break }
                end += 1
            }
            let entries = Array(state.waiting[state.first..<end])
            state.first = end
            if state.first == state.waiting.count || state.first > 4096 {
                state.waiting.removeFirst(state.first)
                state.first = 0
            }
            return entries
        }
    }

    @discardableResult private func settle<Answer>(_ change: (inout State) -> Answer) -> Answer where Answer: Sendable {
        let (answer, met) = state.withLock { state in
            let answer = change(&state)
            var met: [CheckedContinuation<Void, Never>] = []
            let isOver = state.failure != nil || state.isClosed
            for waiter in state.waiters where isOver || isMet(waiter.until, state) { met.append(waiter.resume) }
            if !met.isEmpty { state.waiters = state.waiters.filter { !isOver && !isMet($0.until, state) } }
            return (answer, met)
        }
        for continuation in met { continuation.resume() }
        return answer
    }

    /// What has to be put again, in order: the refused ones, and where order counts all of their keys behind them.
    static func again(_ entries: [KinesisEntry], _ refused: [String?], keepsOrder: Bool) -> [KinesisEntry] {
        var held: Set<String> = []
        return zip(entries, refused).compactMap { entry, reason in
            if reason != nil { held.insert(entry.partitionKey) } else if !keepsOrder || !held.contains(entry.partitionKey) { return nil }
            return entry
        }
    }
}
