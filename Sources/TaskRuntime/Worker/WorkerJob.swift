import Dataflow
import Wire

/// One job on this TaskManager: its newest attempt's tasks, from their making to their removal.
///
/// Answers effects; messages among them are dropped by the machine while nobody leads, so what the JobManager must know in the end
/// (ended, failed, deployed, splits wanted) is kept here and said again at the next registration (`report`).
struct WorkerJob {
    enum Event {
        case deploy(Deployment)
        case made(attempt: UInt32, StreamError?)
        case start(attempt: UInt32)
        case cancel(attempt: UInt32)
        case removed(attempt: UInt32)
        case release
        case trigger(attempt: UInt32, Barrier, SnapshotGathering.Order)
        case completed(CheckpointID)
        case aborted(CheckpointID)
        case splits(TaskID, [SplitState], noMore: Bool, released: [String])
        case snapshot(TaskID, CheckpointID, TaskSnapshot)
        case needsSplits(TaskID)
        case splitFinished(TaskID, String)
        case ended(TaskID)
        case failed(TaskID, StreamError)
        case uploaded(attempt: UInt32, CheckpointID, Result<Upload, StreamError>)
        case peerLost(WorkerID, reason: String)
        case change(Deployment)
        case prepared(attempt: UInt32, StreamError?)
        case copyAhead(attempt: UInt32)
        case withdraw(attempt: UInt32)
        case copied(TaskID, LayoutEpoch)
        case settled(TaskID, LayoutEpoch)
        case notHandedOver(TaskID, LayoutEpoch, StreamError)
        case conclude(attempt: UInt32)
        case retired(attempt: UInt32)
    }

    enum Phase {
        /// The host makes the tasks. What shall follow once it has answered: nothing special, or their removal (and then another attempt).
        case making(isDoomed: Bool, next: Deployment?)
        /// Made and reported; waits for `start`.
        case made
        case running
        /// Could not be made.
        case broken(StreamError)
        /// The host takes the tasks off their threads; then the next attempt is made, if there is one.
        case removing(next: Deployment?)
        /// Nothing is left.
        case gone
    }

    struct Member {
        var isSource: Bool
        /// TaskManagers at the other ends of its channels.
        var peers: Set<WorkerID>
        var hasEnded = false
        var failure: StreamError?
        var wantsSplits = false
    }

    let job: JobID
    let worker: WorkerID
    private(set) var phase: Phase
    var attempt: UInt32
    /// Of the deployment that planned changes have changed since: connections of all attempts from it on are in use.
    private var base: UInt32
    var members: [TaskID: Member]
    /// A planned change that is under way. Its new tasks are members from the start.
    var change: PlannedChange?
    /// Of a change that the host still prepares although everything is to end: what it makes is taken off when it has answered, or it would stay.
    private var endsWhenPrepared: UInt32?
    /// Of a change that was dropped and whose tasks the host takes off.
    var takenBack: UInt32?
    private var gatherings: [CheckpointID: SnapshotGathering] = [:]
    /// Checkpoints that this attempt takes no part in any more, above the floor.
    private var over: Set<CheckpointID> = []
    /// Checkpoints below this one are over, unless they are being written.
    private var floor: CheckpointID = 0
    /// Splits for tasks that are not made yet.
    private var early: [(TaskID, TaskCommand)] = []
    /// The greatest attempt whose end was asked for and not reported.
    private var owedStop: UInt32?
    private(set) var isReleased = false

    /// The first deployment of a job; the effects ask the host to make it.
    init(_ deployment: Deployment, worker: WorkerID, effects: inout [WorkerEffect]) {
        job = deployment.job
        self.worker = worker
        attempt = deployment.layout.attempt
        base = attempt
        phase = .gone
        members = [:]
        adopt(deployment, &effects)
    }

    /// A planned change brings the job here; until its barrier nothing runs.
    init(joining deployment: Deployment, worker: WorkerID) {
        job = deployment.job
        self.worker = worker
        attempt = deployment.previous?.attempt ?? 0
        base = attempt
        phase = .running
        members = [:]
    }

    var tasks: [TaskID] { members.keys.sorted() }

