import Dataflow
import Wire

/// A planned change of a job's layout, as one TaskManager takes part in it.
struct PlannedChange {
    let plan: LayoutChange
    /// Of the tasks that it begins.
    let attempt: UInt32
    /// The one whose barrier it is.
    var checkpoint: CheckpointID?
    /// Tasks here that have not taken in all that is copied to them ahead of the barrier.
    var uncopied: Set<TaskID>
    var isAskedToCopy = false
    /// The other TaskManagers that take part: until it holds here all depend on all, for state may go from anybody to anybody.
    let others: Set<WorkerID>
    /// The host has answered.
    var isPrepared = false
    /// It was dropped before the host had answered.
    var isWithdrawn = false
    /// The JobManager was told that it cannot be.
    var isImpossible = false
    /// Tasks here that have not said that the new layout holds for them.
    var unsettled: Set<TaskID>
}

extension WorkerJob {
    /// Tasks that take part in the checkpoints of the layout that runs.
    var participants: [TaskID] {
        guard let change else { return tasks }
        return tasks.filter { change.plan.old.has($0) }
    }

    mutating func begin(_ deployment: Deployment, _ effects: inout [WorkerEffect]) {
        guard change == nil, let previous = deployment.previous, previous.attempt == attempt, deployment.layout.attempt > attempt else { return }
        do throws(StreamError) {
            let graph = try JobGraphBytes.decode(deployment.graph)
            let plan = LayoutChange(job: job, graph: graph, from: previous, to: deployment.layout)
            let everybody = Set(previous.workers + deployment.layout.workers).subtracting([worker])
            for task in plan.beginning where deployment.subtasks.contains(task.subtask) {
                members[task] = Member(isSource: graph.vertices[task.subtask.vertex].source != nil, peers: [])
            }
            change = PlannedChange(plan: plan, attempt: deployment.layout.attempt, checkpoint: nil, uncopied: Set(tasks.filter { !plan.arrivals(at: $0).isEmpty }),
                others: everybody, unsettled: Set(tasks))
            effects.append(.prepare(deployment))
        } catch {
            effects.append(.send(.cannotChange(job: job, attempt: deployment.layout.attempt, error)))
        }
    }

    mutating func prepared(_ attempt: UInt32, _ error: StreamError?, _ effects: inout [WorkerEffect]) {
        guard let change, change.attempt == attempt, !change.isPrepared else { return }
        self.change?.isPrepared = true
        if change.isWithdrawn { return takeBack(change, &effects) }
        guard let error else { return effects.append(.send(.prepared(job: job, attempt: attempt))) }
        refuse(error, &effects)
    }

    /// Whether the change can still be dropped, only the JobManager knows: tasks do not fail for it here.
    private mutating func refuse(_ error: StreamError, _ effects: inout [WorkerEffect]) {
        guard let change, !change.isImpossible else { return }
        self.change?.isImpossible = true
        effects.append(.send(.cannotChange(job: job, attempt: change.attempt, error)))
    }

    /// A TaskManager is out of reach with which no task here has a channel that it uses, but which takes part in the change.
    mutating func lost(_ peer: WorkerID, _ reason: String, _ effects: inout [WorkerEffect]) {
        guard let change, !change.unsettled.isEmpty, change.others.contains(peer) else { return }
        refuse(StreamError(.connection, retry: true, "the connection to TaskManager \(peer) broke: \(reason)", unreachable: peer), &effects)
    }

    /// Whoever should get it would wait for ever.
    mutating func notHandedOver(_ task: TaskID, _ layout: LayoutEpoch, _ error: StreamError, _ effects: inout [WorkerEffect]) {
        guard let change, change.plan.new.epoch == layout, members[task] != nil else { return }
        refuse(error, &effects)
    }

    mutating func withdraw(_ dropped: UInt32, _ effects: inout [WorkerEffect]) {
        guard let change, change.attempt == dropped else { return effects.append(.send(.withdrawn(job: job, attempt: dropped))) }
        // While the host makes the tasks they cannot be taken off.
        if change.isPrepared { takeBack(change, &effects) } else { self.change?.isWithdrawn = true }
    }

    private mutating func takeBack(_ dropped: PlannedChange, _ effects: inout [WorkerEffect]) {
        let begun = tasks.filter { !dropped.plan.old.has($0) }
        for task in begun { members[task] = nil }
        change = nil
        for task in tasks { effects.append(.command(task, .withdraw(dropped.plan.new.epoch))) }
        if begun.isEmpty { return effects.append(.send(.withdrawn(job: job, attempt: dropped.attempt))) }
        takenBack = dropped.attempt
        effects.append(.retire(job: job, attempt: dropped.attempt, begun))
    }

    mutating func copyAhead(_ attempt: UInt32, _ effects: inout [WorkerEffect]) {
        guard let change, change.attempt == attempt, !change.isAskedToCopy else { return }
        self.change?.isAskedToCopy = true
        for task in tasks where !change.plan.departures(from: task).isEmpty { effects.append(.command(task, .copyAhead(change.plan.new.epoch))) }
        if change.uncopied.isEmpty { effects.append(.send(.copied(job: job, attempt: attempt))) }
    }

    /// It may come before this TaskManager is asked to copy: others were asked before.
    mutating func copied(_ task: TaskID, _ layout: LayoutEpoch, _ effects: inout [WorkerEffect]) {
        guard let change, change.plan.new.epoch == layout, self.change?.uncopied.remove(task) != nil else { return }
        if change.isAskedToCopy, self.change?.uncopied.isEmpty ?? false { effects.append(.send(.copied(job: job, attempt: change.attempt))) }
    }

    /// A source's splits go to other readers at once, not only when the checkpoint is durable.
    mutating func handBack(_ snapshot: TaskSnapshot, of task: TaskID, _ checkpoint: CheckpointID, _ effects: inout [WorkerEffect]) {
        guard let change, change.checkpoint == checkpoint, change.plan.movesSplits(of: task.subtask.vertex) else { return }
        members[task]?.hasEnded = false
        members[task]?.wantsSplits = false
        effects.append(
            .send(.handedBack(task, change.plan.stays(task) ? [] : snapshot.splits, finished: change.plan.stays(task) ? [] : snapshot.finishedSplits)))
    }

    mutating func settled(_ task: TaskID, _ layout: LayoutEpoch, _ effects: inout [WorkerEffect]) {
        guard let change, change.plan.new.epoch == layout, change.unsettled.contains(task) else { return }
        self.change?.unsettled.remove(task)
        guard self.change?.unsettled.isEmpty ?? false else { return }
        // From here on nobody depends on those who retire.
        for task in tasks {
            members[task]?.peers = change.plan.new.has(task) ? WorkerJob.peers(of: task.subtask, change.plan.graph, change.plan.new, without: worker) : []
        }
        effects.append(.send(.settled(job: job, attempt: change.attempt)))
    }

    /// True when nothing of the job is left here.
    mutating func conclude(_ concluded: UInt32, _ effects: inout [WorkerEffect]) -> Bool {
        guard let change, change.attempt == concluded else { return false }
        let retired = tasks.filter { !change.plan.new.has($0) }
        for task in retired { members[task] = nil }
        attempt = concluded
        self.change = nil
        defer { effects.append(.keep(job: job, peers: members.isEmpty ? [] : change.plan.new.workers)) }
        if !retired.isEmpty {
            effects.append(.retire(job: job, attempt: concluded, retired))
            return false
        }
        effects.append(.send(.retired(job: job, attempt: concluded)))
        return members.isEmpty
    }
}
