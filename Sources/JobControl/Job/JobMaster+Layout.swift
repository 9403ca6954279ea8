import Dataflow
import Wire

// Planned changes of the layout: a checkpoint whose barrier ends in another one (docs/protocols.md 6). Nothing restarts.
extension JobMaster {
    /// From the moment at which the next barrier must be the change's until its end no other checkpoint is taken.
    var holdsCheckpoints: Bool {
        switch planned?.step {
        case .ready?, .running?: true
        case .publishing?, .preparing?, .copying?, nil: false
        }
    }

    /// Subtasks of each vertex on so many slots; nil: too few.
    func parallelism(on slots: Int) -> [Int]? {
        let counts = bounds.map { min($0.upperBound, slots) }
        return zip(counts, bounds).allSatisfy { $0 >= $1.lowerBound } ? counts : nil
    }

    /// A job that begins takes the slots that come within a while.
    var waitsForMoreSlots: Bool { !hasRun && bounds.contains { $0.count > 1 } }

    var mostSlots: Int { bounds.map(\.upperBound).max() ?? 1 }

    // MARK: When

    /// What should be otherwise, and since when it may be changed; nil: nothing.
    private mutating func wish(_ layout: Layout, at now: Now, in cluster: inout Cluster) -> (reason: String, due: Instant)? {
        var leaving = layout.workers.filter { cluster.workers[$0]?.isLeaving ?? false }
        if !leaving.isEmpty {
            let ending = leaving.filter { cluster.workers[$0]?.leaving?.ends ?? false }
            leaving = ending.isEmpty && hasRoomWithoutThoseWhoLeave(layout, in: cluster) ? leaving : ending
        }
        if let due = leaving.compactMap({ cluster.workers[$0]?.leaving.map { $0.since + options.noticeWindow(of: $0.until - $0.since) } }).min() {
            return ("TaskManager\(leaving.count > 1 ? "s" : "") \(leaving.map(\.description).joined(separator: ", ")) leaving", due)
        }
        let most = mostSlots
        // Of the widest vertex each subtask has a slot of its own: mostly that says enough.
        var slots = min(most, layout.vertices.map(\.parallelism).max() ?? 0)
        if slots < most {
            let held = layout.usedSlots.count
            slots = min(most, held + (most > held ? freeSlots(in: cluster) : 0))
        }
        guard let wanted = parallelism(on: slots), wanted != layout.vertices.map(\.parallelism) else {
            wishesChangeSince = nil
            isAskedToChange = false
            return nil
        }
        let since = wishesChangeSince ?? now.instant
        wishesChangeSince = since
        if isAskedToChange { return ("asked for", now.instant) }
        return ("\(slots) slots are there", max(since + options.stabilization, (lastChange ?? .zero) + options.cooldown))
    }

    /// When the first of those who end is gone; nil: nobody ends.
    func endOfLeavers(_ layout: Layout, in cluster: Cluster) -> Instant? {
        layout.workers.compactMap { cluster.workers[$0]?.leaving }.filter(\.ends).map(\.until).min()
    }

    private func hasRoomWithoutThoseWhoLeave(_ layout: Layout, in cluster: Cluster) -> Bool {
        let kept = layout.usedSlots.count { cluster.workers.isUsable($0.worker) }
        return parallelism(on: min(mostSlots, kept + freeSlots(in: cluster))) != nil
    }

    /// One look at a running job. Begins a change when one is due.
    mutating func considerChange(_ layout: Layout, at now: Now, in cluster: inout Cluster) {
        forgetAvoided(at: now)
        guard cluster.options.changesLayouts else { return }
        watchTime(at: now, in: &cluster)
        watchPatience(at: now, in: &cluster)
        guard case .running = phase, planned == nil, coordinator.pending?.kind.endsJob != true, !coordinator.wishes.contains(where: { $0.kind.endsJob }),
            let (reason, due) = wish(layout, at: now, in: &cluster)
        else { return }
        guard due <= now.instant else { return remind(at: due) }
        guard options.checkpointDirectory != nil else {
            // The change's checkpoint would go with the TaskManager that has it. Such a job begins anew after a loss, and so it does now.
            if layout.workers.contains(where: { cluster.workers[$0]?.leaving?.ends ?? false }) { restartWithoutFailure(reason, at: now, in: &cluster) }
            return
        }
        let until = endOfLeavers(layout, in: cluster)
        if let withdrawal, !isTooLateToChange, withdrawal.since + Self.patienceWithWithdrawals > now.instant {
            return remind(at: withdrawal.since + Self.patienceWithWithdrawals)
        }
        let isInHaste = until.map { $0 - now.instant <= partingTime } ?? false
        if let end = rest?.ends(isInHaste: isInHaste), end > now.instant {
            remind(at: end)
            if isInHaste, end - now.instant <= ChangeRest.first { return }
        } else if withdrawal == nil, !isTooLateToChange, plan(layout, reason, at: now, in: &cluster) {
            return watchTime(at: now, in: &cluster)
        }
        // Nowhere to go. Who only should leave may stay.
        if let until { part(layout, reason, until: until, at: now, in: &cluster) }
    }

