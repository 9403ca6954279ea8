import Dataflow
import Wire

// What tasks of the running attempt say.
extension JobMaster {
    /// Whether a task belongs to the attempt that runs.
    private func isCurrent(_ task: TaskID) -> Bool {
        if let layout = phase.layout, layout.has(task) || planned?.next.has(task) ?? false { return true }
        return task.attempt == attempt && phase.layout == nil && graph.vertices.indices.contains(task.subtask.vertex)
    }

    mutating func taskEnded(_ task: TaskID) {
        switch phase {
        case .running(let layout, var ended):
            guard layout.has(task) else {
                if planned?.next.has(task) ?? false { planned?.ended.insert(task.subtask) }
                return
            }
            ended.insert(task.subtask)
            phase = .running(layout, ended: ended)
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .deploying, .restarting, .finishing, .ending, .ended, .suspended:
            break  // A drained source ends within the last savepoint; otherwise of an attempt that is being ended.
        }
    }

    mutating func taskFailed(_ task: TaskID, _ error: StreamError, _ worker: WorkerID, at now: Now, in cluster: inout Cluster) {
        switch phase {
        case .deploying, .running:
            guard isCurrent(task) else { return }
            avoidUnreachable(error, at: now)
            if let planned, !planned.isRunning, !planned.plan.old.has(task) { return cannotChange(worker, task.attempt, error, at: now, in: &cluster) }
            // While state moves it is there twice: what that brings down is the change's.
            let isOfChange = planned != nil && error.kind == .memory
            if isOfChange { restFromChanges(at: now) }
            fail(error, task: task, worker: worker, charges: !isOfChange, at: now, in: &cluster)
        case .restarting, .ending, .finishing:
            // One cause brings down several tasks: they are one failure. While a job finishes, all that its tasks did is in its last checkpoint, and
            // commits need no tasks.
            guard isCurrent(task) else { return }
            chronicle.followed(error, task: task, worker: worker, at: now.wallMilliseconds)
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .ended, .suspended:
            break  // Of an older attempt.
        }
    }

    mutating func stopped(_ worker: WorkerID, _ attempt: UInt32, at now: Now, in cluster: inout Cluster) {
        // The slots of an attempt that is not even deployed stay held.
        let isAhead = phase.name == .publishingLayout && attempt >= self.attempt
        cluster.release(job, attemptsUpTo: isAhead ? self.attempt - 1 : attempt, on: worker)
        switch phase {
        case .deploying(let layout, _), .running(let layout, _):
            guard attempt >= self.attempt, layout.workers.contains(worker) else { return }
            let error = StreamError(.internal, retry: true, "TaskManager \(worker) dropped its tasks although nobody asked it to")
            fail(error, worker: worker, at: now, in: &cluster)
        case .restarting(var waiting, let since, let notBefore):
            guard attempt >= self.attempt else { return }
            waiting.remove(worker)
            phase = .restarting(waiting: waiting, since: since, notBefore: notBefore)
        case .ending(var ending):
            guard attempt >= self.attempt else { return }
            ending.waiting.remove(worker)
            phase = .ending(ending)
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .finishing, .ended, .suspended:
            break  // Left over from an older attempt.
        }
    }

    mutating func measured(_ metrics: TaskMetrics) {
        // Those that a change begins count from when it holds: until then the old ones do.
        if isCurrent(metrics.task), planned?.plan.old.has(metrics.task) ?? true { chronicle.measured(metrics) } else { chronicle.measuredLate(metrics) }
    }

    // MARK: Splits

    /// Sources look for splits as soon as the restore point is known, beside the deployment.
    var discovers: Bool {
        switch phase {
        case .waitingForSlots, .publishingLayout, .deploying, .running: true
        case .created, .reading, .claiming, .restarting, .finishing, .ending, .ended, .suspended: false
        }
    }

    mutating func discover(at now: Now, in cluster: inout Cluster) {
        guard discovers else { return }
        for index in assigners.indices {
            guard let known = assigners[index].discover(at: now.instant) else { continue }
            let vertex = assigners[index].vertex
            guard var spec = graph.vertices[vertex].source else { preconditionFailure("split assigners belong to sources") }
            spec.jobStarted = started
            cluster.effects.append(.discover(job: job, vertex: vertex, spec, known: known))
        }
    }