    /// Whether rows or state go by the connections of this attempt.
    func connects(by attempt: UInt32) -> Bool { attempt >= base && attempt <= change?.attempt ?? self.attempt }

    /// Tasks that count as running in a registration.
    var running: [TaskID] {
        switch phase {
        case .making, .made, .running, .broken, .removing: tasks
        case .gone: []
        }
    }

    private mutating func adopt(_ deployment: Deployment, _ effects: inout [WorkerEffect]) {
        attempt = deployment.layout.attempt
        base = attempt
        change = nil
        takenBack = nil
        gatherings = [:]
        over = []
        floor = 0
        early = []
        members = [:]
        do throws(StreamError) {
            let graph = try JobGraphBytes.decode(deployment.graph)
            for subtask in deployment.subtasks {
                members[TaskID(job: job, subtask: subtask, attempt: attempt)] = Member(
                    isSource: graph.vertices[subtask.vertex].source != nil, peers: WorkerJob.peers(of: subtask, graph, deployment.layout, without: worker))
            }
            phase = .making(isDoomed: false, next: nil)
            effects.append(.make(deployment))
        } catch {
            for subtask in deployment.subtasks {
                members[TaskID(job: job, subtask: subtask, attempt: attempt)] = Member(isSource: false, peers: [])
            }
            breakDown(error, &effects)
        }
    }

    static func peers(of subtask: SubtaskID, _ graph: JobGraph, _ layout: Layout, without worker: WorkerID) -> Set<WorkerID> {
        var peers: Set<WorkerID> = []
        for edge in graph.edges {
            if edge.target == subtask.vertex {
                for origin in layout.origins(of: edge, to: subtask.index) {
                    peers.insert(layout.slot(of: SubtaskID(vertex: edge.source, index: origin)).worker)
                }
            }
            if edge.source == subtask.vertex {
                for target in layout.targets(of: edge, from: subtask.index) {
                    peers.insert(layout.slot(of: SubtaskID(vertex: edge.target, index: target)).worker)
                }
            }
        }
        peers.remove(worker)
        return peers
    }

    // MARK: Events

