import Dataflow
import Wire

// Checkpoints of a running job, and the commits that follow from them.
extension JobMaster {
    mutating func wish(_ kind: CheckpointKind, _ directory: String?, _ ticket: Ticket, in cluster: inout Cluster) {
        func refuse(_ why: String) { cluster.effects.append(.reply(ticket, .refused(StreamError(.user, retry: false, why)))) }
        switch phase {
        case .running:
            let place = kind.isSavepoint ? directory ?? options.savepointDirectory : nil
            if kind.isSavepoint, place == nil {
                return refuse("there is no savepoint directory: name one, or set execution.checkpointing.savepoint-dir")
            }
            if coordinator.pending?.kind.endsJob == true || coordinator.wishes.contains(where: { $0.kind.endsJob }) {
                return refuse("job \(job) is being stopped")
            }
            coordinator.wish(CheckpointCoordinator.Wish(kind: kind, directory: place, tickets: [ticket]))
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .deploying, .restarting:
            refuse("not all tasks of job \(job) are running")
        case .finishing, .ending, .ended:
            refuse("job \(job) has ended or is about to")
        case .suspended:
            refuse("another JobManager leads job \(job)")
        }
    }

    /// One look at a running job.
    mutating func run(_ layout: Layout, ended: Set<SubtaskID>, at now: Now, in cluster: inout Cluster) {
        if coordinator.isExpired(at: now.instant) { abort("Checkpoint expired before completing.", at: now, in: &cluster) }
        guard case .running = phase else { return }
        if let request = retryManifest(at: now, in: &cluster) { cluster.ask(request.ticket, request.request, of: request.store, for: job) }
        changeDeadline = nil
        concludeChange(ended: ended, at: now, in: &cluster)
        guard case .running(let layout, let ended) = phase else { return }
        watchSettling(at: now, in: &cluster)
        guard case .running = phase else { return }
        let allEnded = ended.count == layout.subtaskCount
        if !allEnded { considerChange(layout, at: now, in: &cluster) }
        rewrite(layout, at: now, in: &cluster)
        guard case .running = phase else { return }
        if holdsCheckpoints {
            makeWayForChange(layout, at: now, in: &cluster)
            guard coordinator.pending == nil, planned?.step == .ready else { return }
            guard coordinator.nextID <= reservedThrough else { return reserve(at: now, in: &cluster) }
            _ = injectChange(layout, at: now, in: &cluster)
            return
        }
        guard let wish = coordinator.due(at: now.instant, allEnded: allEnded) else { return }
        guard coordinator.nextID <= reservedThrough else { return reserve(at: now, in: &cluster) }
        trigger(wish, layout, at: now, in: &cluster)
    }

    /// Somebody who leaves has little time: a checkpoint that takes long, on a slow store perhaps, is given up for that of the change. What users
    /// have asked for is given up only when the change could not come to its end otherwise.
    private mutating func makeWayForChange(_ layout: Layout, at now: Now, in cluster: inout Cluster) {
        guard planned?.step == .ready, let pending = coordinator.pending, !pending.kind.endsJob,
            layout.workers.contains(where: { cluster.workers[$0]?.isLeaving ?? false })
        else { return }
        var due = pending.triggered + Self.patienceWithCheckpoints
        if pending.isAskedFor {
            guard let end = endOfLeavers(layout, in: cluster) else { return }
            due = max(due, now.instant + (end - now.instant - partingTime - Self.timeOfChanges))
        }
        guard due <= now.instant else { return remind(at: due) }
        giveUpCheckpoint(layout, at: now, in: &cluster)
    }

    /// The next one is needed while there is time for it.
    mutating func giveUpCheckpoint(_ layout: Layout, at now: Now, in cluster: inout Cluster) {
        guard let pending = coordinator.pending, !pending.kind.endsJob, let aborted = coordinator.giveUp("a TaskManager is leaving", at: now)
        else { return }
        cluster.log(
            .info, "CheckpointCoordinator",
            "Gave up \(aborted.wish.kind.isSavepoint ? "savepoint" : "checkpoint") \(aborted.id) of job \(job): a TaskManager is leaving, and the checkpoint"
                + " that the job goes on from is next.")
        settle(aborted, in: &cluster)
        for worker in layout.workers { cluster.send(.aborted(job: job, checkpoint: aborted.id), to: worker) }
    }

    private static let patienceWithCheckpoints = Duration.milliseconds(500)
    /// What a change may take from its barrier on, beside the time that is kept for a checkpoint.
    private static let timeOfChanges = Duration.seconds(2)

