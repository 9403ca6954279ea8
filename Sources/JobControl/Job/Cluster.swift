import Dataflow
import Wire

/// What all jobs of a JobManager share, and where their effects gather.
package struct Cluster: Sendable {
    package let options: ClusterOptions
    package var workers: Workers
    package var slots = SlotPool()
    package var draw: Draw
    /// The greatest epoch that this process has claimed; every message carries it.
    package var epoch: LeaderEpoch
    package var effects: [ClusterEffect] = []
    /// Whose an answer of a store is.
    package var asked: [Ticket: JobID] = [:]
    /// Slots became free: jobs that wait should look again.
    package var freed = false
    /// Attempts on TaskManagers that are gone: should one come back, it must end them first.
    package private(set) var owed: [WorkerID: [JobID: UInt32]] = [:]
    /// Whose they are, in the order of their loss. Names that are drawn anew at each start never come back: old ones are forgotten.
    private var debtors: [WorkerID] = []
    private static let maximumDebtors = 1000
    package var history = ClusterHistory()
    /// Jobs that are not over.
    package var live: Set<JobID> = []
    /// Workers to be cut off, with the reason.
    package var condemned: [(WorkerID, reason: String)] = []
    /// How often each event met each state of a job; nil: not counted.
    private(set) var coverage: [Met: Int]?

    struct Met: Hashable {
        var phase: JobPhase.Name
        var event: JobEvent.Name
    }

    package init(options: ClusterOptions, seed: UInt64, recordsCoverage: Bool) {
        self.options = options
        if recordsCoverage { coverage = [:] }
        workers = Workers(options: options)
        draw = Draw(seed: seed)
        epoch = options.leaderEpoch
    }

    /// Nothing is sent to a worker that is gone.
    package mutating func send(_ message: LeaderMessage, to worker: WorkerID) {
        guard let connection = workers[worker]?.connection else { return }
        effects.append(.send(message, epoch: epoch, to: connection))
    }

    package mutating func owe(_ worker: WorkerID, _ attempts: [JobID: UInt32]) {
        guard !attempts.isEmpty else { return }
        owed[worker, default: [:]].merge(attempts) { max($0, $1) }
        debtors.removeAll { $0 == worker }
        debtors.append(worker)
        if debtors.count > Self.maximumDebtors { owed[debtors.removeFirst()] = nil }
    }

    package mutating func settleDebt(of worker: WorkerID) {
        if owed.removeValue(forKey: worker) != nil { debtors.removeAll { $0 == worker } }
    }

    package mutating func ask(_ ticket: Ticket, _ request: StoreRequest, of store: String?, for job: JobID) {
        asked[ticket] = job
        effects.append(.store(ticket, store: store, request))
    }

    package mutating func log(_ level: LogLine.Level = .info, _ logger: String, _ message: String) {
        effects.append(.log(LogLine(level, logger, message)))
    }

    mutating func cover(_ phase: JobPhase.Name, _ event: JobEvent.Name) {
        coverage?[Met(phase: phase, event: event), default: 0] += 1
    }

    package var usableWorkers: [WorkerID] { workers.ids.filter { workers.isUsable($0) } }

    /// Where a job begins that has no room there.
    package var lastResorts: [WorkerID] { workers.ids.filter { workers.isLastResort($0) } }

    /// Free slots on workers that may be used now.
    package var freeSlots: Int { freeSlots(on: usableWorkers) }

    func freeSlots(on workers: [WorkerID]) -> Int { workers.reduce(0) { $0 + slots.free(on: $1) } }

    /// The slots of this attempt alone.
    package mutating func giveBack(_ job: JobID, attempt: UInt32, on worker: WorkerID) {
        if slots.giveBack(SlotPool.Holder(job: job, attempt: attempt), on: worker) { freed = true }
    }

    package mutating func release(_ job: JobID, attemptsUpTo attempt: UInt32, on worker: WorkerID) {
        if slots.release(job, attemptsUpTo: attempt, on: worker) { freed = true }
    }
}
