import Dataflow
import Wire

/// The TaskManager's brain. A pure machine: a host carries out its effects and brings the answers back; `timer` first.
///
/// Promises: nothing is carried out for a leader older than the newest seen; nothing is committed while the leader is silent; at most one
/// attempt of a job runs here; a checkpoint is acknowledged when the snapshots of all tasks here are durable.
package struct WorkerMachine {
    private struct Commit: Hashable {
        var job: JobID
        var checkpoint: CheckpointID
    }

    private let registration: Registration
    private let options: WorkerOptions
    private var link: LeaderLink
    private var epoch: LeaderEpoch = 0
    private var jobs: [JobID: WorkerJob] = [:]
    /// Jobs that the host knows how to commit for: deployed once and not released.
    private var known: Set<JobID> = []
    /// What the host commits now, one order for each checkpoint, and what was asked for meanwhile: it follows the answer.
    private var committing: [Commit: (ids: Set<String>, next: [Manifest.PendingCommit])] = [:]
    /// Why this TaskManager is to be emptied, and until when; nil: it stays.
    private var leaving: (reason: String, until: Instant, ends: Bool)?
    private var hasExited = false
    /// The last heartbeat that was answered; each is answered once.
    private var lastBeat: UInt64?
    /// Why there is no JobManager: said once, not at every try.
    private var lastTrouble: String?
    /// The JobManager has said why this link is about to end.
    private var wasTurnedAway = false
    private var wakeAt: Instant?
    private let keepsCoverage: Bool
    /// How often each (state, event) pair occurred; filled when asked for at the start.
    package private(set) var coverage: [String: Int] = [:]

    package init(registration: Registration, options: WorkerOptions, coverage: Bool = false) {
        self.registration = registration
        self.options = options
        link = LeaderLink(options: options)
        keepsCoverage = coverage
    }

    package var isRegistered: Bool { link.isRegistered }

    /// All tasks here, sorted.
    package var running: [TaskID] { jobs.keys.sorted().flatMap { jobs[$0]?.running ?? [] } }

    package mutating func handle(_ event: WorkerEvent, at now: Now) -> [WorkerEffect] {
        guard !hasExited else { return [] }
        note(event)
        var effects: [WorkerEffect] = []
        switch event {
        case .connected:
            if link.connected(at: now.instant) {
                lastBeat = nil
                var registration = registration
                registration.running = running
                registration.newestEpoch = epoch
                effects.append(.send(.register(registration)))
            }
        case .disconnected(let reason):
            if link.isRegistered {
                effects.append(.log(level: "WARN", logger: "TaskManager", message: "The JobManager is lost: \(reason)"))
            } else if !wasTurnedAway, reason != lastTrouble {
                effects.append(.log(level: "WARN", logger: "TaskManager", message: "The JobManager cannot be had, it is tried again: \(reason)"))
            }
            if !wasTurnedAway { lastTrouble = reason }
            wasTurnedAway = false
            link.disconnected(at: now.instant)
            // Whoever leads next restarts what ran here: there is nothing to wait for.
            if let leaving, leaving.ends { return leave(effects, "\(leaving.reason); its JobManager is gone") }
        case .message(let message, let epoch): receive(message, epoch: epoch, at: now, &effects)
        case .task(let task, let effect): fromTask(task, effect, &effects)
        case .made(let job, let attempt, let error): tell(job, .made(attempt: attempt, error), &effects)
        case .removed(let job, let attempt): tell(job, .removed(attempt: attempt), &effects)
        case .prepared(let job, let attempt, let error): tell(job, .prepared(attempt: attempt, error), &effects)
        case .retired(let job, let attempt): tell(job, .retired(attempt: attempt), &effects)
        case .notHandedOver(let task, let layout, let error): tell(task.job, .notHandedOver(task, layout, error), &effects)
        case .peerLost(let worker, let owner, let attempt, let reason):
            if !jobs.isEmpty {
                effects.append(.log(level: "WARN", logger: "TaskManager", message: "Lost the connection to TaskManager \(worker): \(reason)"))
            }
            for job in jobs.keys.sorted() where owner.map({ $0 == job && jobs[job]?.connects(by: attempt) ?? false }) ?? true {
                tell(job, .peerLost(worker, reason: reason), &effects)
            }
        case .uploaded(let job, let attempt, let checkpoint, let result):
            tell(job, .uploaded(attempt: attempt, checkpoint, result), &effects)
        case .committed(let job, let checkpoint, let ids, let error): committed(job, checkpoint, ids, error, at: now, &effects)
        case .metrics(let metrics): send(.metrics(metrics), &effects)
        case .timer: break  // What is due is done below.
        case .leave(let leave): self.leave(leave, at: now, &effects)
        }
        advance(at: now, &effects)
        return effects
    }

    // MARK: The JobManager

    private mutating func receive(_ message: LeaderMessage, epoch: LeaderEpoch, at now: Now, _ effects: inout [WorkerEffect]) {
        guard epoch >= self.epoch else {
            effects.append(
                .log(level: "WARN", logger: "TaskManager", message: "Refused \(message.name) of leader epoch \(epoch): epoch \(self.epoch) was seen"))
            return
        }
        self.epoch = epoch
        // A commit that lay in a silent connection may be a deposed leader's.
        let wasSilent = link.isSilent(at: now.instant)
        link.heard(at: now.instant)
        switch message {
        case .registered(let heartbeat, let timeout):
            if link.registered(interval: .milliseconds(heartbeat), timeout: .milliseconds(timeout), at: now.instant) {
                lastTrouble = nil
                effects.append(
                    .log(level: "INFO", logger: "TaskManager", message: "Registered at the JobManager as \(registration.worker) with \(registration.slots) slots"))
                report(at: now, &effects)
            }
        case .refused(let reason): exit(code: 1, "the JobManager refused this TaskManager: \(reason)", &effects)
        case .turnedAway(let reason):
            if reason != lastTrouble {
                effects.append(.log(level: "WARN", logger: "TaskManager", message: "The JobManager does not register this TaskManager now, it is tried again: \(reason)"))
            }
            lastTrouble = reason
            wasTurnedAway = true
        case .heartbeat(let sequence):
            // Answers need no answer: each number is answered once, whoever began.
            if lastBeat.map({ sequence > $0 }) ?? true {
                lastBeat = sequence
                send(.heartbeat(sequence: sequence), &effects)
            }
        case .deploy(let deployment): deploy(deployment, &effects)
        case .change(let deployment): change(deployment, &effects)
        case .copyAhead(let job, let attempt): tell(job, .copyAhead(attempt: attempt), &effects)
        case .withdraw(let job, let attempt):
            if jobs[job] == nil { send(.withdrawn(job: job, attempt: attempt), &effects) } else { tell(job, .withdraw(attempt: attempt), &effects) }
        case .conclude(let job, let attempt):
            if jobs[job] == nil { send(.retired(job: job, attempt: attempt), &effects) } else { tell(job, .conclude(attempt: attempt), &effects) }
        case .start(let job, let attempt):
            say("Job \(job), attempt \(attempt): tasks switched from DEPLOYING to RUNNING", about: job, &effects)
            tell(job, .start(attempt: attempt), &effects)
        case .cancel(let job, let attempt):
            say("Job \(job), attempt \(attempt): taking down its tasks", about: job, &effects)
            if jobs[job] == nil { send(.stopped(job: job, attempt: attempt), &effects) } else { tell(job, .cancel(attempt: attempt), &effects) }
        case .trigger(let job, let attempt, let barrier, let folder, let store):
            tell(job, .trigger(attempt: attempt, barrier, .init(folder: folder, store: store)), &effects)
        case .completed(let job, let checkpoint):
            tell(job, .completed(checkpoint), &effects)
            effects.append(.subsume(job, by: checkpoint))
        case .aborted(let job, let checkpoint): tell(job, .aborted(checkpoint), &effects)
        case .splits(let task, let splits, let noMore, let released):
            tell(task.job, .splits(task, splits, noMore: noMore, released: released), &effects)
        case .commit(let job, let checkpoint, let pending): commit(job, checkpoint, pending, wasSilent: wasSilent, &effects)
        case .release(let job):
            known.remove(job)
            if jobs[job] == nil { effects.append(.forget(job)) } else { tell(job, .release, &effects) }
        case .leave(let leave): self.leave(leave, at: now, &effects)
        }
    }

    /// Right after a registration: what the JobManager may not know.
    private mutating func report(at now: Now, _ effects: inout [WorkerEffect]) {
        for job in jobs.keys.sorted() { for message in jobs[job]?.report() ?? [] { send(message, &effects) } }
        announce(at: now, &effects)
    }

    /// Said more than once, the shortest time counts. Once the process is to end, what was only recommended before counts no more.
    private mutating func leave(_ leave: Leave, at now: Now, _ effects: inout [WorkerEffect]) {
        let until = now.instant + .milliseconds(leave.milliseconds)
        let old = leaving
        if let old, leave.ends == old.ends ? old.until <= until : old.ends { return }
        leaving = (leave.reason, until, leave.ends)
        effects.append(
            .log(level: "INFO", logger: "TaskManager", message: "Leaving within \(leave.milliseconds) ms: \(leave.reason)"))
        announce(at: now, &effects)
    }

    private mutating func announce(at now: Now, _ effects: inout [WorkerEffect]) {
        guard let leaving else { return }
        send(.leaving(Leave(reason: leaving.reason, milliseconds: (leaving.until - now.instant).milliseconds, ends: leaving.ends)), &effects)
    }

    private mutating func deploy(_ deployment: Deployment, _ effects: inout [WorkerEffect]) {
        let job = deployment.job
        guard leaving?.ends != true else {
            if let first = deployment.subtasks.min() {
                let task = TaskID(job: job, subtask: first, attempt: deployment.layout.attempt)
                send(.failed(task, StreamError(.connection, retry: true, "TaskManager \(registration.worker) is leaving")), &effects)
            }
            return
        }
        known.insert(job)
        guard jobs[job] == nil else { return tell(job, .deploy(deployment), &effects) }
        var made: [WorkerEffect] = []
        jobs[job] = WorkerJob(deployment, worker: registration.worker, effects: &made)
        pass(made, &effects)
    }

    /// A planned change. A TaskManager that leaves takes part, as long as nothing begins on it.
    private mutating func change(_ deployment: Deployment, _ effects: inout [WorkerEffect]) {
        let job = deployment.job
        if leaving?.ends == true, let first = deployment.subtasks.min() {
            let error = StreamError(.connection, retry: true, "TaskManager \(registration.worker) is leaving")
            return send(.failed(deployment.layout.task(first, of: job), error), &effects)
        }
        known.insert(job)
        if jobs[job] == nil { jobs[job] = WorkerJob(joining: deployment, worker: registration.worker) }
        tell(job, .change(deployment), &effects)
    }

    private mutating func commit(
        _ job: JobID, _ checkpoint: CheckpointID, _ pending: [Manifest.PendingCommit], wasSilent: Bool, _ effects: inout [WorkerEffect]
    ) {
        guard !wasSilent else {
            effects.append(
                .log(level: "WARN", logger: "TaskManager", message: "Not committing checkpoint \(checkpoint): the JobManager was silent"))
            return  // It asks again until it is answered.
        }
        guard known.contains(job) else {
            let error = StreamError(.internal, retry: true, "job \(job) was never deployed on TaskManager \(registration.worker)")
            return send(.commitFailed(job: job, checkpoint: checkpoint, error), &effects)
        }
        guard !pending.isEmpty else { return }
        let key = Commit(job: job, checkpoint: checkpoint)
        guard let order = committing[key] else {
            committing[key] = (Set(pending.map(\.committable.id)), [])
            effects.append(.commit(job: job, checkpoint: checkpoint, pending))
            return
        }
        let known = order.ids.union(order.next.map(\.committable.id))
        committing[key]?.next += pending.filter { !known.contains($0.committable.id) }
    }

    private mutating func committed(
        _ job: JobID, _ checkpoint: CheckpointID, _ ids: [String], _ error: StreamError?, at now: Now, _ effects: inout [WorkerEffect]
    ) {
        // What is not among `ids` may be asked for again.
        let order = committing.removeValue(forKey: Commit(job: job, checkpoint: checkpoint))
        if !ids.isEmpty || error == nil { send(.committed(job: job, checkpoint: checkpoint, ids: ids), &effects) }
        if let error { send(.commitFailed(job: job, checkpoint: checkpoint, error), &effects) }
        guard let next = order?.next, !next.isEmpty else { return }
        commit(job, checkpoint, next, wasSilent: link.isSilent(at: now.instant), &effects)
    }

    // MARK: Tasks

    private mutating func fromTask(_ task: TaskID, _ effect: TaskEffect, _ effects: inout [WorkerEffect]) {
        switch effect {
        case .snapshot(let checkpoint, let snapshot): tell(task.job, .snapshot(task, checkpoint, snapshot), &effects)
        case .needsSplits: tell(task.job, .needsSplits(task), &effects)
        case .splitFinished(let split): tell(task.job, .splitFinished(task, split), &effects)
        case .ended:
            effects.append(.log(level: "INFO", logger: "Task", message: "Task \(task) switched from RUNNING to FINISHED"))
            tell(task.job, .ended(task), &effects)
        case .failed(let error):
            effects.append(.log(level: "WARN", logger: "Task", message: "Task \(task) switched from RUNNING to FAILED: \(error)"))
            tell(task.job, .failed(task, error), &effects)
        case .copied(let layout): tell(task.job, .copied(task, layout), &effects)
        case .settled(let layout): tell(task.job, .settled(task, layout), &effects)
        case .send, .credit, .handOver: break  // These go from task to task.
        }
    }

    /// Tells a job; one that is not here is over.
    private mutating func tell(_ id: JobID, _ event: WorkerJob.Event, _ effects: inout [WorkerEffect]) {
        guard var job = jobs.removeValue(forKey: id) else { return }
        if keepsCoverage { coverage["job.\(job.phase.name)/\(event.name)", default: 0] += 1 }
        let answers = job.handle(event)
        if case .gone = job.phase {
            pass(answers, &effects)
            if job.isReleased { effects.append(.forget(id)) }
        } else {
            jobs[id] = job
            pass(answers, &effects)
        }
    }

    // MARK: Effects

    private func say(_ message: String, about job: JobID, _ effects: inout [WorkerEffect]) {
        if jobs[job] != nil { effects.append(.log(level: "INFO", logger: "Task", message: message)) }
    }

    private mutating func pass(_ answers: [WorkerEffect], _ effects: inout [WorkerEffect]) {
        for effect in answers {
            if case .send(let message) = effect { send(message, &effects) } else { effects.append(effect) }
        }
    }

    /// Nobody hears what is said before a registration; what matters is said again after it.
    private func send(_ message: WorkerMessage, _ effects: inout [WorkerEffect]) {
        if link.isRegistered { effects.append(.send(message)) }
    }

    private mutating func advance(at now: Now, _ effects: inout [WorkerEffect]) {
        guard !hasExited else { return }
        if let leaving, leaving.ends {
            if jobs.isEmpty { return exit(code: 0, "\(leaving.reason); no task is left", &effects) }
            if leaving.until <= now.instant { return exit(code: 0, "\(leaving.reason); its time is over", &effects) }
        }
        for effect in link.timer(at: now.instant) {
            if case .exit(let code, let reason) = effect { return exit(code: code, reason, &effects) }
            effects.append(effect)
        }
        let deadline = min(link.deadline, leaving.flatMap { $0.ends ? $0.until : nil } ?? .distantFuture)
        guard deadline != .distantFuture, deadline != wakeAt || deadline <= now.instant else { return }
        wakeAt = deadline
        effects.append(.wake(at: deadline))
    }

    private mutating func leave(_ effects: [WorkerEffect], _ reason: String) -> [WorkerEffect] {
        var effects = effects
        exit(code: 0, reason, &effects)
        return effects
    }

    private mutating func exit(code: Int32, _ reason: String, _ effects: inout [WorkerEffect]) {
        hasExited = true
        effects.append(.exit(code: code, reason: reason))
    }

    // MARK: Checks

    private mutating func note(_ event: WorkerEvent) {
        guard keepsCoverage else { return }
        coverage["link.\(link.state.name)/\(event.name)", default: 0] += 1
    }

    package func checkInvariants() {
        link.checkInvariants()
        for (id, job) in jobs {
            precondition(job.job == id, "a job is kept under its id")
            if case .gone = job.phase { preconditionFailure("what is gone is not kept") }
            job.checkInvariants()
        }
        precondition(committing.values.allSatisfy { !$0.ids.isEmpty }, "a commit that is under way commits something")
        precondition(committing.values.allSatisfy { order in order.next.allSatisfy { !order.ids.contains($0.committable.id) } }, "nothing is asked for twice")
    }
}