    /// Checkpoint ids are set aside in HEAD before they are used, so that no other leader ever uses them again.
    private mutating func reserve(at now: Now, in cluster: inout Cluster) {
        guard reservation == nil else { return }
        let through = coordinator.nextID - 1 + CheckpointCoordinator.reserve
        let (change, effects) = head.change(draw: &cluster.draw) { $0.lastCheckpoint = max($0.lastCheckpoint, through) }
        reservation = change
        apply(effects, at: now, in: &cluster)
    }

    /// `next`: the layout that holds after its barrier, when it changes.
    @discardableResult
    mutating func trigger(
        _ wish: CheckpointCoordinator.Wish, _ layout: Layout, next: LayoutEpoch? = nil, at now: Now, in cluster: inout Cluster
    ) -> CheckpointID {
        var outstanding: [Int: Set<String>] = [:]
        for assigner in assigners { outstanding[assigner.vertex] = assigner.outstanding }
        let pending = coordinator.trigger(
            wish, layout: layout, enumerators: assigners.map { $0.snapshot() }, outstanding: outstanding, at: now, draw: &cluster.draw)
        cluster.log(
            .info, "CheckpointCoordinator",
            "Triggering \(wish.kind.isSavepoint ? "savepoint" : "checkpoint") \(pending.id) (type=\(wish.kind.label)) @ \(now.wallMilliseconds)"
                + " for job \(job).")
        for worker in layout.workers {
            cluster.send(
                .trigger(
                    job: job, attempt: layout.attempt, Barrier(checkpoint: pending.id, kind: wish.kind, layout: next), folder: pending.folder,
                    store: wish.kind.isSavepoint ? pending.store : nil),
                to: worker)
        }
        return pending.id
    }

    mutating func acknowledged(_ acknowledgement: Acknowledgement, _ worker: WorkerID, at now: Now, in cluster: inout Cluster) {
        switch phase {
        case .running, .restarting, .finishing, .ending, .waitingForSlots, .publishingLayout, .deploying:
            break  // A late one still says what is garbage.
        case .created, .reading, .claiming, .ended, .suspended:
            return
        }
        if acknowledgement.attempt == attempt {
            for task in acknowledgement.tasks {
                guard let index = assigners.firstIndex(where: { $0.vertex == task.share.subtask.vertex }) else { continue }
                finishedSplits[acknowledgement.checkpoint, default: []].append((index, task.share.subtask.index, task.share.finishedSplits))
            }
        }
        switch coordinator.acknowledge(acknowledgement, from: worker, at: now) {
        case .waiting: if cluster.options.faults.contains(.manifestWithoutAllParts) { storeManifest(in: &cluster) }
        case .ignored: break
        case .late(let store, let keys): collector.discard(keys, store: store)
        case .wrong(let what): abort(what, at: now, in: &cluster)
        case .complete: storeManifest(in: &cluster)
        }
    }

    private mutating func storeManifest(in cluster: inout Cluster) {
        guard let pending = coordinator.pending else { preconditionFailure("what is complete is pending") }
        var manifest = Manifest(
            job: job, checkpoint: pending.id, kind: pending.kind, leaderEpoch: head.leaderEpoch, layout: pending.layout,
            vertexIDs: graph.vertices.map(\.id), maxParallelism: graph.maxParallelism, triggered: pending.triggeredWall,
            objects: pending.objects.sorted { $0.key < $1.key },
            subtasks: pending.acknowledged.flatMap(\.tasks).map(\.share).sorted { $0.subtask < $1.subtask },
            enumerators: pending.enumerators, uncommitted: ledger.pending)
        manifest.stateLayouts = graph.vertices.map(\.stateLayouts)
        if cluster.options.faults.contains(.commitsOnAcknowledged) { ledger.add(pending.commits) }
        if cluster.options.faults.contains(.restoresUnpublished), !pending.kind.isSavepoint {
            restore = RestorePoint(
                manifest: manifest, store: nil, objects: manifest.objects, path: "", vertices: graph.vertices.indices.map { $0 })
        }
        let ticket = cluster.draw.ticket()
        cluster.ask(ticket, coordinator.store(manifest, ticket: ticket), of: pending.store, for: job)
    }

    private mutating func retryManifest(at now: Now, in cluster: inout Cluster) -> (ticket: Ticket, request: StoreRequest, store: String?)? {
        guard case .pausing? = coordinator.pending?.step else { return nil }
        let store = coordinator.pending?.store
        let ticket = cluster.draw.ticket()
        return coordinator.retryStore(at: now.instant, ticket: ticket).map { (ticket, $0, store) }
    }

