import Dataflow
import Wire

/// The brain of one job: from its submission to its end.
///
/// Promises: at most one attempt of the job writes committed output; a layout stands in HEAD before it is deployed; a checkpoint counts when
/// HEAD names it; a job is FINISHED only when every committable is acknowledged.
///
/// An event changes facts; `advance` then does whatever has become due. Files: `+Start` (up to running), `+Tasks`, `+Checkpoints`,
/// `+Failures`, `+Ending`.
package struct JobMaster: Sendable {
    package let job: JobID
    package let submission: Submission
    package let submitted: Int64
    let graphBytes: [UInt8]
    /// Subtasks of each vertex.
    package internal(set) var parallelism: [Int]
    /// What each vertex may have of them.
    package internal(set) var bounds: [ClosedRange<Int>]

    package internal(set) var phase = JobPhase.created
    var head: HeadKeeper
    package internal(set) var coordinator: CheckpointCoordinator
    var ledger = CommitLedger()
    var collector = Collector()
    var assigners: [SplitAssigner]
    var policy: RestartPolicy
    /// What the next attempt starts from.
    package internal(set) var restore: RestorePoint?

    /// Of the newest layout.
    var attempt: UInt32 = 0
    var layoutEpoch: LayoutEpoch = 0
    /// The greatest that were ever given to a plan, also to one that was dropped: none is given twice.
    var spent: (attempt: UInt32, epoch: LayoutEpoch) = (0, 0)
    /// When the job first started, under whatever leader; nil until HEAD is claimed.
    var started: Int64?
    /// Who asked for the job, until answered.
    var submitter: Ticket?
    /// Who asked for it to stop, with the savepoint's path once there is one.
    var stoppers: [Ticket] = []
    var stopPath: String?
    /// A cancel that came before HEAD was claimed.
    var cancelWanted = false
    /// It was refused before anything of it was written: nobody is told of it but who submitted it.
    var isRefused = false
    /// Checkpoint ids that HEAD has set aside.
    var reservedThrough: CheckpointID = 0
    var reservation: Int?
    /// Checkpoints that leave HEAD with these changes.
    var retiring: [(change: Int, entries: [Head.Retained])] = []
    /// TaskManagers of the newest attempt that was deployed.
    var involved: Set<WorkerID> = []
    /// TaskManagers that know of the job.
    var informed: Set<WorkerID> = []
    var hasRun = false
    /// Who asked for another parallelism, and the change of HEAD that keeps it.
    var requiring: [(change: Int, ticket: Ticket)] = []
    var sweepsAfterNext = false
    /// Splits that snapshots of the running attempt show as finished (assigner, reader, ids), until their checkpoint is complete.
    var finishedSplits: [CheckpointID: [(assigner: Int, reader: Int, splits: [String])]] = [:]
    var chronicle: JobChronicle
    /// A planned change of the layout that is under way.
    package internal(set) var planned: PlannedLayout?
    /// A change that was dropped, and the TaskManagers that have not said that nothing of it is left there.
    var withdrawal: (attempt: UInt32, since: Instant, waiting: Set<WorkerID>)?
    /// After a change that could not be: the pause before the next one.
    var rest: ChangeRest?
    var changePause = Backoff(first: ChangeRest.first, maximum: .seconds(60))
    /// TaskManagers that could not begin what was put there, or were out of reach for others, and until when nothing is put there where there is
    /// other room.
    var avoided: [WorkerID: Instant] = [:]
    /// Whoever leaves has no time for a change any more.
    var isTooLateToChange = false
    /// Since when another layout is wished for.
    var wishesChangeSince: Instant?
    /// A user has asked for it: no need to wait whether there will be more to change.
    var isAskedToChange = false
    var lastChange: Instant?
    /// The least id of the checkpoint that is awaited before a TaskManager goes for which there are no other slots.
    var partingCheckpoint: CheckpointID?
    var changeDeadline: Instant?

    package init(_ submission: Submission, ticket: Ticket, at now: Now) {
        job = submission.job
        self.submission = submission
        submitted = now.wallMilliseconds
        submitter = ticket
        let graph = submission.graph
        graphBytes = JobGraphBytes.encode(graph)
        let parallelism = graph.vertices.map { min(max($0.parallelism ?? submission.options.parallelism, 1), graph.maxParallelism) }
        self.parallelism = parallelism
        bounds = graph.vertices.indices.map { vertex in
            let isFree = submission.options.isReactive && graph.vertices[vertex].parallelism == nil
            return isFree ? 1...graph.maxParallelism : parallelism[vertex]...parallelism[vertex]
        }
        head = HeadKeeper(job: submission.job)
        coordinator = CheckpointCoordinator(job: submission.job, options: submission.options)
        let hasCheckpoints = submission.options.checkpointInterval != nil
        assigners = graph.sources.map { SplitAssigner(vertex: $0, readers: parallelism[$0], hasCheckpoints: hasCheckpoints) }
        policy = RestartPolicy(submission.options.restart)
        chronicle = JobChronicle(at: now.wallMilliseconds)
    }

    var options: JobOptions { submission.options }
    var graph: JobGraph { submission.graph }
    var slotsNeeded: Int { parallelism.max() ?? 0 }

    package mutating func handle(_ event: JobEvent, at now: Now, in cluster: inout Cluster) {
        cluster.cover(phase.name, event.name)
        switch event {
        case .begin: begin(at: now, in: &cluster)
        case .stored(let ticket, let answer): stored(ticket, answer, at: now, in: &cluster)
        case .slotsChanged, .timer: break  // `advance` looks.
        case .workerLost(let worker, let reason, let isAnnounced): workerLost(worker, reason, isAnnounced: isAnnounced, at: now, in: &cluster)
        case .workerLeaving(let worker): workerLeaving(worker, at: now, in: &cluster)
        case .deployed(let worker, let attempt): deployed(worker, attempt, at: now, in: &cluster)
        case .stopped(let worker, let attempt): stopped(worker, attempt, at: now, in: &cluster)
        case .taskEnded(let task): taskEnded(task)
        case .taskFailed(let task, let error, let worker): taskFailed(task, error, worker, at: now, in: &cluster)
        case .needsSplits(let task): needsSplits(task, in: &cluster)
        case .splitFinished(let task, let split): splitFinished(split, of: task, at: now, in: &cluster)
        case .discovered(let vertex, let result): discovered(vertex, result, at: now, in: &cluster)
        case .acknowledged(let acknowledgement, let worker): acknowledged(acknowledgement, worker, at: now, in: &cluster)
        case .declined(let worker, let attempt, let checkpoint, let reason):
            declined(worker, attempt, checkpoint, reason, at: now, in: &cluster)
        case .committed(let ids): ledger.committed(ids)  // True whoever says it, whenever.
        case .commitFailed(let checkpoint, let error): commitFailed(checkpoint, error, at: now, in: &cluster)
        case .metrics(let metrics): measured(metrics)
        case .prepared(let worker, let attempt): prepared(worker, attempt, in: &cluster)
        case .copied(let worker, let attempt): copied(worker, attempt)
        case .handedBack(let task, let splits, let finished): handedBack(task, splits, finished, in: &cluster)
        case .settled(let worker, let attempt): settled(worker, attempt, at: now, in: &cluster)
        case .retired(let worker, let attempt): cluster.release(job, attemptsUpTo: attempt - 1, on: worker)
        case .cannotChange(let worker, let attempt, let error): cannotChange(worker, attempt, error, at: now, in: &cluster)
        case .withdrawn(let worker, let attempt): withdrawn(worker, attempt, in: &cluster)
        case .requirements(let ticket, let wanted): require(wanted, ticket, at: now, in: &cluster)
        case .cancel(let ticket): cancel(ticket, at: now, in: &cluster)
        case .checkpoint(let ticket, let kind, let directory): wish(kind, directory, ticket, in: &cluster)
        }
        advance(at: now, in: &cluster)
        noteStatus(at: now, in: &cluster)
    }

    /// Answers when it wants to be told the time next.
    mutating func told(_ event: JobEvent, at now: Now, in cluster: inout Cluster) -> Instant? {
        handle(event, at: now, in: &cluster)
        return deadline(cancellationTimeout: cluster.options.cancellationTimeout)
    }

    /// Does what is due by now. Every step either changes the state or leaves nothing due.
    mutating func advance(at now: Now, in cluster: inout Cluster) {
        apply(head.timer(at: now.instant, draw: &cluster.draw), at: now, in: &cluster)
        var before: JobPhase.Name
        repeat {
            before = phase.name
            switch phase {
            case .created, .claiming, .publishingLayout, .suspended:
                break  // An answer is awaited.
            case .ended:
                break  // Only the collector still works.
            case .reading(let reading): read(reading, at: now, in: &cluster)
            case .waitingForSlots(let since): placeTasks(since: since, at: now, in: &cluster)
            case .deploying(let layout, let waiting): if waiting.isEmpty { start(layout, at: now, in: &cluster) }
            case .running(let layout, let ended): run(layout, ended: ended, at: now, in: &cluster)
            case .restarting(let waiting, let since, let notBefore):
                restart(waiting, since: since, notBefore: notBefore, at: now, in: &cluster)
            case .finishing: if ledger.isEmpty { end(.finished, at: now, in: &cluster) }
            case .ending(let ending): end(ending, at: now, in: &cluster)
            }
        } while phase.name != before
        discover(at: now, in: &cluster)
        commit(at: now, in: &cluster)
        collect(at: now, in: &cluster)
    }

    package func deadline(cancellationTimeout: Duration) -> Instant? {
        var deadlines: [Instant?] = phase.name == .suspended ? [] : [head.deadline, collector.deadline]
        switch phase {
        case .created, .claiming, .publishingLayout, .deploying: break
        case .ended, .suspended: break
        case .reading(let reading): deadlines.append(reading.retryAt)
        case .waitingForSlots(let since):
            deadlines.append(since + options.slotRequestTimeout)
            deadlines.append(changeDeadline)
        case .running(let layout, let ended):
            // While ids are being reserved, the answer is awaited, not the time.
            if reservation == nil, !holdsCheckpoints || coordinator.pending != nil {
                deadlines.append(coordinator.deadline(allEnded: ended.count == layout.subtaskCount))
            }
            deadlines.append(changeDeadline)
            deadlines.append(ledger.deadline)
        case .restarting(let waiting, let since, let notBefore):
            if !coordinator.isPublishing || !waiting.isEmpty { deadlines.append(waiting.isEmpty ? notBefore : since + cancellationTimeout) }
        case .finishing: deadlines.append(ledger.deadline)
        case .ending(let ending):
            if !ending.waiting.isEmpty { deadlines.append(ending.since + cancellationTimeout) }
            if ending.change == nil { deadlines += [ending.commitsUntil, ledger.deadline] }
        }
        if !phase.isOver, discovers { deadlines += assigners.map(\.deadline) }
        return deadlines.compactMap { $0 }.min()
    }

    /// Changes nothing; as `JobManagerMachine.checkInvariants`.
    mutating func checkInvariants(slots: SlotPool) {
        head.checkInvariants()
        coordinator.checkInvariants()
        ledger.checkInvariants()
        for index in assigners.indices { assigners[index].checkInvariants() }
        if let layout = phase.layout {
            precondition(layout.attempt == attempt, "the newest attempt runs")
            // Of a finishing job only the commits matter: a TaskManager that came back has dropped its tasks.
            if phase.name != .finishing {
                let holder = SlotPool.Holder(job: job, attempt: attempt)
                for vertex in layout.vertices {
                    for case let slot? in vertex.slots {
                        precondition(slots.holders(on: slot.worker)[slot.index] == holder, "a subtask runs in a slot that its job holds")
                    }
                }
            }
        }
        if case .finishing = phase { precondition(restore != nil, "a job finishes with a checkpoint") }
        if case .ended(.finished) = phase { precondition(ledger.isEmpty, "a job is FINISHED when everything is committed") }
        if case .running = phase { precondition(submitter == nil, "who submits gets an answer") }
        precondition(planned == nil || withdrawal == nil, "a change is planned when nothing is left of the one before")
    }
}
