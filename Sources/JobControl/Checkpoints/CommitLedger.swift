import Dataflow

/// Committables of checkpoints that HEAD names, until a worker says that they are carried out.
///
/// Asks again, with growing pauses, until each is acknowledged; committing twice is harmless, forgetting once is not.
package struct CommitLedger: Sendable {
    package struct Entry: Hashable, Sendable {
        package var vertex: Int
        /// The sink subtask that made it, where known.
        package var subtask: Int?
        package var checkpoint: CheckpointID
        package var committable: Committable
    }

    /// One `commit` message.
    package struct Order: Hashable, Sendable {
        package var worker: WorkerID
        package var checkpoint: CheckpointID
        package var commits: [Manifest.PendingCommit]
    }

    private var entries: [String: Entry] = [:]
    /// Ids that were never sent to the running attempt.
    private var fresh: Set<String> = []
    private var backoff = Backoff(first: .seconds(1), maximum: .seconds(30))
    private var nextRepeat: Instant?
    /// Since when commits of a checkpoint fail; it ends with the last of its entries.
    private var failing: [CheckpointID: Instant] = [:]

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }
    package var count: Int { entries.count }

    /// Ordered by checkpoint, then id.
    package var all: [Entry] { entries.values.sorted { ($0.checkpoint, $0.committable.id) < ($1.checkpoint, $1.committable.id) } }

    package var pending: [Manifest.PendingCommit] { all.map { Manifest.PendingCommit(vertex: $0.vertex, committable: $0.committable) } }

    /// One that is already known keeps its checkpoint.
    package mutating func add(_ new: [Entry]) {
        for entry in new where entries[entry.committable.id] == nil {
            entries[entry.committable.id] = entry
            fresh.insert(entry.committable.id)
        }
    }

    package mutating func removeAll() { self = CommitLedger() }

    /// Another attempt runs: it has been asked for nothing yet.
    package mutating func restarted() {
        fresh = Set(entries.keys)
        failing = [:]
        backoff.reset()
        nextRepeat = nil
    }

    package mutating func committed(_ ids: [String]) {
        for id in ids {
            if entries.removeValue(forKey: id) != nil { backoff.reset() }
            fresh.remove(id)
        }
        if entries.isEmpty { nextRepeat = nil }
        if !failing.isEmpty { failing = failing.filter { failure in entries.values.contains { $0.checkpoint == failure.key } } }
    }

    /// A commit of this checkpoint failed. Answers for how long its commits have been failing in this attempt.
    package mutating func failed(_ checkpoint: CheckpointID, at now: Instant) -> Duration {
        let since = failing[checkpoint] ?? now
        failing[checkpoint] = since
        return now - since
    }

    /// What to ask for now. `holder` gives the worker for an entry; nil: nobody can carry it out now, it stays.
    package mutating func due(at now: Instant, holder: (Entry) -> WorkerID?) -> [Order] {
        guard !entries.isEmpty else { return [] }
        let repeats = nextRepeat.map { $0 <= now } ?? false
        guard repeats || !fresh.isEmpty else { return [] }
        var orders: [Order] = []
        var places: [WorkerID: [CheckpointID: Int]] = [:]
        for entry in all where repeats || fresh.contains(entry.committable.id) {
            guard let worker = holder(entry) else { continue }
            fresh.remove(entry.committable.id)
            let commit = Manifest.PendingCommit(vertex: entry.vertex, committable: entry.committable)
            if let place = places[worker]?[entry.checkpoint] {
                orders[place].commits.append(commit)
            } else {
                places[worker, default: [:]][entry.checkpoint] = orders.count
                orders.append(Order(worker: worker, checkpoint: entry.checkpoint, commits: [commit]))
            }
        }
        if repeats || nextRepeat == nil { nextRepeat = now + backoff.next() }
        return orders
    }

    /// Who was asked may not answer any more: ask others at once.
    package mutating func workerLost() { fresh = Set(entries.keys) }

    package var deadline: Instant? { entries.isEmpty ? nil : nextRepeat }

    package func checkInvariants() {
        precondition(fresh.allSatisfy { entries[$0] != nil }, "only what is owed is asked for")
        precondition(entries.isEmpty || !fresh.isEmpty || nextRepeat != nil, "what was asked for is asked for again")
    }
}
