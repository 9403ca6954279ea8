import Dataflow
import Wire

/// The TaskManagers that are connected, and who of them still lives.
///
/// Promise: a worker is declared lost only when its connection broke, or when it was silent for the whole heartbeat timeout although it
/// was asked meanwhile. Messages count only on the connection of its newest registration.
package struct Workers: Sendable {
    package struct Worker: Sendable {
        package var registration: Registration
        package var connection: ConnectionID
        /// Milliseconds since the epoch, for people.
        package var connectedSince: Int64
        package var lastHeardWall: Int64
        package var lastHeard: Instant
        /// Beats sent since it was last heard.
        package var unanswered = 0
        /// Attempts of jobs from before this connection that must end before its slots can be used.
        package var leftovers: [JobID: UInt32] = [:]
        /// It said that it goes: nothing new is placed there.
        package var isLeaving: Bool { leaving != nil }
        package var leaving: Leaving?

        fileprivate mutating func heard(at now: Now) {
            lastHeard = now.instant
            lastHeardWall = now.wallMilliseconds
            unanswered = 0
        }
    }

    package struct Leaving: Hashable, Sendable {
        package var reason: String
        package var since: Instant
        /// It is gone then in any case, if it ends.
        package var until: Instant
        /// Otherwise it was only recommended to leave it: it stays, empty where there is room elsewhere.
        package var ends: Bool
    }

    package enum Registered: Hashable, Sendable {
        /// `replaced`: the connection of the same TaskManager that was believed to stand.
        case accepted(replaced: ConnectionID?)
        /// The same registration once more on the same connection.
        case repeated
        case refused(reason: String)
        /// Another process of this name is connected: not while that one lives. It may ask again.
        case taken(reason: String)
    }

    package struct Beat: Hashable, Sendable {
        package var connection: ConnectionID
        package var sequence: UInt64
    }

    package struct Tick: Hashable, Sendable {
        package var beats: [Beat] = []
        package var silent: [WorkerID] = []
        /// Connections on which nobody registered in time.
        package var nameless: [ConnectionID] = []
    }

    private let options: ClusterOptions
    private var byID: [WorkerID: Worker] = [:]
    private var names: [ConnectionID: WorkerID] = [:]
    private var nameless: [ConnectionID: Instant] = [:]
    private var nextBeat: Instant?
    private var sequence: UInt64 = 0

    package init(options: ClusterOptions) { self.options = options }

    package subscript(id: WorkerID) -> Worker? { byID[id] }
    package var ids: [WorkerID] { byID.keys.sorted() }
    package var all: [Worker] { ids.compactMap { byID[$0] } }

    package func worker(on connection: ConnectionID) -> WorkerID? { names[connection] }

    /// Whether subtasks may be placed there.
    package func isUsable(_ id: WorkerID) -> Bool { byID[id].map { $0.leftovers.isEmpty && !$0.isLeaving } ?? false }

    /// Whether a job that has no room elsewhere may begin there: recommendations to leave often come to a whole zone at once.
    package func isLastResort(_ id: WorkerID) -> Bool { byID[id].map { $0.leftovers.isEmpty && $0.leaving?.ends == false } ?? false }

    package mutating func connected(_ connection: ConnectionID, at now: Instant) {
        if names[connection] == nil { nameless[connection] = now }
    }

    /// `owed`: attempts that this TaskManager was given on earlier connections and has not reported as stopped.
    package mutating func register(
        _ registration: Registration, on connection: ConnectionID, owed: [JobID: UInt32], at now: Now
    ) -> Registered {
        if let named = names[connection] {
            return named == registration.worker ? .repeated : .refused(reason: "this connection belongs to TaskManager \(named)")
        }
        if !options.version.isEmpty, !registration.version.isEmpty, registration.version != options.version {
            return .refused(
                reason: "TaskManager \(registration.worker) has version \(registration.version), this JobManager has \(options.version)")
        }
        guard registration.slots > 0 else { return .refused(reason: "TaskManager \(registration.worker) offers no task slot") }
        if let old = byID[registration.worker], old.registration.incarnation != registration.incarnation,
            now.instant - old.lastHeard < options.heartbeatTimeout {
            return .taken(
                reason: "TaskManager \(registration.worker) at \(registration.host):\(registration.dataPort) is another process than the one"
                    + " connected under this name from \(old.registration.host):\(old.registration.dataPort), which still answers"
                    + " (taskmanager.resource-id must differ)")
        }
        var leftovers = owed
        for task in registration.running { leftovers[task.job] = max(leftovers[task.job] ?? 0, task.attempt) }
        let replaced = byID[registration.worker]?.connection
        if let replaced { names[replaced] = nil }
        nameless[connection] = nil
        names[connection] = registration.worker
        byID[registration.worker] = Worker(
            registration: registration, connection: connection, connectedSince: now.wallMilliseconds, lastHeardWall: now.wallMilliseconds,
            lastHeard: now.instant, leftovers: leftovers)
        if nextBeat == nil { nextBeat = now.instant + options.heartbeatInterval }
        return .accepted(replaced: replaced)
    }

    /// The sender of a message, or nil when the connection is not that of a registered TaskManager (any more).
    package mutating func heard(on connection: ConnectionID, at now: Now) -> WorkerID? {
        guard let id = names[connection] else { return nil }
        if let place = byID.index(forKey: id) { byID.values[place].heard(at: now) }
        return id
    }

    /// Said more than once, the shortest time counts; that of a recommendation counts no more once it is certain.
    package mutating func leaves(_ id: WorkerID, _ leave: Leave, at now: Instant) {
        let until = now + .milliseconds(leave.milliseconds)
        guard let old = byID[id]?.leaving else {
            byID[id]?.leaving = Leaving(reason: leave.reason, since: now, until: until, ends: leave.ends)
            return
        }
        if leave.ends != old.ends ? leave.ends : until < old.until {
            byID[id]?.leaving = Leaving(reason: leave.reason, since: leave.ends == old.ends ? old.since : now, until: until, ends: leave.ends)
        }
    }

    /// No task of the job up to this attempt runs there any more. True when that was the last leftover.
    package mutating func stopped(_ job: JobID, attempt: UInt32, on id: WorkerID) -> Bool {
        guard let owed = byID[id]?.leftovers[job], owed <= attempt else { return false }
        byID[id]?.leftovers[job] = nil
        return byID[id]?.leftovers.isEmpty ?? false
    }

    /// The worker that is lost with this connection.
    package mutating func disconnected(_ connection: ConnectionID) -> WorkerID? {
        nameless[connection] = nil
        guard let id = names.removeValue(forKey: connection) else { return nil }
        byID[id] = nil
        return id
    }

    package mutating func tick(at now: Instant) -> Tick {
        var tick = Tick()
        tick.nameless = nameless.filter { now - $0.value >= options.heartbeatTimeout }.keys.sorted()
        guard let due = nextBeat, due <= now else { return tick }
        // Beats are sent even where the time is over: a process that stood still itself has asked nobody, and must not condemn anybody.
        let needed = options.heartbeatTimeout >= options.heartbeatInterval * 2 ? 2 : 1
        for id in ids {
            guard let worker = byID[id] else { continue }
            let isImpatient = options.faults.contains(.liveWorkersCondemned)
            if isImpatient && worker.unanswered >= 1 || now - worker.lastHeard >= options.heartbeatTimeout && worker.unanswered >= needed {
                tick.silent.append(id)
            } else {
                sequence += 1
                tick.beats.append(Beat(connection: worker.connection, sequence: sequence))
                byID[id]?.unanswered += 1
            }
        }
        nextBeat = byID.isEmpty ? nil : now + options.heartbeatInterval
        return tick
    }

    package var deadline: Instant? {
        let unnamed = nameless.values.map { $0 + options.heartbeatTimeout }.min()
        return [byID.isEmpty ? nil : nextBeat, unnamed].compactMap { $0 }.min()
    }

    package func checkInvariants() {
        for (connection, id) in names {
            precondition(byID[id]?.connection == connection, "a named connection is its worker's only one")
            precondition(nameless[connection] == nil, "a connection has a name or has none")
        }
        precondition(names.count == byID.count, "every worker has a connection")
        precondition(byID.isEmpty || nextBeat != nil, "somebody connected is asked for a sign of life")
    }
}
