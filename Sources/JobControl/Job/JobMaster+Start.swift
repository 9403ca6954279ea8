import Dataflow
import Wire

// From the submission to running tasks.
extension JobMaster {
    mutating func begin(at now: Now, in cluster: inout Cluster) {
        switch phase {
        case .created:
            for vertex in graph.vertices.indices where parallelism[vertex] * 4 > graph.maxParallelism && parallelism[vertex] > 1 {
                cluster.log(
                    .warning, "JobMaster",
                    "Parallelism \(parallelism[vertex]) of \(graph.vertices[vertex].name) is above a quarter of the maximum parallelism"
                        + " \(graph.maxParallelism): key groups fall unevenly.")
            }
            if submission.restorePath != nil {
                phase = .reading(JobPhase.Reading(retained: nil))
            } else {
                claim(at: now, in: &cluster)
            }
        case .reading, .claiming, .waitingForSlots, .publishingLayout, .deploying, .running, .restarting, .finishing, .ending, .ended, .suspended:
            break  // A job begins once.
        }
    }

    private mutating func claim(at now: Now, in cluster: inout Cluster) {
        phase = .claiming
        apply(head.claim(epoch: cluster.epoch, draw: &cluster.draw), at: now, in: &cluster)
    }

    // MARK: Answers of the store

    mutating func stored(_ ticket: Ticket, _ answer: StoreAnswer, at now: Now, in cluster: inout Cluster) {
        var told = answer
        if cluster.options.faults.contains(.unknownOutcomeIsSuccess), head.isPutting(ticket), case .failed(_, mayHaveHappened: true) = answer {
            told = .put(etag: "")
        }
        if case .refused(let reason) = answer, submitter != nil, head.awaits(ticket) { return refuse(reason, at: now, in: &cluster) }
        if let effects = head.stored(ticket, told, at: now.instant, draw: &cluster.draw) { return apply(effects, at: now, in: &cluster) }
        if collected(ticket, answer, at: now, faults: cluster.options.faults) { return }
        if checkpointStored(ticket, answer, at: now, in: &cluster) { return }
        switch phase {
        case .reading(let reading) where reading.ticket == ticket:
            manifestRead(reading, answer, at: now, in: &cluster)
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .deploying, .running, .restarting, .finishing, .ending, .ended,
            .suspended:
            break  // About something that is over.
        }
    }

    /// Whoever submits a job waits for its HEAD: he is told at once what only he, or who keeps the store, can mend. A job that is taken over
    /// waits until it is mended.
    private mutating func refuse(_ reason: String, at now: Now, in cluster: inout Cluster) {
        let place = options.checkpointDirectory.map { "'\($0)' (execution.checkpointing.dir)" } ?? "the JobManager's memory"
        let error = StreamError(
            .externalSystem, retry: false,
            "job \(job) is not taken: nothing can be kept in \(place): \(reason). Mend that, or name another place, and submit it again")
        cluster.log(.error, "JobMaster", error.message)
        chronicle.failed(error, task: nil, worker: nil, at: now.wallMilliseconds)
        isRefused = true
        answerAll(error, in: &cluster)
        move(to: .ended(.failed), at: now, in: &cluster)
    }

    mutating func apply(_ effects: [HeadKeeper.Effect], at now: Now, in cluster: inout Cluster) {
        for effect in effects {
            switch effect {
            case .store(let ticket, let request): cluster.ask(ticket, request, of: options.checkpointDirectory, for: job)
            case .claimed(let head): claimed(head, at: now, in: &cluster)
            case .published(let change): published(through: change, at: now, in: &cluster)
            case .lost(let epoch):
                cluster.log(
                    .error, "JobMaster", "Job \(job) belongs to a newer leader (epoch \(epoch), this one has \(head.leaderEpoch)); it is left alone.")
                answerAll(StreamError(.connection, retry: true, "another JobManager leads job \(job)"), in: &cluster)
                move(to: .suspended, at: now, in: &cluster)
            case .damaged(let what):
                let error = StreamError(.externalSystem, retry: false, what)
                cluster.log(.error, "JobMaster", "Job \(job): \(what).")
                chronicle.failed(error, task: nil, worker: nil, at: now.wallMilliseconds)
                answerAll(error, in: &cluster)
                for worker in informed.sorted() {
                    cluster.send(.cancel(job: job, attempt: attempt), to: worker)
                    cluster.send(.release(job: job), to: worker)
                }
                move(to: .ended(.failed), at: now, in: &cluster)
            case .slow(let reason): cluster.log(.warning, "HeadKeeper", "HEAD of job \(job) is not written yet: \(reason)")
            }
        }
    }

