import Dataflow
import Wire

// Failures, and starting again.
extension JobMaster {
    /// Its loss would cost the job something: tasks of the layout that runs, or of the one to which it is changing.
    func needs(_ worker: WorkerID) -> Bool { phase.layout?.workers.contains(worker) ?? false || planned?.workers.contains(worker) ?? false }

    mutating func workerLost(_ worker: WorkerID, _ reason: String, isAnnounced: Bool, at now: Now, in cluster: inout Cluster) {
        informed.remove(worker)
        withdrawn(from: worker)
        let error = StreamError(.connection, retry: true, "TaskManager \(worker) is lost: \(reason)")
        switch phase {
        case .publishingLayout(let layout, _):
            // Nothing was deployed: other slots will do.
            guard layout.workers.contains(worker) else { return }
            for other in layout.workers { cluster.release(job, attemptsUpTo: attempt, on: other) }
            phase = .waitingForSlots(since: now.instant)
        case .deploying(let layout, _):
            guard layout.workers.contains(worker) else { return }
            fail(error, worker: worker, isWorkerLoss: true, at: now, in: &cluster)
        case .running(let layout, _):
            if layout.workers.contains(worker) {
                // What was said before is no failure.
                return fail(error, worker: worker, isWorkerLoss: true, charges: !isAnnounced, at: now, in: &cluster)
            }
            guard let planned, planned.workers.contains(worker) else { return }
            if planned.isRunning {
                fail(error, worker: worker, isWorkerLoss: true, charges: !isAnnounced, at: now, in: &cluster)
            } else {
                dropChange(because: error.message, at: now, in: &cluster)
            }
        case .finishing(let layout):
            // Everything is in the checkpoint; anybody who knows the job can commit.
            guard layout.workers.contains(worker) else { return }
            ledger.workerLost()
            if !layout.workers.contains(where: { cluster.workers[$0] != nil }) {
                fail(error, worker: worker, isWorkerLoss: true, at: now, in: &cluster)
            }
        case .restarting(var waiting, let since, _):
            // Often the very cause: a broken peer is noticed by others first. Then there is nothing to wait for.
            guard involved.contains(worker) else { return }
            waiting.remove(worker)
            chronicle.followed(error, task: nil, worker: worker, at: now.wallMilliseconds)
            if case .restarting(_, _, let notBefore) = phase, notBefore > now.instant {
                cluster.log(.info, "JobMaster", "Job \(graph.name) (\(job)) restarts without the pause: TaskManager \(worker), on which it ran, is lost.")
            }
            phase = .restarting(waiting: waiting, since: since, notBefore: now.instant)
        case .ending(var ending):
            ending.waiting.remove(worker)
            ending.committers.remove(worker)
            ledger.workerLost()
            phase = .ending(ending)
        case .created, .reading, .claiming, .waitingForSlots, .ended, .suspended:
            break  // Nothing of the job runs.
        }
    }

    /// A TaskManager is about to go, in order: its tasks move now, and that is no failure.
    mutating func workerLeaving(_ worker: WorkerID, at now: Now, in cluster: inout Cluster) {
        // Who is only recommended to go is no reason to begin anew: what begins now moves when it runs.
        let ends = cluster.workers[worker]?.leaving?.ends ?? false
        switch phase {
        case .publishingLayout(let layout, _):
            guard ends, layout.workers.contains(worker) else { return }
            for other in layout.workers { cluster.release(job, attemptsUpTo: attempt, on: other) }
            phase = .waitingForSlots(since: now.instant)
        case .running where cluster.options.changesLayouts && !cluster.options.faults.contains(.noticesAreFailures):
            // `considerChange` looks who is leaving; what was planned before is planned anew, without him.
            guard let planned, !planned.isRunning, planned.places(on: worker) else { return }
            dropChange(because: "TaskManager \(worker), which would have tasks of it, is leaving", at: now, in: &cluster)
        case .deploying(let layout, _), .running(let layout, _):
            guard ends, layout.workers.contains(worker) else { return }
            cluster.log(.info, "JobMaster", "Job \(graph.name) (\(job)) moves away from TaskManager \(worker), which is leaving.")
            begin(restartAfter: .zero, "TaskManager \(worker) is leaving", at: now, in: &cluster)
        case .finishing, .restarting, .ending:
            break  // Its tasks end anyway.
        case .created, .reading, .claiming, .waitingForSlots, .ended, .suspended:
            break  // Nothing of the job runs.
        }
    }