    /// Somebody leaves, and there are no slots for his tasks. They stay until the last moment at which a checkpoint still fits in: the
    /// job goes on from that one as soon as there are slots.
    private mutating func part(_ layout: Layout, _ reason: String, until: Instant, at now: Now, in cluster: inout Cluster) {
        let left = until - now.instant
        let needed = partingTime
        let most = Self.partingReserve / 2
        if let checkpoint = partingCheckpoint, (restore?.checkpoint ?? 0) >= checkpoint {
            // It is complete.
        } else if left > needed, partingCheckpoint == nil {
            if chronicle.waitsFor == nil, !hasRoomWithoutThoseWhoLeave(layout, in: cluster) {
                let words = "has no free slot to move to: \(reason). It waits \((left - needed).milliseconds / 1000) s for one, then takes a checkpoint and restarts"
                chronicle.waitsFor = words
                cluster.log(.warning, "JobMaster", "Job \(graph.name) (\(job)) \(words).")
            }
            return remind(at: now.instant + (left - needed))
        } else if left > most, options.checkpointDirectory != nil {
            remind(at: now.instant + (left - most))
            guard partingCheckpoint == nil else { return }
            if coordinator.pending?.isAskedFor ?? false { giveUpCheckpoint(layout, at: now, in: &cluster) }
            partingCheckpoint = coordinator.nextID
            cluster.log(.info, "JobMaster", "Job \(graph.name) (\(job)) has no slots to move to: \(reason). It takes a checkpoint, and waits for slots.")
            return coordinator.wish(CheckpointCoordinator.Wish(kind: .checkpoint, directory: nil, tickets: []))
        }
        cluster.log(.info, "JobMaster", "Job \(graph.name) (\(job)) restarts: \(reason), and there are no slots to move to.")
        restartWithoutFailure(reason, at: now, in: &cluster)
    }

    /// What has been dropped is taken back within moments; whoever has little time waits so long before he is taken for one without slots.
    private static let patienceWithWithdrawals = Duration.seconds(1)

    var partingTime: Duration { Self.partingReserve + coordinator.lastDuration * 2 }

    /// What a checkpoint and the end of the tasks take beside twice the time of the last checkpoint.
    private static let partingReserve = Duration.seconds(3)