    private mutating func claimed(_ found: Head, at now: Now, in cluster: inout Cluster) {
        cluster.epoch = max(cluster.epoch, found.leaderEpoch)
        coordinator.skip(through: found.lastCheckpoint)
        reservedThrough = found.lastCheckpoint
        attempt = found.attempt
        layoutEpoch = max(found.layout?.epoch ?? 0, found.planned?.epoch ?? 0, found.droppedEpoch ?? 0)
        started = found.started ?? now.wallMilliseconds
        adoptRequirements(of: found, in: &cluster)
        if let outcome = found.outcome, outcome == JobPhase.Outcome.failed.rawValue, submission.resumesFailed {
            cluster.log(.info, "JobMaster", "Job \(graph.name) (\(job)) had failed; it goes on.")
            apply(head.change(draw: &cluster.draw) { $0.outcome = nil }.effects, at: now, in: &cluster)
        } else if let outcome = found.outcome {
            answerAll(StreamError(.user, retry: false, "job \(job) exists already, and is \(outcome)"), in: &cluster)
            move(to: .ended(JobPhase.Outcome(rawValue: outcome) ?? .failed), at: now, in: &cluster)
            return
        }
        if cancelWanted { return end(.cancelled, at: now, in: &cluster) }
        if let newest = found.retained.last {
            phase = .reading(JobPhase.Reading(retained: newest))
        } else {
            if let restore { coordinator.skip(through: restore.checkpoint) }
            ready(at: now, in: &cluster)
        }
    }

    // MARK: The manifest to start from

    mutating func read(_ reading: JobPhase.Reading, at now: Now, in cluster: inout Cluster) {
        guard reading.ticket == nil, (reading.retryAt ?? .zero) <= now.instant else { return }
        var reading = reading
        let ticket = cluster.draw.ticket()
        reading.ticket = ticket
        reading.retryAt = nil
        reading.tries += 1
        phase = .reading(reading)
        let (store, key, _) = place(of: reading.retained)
        cluster.ask(ticket, .get(key: key), of: store, for: job)
    }

    private func place(of retained: Head.Retained?) -> (store: String?, key: String, path: String) {
        guard let retained else {
            var path = submission.restorePath ?? ""
            if path.hasSuffix("/_metadata") { path = String(path.dropLast("/_metadata".count)) }
            while path.count > 1, path.hasSuffix("/") { path = String(path.dropLast()) }
            return (path, "_metadata", path)
        }
        guard retained.kind.isSavepoint else {
            let folder = retained.manifest.split(separator: "/").dropLast().joined(separator: "/")
            return (options.checkpointDirectory, retained.manifest, "\(options.checkpointDirectory ?? "memory:")/\(folder)")
        }
        let path = String(retained.manifest.dropLast("/_metadata".count))
        return (path, "_metadata", path)
    }

    private mutating func manifestRead(_ reading: JobPhase.Reading, _ answer: StoreAnswer, at now: Now, in cluster: inout Cluster) {
        let (store, _, path) = place(of: reading.retained)
        var result: Result<RestorePoint, StreamError>
        switch answer {
        case .got(let bytes, _):
            let isOwn = reading.retained.map { !$0.kind.isSavepoint } ?? false
            result = RestorePoint.check(
                bytes, graph: graph, own: reading.retained == nil ? nil : job, store: isOwn ? nil : store, path: path,
                allowNonRestoredState: submission.allowNonRestoredState
            ).map { point in
                var point = point
                if !isOwn { point.rebase() }
                return point
            }
            if reading.retained == nil, case .success(let point) = result, !point.manifest.kind.isSavepoint, cluster.live.contains(point.manifest.job) {
                // Files may be open in it that the running job goes on writing: two would end each of them.
                result = .failure(StreamError(
                    .user, retry: false,
                    "cannot restore from \(path): it is a checkpoint of job \(point.manifest.job), which still runs and goes on from it. Take a savepoint"
                        + " of that job, which both may go on from, or cancel it first"))
            }
        case .notFound:
            result = .failure(StreamError(.user, retry: false, "cannot restore from \(path): there is no _metadata in it"))
        case .refused(let reason) where reading.retained == nil:
            result = .failure(StreamError(.externalSystem, retry: false, "cannot restore from \(path): \(reason)"))
        case .failed(let reason, _), .refused(let reason):
            // HEAD's own checkpoint must be there: wait for the store. A user's path may be wrong: say so soon.
            if reading.retained != nil || reading.tries < 3 {
                var again = reading
                again.ticket = nil
                again.retryAt = now.instant + again.backoff.next()
                phase = .reading(again)
                cluster.log(.warning, "JobMaster", "Cannot read \(path) yet: \(reason)")
                return
            }
            result = .failure(StreamError(.externalSystem, retry: true, "cannot restore from \(path): \(reason)"))
        case .put, .listed, .deleted, .conflict:
            preconditionFailure("a store answers what it was asked")
        }
        switch result {
        case .success(let point):
            restore = point
            ledger.add(point.commits)
            coordinator.skip(through: point.checkpoint)
            if reading.retained == nil {
                claim(at: now, in: &cluster)
            } else {
                ready(at: now, in: &cluster)
            }
        case .failure(let error):
            cluster.log(.error, "JobMaster", "Job \(graph.name) (\(job)): \(error)")
            chronicle.failed(error, task: nil, worker: nil, at: now.wallMilliseconds)
            if reading.retained == nil {
                // Nothing was claimed or written: it is as if the job had never been handed in.
                isRefused = true
                answerAll(error, in: &cluster)
                move(to: .ended(.failed), at: now, in: &cluster)
            } else {
                answerSubmitter(in: &cluster)
                end(.failed, at: now, in: &cluster)
            }
        }
    }

