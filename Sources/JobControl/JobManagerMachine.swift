import Dataflow
import Wire

/// The JobManager's brain: told what happened and the time, answers what to do. Its host has the sockets, stores and clocks.
package struct JobManagerMachine: Sendable {
    private(set) var cluster: Cluster
    private(set) var jobs: [JobID: JobMaster] = [:]
    /// When each of them wants to be told the time, as its last event left it.
    private var deadlines: [JobID: Instant] = [:]
    /// In the order of submission.
    private(set) var order: [JobID] = []
    private let seed: UInt64

    /// `seed`: of nonces and jitter; another one for every process. `recordsCoverage`: count (state, event) pairs for `coverage`.
    package init(options: ClusterOptions, seed: UInt64, recordsCoverage: Bool = false) {
        cluster = Cluster(options: options, seed: seed, recordsCoverage: recordsCoverage)
        self.seed = seed
    }

    package mutating func handle(_ event: ClusterEvent, at now: Now) -> [ClusterEffect] {
        switch event {
        case .connected(let connection): cluster.workers.connected(connection, at: now.instant)
        case .message(let message, let connection): received(message, on: connection, at: now)
        case .disconnected(let connection, let reason):
            let reasonToLeave = cluster.workers.worker(on: connection).flatMap { self.reasonToLeave($0) }
            let isAnnounced = cluster.workers.worker(on: connection).map { isLeaving($0) } ?? false
            if let worker = cluster.workers.disconnected(connection) {
                if let reasonToLeave {
                    left(worker, reasonToLeave, at: now)
                } else {
                    lost(worker, "its connection broke: \(reason)", isAnnounced: isAnnounced, at: now)
                }
            }
        case .stored(let ticket, let answer):
            if let job = cluster.asked.removeValue(forKey: ticket) { tell(job, .stored(ticket, answer), at: now) }
        case .discovered(let job, let vertex, let result): tell(job, .discovered(vertex: vertex, result), at: now)
        case .request(let ticket, let request): asked(request, ticket, at: now)
        case .timer: timer(at: now)
        }
        settle(at: now)
        forgetOldJobs()
        if let due = deadline { cluster.effects.append(.wake(at: due)) }
        defer { cluster.effects = [] }
        return cluster.effects
    }

    /// Consequences that concern other jobs or workers, until there are no more.
    private mutating func settle(at now: Now) {
        while true {
            if !cluster.condemned.isEmpty {
                let (worker, reason) = cluster.condemned.removeFirst()
                drop(worker, reason, at: now)
            } else if cluster.freed {
                cluster.freed = false
                for job in order { tell(job, .slotsChanged, at: now) }
            } else {
                return
            }
        }
    }

    private mutating func tell(_ job: JobID, _ event: JobEvent, at now: Now) {
        guard let place = jobs.index(forKey: job) else { return }
        // In its place: `jobs[job]?` would move all of it out and back.
        deadlines[job] = jobs.values[place].told(event, at: now, in: &cluster)
    }

    // MARK: Workers

    private mutating func received(_ message: WorkerMessage, on connection: ConnectionID, at now: Now) {
        if case .register(let registration) = message { return register(registration, on: connection, at: now) }
        guard let worker = cluster.workers.heard(on: connection, at: now) else {
            cluster.effects.append(.close(connection, reason: "no TaskManager is registered on this connection"))
            return
        }
        switch message {
        case .register, .heartbeat: break
        case .deployed(let job, let attempt): tell(job, .deployed(worker, attempt: attempt), at: now)
        case .ended(let task): tell(task.job, .taskEnded(task), at: now)
        case .failed(let task, let error): tell(task.job, .taskFailed(task, error, worker), at: now)
        case .stopped(let job, let attempt): stopped(job, attempt, on: worker, at: now)
        case .needsSplits(let task): tell(task.job, .needsSplits(task), at: now)
        case .splitFinished(let task, let split): tell(task.job, .splitFinished(task, split: split), at: now)
        case .acknowledged(let acknowledgement): tell(acknowledgement.job, .acknowledged(acknowledgement, worker), at: now)
        case .declined(let job, let attempt, let checkpoint, let reason):
            tell(job, .declined(worker, attempt: attempt, checkpoint, reason: reason), at: now)
        case .committed(let job, _, let ids): tell(job, .committed(ids), at: now)
        case .commitFailed(let job, let checkpoint, let error): tell(job, .commitFailed(checkpoint, error), at: now)
        case .prepared(let job, let attempt): tell(job, .prepared(worker, attempt: attempt), at: now)
        case .copied(let job, let attempt): tell(job, .copied(worker, attempt: attempt), at: now)
        case .handedBack(let task, let splits, let finished): tell(task.job, .handedBack(task, splits, finished: finished), at: now)
        case .settled(let job, let attempt): tell(job, .settled(worker, attempt: attempt), at: now)
        case .retired(let job, let attempt): tell(job, .retired(worker, attempt: attempt), at: now)
        case .cannotChange(let job, let attempt, let error): tell(job, .cannotChange(worker, attempt: attempt, error), at: now)
        case .withdrawn(let job, let attempt): tell(job, .withdrawn(worker, attempt: attempt), at: now)
        case .moved(let job, let layout, let bytes, let isAhead): cluster.history.moved(job, layout, bytes: bytes, isAhead: isAhead)
        case .metrics(let all): for metrics in all { tell(metrics.task.job, .metrics(metrics), at: now) }
        case .leaving(let leave):
            cluster.workers.leaves(worker, leave, at: now.instant)
            cluster.history.leaving(worker, reason: leave.reason, within: leave.ends ? .milliseconds(leave.milliseconds) : nil, at: now)
            cluster.log(.info, "Workers", "TaskManager \(worker) leaves within \(leave.milliseconds) ms: \(leave.reason)")
            for job in order { tell(job, .workerLeaving(worker), at: now) }
        }
    }

    private mutating func register(_ registration: Registration, on connection: ConnectionID, at now: Now) {
        let worker = registration.worker
        // A leader before this one had a faster clock: what is not above its epoch is refused there.
        if registration.newestEpoch > cluster.epoch { cluster.epoch = min(registration.newestEpoch, .max - 1) + 1 }
        // What the lost connection had placed there may still run, whatever the TaskManager says now.
        var owed = cluster.slots.holders(on: worker).reduce(into: cluster.owed[worker] ?? [:]) { owed, holder in
            if let holder { owed[holder.job] = max(owed[holder.job] ?? 0, holder.attempt) }
        }
        for (job, attempt) in cluster.workers[worker]?.leftovers ?? [:] { owed[job] = max(owed[job] ?? 0, attempt) }
        switch cluster.workers.register(registration, on: connection, owed: owed, at: now) {
        case .repeated: break
        case .refused(let reason):
            cluster.log(.warning, "Workers", "Refused a registration: \(reason)")
            cluster.effects.append(.send(.refused(reason: reason), epoch: cluster.epoch, to: connection))
            cluster.effects.append(.close(connection, reason: reason))
        case .taken(let reason):
            cluster.log(.warning, "Workers", "Not registered: \(reason)")
            cluster.effects.append(.send(.turnedAway(reason: reason), epoch: cluster.epoch, to: connection))
            cluster.effects.append(.close(connection, reason: reason))
        case .accepted(let replaced):
            if let replaced {
                cluster.effects.append(.close(replaced, reason: "TaskManager \(worker) has registered on a new connection"))
                _ = cluster.slots.remove(worker)
            }
            cluster.settleDebt(of: worker)
            cluster.slots.add(worker, slots: registration.slots)
            if replaced == nil { cluster.history.joined(worker, slots: registration.slots, at: now) }
            cluster.log(
                .info, "Workers",
                "Registered TaskManager \(worker) at \(registration.host):\(registration.dataPort) with \(registration.slots) slots.")
            cluster.send(
                .registered(
                    heartbeatMilliseconds: cluster.options.heartbeatInterval.milliseconds,
                    timeoutMilliseconds: cluster.options.heartbeatTimeout.milliseconds),
                to: worker)
            for (job, attempt) in (cluster.workers[worker]?.leftovers ?? [:]).sorted(by: { $0.key < $1.key }) {
                cluster.send(.cancel(job: job, attempt: attempt), to: worker)
            }
            if replaced != nil {
                for job in order { tell(job, .workerLost(worker, reason: "it has registered anew", isAnnounced: false), at: now) }
            }
            cluster.freed = true
        }
    }

    private mutating func stopped(_ job: JobID, _ attempt: UInt32, on worker: WorkerID, at now: Now) {
        let wasLeftover = cluster.workers[worker]?.leftovers[job] != nil
        if cluster.workers.stopped(job, attempt: attempt, on: worker) { cluster.freed = true }
        if wasLeftover, jobs[job].map({ $0.phase.isOver }) ?? true { cluster.send(.release(job: job), to: worker) }
        tell(job, .stopped(worker, attempt: attempt), at: now)
    }

    /// The connection is gone, and with it what the worker had.
    private mutating func lost(_ worker: WorkerID, _ reason: String, isAnnounced: Bool, at now: Now) {
        cluster.log(.warning, "Workers", "Lost TaskManager \(worker): \(reason)")
        gone(worker, reason, isAnnounced: isAnnounced, at: now)
    }

    private func isLeaving(_ worker: WorkerID) -> Bool { cluster.workers[worker]?.leaving?.ends ?? false }

    /// Why it ends, when it has said so and no job needs what runs there any more; its last words about what did run may be missing.
    private func reasonToLeave(_ worker: WorkerID) -> String? {
        guard let leaving = cluster.workers[worker]?.leaving, leaving.ends, !jobs.values.contains(where: { $0.needs(worker) }) else { return nil }
        return leaving.reason
    }

    /// As it had said.
    private mutating func left(_ worker: WorkerID, _ reason: String, at now: Now) {
        cluster.log(.info, "Workers", "TaskManager \(worker) has left (\(reason))")
        gone(worker, reason, isAnnounced: true, at: now)
    }

    private mutating func gone(_ worker: WorkerID, _ reason: String, isAnnounced: Bool, at now: Now) {
        cluster.history.left(worker, reason: reason, at: now)
        cluster.owe(worker, cluster.slots.remove(worker))
        for job in order { tell(job, .workerLost(worker, reason: reason, isAnnounced: isAnnounced), at: now) }
    }

    /// Cuts a worker off that is still connected.
    private mutating func drop(_ worker: WorkerID, _ reason: String, at now: Now) {
        guard let connection = cluster.workers[worker]?.connection else { return }
        cluster.owe(worker, cluster.workers[worker]?.leftovers ?? [:])
        let isAnnounced = isLeaving(worker)
        cluster.effects.append(.close(connection, reason: reason))
        _ = cluster.workers.disconnected(connection)
        lost(worker, reason, isAnnounced: isAnnounced, at: now)
    }

    // MARK: Clients and time

    private mutating func asked(_ request: ClientRequest, _ ticket: Ticket, at now: Now) {
        func reply(_ reply: ClientReply) { cluster.effects.append(.reply(ticket, reply)) }
        switch request {
        case .submit(let submission):
            if let old = jobs[submission.job], !old.phase.isOver {
                return reply(.refused(StreamError(.user, retry: false, "job \(submission.job) exists already")))
            }
            if submission.graph.vertices.isEmpty {
                return reply(.refused(StreamError(.user, retry: false, "the job has no operators")))
            }
            cluster.log(.info, "JobManager", "Received job submission '\(submission.graph.name)' (\(submission.job)).")
            order.removeAll { $0 == submission.job }
            order.append(submission.job)
            cluster.live.insert(submission.job)
            jobs[submission.job] = JobMaster(submission, ticket: ticket, at: now)
            tell(submission.job, .begin, at: now)
        case .cancel(let job):
            guard jobs[job] != nil else { return reply(.unknownJob(job)) }
            tell(job, .cancel(ticket), at: now)
        case .savepoint(let job, let kind, let directory):
            guard jobs[job] != nil else { return reply(.unknownJob(job)) }
            precondition(kind.isSavepoint, "clients ask for savepoints here")
            tell(job, .checkpoint(ticket, kind, directory: directory), at: now)
        case .requirements(let job, let wanted):
            guard jobs[job] != nil else { return reply(.unknownJob(job)) }
            tell(job, .requirements(ticket, wanted), at: now)
        case .checkpoint(let job):
            guard jobs[job] != nil else { return reply(.unknownJob(job)) }
            tell(job, .checkpoint(ticket, .checkpoint, directory: nil), at: now)
        case .drain(let worker, let leave):
            guard cluster.workers[worker] != nil else { return reply(.refused(StreamError(.user, retry: false, "no TaskManager \(worker) is connected"))) }
            cluster.log(.info, "Workers", "TaskManager \(worker) is told to leave within \(leave.milliseconds) ms: \(leave.reason)")
            cluster.send(.leave(leave), to: worker)
            reply(.accepted)
        }
    }

    private mutating func timer(at now: Now) {
        let tick = cluster.workers.tick(at: now.instant)
        for beat in tick.beats {
            cluster.effects.append(.send(.heartbeat(sequence: beat.sequence), epoch: cluster.epoch, to: beat.connection))
        }
        for connection in tick.nameless {
            _ = cluster.workers.disconnected(connection)
            cluster.effects.append(.close(connection, reason: "nobody registered on it"))
        }
        for worker in tick.silent { drop(worker, "no sign of life for \(cluster.options.heartbeatTimeout)", at: now) }
        for job in order { tell(job, .timer, at: now) }
    }

    private var deadline: Instant? {
        guard let first = deadlines.values.min() else { return cluster.workers.deadline }
        return cluster.workers.deadline.map { min($0, first) } ?? first
    }

    private mutating func forgetOldJobs() {
        for job in order where jobs[job]?.isRefused ?? false { (jobs[job], deadlines[job]) = (nil, nil) }
        order.removeAll { jobs[$0] == nil }
        guard order.count > cluster.options.endedJobs else { return }
        let ended = order.filter { jobs[$0].map { $0.phase.isOver && $0.collector.isIdle } ?? true }
        guard ended.count > cluster.options.endedJobs else { return }
        for job in ended.prefix(ended.count - cluster.options.endedJobs) {
            jobs[job] = nil
            deadlines[job] = nil
            order.removeAll { $0 == job }
        }
    }

    // MARK: For tests and people

    /// "state × event" → how often; empty unless asked for at `init`.
    package var coverage: [String: Int] {
        Dictionary(uniqueKeysWithValues: (cluster.coverage ?? [:]).map { ("\($0.phase.rawValue) × \($0.event.rawValue)", $1) })
    }

    /// Every pair that `coverage` may hold.
    package static var allPairs: [String] {
        JobPhase.Name.allCases.flatMap { phase in JobEvent.Name.allCases.map { "\(phase.rawValue) × \($0.rawValue)" } }
    }

    package func phase(of job: JobID) -> JobPhase.Name? { jobs[job]?.phase.name }

    /// Changes nothing: `mutating` so that jobs are looked at where they are, and not copied for each event.
    package mutating func checkInvariants() {
        cluster.workers.checkInvariants()
        cluster.slots.checkInvariants(workers: cluster.workers.ids)
        precondition(cluster.effects.isEmpty && cluster.condemned.isEmpty && !cluster.freed, "nothing is left undone")
        for job in order { if let place = jobs.index(forKey: job) { jobs.values[place].checkInvariants(slots: cluster.slots) } }
    }
}