    /// False when the answer is not about a manifest of this job.
    mutating func checkpointStored(_ ticket: Ticket, _ answer: StoreAnswer, at now: Now, in cluster: inout Cluster) -> Bool {
        let next = cluster.draw.ticket()
        switch coordinator.stored(ticket, answer, next: next, at: now.instant) {
        case .notMine: return false
        case .waiting: break
        case .store(let request): cluster.ask(next, request, of: coordinator.pending?.store, for: job)
        case .leftover(let store, let key): collector.discard([key], store: store)
        case .failed(let reason): abort(reason, at: now, in: &cluster)
        case .durable: publish(at: now, in: &cluster)
        }
        return true
    }

    /// The manifest lies in the store: HEAD may name it.
    private mutating func publish(at now: Now, in cluster: inout Cluster) {
        guard let pending = coordinator.pending else { preconditionFailure("what is durable is pending") }
        let isSavepoint = pending.kind.isSavepoint
        let entry = Head.Retained(
            checkpoint: pending.id, kind: pending.kind,
            manifest: isSavepoint ? "\(coordinator.path(of: pending))/_metadata" : pending.manifestKey,
            objects: isSavepoint ? [] : pending.objects.map(\.key).sorted())
        let through = coordinator.nextID - 1 + CheckpointCoordinator.reserve
        let keep = max(options.retainedCheckpoints, 1)
        var gone: [Head.Retained] = []
        let (change, effects) = head.change(draw: &cluster.draw) { head in
            head.lastCheckpoint = max(head.lastCheckpoint, through)
            // A savepoint is the user's: it serves recovery only while nothing newer does, and is never deleted.
            head.retained.removeAll { $0.kind.isSavepoint }
            head.retained.append(entry)
            var surplus = head.retained.count { !$0.kind.isSavepoint } - keep
            head.retained.removeAll { old in
                guard surplus > 0, old.checkpoint != entry.checkpoint, !old.kind.isSavepoint else { return false }
                surplus -= 1
                gone.append(old)
                return true
            }
        }
        coordinator.publishing(change: change)
        if !gone.isEmpty { retiring.append((change, gone)) }
        if cluster.options.faults.contains(.deletesBeforeHead) {
            for entry in gone { collector.discard(entry.objects + [entry.manifest], store: options.checkpointDirectory) }
        }
        if cluster.options.faults.contains(.completedBeforeHead) {
            for worker in pending.layout.workers { cluster.send(.completed(job: job, checkpoint: pending.id), to: worker) }
        }
        apply(effects, at: now, in: &cluster)
    }

    /// HEAD has all changes up to this one.
    mutating func published(through change: Int, at now: Now, in cluster: inout Cluster) {
        reservedThrough = max(reservedThrough, head.published?.lastCheckpoint ?? 0)
        if let mine = reservation, mine <= change { reservation = nil }
        for (number, entries) in retiring where number <= change {
            coordinator.discarded(Set(entries.map(\.checkpoint)))
            for entry in entries { collector.discard(entry.objects + [entry.manifest], store: options.checkpointDirectory) }
        }
        retiring.removeAll { $0.change <= change }
        answerRequirements(through: change, in: &cluster)
        if let done = coordinator.published(through: change, at: now) { completed(done, at: now, in: &cluster) }
        if case .publishingLayout(let layout, let mine) = phase, mine <= change { deploy(layout, in: &cluster) }
        if case .publishing(let mine)? = planned?.step, mine <= change { prepareChange(in: &cluster) }
    }