    private mutating func answerSubmitter(in cluster: inout Cluster) {
        if let ticket = submitter { cluster.effects.append(.reply(ticket, .submitted(job))) }
        submitter = nil
    }

    /// HEAD is ours and the restore point is known.
    private mutating func ready(at now: Now, in cluster: inout Cluster) {
        answerSubmitter(in: &cluster)
        seekSlots(at: now, in: &cluster)
    }

    // MARK: Slots and deployment

    /// Back to where slots are sought: everything starts from the restore point.
    mutating func seekSlots(at now: Now, in cluster: inout Cluster) {
        if let restore {
            cluster.log(
                .info, "CheckpointCoordinator",
                "Restoring job \(job) from \(restore.manifest.kind.isSavepoint ? "Savepoint" : "Checkpoint") \(restore.checkpoint) @"
                    + " \(restore.manifest.triggered) for \(restore.manifest.job) located at \(restore.path).")
            coordinator.restored()
            chronicle.restored = (restore.checkpoint, restore.manifest.kind, restore.path, now.wallMilliseconds)
        } else {
            cluster.log(.info, "CheckpointCoordinator", "No checkpoint found to restore job \(job) from.")
        }
        for index in assigners.indices {
            let (enumerator, reading) = restore?.splits(of: assigners[index].vertex) ?? (nil, [])
            assigners[index].reset(to: cluster.options.faults.contains(.splitsForgotten) ? nil : enumerator, reading: reading)
        }
        chronicle.waitsFor = nil
        phase = .waitingForSlots(since: now.instant)
    }

    mutating func placeTasks(since: Instant, at now: Now, in cluster: inout Cluster) {
        let holder = SlotPool.Holder(job: job, attempt: max(attempt, spent.attempt) + 1)
        let free = min(mostSlots, cluster.freeSlots)
        // More may be on their way; a job that ran already is better off with what there is, and grows later.
        changeDeadline = nil
        if waitsForMoreSlots, free < mostSlots, now.instant - since < options.stabilization { return changeDeadline = since + options.stabilization }
        forgetAvoided(at: now)
        // Who was out of reach, or is recommended to be left, only where there is no room without him.
        let (takers, resorts) = (takers(in: cluster), cluster.lastResorts)
        let avoided = cluster.usableWorkers.filter { self.avoided[$0] != nil }
        var (places, room) = (takers, 0)
        for more in [[], resorts, avoided] where parallelism(on: room) == nil {
            places += more
            room = min(mostSlots, cluster.freeSlots(on: places))
        }
        let planner = RecoveryPlanner(graph: graph, point: restore)
        guard let wanted = parallelism(on: room),
            let slots = cluster.slots.take(wanted.max() ?? 0, for: holder, on: places, preferring: planner.slots)
        else {
            guard now.instant - since >= options.slotRequestTimeout else { return tellWhatIsMissing(since: since, at: now, in: &cluster) }
            let error = StreamError(
                .externalSystem, retry: true,
                "could not get the task slots it needs within \(options.slotRequestTimeout): \(cluster.freeSlots) of \(slotsNeeded) are free"
                    + " (\(cluster.workers.ids.count) TaskManagers with \(cluster.slots.total) slots are connected)")
            // Under an earlier JobManager counts too: its TaskManagers may only be late.
            if hasRun || head.published?.started != nil {
                fail(error, at: now, in: &cluster)
            } else {
                cluster.log(.error, "JobMaster", "Job \(graph.name) (\(job)) \(error)")
                chronicle.failed(error, task: nil, worker: nil, at: now.wallMilliseconds)
                end(.failed, at: now, in: &cluster)
            }
            return
        }
        parallelism = wanted
        chronicle.waitsFor = nil
        for index in assigners.indices { assigners[index].prepare(readers: wanted[assigners[index].vertex]) }
        lastChange = now.instant
        attempt = max(attempt, spent.attempt) + 1
        layoutEpoch = max(layoutEpoch, spent.epoch) + 1
        let layout = planner.plan(on: slots, parallelism: wanted, attempt: attempt, epoch: layoutEpoch)
        let through = coordinator.nextID - 1 + CheckpointCoordinator.reserve
        let attempt = attempt
        let started = started
        let (change, effects) = head.change(draw: &cluster.draw) {
            $0.layout = layout
            $0.planned = nil
            $0.attempt = attempt
            $0.started = started
            $0.lastCheckpoint = max($0.lastCheckpoint, through)
        }
        phase = .publishingLayout(layout, change: change)
        apply(effects, at: now, in: &cluster)
    }