    mutating func discovered(_ vertex: Int, _ result: Result<Discovery, StreamError>, at now: Now, in cluster: inout Cluster) {
        guard let index = assigners.firstIndex(where: { $0.vertex == vertex }) else { return }
        switch result {
        case .success(let found):
            if let origin = assigners[index].isForeign(found) {
                let words = "the splits that this job has read are those of \(origin); now there is \(found.origin ?? ""), so its state means nothing here. "
                    + StreamError.startWithoutState
                assigners[index].discoveryFailed(retryAfter: .seconds(5), at: now.instant)
                guard discovers else { return }  // The next attempt looks again.
                return fail(StreamError(.user, retry: false, words).during(graph.vertices[vertex].name), at: now, in: &cluster)
            }
            let assignments = assigners[index].discovered(found, at: now.instant)
            switch phase {
            case .running:
                assign(assignments, vertex: vertex, in: &cluster)
                hastenCheckpoint(at: now)
            case .restarting, .finishing, .ending, .ended, .suspended:
                break  // The readers that wait are being ended; the next attempt hands out all splits anew.
            case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .deploying:
                precondition(assignments.isEmpty, "only running readers ask for splits")
            }
        case .failure(let error):
            assigners[index].discoveryFailed(retryAfter: .seconds(5), at: now.instant)
            let error = error.during(graph.vertices[vertex].name)
            switch phase {
            case .waitingForSlots, .publishingLayout, .deploying, .running:
                if error.retry {
                    cluster.log(.warning, "SplitAssigner", "Looking for splits failed, it is tried again: \(error)")
                } else {
                    fail(error, at: now, in: &cluster)
                }
            case .created, .reading, .claiming, .restarting, .finishing, .ending, .ended, .suspended:
                break  // The next attempt looks again.
            }
        }
    }

    mutating func needsSplits(_ task: TaskID, in cluster: inout Cluster) {
        switch phase {
        case .running:
            guard isCurrent(task), let index = assigners.firstIndex(where: { $0.vertex == task.subtask.vertex }) else { return }
            // A reader that begins with a change is told its splits without asking.
            if let planned, !planned.plan.old.has(task), !planned.resumed.contains(task.subtask.vertex) { return }
            assign(assigners[index].needsSplits(task.subtask.index), vertex: task.subtask.vertex, in: &cluster)
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .deploying, .restarting, .finishing, .ending, .ended, .suspended:
            break  // Of an attempt that is being ended.
        }
    }

    mutating func splitFinished(_ split: String, of task: TaskID, at now: Now, in cluster: inout Cluster) {
        switch phase {
        case .running:
            guard isCurrent(task), let index = assigners.firstIndex(where: { $0.vertex == task.subtask.vertex }) else { return }
            let reader = task.subtask.index
            let assignments =
                cluster.options.faults.contains(.childrenAnywhere)
                ? assigners[index].finished([split], by: reader)
                : assigners[index].ended(split, by: reader, before: coordinator.nextID, at: now.instant)
            assign(assignments, vertex: task.subtask.vertex, in: &cluster)
            hastenCheckpoint(at: now)
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .deploying, .restarting, .finishing, .ending, .ended, .suspended:
            break  // Of an attempt that is being ended.
        }
    }

    /// What can only be read behind a checkpoint does not wait for the interval.
    mutating func hastenCheckpoint(at now: Now) {
        if coordinator.pending == nil, assigners.contains(where: \.awaitsCheckpoint) { coordinator.hasten(at: now.instant) }
    }

    /// Gives splits to readers of the attempt that runs.
    func assign(_ assignments: [SplitAssigner.Assignment], vertex: Int, in cluster: inout Cluster) {
        guard let layout = planned.flatMap({ $0.isRunning ? $0.next : nil }) ?? phase.layout else { return }
        for assignment in assignments {
            let subtask = SubtaskID(vertex: vertex, index: assignment.subtask)
            cluster.send(
                .splits(layout.task(subtask, of: job), assignment.splits, noMore: assignment.noMore, released: assignment.released),
                to: layout.slot(of: subtask).worker)
        }
    }
}