    mutating func handle(_ event: Event) -> [WorkerEffect] {
        var effects: [WorkerEffect] = []
        switch (phase, event) {
        case (_, .deploy(let deployment)): deploy(deployment, &effects)
        case (_, .cancel(let upTo)): cancel(upTo, &effects)
        case (_, .release): release(&effects)

        case (.making(let isDoomed, let next), .made(let made, let error)) where made == attempt:
            if isDoomed || next != nil {
                remove(next: next, &effects)
            } else if let error {
                breakDown(error, &effects)
            } else {
                phase = .made
                effects.append(.send(.deployed(job: job, attempt: attempt)))
                for (task, command) in early { effects.append(.command(task, command)) }
                early = []
            }
        case (_, .made): break  // Of an attempt that is over, or said twice.

        case (.made, .start(let started)) where started == attempt:
            phase = .running
            effects.append(.start(job: job, attempt: attempt))
        case (_, .start): break  // Said twice, or of an attempt that is over here.

        case (.removing(let next), .removed(let removed)) where removed >= attempt: isRemoved(next: next, &effects)
        case (_, .removed): break  // Nothing was to be removed.

        case (.running, .trigger(let of, let barrier, let order)) where of == attempt: trigger(barrier, order, &effects)
        case (.made, .trigger(let of, let barrier, _)) where of == attempt,
            (.making, .trigger(let of, let barrier, _)) where of == attempt,
            (.broken, .trigger(let of, let barrier, _)) where of == attempt:
            decline(barrier.checkpoint, "the tasks do not run", &effects)
        case (_, .trigger): break  // Of an attempt that is over or ending.

        case (.made, .completed(let checkpoint)), (.running, .completed(let checkpoint)):
            tellAll(.completed(checkpoint), &effects)
            floor = max(floor, checkpoint)
            over = over.filter { $0 > floor }
            gatherings = gatherings.filter { $0.key >= floor || $0.value.isUploading }
        case (.made, .aborted(let checkpoint)), (.running, .aborted(let checkpoint)):
            gatherings[checkpoint] = nil
            if checkpoint >= floor { over.insert(checkpoint) }
            tellAll(.aborted(checkpoint), &effects)
        case (.making, .completed), (.making, .aborted),  // Of an attempt before this one.
            (.broken, .completed), (.broken, .aborted), (.removing, .completed), (.removing, .aborted), (.gone, .completed), (.gone, .aborted):
            break

        case (.making, .splits(let task, let splits, let noMore, let released)) where members[task] != nil:
            early.append((task, .splits(splits, noMore: noMore, released: released)))
        case (.made, .splits(let task, let splits, let noMore, let released)) where members[task] != nil,
            (.running, .splits(let task, let splits, let noMore, let released)) where members[task] != nil:
            if noMore || !splits.isEmpty { members[task]?.wantsSplits = false }
            effects.append(.command(task, .splits(splits, noMore: noMore, released: released)))
        case (_, .splits): break  // For a task that is gone; the JobManager has them still.

        case (.running, .snapshot(let task, let checkpoint, let snapshot)) where members[task] != nil:
            gather(snapshot, of: task, checkpoint, &effects)
        case (.running, .needsSplits(let task)) where members[task] != nil:
            members[task]?.wantsSplits = true
            effects.append(.send(.needsSplits(task)))
        case (.running, .splitFinished(let task, let split)) where members[task] != nil:
            // If it is lost, the next completed checkpoint says the same.
            effects.append(.send(.splitFinished(task, split: split)))
        case (.running, .ended(let task)) where members[task] != nil:
            members[task]?.hasEnded = true
            effects.append(.send(.ended(task)))
        case (.made, .failed(let task, let error)) where members[task] != nil, (.running, .failed(let task, let error)) where members[task] != nil:
            fail(task, error, &effects)
        case (_, .snapshot), (_, .needsSplits), (_, .splitFinished), (_, .ended), (_, .failed):
            break  // Of a task that is being removed, or of an older attempt.

        case (.running, .uploaded(let of, let checkpoint, let result)) where of == attempt: uploaded(checkpoint, result, &effects)
        case (_, .uploaded): break  // Nobody waits for it any more; the JobManager's collector finds the object.

        case (.making, .peerLost(let peer, let reason)), (.made, .peerLost(let peer, let reason)), (.running, .peerLost(let peer, let reason)):
            for task in tasks where members[task]?.peers.contains(peer) ?? false {
                fail(task, StreamError(.connection, retry: true, "the connection to TaskManager \(peer) broke: \(reason)"), &effects)
            }
            lost(peer, reason, &effects)
        case (.running, .change(let deployment)): begin(deployment, &effects)
        case (.running, .prepared(let prepared, let error)): self.prepared(prepared, error, &effects)
        case (.removing, .prepared(let prepared, _)) where prepared == endsWhenPrepared:
            endsWhenPrepared = nil
            effects.append(.remove(job: job, attempt: attempt))
        case (.running, .copyAhead(let asked)): copyAhead(asked, &effects)
        case (.running, .withdraw(let dropped)): withdraw(dropped, &effects)
        case (.running, .copied(let task, let layout)): copied(task, layout, &effects)
        case (.running, .settled(let task, let layout)): settled(task, layout, &effects)
        case (.running, .notHandedOver(let task, let layout, let error)): notHandedOver(task, layout, error, &effects)
        case (.running, .conclude(let concluded)):
            if conclude(concluded, &effects) { phase = .gone }
        case (.running, .retired(let retired)):
            if takenBack == retired {
                takenBack = nil
                effects.append(.send(.withdrawn(job: job, attempt: retired)))
            } else {
                effects.append(.send(.retired(job: job, attempt: retired)))
            }
            if members.isEmpty, change == nil { phase = .gone }
        case (.made, .change), (.making, .change), (.broken, .change), (.removing, .change), (.gone, .change),  // Of an attempt that is over.
            (_, .prepared), (_, .copyAhead), (_, .withdraw), (_, .copied), (_, .settled), (_, .notHandedOver), (_, .conclude),
            (_, .retired):  // Everything ends here anyway.
            break
        case (.broken, .peerLost), (.removing, .peerLost), (.gone, .peerLost): break  // These tasks end anyway.
        }
        return effects
    }

