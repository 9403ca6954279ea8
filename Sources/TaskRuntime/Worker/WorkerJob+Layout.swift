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
            // Until it is over all depend on all: state may go from anybody to anybody.
            let everybody = Set(previous.workers + deployment.layout.workers).subtracting([worker])
            for task in plan.beginning where deployment.subtasks.contains(task.subtask) {
                members[task] = Member(isSource: graph.vertices[task.subtask.vertex].source != nil, peers: everybody)
            }
            for task in tasks { members[task]?.peers = everybody }
            change = PlannedChange(plan: plan, attempt: deployment.layout.attempt, checkpoint: nil, uncopied: Set(tasks.filter { !plan.arrivals(at: $0).isEmpty }), unsettled: Set(tasks))
            effects.append(.prepare(deployment))
        } catch {
            breakDown(error, &effects)
        }
    }

    mutating func prepared(_ attempt: UInt32, _ error: StreamError?, _ effects: inout [WorkerEffect]) {
        guard let change, change.attempt == attempt else { return }
        guard let error else { return effects.append(.send(.prepared(job: job, attempt: attempt))) }
        if let first = tasks.last { fail(first, error, &effects) }
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
