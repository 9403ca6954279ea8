import Dataflow

/// What happened to TaskManagers and to the layouts of jobs since this JobManager began: for people, REST and scrapes. Decides nothing.
package struct ClusterHistory: Sendable {
    package struct Entry: Hashable, Sendable {
        /// From 1, without gaps: who asks again asks for what is above the last one seen.
        package var number: Int
        /// Milliseconds since the epoch.
        package var at: Int64
        package var what: Happening
    }

    package enum Happening: Hashable, Sendable {
        case joined(WorkerID, slots: Int)
        /// It said that it goes: a notice, SIGTERM, or somebody asked for it. `until`: when it goes in any case, milliseconds since the epoch;
        /// nil when it stays, empty.
        case leaving(WorkerID, reason: String, until: Int64?)
        /// `afterMilliseconds`: since it said that it goes; nil when it said nothing: it was lost.
        case left(WorkerID, reason: String, afterMilliseconds: Int64?)
        case changed(Change)
    }

    /// Why a layout changes.
    package enum Cause: String, Hashable, Sendable {
        /// Somebody leaves.
        case evacuation
        /// There are more or fewer slots.
        case slots
        case requested
    }

    /// A planned change of a job's layout, from its plan to its end. Times are milliseconds since the plan.
    package struct Change: Hashable, Sendable {
        package enum Outcome: String, Hashable, Sendable {
            case running = "IN_PROGRESS", completed = "COMPLETED"
            /// Something else went wrong meanwhile, and the job recovered from its newest checkpoint.
            case recovered = "RECOVERED"
            /// It was dropped before its barrier: nothing had changed.
            case withdrawn = "WITHDRAWN"
        }

        package var job: JobID
        /// When it was planned, milliseconds since the epoch.
        package var started: Int64
        package var cause: Cause
        package var reason: String
        package var layout: LayoutEpoch
        /// Of each vertex.
        package var from: [Int]
        package var to: [Int]
        package var begun: Int
        package var retired: Int
        /// Key groups that have another owner, over all vertices that keep state by key, and how many there are.
        package var movedGroups: Int
        package var groups: Int
        /// State that went to other tasks: all of it, and what of that went ahead of the barrier.
        package var movedBytes: Int64 = 0
        package var copiedBytes: Int64 = 0
        package var slots: (from: Int, to: Int) { (usedSlots[0], usedSlots[1]) }
        /// Before and after.
        private var usedSlots: [Int]
        /// Those that had tasks before, and those that have them after it.
        package var workersBefore: [WorkerID]
        package var workersAfter: [WorkerID]
        package var outcome = Outcome.running
        /// Until the barrier was injected: everything that begins stood and the new channels were open.
        package var injected: Int64?
        package var ended: Int64?

        init(_ plan: LayoutChange, cause: Cause, reason: String, started: Int64) {
            job = plan.job
            self.started = started
            self.cause = cause
            self.reason = reason
            usedSlots = [plan.old.usedSlots.count, plan.new.usedSlots.count]
            (workersBefore, workersAfter) = (plan.old.workers, plan.new.workers)
            layout = plan.new.epoch
            (from, to) = (plan.old.vertices.map(\.parallelism), plan.new.vertices.map(\.parallelism))
            (begun, retired) = (plan.beginning.count, plan.retiring.count)
            movedGroups = plan.old.tasks(of: plan.job).reduce(0) { $0 + plan.departures(from: $1).reduce(0) { $0 + $1.groups.count } }
            groups = plan.graph.vertices.indices.reduce(0) { $0 + (plan.graph.vertices[$1].isKeyed ? plan.old.vertices[$1].owners.count : 0) }
        }
    }

    package struct Counts: Hashable, Sendable {
        package var notices = 0
        package var losses = 0
        package var changes = 0
        package var changeMilliseconds: Int64 = 0
        package var movedGroups = 0
        package var movedBytes: Int64 = 0
    }

    package static let kept = 200

    /// The last ones, oldest first.
    package private(set) var entries: [Entry] = []
    /// Since the start.
    package private(set) var counts = Counts()
    private var number = 0
    private var leavingSince: [WorkerID: Instant] = [:]
    private var running: [JobID: (change: Change, since: Instant)] = [:]

    package init() {}

    /// Changes that are under way, by job.
    package var inProgress: [Change] { running.sorted { $0.key < $1.key }.map(\.value.change) }

    /// Those that are over, oldest first.
    package var changes: [Change] { entries.compactMap { if case .changed(let change) = $0.what { change } else { nil } } }

    mutating func joined(_ worker: WorkerID, slots: Int, at now: Now) { note(.joined(worker, slots: slots), at: now.wallMilliseconds) }

    /// Said again after each break of the connection: once is enough.
    mutating func leaving(_ worker: WorkerID, reason: String, within: Duration?, at now: Now) {
        guard leavingSince[worker] == nil else { return }
        leavingSince[worker] = now.instant
        counts.notices += 1
        note(.leaving(worker, reason: reason, until: within.map { now.wallMilliseconds + $0.milliseconds }), at: now.wallMilliseconds)
    }

    mutating func left(_ worker: WorkerID, reason: String, at now: Now) {
        let since = leavingSince.removeValue(forKey: worker)
        if since == nil { counts.losses += 1 }
        note(.left(worker, reason: reason, afterMilliseconds: since.map { (now.instant - $0).milliseconds }), at: now.wallMilliseconds)
    }

    mutating func planned(_ plan: LayoutChange, cause: Cause, reason: String, at now: Now) {
        running[plan.job] = (Change(plan, cause: cause, reason: reason, started: now.wallMilliseconds), now.instant)
    }

    mutating func injected(_ job: JobID, at now: Now) {
        guard let since = running[job]?.since else { return }
        running[job]?.change.injected = (now.instant - since).milliseconds
    }

    /// The last words of it may come when the change is over.
    mutating func moved(_ job: JobID, _ layout: LayoutEpoch, bytes: Int64, isAhead: Bool) {
        counts.movedBytes += bytes
        func add(to change: inout Change) {
            change.movedBytes += bytes
            if isAhead { change.copiedBytes += bytes }
        }
        if running[job]?.change.layout == layout, var own = running[job] {
            add(to: &own.change)
            running[job] = own
        } else if let index = entries.lastIndex(where: { if case .changed(let change) = $0.what { change.job == job && change.layout == layout } else { false } }),
            case .changed(var change) = entries[index].what
        {
            add(to: &change)
            entries[index].what = .changed(change)
        }
    }

    mutating func concluded(_ job: JobID, at now: Now) {
        guard let (planned, since) = running.removeValue(forKey: job) else { return }
        var change = planned
        let took = (now.instant - since).milliseconds
        change.outcome = .completed
        change.ended = took
        counts.changes += 1
        counts.changeMilliseconds += took
        counts.movedGroups += change.movedGroups
        note(.changed(change), at: change.started)
    }

    mutating func dropped(_ job: JobID, as outcome: Change.Outcome, at now: Now) {
        guard let (planned, since) = running.removeValue(forKey: job) else { return }
        var change = planned
        change.outcome = outcome
        change.ended = (now.instant - since).milliseconds
        note(.changed(change), at: change.started)
    }

    private mutating func note(_ what: Happening, at wall: Int64) {
        number += 1
        entries.append(Entry(number: number, at: wall, what: what))
        if entries.count > Self.kept { entries.removeFirst() }
    }
}