    /// What the JobManager may have missed while nobody led.
    func report() -> [WorkerMessage] {
        switch phase {
        case .making, .removing, .gone: return []
        case .broken(let error): return tasks.first.map { [.failed($0, error)] } ?? []
        case .made: return [.deployed(job: job, attempt: attempt)] + tasks.compactMap { task in members[task]?.failure.map { .failed(task, $0) } }
        case .running:
            return tasks.flatMap { task -> [WorkerMessage] in
                guard let member = members[task] else { return [] }
                if let failure = member.failure { return [.failed(task, failure)] }
                return (member.hasEnded ? [.ended(task)] : []) + (member.wantsSplits ? [.needsSplits(task)] : [])
            }
        }
    }

    // MARK: Beginning and end

    private mutating func deploy(_ deployment: Deployment, _ effects: inout [WorkerEffect]) {
        let new = deployment.layout.attempt
        guard new >= attempt else { return }  // Overtaken by a newer one.
        switch phase {
        case .making(let isDoomed, let next):
            guard new > (next?.layout.attempt ?? attempt) else { return }
            phase = .making(isDoomed: isDoomed, next: deployment)
        case .made, .running:
            guard new > attempt else { return effects.append(.send(.deployed(job: job, attempt: attempt))) }
            remove(next: deployment, &effects)
        case .broken:
            guard new > attempt else { return effects.append(contentsOf: report().map { .send($0) }) }
            remove(next: deployment, &effects)
        case .removing(let next):
            guard new > (next?.layout.attempt ?? attempt) else { return }
            phase = .removing(next: deployment)
        case .gone: adopt(deployment, &effects)
        }
    }

    private mutating func cancel(_ upTo: UInt32, _ effects: inout [WorkerEffect]) {
        // Attempts below that were removed before it was made. Tasks that stayed through changes have its number still, and that is what a new
        // JobManager knows them by.
        guard upTo >= base else { return effects.append(.send(.stopped(job: job, attempt: upTo))) }
        owedStop = max(owedStop ?? 0, upTo)
        func kept(_ next: Deployment?) -> Deployment? { next.flatMap { $0.layout.attempt > upTo ? $0 : nil } }
        switch phase {
        case .making(_, let next): phase = .making(isDoomed: true, next: kept(next))
        case .made, .running, .broken: remove(next: nil, &effects)
        case .removing(let next): phase = .removing(next: kept(next))
        case .gone: isRemoved(next: nil, &effects)
        }
    }

    private mutating func release(_ effects: inout [WorkerEffect]) {
        isReleased = true
        switch phase {
        case .making: phase = .making(isDoomed: true, next: nil)
        case .made, .running, .broken: remove(next: nil, &effects)
        case .removing: phase = .removing(next: nil)
        case .gone: break
        }
    }

    private mutating func remove(next: Deployment?, _ effects: inout [WorkerEffect]) {
        attempt = max(attempt, change?.attempt ?? 0)
        endsWhenPrepared = change.flatMap { $0.isPrepared ? nil : $0.attempt }
        change = nil
        phase = .removing(next: next)
        gatherings = [:]
        early = []
        if endsWhenPrepared == nil { effects.append(.remove(job: job, attempt: attempt)) }
    }

    private mutating func isRemoved(next: Deployment?, _ effects: inout [WorkerEffect]) {
        phase = .gone
        members = [:]
        if let owed = owedStop {
            owedStop = nil
            effects.append(.send(.stopped(job: job, attempt: owed)))
        }
        if let next { adopt(next, &effects) }
    }

    mutating func breakDown(_ error: StreamError, _ effects: inout [WorkerEffect]) {
        phase = .broken(error)
        early = []
        if let first = tasks.first { effects.append(.send(.failed(first, error))) }
    }

    // MARK: Checkpoints

    private mutating func trigger(_ barrier: Barrier, _ order: SnapshotGathering.Order, _ effects: inout [WorkerEffect]) {
        let checkpoint = barrier.checkpoint
        guard checkpoint >= floor, !over.contains(checkpoint) else { return }
        if let failed = tasks.first(where: { members[$0]?.failure != nil }) {
            return decline(checkpoint, "task \(failed) has failed", &effects)
        }
        gatherings[checkpoint, default: SnapshotGathering()].order = order
        if let epoch = barrier.layout, epoch == change?.plan.new.epoch { change?.checkpoint = checkpoint }
        for task in participants where members[task]?.isSource ?? false { effects.append(.command(task, .trigger(barrier))) }
        upload(checkpoint, &effects)
    }

