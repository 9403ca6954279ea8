import Dataflow
import Wire

/// Decides when a checkpoint is taken, gathers its parts, and knows what became of it.
///
/// One is pending at a time; what clients ask for waits and goes before the periodic ones. Promise: complete = every worker of the layout
/// acknowledged all its subtasks, the manifest is durable, HEAD names it; in this order. Ids rise and are never used twice: HEAD reserves
/// them ahead. A failed, declined or expired one counts against `tolerable-failed-checkpoints` (in a row; 0: the first one restarts the job).
package struct CheckpointCoordinator: Sendable {
    /// A checkpoint that is wished for.
    package struct Wish: Hashable, Sendable {
        package var kind: CheckpointKind
        /// Where a savepoint goes.
        package var directory: String?
        package var tickets: [Ticket]
    }

    package enum Step: Hashable, Sendable {
        case collecting
        /// The manifest is being put; read again after an unknown outcome; waiting to put it again.
        case storing(Ticket)
        case checking(Ticket)
        case pausing(until: Instant)
        /// HEAD is being changed. From here on it cannot be aborted.
        case publishing(change: Int)
    }

    package struct Pending: Sendable {
        package var id: CheckpointID
        package var wish: Wish
        package var layout: Layout
        package var triggered: Instant
        package var triggeredWall: Int64
        /// The store of everything this checkpoint writes; nil: the memory store, or rather the job's own.
        package var store: String?
        package var folder: String
        package var enumerators: [Manifest.Enumerator]
        /// Splits that readers held at the trigger, by source vertex.
        package var outstanding: [Int: Set<String>]
        package var awaited: Set<WorkerID>
        package var acknowledged: [Acknowledgement] = []
        package var step = Step.collecting
        package var manifest: Manifest?
        package var bytes: [UInt8] = []
        /// It ends a change of the layout: its manifest is put until that succeeds, or its time is over.
        package var isInsistent = false

        package var manifestKey: String { "\(folder)/_metadata" }
        package var kind: CheckpointKind { wish.kind }
        /// A user waits for it.
        package var isAskedFor: Bool { kind.isSavepoint || !wish.tickets.isEmpty }
        package var objects: [Manifest.StateObject] { acknowledged.compactMap(\.object) }
        /// As in `CheckpointRecord`.
        package var stateBytes: Int64 { acknowledged.flatMap(\.tasks).reduce(0) { $0 + $1.stateBytes } }
    }

    package enum Acknowledged: Hashable, Sendable {
        case waiting
        case complete
        /// Of a checkpoint that was aborted: these keys of that store are garbage.
        case late(store: String?, keys: [String])
        /// Of one that is complete, or of nothing known.
        case ignored
        case wrong(String)
    }

    package enum Stored: Hashable, Sendable {
        /// The ticket is not this coordinator's.
        case notMine
        case durable
        case store(StoreRequest)
        case waiting
        case failed(String)
        /// The put of an aborted checkpoint's manifest came to its end: it may be there.
        case leftover(store: String?, key: String)
    }

    /// What must be told and cleaned after a checkpoint failed.
    package struct Aborted: Hashable, Sendable {
        package var id: CheckpointID
        package var wish: Wish
        package var store: String?
        package var garbage: [String]
        package var reason: String
    }

    static let reserve: CheckpointID = 16
    private static let manifestTries = 5

    private let job: JobID
    private let options: JobOptions
    private(set) var pending: Pending?
    private(set) var wishes: [Wish] = []
    private(set) var nextID: CheckpointID = 1
    private var nextTrigger: Instant?
    private var nextFinal: Instant = .zero
    private(set) var failuresInARow = 0
    private var tries = 0
    private var backoff = Backoff(first: .milliseconds(100), maximum: .seconds(10))
    /// Aborted ones whose parts may still come in, with their stores.
    private var aborted: [(id: CheckpointID, store: String?)] = []
    private var orphanedPuts: [Ticket: (store: String?, key: String)] = [:]

    private(set) var counts = CheckpointCounts()
    private(set) var history: [CheckpointRecord] = []
    /// What has left the history: of each ending the newest alone.
    private(set) var older: [CheckpointRecord] = []

    package init(job: JobID, options: JobOptions) {
        self.job = job
        self.options = options
    }

    // MARK: When

    /// Ids start above everything that HEAD or a restored checkpoint has used.
    package mutating func skip(through id: CheckpointID) { nextID = max(nextID, id + 1) }

    /// All tasks run: the interval starts.
    package mutating func started(at now: Instant) {
        nextTrigger = options.checkpointInterval.map { now + $0 }
        nextFinal = now
    }

    /// How long the newest complete one took; zero before the first.
    package var lastDuration: Duration {
        .milliseconds(history.last { $0.status == .completed }?.durationMilliseconds ?? 0)
    }

    package mutating func pause() { nextTrigger = nil }

    /// Where checkpoints are taken, the next is due as soon as it may be: what the job would recover from now is the user's, who may delete it; or
    /// something waits for it.
    package mutating func hasten(at now: Instant) { nextTrigger = nextTrigger.map { min($0, now + options.minimumPause) } }

    package mutating func wish(_ wish: Wish) { wishes.append(wish) }

    /// The tickets of wishes that will not be granted.
    package mutating func dropWishes() -> [Ticket] {
        defer { wishes = [] }
        return wishes.flatMap(\.tickets)
    }

    /// What to trigger now. `allEnded`: the sources have nothing more, one last checkpoint is due.
    package mutating func due(at now: Instant, allEnded: Bool) -> Wish? {
        guard pending == nil else { return nil }
        if !wishes.isEmpty { return wishes[0] }
        if allEnded { return nextFinal <= now ? Wish(kind: .final, directory: nil, tickets: []) : nil }
        if let nextTrigger, nextTrigger <= now { return Wish(kind: .checkpoint, directory: nil, tickets: []) }
        return nil
    }

    package func deadline(allEnded: Bool) -> Instant? {
        guard let pending else { return allEnded ? nextFinal : nextTrigger }
        switch pending.step {
        case .collecting, .storing, .checking: return pending.triggered + options.checkpointTimeout
        case .pausing(let until): return min(until, pending.triggered + options.checkpointTimeout)
        case .publishing: return nil
        }
    }

    // MARK: One checkpoint

    package mutating func trigger(
        _ wish: Wish, layout: Layout, enumerators: [Manifest.Enumerator], outstanding: [Int: Set<String>], at now: Now, draw: inout Draw
    ) -> Pending {
        precondition(pending == nil, "one checkpoint at a time")
        if wishes.first == wish { wishes.removeFirst() }
        let id = nextID
        nextID += 1
        var folder = "\(job)/chk-\(id)"
        if wish.kind.isSavepoint { folder = "savepoint-\(job.description.prefix(6))-\(hex(draw.nonce()).prefix(12))" }
        let pending = Pending(
            id: id, wish: wish, layout: layout, triggered: now.instant, triggeredWall: now.wallMilliseconds,
            store: wish.kind.isSavepoint ? wish.directory : options.checkpointDirectory, folder: folder, enumerators: enumerators,
            outstanding: outstanding, awaited: Set(layout.workers))
        self.pending = pending
        tries = 0
        backoff.reset()
        if let interval = options.checkpointInterval { nextTrigger = now.instant + interval }
        counts.triggered += 1
        counts.inProgress = 1
        history.append(CheckpointRecord(id: id, kind: wish.kind, triggered: now.wallMilliseconds, subtasks: layout.subtaskCount))
        if history.count > options.checkpointHistory {
            let leaving = history.removeFirst()
            older.removeAll { $0.ending == leaving.ending }
            older.append(leaving)
        }
        return pending
    }

    package mutating func acknowledge(_ acknowledgement: Acknowledgement, from worker: WorkerID, at now: Now) -> Acknowledged {
        guard let current = pending, current.id == acknowledgement.checkpoint, current.layout.attempt == acknowledgement.attempt else {
            guard let place = aborted.first(where: { $0.id == acknowledgement.checkpoint }), let object = acknowledgement.object else {
                return .ignored
            }
            return .late(store: place.store, keys: [object.key])
        }
        guard current.step == .collecting, current.awaited.contains(worker) else { return .ignored }
        let expected = Set(current.layout.subtasks(on: worker))
        guard Set(acknowledgement.tasks.map(\.share.subtask)) == expected, acknowledgement.tasks.count == expected.count else {
            return .wrong("TaskManager \(worker) acknowledged checkpoint \(current.id) for other subtasks than it runs")
        }
        pending!.awaited.remove(worker)
        pending!.acknowledged.append(acknowledgement)
        note(current.id) { record in
            for task in acknowledgement.tasks {
                record.tasks.append(CheckpointRecord.Task(task, triggered: record.triggered, acknowledged: now.wallMilliseconds))
            }
        }
        guard pending!.awaited.isEmpty else { return .waiting }
        for (vertex, splits) in current.outstanding.sorted(by: { $0.key < $1.key }) {
            var shown: Set<String> = []
            for task in pending!.acknowledged.flatMap(\.tasks) where task.share.subtask.vertex == vertex {
                shown.formUnion(task.share.splits.map(\.split.id))
                shown.formUnion(task.share.finishedSplits)
            }
            if let lost = splits.subtracting(shown).min() { return .wrong("split \(lost) was handed to a reader, and no snapshot shows it") }
        }
        return .complete
    }

    /// All parts are there: the manifest is to be stored.
    package mutating func store(_ manifest: Manifest, ticket: Ticket) -> StoreRequest {
        pending!.manifest = manifest
        pending!.bytes = SealedJSON.encode(manifest)
        return put(ticket)
    }

    private mutating func put(_ ticket: Ticket) -> StoreRequest {
        tries += 1
        pending!.step = .storing(ticket)
        return .put(key: pending!.manifestKey, pending!.bytes, .ifNoneMatch)
    }

    /// `next`: the ticket of the request in the answer, if there is one.
    package mutating func stored(_ ticket: Ticket, _ answer: StoreAnswer, next: Ticket, at now: Instant) -> Stored {
        if let orphan = orphanedPuts.removeValue(forKey: ticket) { return .leftover(store: orphan.store, key: orphan.key) }
        guard let current = pending else { return .notMine }
        switch (current.step, answer) {
        case (.storing(ticket), .put):
            return .durable
        case (.storing(ticket), .conflict), (.storing(ticket), .failed(_, mayHaveHappened: true)):
            pending!.step = .checking(next)
            return .store(.get(key: current.manifestKey))
        case (.storing(ticket), .failed(let reason, mayHaveHappened: false)), (.checking(ticket), .failed(let reason, _)),
            (.storing(ticket), .refused(let reason)), (.checking(ticket), .refused(let reason)):
            guard tries < Self.manifestTries || current.isInsistent else { return .failed("its manifest cannot be stored: \(reason)") }
            pending!.step = .pausing(until: now + backoff.next())
            return .waiting
        case (.checking(ticket), .got(let bytes, _)):
            return bytes == current.bytes ? .durable : .failed("\(current.manifestKey) exists and belongs to something else")
        case (.checking(ticket), .notFound):
            guard tries < Self.manifestTries || current.isInsistent else { return .failed("its manifest cannot be stored: outcome unknown \(tries) times") }
            pending!.step = .pausing(until: now + backoff.next())
            return .waiting
        case (.storing(ticket), .got), (.storing(ticket), .listed), (.storing(ticket), .deleted), (.storing(ticket), .notFound),
            (.checking(ticket), .put), (.checking(ticket), .listed), (.checking(ticket), .deleted), (.checking(ticket), .conflict):
            preconditionFailure("a store answers what it was asked")
        case (.collecting, _), (.storing, _), (.checking, _), (.pausing, _), (.publishing, _):
            return .notMine
        }
    }

    /// The manifest is to be put again after a pause.
    package mutating func retryStore(at now: Instant, ticket: Ticket) -> StoreRequest? {
        guard case .pausing(let until)? = pending?.step, until <= now else { return nil }
        return put(ticket)
    }

    package mutating func insist() { pending?.isInsistent = true }

    package mutating func publishing(change: Int) { pending!.step = .publishing(change: change) }

    package var isPublishing: Bool {
        if case .publishing? = pending?.step { return true }
        return false
    }

    /// HEAD has all changes up to `change`. Answers the checkpoint that is complete with it.
    package mutating func published(through change: Int, at now: Now) -> Pending? {
        guard let done = pending, case .publishing(let mine) = done.step, mine <= change else { return nil }
        pending = nil
        failuresInARow = 0
        rest(at: now.instant)
        counts.completed += 1
        counts.inProgress = 0
        if done.kind.isSavepoint { counts.savepoints += 1 }
        let path = path(of: done)
        note(done.id) {
            $0.status = .completed
            $0.ended = now.wallMilliseconds
            $0.durationMilliseconds = (now.instant - done.triggered).milliseconds
            $0.path = path
        }
        return done
    }

    package func isExpired(at now: Instant) -> Bool {
        guard let pending else { return false }
        switch pending.step {
        case .collecting, .storing, .checking, .pausing: return now - pending.triggered >= options.checkpointTimeout
        case .publishing: return false
        }
    }

    /// Nil when nothing is pending, or what is pending cannot be taken back. `counts`: whether it is the checkpoint's own failure.
    package mutating func abort(_ reason: String, counts isFailure: Bool, at now: Now) -> Aborted? {
        guard let current = pending, !isPublishing else { return nil }
        if isFailure { failuresInARow += 1 }
        counts.failed += 1
        note(current.id) {
            $0.status = .failed
            $0.ended = now.wallMilliseconds
            $0.durationMilliseconds = (now.instant - current.triggered).milliseconds
            $0.failure = reason
        }
        return takeBack(current, reason, at: now)
    }

    /// Something more urgent takes its place, and nothing is wrong with it: nobody is alarmed, it counts as if it had never been begun.
    package mutating func giveUp(_ reason: String, at now: Now) -> Aborted? {
        guard let current = pending, !isPublishing else { return nil }
        counts.triggered -= 1
        history.removeAll { $0.id == current.id }
        return takeBack(current, reason, at: now)
    }

    private mutating func takeBack(_ current: Pending, _ reason: String, at now: Now) -> Aborted {
        var garbage = current.objects.map(\.key)
        switch current.step {
        case .storing(let ticket), .checking(let ticket): orphanedPuts[ticket] = (current.store, current.manifestKey)
        case .pausing: garbage.append(current.manifestKey)
        case .collecting: break
        case .publishing: preconditionFailure("what HEAD may name is not taken back")
        }
        pending = nil
        aborted.append((current.id, current.store))
        if aborted.count > 64 { aborted.removeFirst() }
        rest(at: now.instant)
        counts.inProgress = 0
        return Aborted(id: current.id, wish: current.wish, store: current.store, garbage: garbage, reason: reason)
    }

    package var tooManyFailures: Bool { failuresInARow > options.tolerableFailedCheckpoints }
    package mutating func forgetFailures() { failuresInARow = 0 }
    package mutating func restored() { counts.restored += 1 }

    package mutating func discarded(_ ids: Set<CheckpointID>) {
        for index in history.indices where ids.contains(history[index].id) { history[index].isDiscarded = true }
        for index in older.indices where ids.contains(older[index].id) { older[index].isDiscarded = true }
    }

    package func path(of checkpoint: Pending) -> String {
        let root = checkpoint.store ?? "memory:"
        return (root.hasSuffix("/") ? root : root + "/") + checkpoint.folder
    }

    private mutating func rest(at now: Instant) {
        if let due = nextTrigger { nextTrigger = max(due, now + options.minimumPause) }
        nextFinal = now + .seconds(1)
    }

    private mutating func note(_ id: CheckpointID, _ body: (inout CheckpointRecord) -> Void) {
        if let index = history.lastIndex(where: { $0.id == id }) { body(&history[index]) }
    }

    package func checkInvariants() {
        if let pending {
            precondition(pending.id < nextID, "ids rise")
            precondition(pending.step == .collecting || pending.awaited.isEmpty, "a manifest is stored when all acknowledged")
            precondition(!aborted.contains { $0.id == pending.id }, "what was aborted is never completed")
        }
    }
}