    private mutating func completed(_ done: CheckpointCoordinator.Pending, at now: Now, in cluster: inout Cluster) {
        guard let manifest = done.manifest else { preconditionFailure("a complete checkpoint has a manifest") }
        let path = coordinator.path(of: done)
        cluster.log(
            .info, "CheckpointCoordinator",
            "Completed \(done.kind.isSavepoint ? "savepoint" : "checkpoint") \(done.id) for job \(job) (\(done.stateBytes) bytes,"
                + " checkpointDuration=\((now.instant - done.triggered).milliseconds) ms, path=\(path)).")
        var point = RestorePoint(
            manifest: manifest, store: done.kind.isSavepoint ? path : nil, objects: manifest.objects, path: path,
            vertices: graph.vertices.indices.map { $0 })
        if done.kind.isSavepoint { point.rebase() }
        restore = point
        ledger.add(done.commits)
        let reported = finishedSplits.filter { $0.key <= done.id }.sorted { $0.key < $1.key }.flatMap(\.value)
        finishedSplits = finishedSplits.filter { $0.key > done.id }
        for (index, reader, splits) in reported {
            let assignments = assigners[index].finished(splits, by: reader)
            if case .running = phase { assign(assignments, vertex: assigners[index].vertex, in: &cluster) }
        }
        for index in assigners.indices {
            let reading = point.splits(of: assigners[index].vertex).reading
            let assignments = assigners[index].completed(done.id, reading: reading)
            if case .running = phase { assign(assignments, vertex: assigners[index].vertex, in: &cluster) }
        }
        hastenCheckpoint(at: now)
        if sweepsAfterNext || cluster.options.faults.contains(.pendingObjectsSwept) {
            sweepsAfterNext = false
            collector.wishSweep()
        }
        if done.kind.endsJob, !done.wish.tickets.isEmpty {
            stoppers = done.wish.tickets
            stopPath = path
        } else {
            for ticket in done.wish.tickets { cluster.effects.append(.reply(ticket, .completed(path: path))) }
        }
        guard case .running(let layout, _) = phase, layout.attempt == done.layout.attempt else { return }
        if planned?.step == .running(done.id) { planned?.isDurable = true }
        if done.kind.isSavepoint { coordinator.hasten(at: now.instant) }
        for worker in layout.workers { cluster.send(.completed(job: job, checkpoint: done.id), to: worker) }
        if done.kind.endsJob {
            coordinator.pause()
            for ticket in coordinator.dropWishes() {
                cluster.effects.append(.reply(ticket, .refused(StreamError(.user, retry: false, "job \(job) is ending"))))
            }
            phase = .finishing(layout)
        }
    }

    mutating func declined(
        _ worker: WorkerID, _ attempt: UInt32, _ checkpoint: CheckpointID, _ reason: String, at now: Now, in cluster: inout Cluster
    ) {
        switch phase {
        case .running:
            guard attempt == self.attempt, let pending = coordinator.pending, pending.id == checkpoint, pending.step == .collecting else { return }
            if planned?.step == .running(checkpoint) { return writesAgain(worker, reason, at: now, in: &cluster) }
            abort("declined by TaskManager \(worker): \(reason)", at: now, in: &cluster)
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .deploying, .restarting, .finishing, .ending, .ended, .suspended:
            break  // It was aborted already.
        }
    }

    /// The pending checkpoint fails by itself.
    private mutating func abort(_ reason: String, at now: Now, in cluster: inout Cluster) {
        // A savepoint is somebody's wish, who is told; it says nothing about the job's own checkpoints.
        let counts = coordinator.pending?.kind != .savepoint
        guard let aborted = coordinator.abort(reason, counts: counts, at: now) else { return }
        cluster.log(.warning, "CheckpointCoordinator", "Failed to complete checkpoint \(aborted.id) for job \(job): \(reason)")
        settle(aborted, in: &cluster)
        guard case .running(let layout, _) = phase else { return }
        for worker in layout.workers { cluster.send(.aborted(job: job, checkpoint: aborted.id), to: worker) }
        if planned?.step == .running(aborted.id) {
            // Some may have switched, others never will.
            restFromChanges(at: now)
            fail(StreamError(.externalSystem, retry: true, "the checkpoint of a layout change failed: \(reason)"), charges: false, at: now, in: &cluster)
        } else if aborted.wish.kind == .stop || aborted.wish.kind == .drain {
            // Its sources stand still since the barrier.
            fail(StreamError(.externalSystem, retry: true, "stop with savepoint failed: \(reason)"), at: now, in: &cluster)
        } else if coordinator.tooManyFailures {
            coordinator.forgetFailures()
            fail(
                StreamError(.externalSystem, retry: true, "exceeded checkpoint tolerable failure threshold: \(reason)"), at: now, in: &cluster)
        }
    }

    /// Cleans up after an aborted checkpoint and tells who waits for it.
    mutating func settle(_ aborted: CheckpointCoordinator.Aborted, in cluster: inout Cluster) {
        collector.discard(aborted.garbage, store: aborted.store)
        // What was being uploaded may still land: looked for after the next checkpoint.
        sweepsAfterNext = true
        let error = StreamError(.externalSystem, retry: true, "checkpoint \(aborted.id) failed: \(aborted.reason)")
        for ticket in aborted.wish.tickets { cluster.effects.append(.reply(ticket, .refused(error))) }
    }

    // MARK: Commits