    mutating func restartWithoutFailure(_ reason: String, at now: Now, in cluster: inout Cluster) {
        begin(restartAfter: .zero, reason, at: now, in: &cluster)
    }

    private mutating func begin(restartAfter pause: Duration, _ reason: String, at now: Now, in cluster: inout Cluster) {
        let waiting = withdraw(reason, at: now, in: &cluster)
        chronicle.restarts += 1
        cluster.log(.info, "JobMaster", "Restarting job \(graph.name) (\(job))\(pause == .zero ? "" : " in \(pause.milliseconds) ms").")
        move(to: .restarting(waiting: waiting, since: now.instant, notBefore: now.instant + pause), at: now, in: &cluster)
    }

    /// The attempt is over. Starts again or gives up, as the restart strategy says. `charges`: it uses up an attempt; what only a planned change or
    /// somebody who had said that he goes has caused does not.
    mutating func fail(
        _ error: StreamError, task: TaskID? = nil, worker: WorkerID? = nil, isWorkerLoss: Bool = false, charges: Bool = true, at now: Now, in cluster: inout Cluster
    ) {
        let place = task.map { task in
            // A subtask that a change is about to add or has just retired is not one of the newest layout's.
            let subtasks = max(phase.layout?.vertices[task.subtask.vertex].parallelism ?? parallelism[task.subtask.vertex], task.subtask.index + 1)
            return "\(graph.vertices[task.subtask.vertex].name) (\(task.subtask.index + 1)/\(subtasks))"
        }
        let placed = place.map { error.during($0) } ?? error
        cluster.log(.error, "JobMaster", "Job \(graph.name) (\(job)) failed\(worker.map { " on \($0)" } ?? ""): \(placed)")
        chronicle.failed(placed, task: task, worker: worker, at: now.wallMilliseconds)
        // Losses that follow each other before the job ran again are one failure; failures of tasks are not, or a job that cannot
        // start would try for ever.
        let answer: RestartPolicy.Answer
        switch phase {
        case _ where error.kind == .user && !error.retry:
            // A malformed row is malformed again: starting over would only hide the message.
            answer = .giveUp(reason: "the cause lies in the job or its data and would come again; mend it, then start from the last checkpoint")
        case .deploying where isWorkerLoss, .running where !charges: answer = .restart(after: .zero)
        case .running, .finishing, .deploying, .waitingForSlots, .publishingLayout:
            answer = policy.failed(at: now.instant, isWorkerLoss: isWorkerLoss, draw: &cluster.draw)
        case .created, .reading, .claiming, .restarting, .ending, .ended, .suspended:
            preconditionFailure("only an attempt can fail")
        }
        switch answer {
        case .giveUp(let reason):
            cluster.log(.error, "JobMaster", "Job \(graph.name) (\(job)) is not restarted: \(reason).")
            end(.failed, at: now, in: &cluster)
        case .restart(let pause):
            begin(restartAfter: pause, "the job failed: \(error.message)", at: now, in: &cluster)
        }
    }