    /// Said once, when slots are not there after a moment.
    private mutating func tellWhatIsMissing(since: Instant, at now: Now, in cluster: inout Cluster) {
        guard chronicle.waitsFor == nil else { return }
        guard now.instant - since >= Self.patienceWithSlots else { return remind(at: since + Self.patienceWithSlots) }
        let least = bounds.map(\.lowerBound).max() ?? 1
        let others = Set(cluster.workers.ids.flatMap { cluster.slots.holders(on: $0) }.compactMap { $0?.job }).subtracting([job]).sorted()
        var words = "waits for task slots: it needs \(least) at least, and \(cluster.freeSlots) of \(cluster.slots.total) are free"
            + " (\(cluster.workers.ids.count) TaskManagers are connected)"
        if !others.isEmpty {
            words += "; job\(others.count > 1 ? "s" : "") \(others.map(\.description).joined(separator: ", ")) hold\(others.count > 1 ? "" : "s") the others"
            if options.isReactive {
                words += ". With scheduler-mode: reactive a job uses every slot: bound it (swiftwater rescale JOB --parallelism N), or start more TaskManagers"
            }
        }
        chronicle.waitsFor = words
        cluster.log(.warning, "JobMaster", "Job \(graph.name) (\(job)) \(words).")
    }

    private static let patienceWithSlots = Duration.seconds(1)

    mutating func deploy(_ layout: Layout, in cluster: inout Cluster) {
        let peers = layout.workers.compactMap { worker in
            cluster.workers[worker].map {
                Deployment.Peer(worker: worker, host: $0.registration.host, port: $0.registration.dataPort)
            }
        }
        for worker in layout.workers {
            let subtasks = layout.subtasks(on: worker)
            for subtask in subtasks {
                cluster.log(
                    .info, "JobMaster",
                    "Deploying \(graph.vertices[subtask.vertex].name) (\(subtask.index + 1)/\(parallelism[subtask.vertex]))"
                        + " (attempt #\(layout.attempt)) of job \(graph.name) (\(job)) to \(worker)")
            }
            informed.insert(worker)
            cluster.send(
                .deploy(
                    Deployment(
                        job: job, name: graph.name, graph: graphBytes, settings: submission.settings, layout: layout, peers: peers,
                        subtasks: subtasks, restore: restore?.order(for: subtasks, graph: graph, layout: layout), committables: ledger.pending)),
                to: worker)
        }
        chronicle.deployed()
        involved = Set(layout.workers)
        phase = .deploying(layout, waiting: Set(layout.workers))
    }

    mutating func deployed(_ worker: WorkerID, _ attempt: UInt32, at now: Now, in cluster: inout Cluster) {
        switch phase {
        case .deploying(let layout, var waiting):
            guard layout.attempt == attempt else { return }
            waiting.remove(worker)
            phase = .deploying(layout, waiting: waiting)
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .running, .restarting, .finishing, .ending, .ended, .suspended:
            break  // Of an attempt that is being ended, or said twice.
        }
    }

    mutating func start(_ layout: Layout, at now: Now, in cluster: inout Cluster) {
        for worker in layout.workers { cluster.send(.start(job: job, attempt: layout.attempt), to: worker) }
        hasRun = true
        partingCheckpoint = nil
        isTooLateToChange = false
        coordinator.started(at: now.instant)
        if restore?.store != nil { coordinator.hasten(at: now.instant) }
        ledger.restarted()
        move(to: .running(layout, ended: []), at: now, in: &cluster)
    }
}