    mutating func commit(at now: Now, in cluster: inout Cluster) {
        guard !ledger.isEmpty else { return }
        let able: [WorkerID]
        switch phase {
        case .running(let layout, _), .finishing(let layout): able = layout.workers.filter { cluster.workers[$0] != nil }
        case .ending(let ending): able = ending.change == nil ? ending.committers.sorted() : []
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .deploying, .restarting, .ended, .suspended: able = []
        }
        guard !able.isEmpty else { return }
        let layout = phase.layout
        let together = graph.vertices.map { $0.sink?.commitsTogether == true }
        let orders = ledger.due(at: now.instant) { entry in
            if together[entry.vertex] { return able[Int(entry.checkpoint % UInt64(able.count))] }
            if let layout, let subtask = entry.subtask, layout.vertices[entry.vertex].has(subtask) {
                let worker = layout.slot(of: SubtaskID(vertex: entry.vertex, index: subtask)).worker
                if able.contains(worker) { return worker }
            }
            return able[(entry.subtask ?? 0) % able.count]
        }
        for order in orders {
            cluster.send(.commit(job: job, checkpoint: order.checkpoint, order.commits), to: order.worker)
            if cluster.options.faults.contains(.commitsAskedForOnce) { ledger.committed(order.commits.map(\.committable.id)) }
        }
    }

    mutating func commitFailed(_ checkpoint: CheckpointID, _ error: StreamError, at now: Now, in cluster: inout Cluster) {
        let error = error.during("committing checkpoint \(checkpoint)")
        switch phase {
        case .running, .finishing:
            // What has failed for so long is no hiccup: rows are not seen, and nobody would look for the reason.
            if error.retry, ledger.failed(checkpoint, at: now.instant) < options.checkpointTimeout {
                cluster.log(.warning, "JobMaster", "Job \(job): \(error); it is tried again.")
            } else {
                fail(error, at: now, in: &cluster)
            }
        case .ending, .restarting:
            cluster.log(.warning, "JobMaster", "Job \(job): \(error)")
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .deploying, .ended, .suspended:
            break  // The next attempt asks again.
        }
    }

    // MARK: Garbage

    private var reached: Set<String> {
        var keys: Set<String> = [head.key]
        for entry in head.head.retained + (head.published?.retained ?? []) {
            keys.insert(entry.manifest)
            keys.formUnion(entry.objects)
        }
        return keys
    }

    mutating func collect(at now: Now, in cluster: inout Cluster) {
        guard let due = collector.deadline, due <= now.instant, phase.name != .suspended else { return }
        let requests = collector.due(
            at: now.instant, own: options.checkpointDirectory,
            reached: cluster.options.faults.contains(.deletesBeforeHead) ? [] : reached, prefix: "\(job)/chk-", draw: &cluster.draw)
        for (ticket, store, request) in requests { cluster.ask(ticket, request, of: store, for: job) }
    }

    /// False when the answer is not the collector's.
    mutating func collected(_ ticket: Ticket, _ answer: StoreAnswer, at now: Now, faults: Set<SeededFault>) -> Bool {
        guard collector.awaits(ticket) else { return false }
        let reached = reached
        // Only what is older than anything pending, or everything once the job is over.
        let below = phase.isOver || faults.contains(.pendingObjectsSwept) ? CheckpointID.max : coordinator.pending?.id ?? coordinator.nextID
        let prefix = "\(job)/chk-"
        return collector.stored(ticket, answer, own: options.checkpointDirectory, at: now.instant) { key in
            guard key.hasPrefix(prefix), !reached.contains(key) else { return false }
            let digits = key.dropFirst(prefix.count).prefix { $0 != "/" }
            return CheckpointID(digits).map { $0 < below } ?? false
        }
    }
}

extension CheckpointKind {
    /// After it the job is over.
    var endsJob: Bool { self == .stop || self == .drain || self == .final }

    var label: String {
        switch self {
        case .checkpoint: "Checkpoint"
        case .savepoint: "Savepoint"
        case .stop: "Suspend Savepoint"
        case .drain: "Terminate Savepoint"
        case .final: "Final Checkpoint"
        }
    }
}

extension CheckpointCoordinator.Pending {
    /// What its sinks must carry out, once HEAD names it.
    fileprivate var commits: [CommitLedger.Entry] {
        acknowledged.flatMap(\.tasks).map(\.share).flatMap { share in
            share.committables.map {
                CommitLedger.Entry(vertex: share.subtask.vertex, subtask: share.subtask.index, checkpoint: id, committable: $0)
            }
        }
    }
}