    private mutating func gather(_ snapshot: TaskSnapshot, of task: TaskID, _ checkpoint: CheckpointID, _ effects: inout [WorkerEffect]) {
        // A task that has passed this barrier will not answer the ones before it.
        for older in gatherings.keys.sorted() where older < checkpoint {
            guard let gathering = gatherings[older], !gathering.has(task.subtask) else { continue }
            decline(older, "task \(task) went on to checkpoint \(checkpoint)", &effects)
        }
        handBack(snapshot, of: task, checkpoint, &effects)
        guard checkpoint >= floor, !over.contains(checkpoint) else { return }
        gatherings[checkpoint, default: SnapshotGathering()].add(snapshot)
        upload(checkpoint, &effects)
    }

    private mutating func upload(_ checkpoint: CheckpointID, _ effects: inout [WorkerEffect]) {
        let tasks = participants.count
        guard let (order, snapshots) = gatherings[checkpoint]?.complete(tasks: tasks, keepsThem: change.map { $0.checkpoint == checkpoint } ?? false) else { return }
        effects.append(
            .upload(job: job, attempt: attempt, checkpoint: checkpoint, folder: order.folder, store: order.store, snapshots))
    }

    private mutating func uploaded(_ checkpoint: CheckpointID, _ result: Result<Upload, StreamError>, _ effects: inout [WorkerEffect]) {
        guard let gathering = gatherings[checkpoint], gathering.isUploading else { return }  // Aborted meanwhile.
        switch result {
        case .success(let upload):
            gatherings[checkpoint] = nil
            over.insert(checkpoint)
            effects.append(.send(.acknowledged(gathering.acknowledgement(job: job, attempt: attempt, checkpoint: checkpoint, upload))))
        case .failure(let error):
            // A sink whose files are gone, say: no later checkpoint would fare better.
            if error.kind == .user, !error.retry, let first = tasks.first { fail(first, error, &effects) }
            if gatherings[checkpoint]?.failed() ?? false {
                return effects.append(.send(.declined(job: job, attempt: attempt, checkpoint: checkpoint, reason: error.description)))
            }
            decline(checkpoint, error.description, &effects)
        }
    }

    private mutating func decline(_ checkpoint: CheckpointID, _ reason: String, _ effects: inout [WorkerEffect]) {
        gatherings[checkpoint] = nil
        over.insert(checkpoint)
        effects.append(.send(.declined(job: job, attempt: attempt, checkpoint: checkpoint, reason: reason)))
    }

    mutating func fail(_ task: TaskID, _ error: StreamError, _ effects: inout [WorkerEffect]) {
        guard members[task]?.failure == nil else { return }
        members[task]?.failure = error
        effects.append(.send(.failed(task, error)))
        for checkpoint in gatherings.keys.sorted() where !(gatherings[checkpoint]?.isUploading ?? true) {
            decline(checkpoint, "task \(task) has failed", &effects)
        }
    }

    private func tellAll(_ command: TaskCommand, _ effects: inout [WorkerEffect]) {
        for task in tasks { effects.append(.command(task, command)) }
    }

    func checkInvariants() {
        for (checkpoint, gathering) in gatherings {
            precondition(!over.contains(checkpoint), "what is over is not gathered")
            precondition(gathering.isUploading || gathering.snapshots.count <= members.count, "a task gives one snapshot")
            precondition(
                gathering.isUploading || gathering.order == nil || gathering.snapshots.count < participants.count, "what is complete is written")
        }
        precondition(members.keys.allSatisfy { $0.attempt <= change?.attempt ?? attempt }, "no task is newer than the newest attempt")
        if case .gone = phase { precondition(owedStop == nil && members.isEmpty, "what is gone owes nothing") }
        if case .removing = phase {} else { precondition(endsWhenPrepared == nil, "only what ends waits for the end of a preparation") }
    }
}