    /// Takes back everything that the attempt has under way, and orders its tasks to end. Answers the TaskManagers that must say so.
    mutating func withdraw(_ reason: String, at now: Now, in cluster: inout Cluster) -> Set<WorkerID> {
        coordinator.pause()
        if let aborted = coordinator.abort(reason, counts: false, at: now) {
            cluster.log(.info, "CheckpointCoordinator", "Aborted checkpoint \(aborted.id) of job \(job): \(reason)")
            settle(aborted, in: &cluster)
        }
        coordinator.forgetFailures()
        finishedSplits = [:]
        for ticket in coordinator.dropWishes() {
            cluster.effects.append(.reply(ticket, .refused(StreamError(.externalSystem, retry: true, reason))))
        }
        switch phase {
        case .publishingLayout(let layout, _):
            for worker in layout.workers { cluster.release(job, attemptsUpTo: attempt, on: worker) }
            return []
        case .deploying(let layout, _), .running(let layout, _), .finishing(let layout):
            let live = Set(layout.workers.filter { cluster.workers[$0] != nil } + abandonChange(at: now, in: &cluster)).sorted()
            for worker in live { cluster.send(.cancel(job: job, attempt: attempt), to: worker) }
            return Set(live)
        case .restarting(let waiting, _, _):
            return waiting
        case .created, .reading, .claiming, .waitingForSlots, .ending, .ended, .suspended:
            return []
        }
    }

    mutating func restart(_ waiting: Set<WorkerID>, since: Instant, notBefore: Instant, at now: Now, in cluster: inout Cluster) {
        guard waiting.isEmpty else { return cutOff(waiting, since: since, at: now, in: &cluster) }
        // A checkpoint that HEAD may already name must be seen by the restore.
        guard notBefore <= now.instant else { return }
        if coordinator.isPublishing, !cluster.options.faults.contains(.restoresWhilePublishing) { return }
        for ticket in stoppers {
            cluster.effects.append(.reply(ticket, .refused(StreamError(.externalSystem, retry: true, "the job failed before it stopped"))))
        }
        stoppers = []
        stopPath = nil
        sweepsAfterNext = true
        seekSlots(at: now, in: &cluster)
    }

    /// Who does not end cancelled tasks in time is treated as lost.
    func cutOff(_ waiting: Set<WorkerID>, since: Instant, at now: Now, in cluster: inout Cluster) {
        guard now.instant - since >= cluster.options.cancellationTimeout else { return }
        for worker in waiting.sorted() {
            cluster.condemned.append((worker, "it has not ended the cancelled tasks of job \(job) within \(cluster.options.cancellationTimeout)"))
        }
    }

    /// Changes the state, and says so where people see it.
    mutating func move(to next: JobPhase, at now: Now, in cluster: inout Cluster) {
        phase = next
        if phase.isOver { cluster.live.remove(job) }
        noteStatus(at: now, in: &cluster)
    }

    mutating func noteStatus(at now: Now, in cluster: inout Cluster) {
        let before = chronicle.status
        let after = status
        guard before != after else { return }
        chronicle.reached(after, at: now.wallMilliseconds)
        cluster.log(
            .info, "JobMaster", "Job \(graph.name) (\(job)) switched from state \(before.rawValue) to \(after.rawValue).")
    }

    /// In Flink's words.
    package var status: JobStatus {
        switch phase {
        case .created, .claiming: .initializing
        case .reading, .waitingForSlots, .publishingLayout, .deploying: chronicle.restarts > 0 ? .restarting : .created
        case .running, .finishing: .running
        case .restarting: .restarting
        case .ending(let ending):
            switch ending.outcome {
            case .finished: .running
            case .failed: .failing
            case .cancelled: .cancelling
            }
        case .ended(let outcome):
            switch outcome {
            case .finished: .finished
            case .failed: .failed
            case .cancelled: .cancelled
            }
        case .suspended: .suspended
        }
    }
}

package enum JobStatus: String, Hashable, Sendable, CaseIterable {
    case initializing = "INITIALIZING", created = "CREATED", running = "RUNNING", failing = "FAILING", failed = "FAILED"
    case cancelling = "CANCELLING", cancelled = "CANCELED", finished = "FINISHED", restarting = "RESTARTING", suspended = "SUSPENDED"
    case reconciling = "RECONCILING"

    package var isTerminal: Bool {
        switch self {
        case .failed, .cancelled, .finished: true
        case .initializing, .created, .running, .failing, .cancelling, .restarting, .suspended, .reconciling: false
        }
    }
}