    /// False: there are no slots for it.
    private mutating func plan(_ layout: Layout, _ reason: String, at now: Now, in cluster: inout Cluster) -> Bool {
        // In the order of the widest vertex, so that whoever shrinks gives up the same slots in all vertices.
        let widest = layout.vertices.indices.max { (layout.vertices[$0].parallelism, -$0) < (layout.vertices[$1].parallelism, -$1) } ?? 0
        let ordered = layout.vertices[widest].slots.compactMap { $0 }
        let used = ordered + layout.usedSlots.subtracting(ordered).sorted()
        let kept = used.filter { cluster.workers.isUsable($0.worker) }
        // Who is only recommended to be left: its tasks stay where there is no room without it, others come to it where there is none at all.
        let recommended = used.filter { cluster.workers.isLastResort($0.worker) }
        let (takers, resorts) = (takers(in: cluster), cluster.lastResorts.filter { avoided[$0] == nil })
        let ways = [(takers, []), (takers, recommended), (takers + resorts, recommended)]
        let rooms = ways.map { parallelism(on: min(mostSlots, kept.count + cluster.freeSlots(on: $0) + $1.count)) }
        guard let way = rooms.firstIndex(where: { $0 != nil }), let wanted = rooms[way], let count = wanted.max() else { return false }
        let (places, spare) = ways[way]
        var slots = Array(kept.prefix(count))
        let (attempt, epoch) = (max(self.attempt, spent.attempt) + 1, max(layoutEpoch, spent.epoch) + 1)
        let beginning = min(count - slots.count, cluster.freeSlots(on: places))
        if beginning > 0 {
            let holder = SlotPool.Holder(job: job, attempt: attempt)
            guard let taken = cluster.slots.take(beginning, for: holder, on: places) else { return false }
            slots += taken
        }
        slots += spare.prefix(count - slots.count)
        let renewed = assigners.filter { $0.isSpread && wanted[$0.vertex] > layout.vertices[$0.vertex].parallelism }.map(\.vertex)
        let next = LayoutPlanner(graph: graph, old: layout, slots: slots, parallelism: wanted, renewed: Set(renewed)).plan(attempt: attempt, epoch: epoch)
        let change = LayoutChange(job: job, graph: graph, from: layout, to: next)
        guard !(change.beginning.isEmpty && change.retiring.isEmpty) else { return false }
        let (number, effects) = head.change(draw: &cluster.draw) {
            $0.planned = next
            $0.attempt = attempt
        }
        spent = (attempt, epoch)
        planned = PlannedLayout(plan: change, reason: reason, change: number, at: now.instant)
        chronicle.waitsFor = nil
        let isEvacuation = Set(layout.workers).subtracting(next.workers).contains { cluster.workers[$0]?.isLeaving ?? false }
        cluster.history.planned(change, cause: isEvacuation ? .evacuation : isAskedToChange ? .requested : .slots, reason: reason, at: now)
        cluster.log(
            .info, "JobMaster",
            "Job \(graph.name) (\(job)) changes to layout \(next.epoch) (\(reason)): parallelism \(wanted), \(change.beginning.count) tasks begin,"
                + " \(change.retiring.count) retire.")
        apply(effects, at: now, in: &cluster)
        return true
    }

    // MARK: Steps

    /// HEAD holds the plan.
    mutating func prepareChange(in cluster: inout Cluster) {
        guard let planned else { return }
        let peers = planned.workers.compactMap { worker in
            cluster.workers[worker].map { Deployment.Peer(worker: worker, host: $0.registration.host, port: $0.registration.dataPort) }
        }
        let beginning = planned.plan.beginning
        for worker in planned.workers {
            informed.insert(worker)
            cluster.send(
                .change(
                    Deployment(
                        job: job, name: graph.name, graph: graphBytes, settings: submission.settings, layout: planned.next, previous: planned.plan.old,
                        peers: peers, subtasks: beginning.map(\.subtask).filter { planned.next.slot(of: $0).worker == worker }, restore: nil,
                        committables: [])),
                to: worker)
        }
        involved.formUnion(planned.workers)
        self.planned?.step = .preparing(waiting: Set(planned.workers))
    }

    mutating func prepared(_ worker: WorkerID, _ attempt: UInt32, in cluster: inout Cluster) {
        guard case .running = phase, let planned, planned.next.attempt == attempt, case .preparing(var waiting) = planned.step else { return }
        waiting.remove(worker)
        self.planned?.step = .preparing(waiting: waiting)
        guard waiting.isEmpty else { return }
        guard planned.next.tasks(of: job).contains(where: { !planned.plan.arrivals(at: $0).isEmpty }) else {
            self.planned?.step = .ready
            return
        }
        self.planned?.step = .copying(waiting: Set(planned.workers))
        for worker in planned.workers { cluster.send(.copyAhead(job: job, attempt: attempt), to: worker) }
    }

    mutating func copied(_ worker: WorkerID, _ attempt: UInt32) {
        guard case .running = phase, let planned, planned.next.attempt == attempt, case .copying(var waiting) = planned.step else { return }
        waiting.remove(worker)
        self.planned?.step = waiting.isEmpty ? .ready : .copying(waiting: waiting)
    }

    /// True when the barrier is on its way.
    mutating func injectChange(_ layout: Layout, at now: Now, in cluster: inout Cluster) -> Bool {
        guard let planned, planned.step == .ready, coordinator.pending == nil else { return false }
        let id = trigger(CheckpointCoordinator.Wish(kind: .checkpoint, directory: nil, tickets: []), layout, next: planned.next.epoch, at: now, in: &cluster)
        self.planned?.step = .running(id)
        self.planned?.injected = now.instant
        coordinator.insist()
        cluster.history.injected(job, at: now)
        for index in assigners.indices {
            let vertex = assigners[index].vertex
            if planned.plan.movesSplits(of: vertex) {
                assigners[index].suspend()
                self.planned?.unheard[vertex] = Set(layout.vertices[vertex].indices.map { layout.task(SubtaskID(vertex: vertex, index: $0), of: job) })
            } else {
                resume(index, in: &cluster)
            }
        }
        return true
    }

    /// Tells the readers which splits are theirs now.
    private mutating func resume(_ index: Int, in cluster: inout Cluster) {
        guard let planned else { return }
        let vertex = assigners[index].vertex
        let readers = planned.next.vertices[vertex].indices
        let beginning = planned.plan.beginning.filter { $0.subtask.vertex == vertex }.map(\.subtask.index)
        let awaiting = planned.plan.movesSplits(of: vertex) ? readers : beginning
        self.planned?.resumed.insert(vertex)
        guard !awaiting.isEmpty else { return }
        assign(assigners[index].resume(readers: readers, awaiting: awaiting, beginning: Set(beginning)), vertex: vertex, in: &cluster)
    }

    mutating func handedBack(_ task: TaskID, _ splits: [SplitState], _ finished: [String], in cluster: inout Cluster) {
        let vertex = task.subtask.vertex
        guard case .running(let layout, var ended) = phase, let planned, planned.isRunning, planned.unheard[vertex]?.contains(task) ?? false,
            let index = assigners.firstIndex(where: { $0.vertex == vertex })
        else { return }
        assigners[index].handBack(splits, finished: finished, by: task.subtask.index)
        self.planned?.unheard[vertex]?.remove(task)
        guard self.planned?.unheard[vertex]?.isEmpty ?? false else { return }
        self.planned?.unheard[vertex] = nil
        // Readers that had ended may have rows again, and so may who hears one of them only; they say so anew.
        ended = ended.filter { $0.vertex != vertex && !planned.plan.follows($0.vertex, vertex) }
        phase = .running(layout, ended: ended)
        resume(index, in: &cluster)
    }

    mutating func settled(_ worker: WorkerID, _ attempt: UInt32, at now: Now, in cluster: inout Cluster) {
        guard case .running = phase, planned?.next.attempt == attempt else { return }
        planned?.unsettled.remove(worker)
    }

    /// The change holds everywhere and its checkpoint is complete.
    mutating func concludeChange(ended: Set<SubtaskID>, at now: Now, in cluster: inout Cluster) {
        guard let planned, planned.isOver || planned.holdsEverywhere && cluster.options.faults.contains(.leaversGoBeforeHead) else { return }
        let (old, next) = (planned.plan.old, planned.next)
        attempt = next.attempt
        layoutEpoch = next.epoch
        parallelism = next.vertices.map(\.parallelism)
        cluster.slots.keep(next.usedSlots, for: SlotPool.Holder(job: job, attempt: attempt))
        for worker in planned.workers { cluster.send(.conclude(job: job, attempt: attempt), to: worker) }
        involved = Set(next.workers)
        chronicle.keepMetrics(of: next.has, among: old.tasks(of: job))
        partingCheckpoint = nil
        isTooLateToChange = false
        rest = nil
        changePause.reset()
        // Who was asked to commit may be about to go.
        ledger.workerLost()
        self.planned = nil
        lastChange = now.instant
        wishesChangeSince = nil
        chronicle.changes += 1
        cluster.history.concluded(job, at: now)
        let stayed = ended.filter { next.has($0) && old.attempt(of: $0) == next.attempt(of: $0) }
        phase = .running(next, ended: stayed.union(planned.ended))
        let (_, effects) = head.change(draw: &cluster.draw) {
            $0.layout = next
            $0.planned = nil
        }
        cluster.log(
            .info, "JobMaster",
            "Job \(graph.name) (\(job)) runs layout \(next.epoch), \((now.instant - planned.since).milliseconds) ms after it was planned.")
        apply(effects, at: now, in: &cluster)
    }

    /// The job restarts: nothing is left of a change that was under way.
    mutating func abandonChange(at now: Now, in cluster: inout Cluster) -> [WorkerID] {
        attempt = max(attempt, spent.attempt)
        layoutEpoch = max(layoutEpoch, spent.epoch)
        defer { withdrawal = nil }
        guard let planned else { return (withdrawal?.waiting ?? []).sorted() }
        self.planned = nil
        cluster.history.dropped(job, as: .recovered, at: now)
        let told = planned.workers.filter { cluster.workers[$0] != nil }
        guard case .publishing = planned.step else { return told }
        // Only those of the old layout know anything.
        for worker in told where !planned.plan.old.workers.contains(worker) { cluster.release(job, attemptsUpTo: attempt, on: worker) }
        return planned.plan.old.workers.filter { cluster.workers[$0] != nil }
    }
}
