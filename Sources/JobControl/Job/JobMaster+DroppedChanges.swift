import Dataflow
import Wire

// Planned changes that cannot be: until their barrier is injected they are dropped without a trace (docs/decisions/0003). What comes of a
// dropped one after that is told by its attempt, which no other plan ever has.
extension JobMaster {
    /// HEAD forgets the plan, TaskManagers take back what they prepared. The next one is planned when all of them have.
    mutating func dropChange(because why: String, at now: Now, in cluster: inout Cluster) {
        guard let planned else { return }
        precondition(!planned.isRunning, "what has a barrier on its way is not dropped")
        self.planned = nil
        let (attempt, epoch) = (planned.next.attempt, planned.next.epoch)
        cluster.log(.info, "JobMaster", "Job \(graph.name) (\(job)) does not change to layout \(epoch): \(why).")
        cluster.history.dropped(job, as: .withdrawn, at: now)
        let live = planned.workers.filter { cluster.workers[$0] != nil }
        if case .publishing = planned.step {
            for worker in live { cluster.giveBack(job, attempt: attempt, on: worker) }
        } else {
            for worker in live { cluster.send(.withdraw(job: job, attempt: attempt), to: worker) }
            if !live.isEmpty { withdrawal = (attempt, now.instant, Set(live)) }
        }
        let (_, effects) = head.change(draw: &cluster.draw) {
            $0.planned = nil
            $0.droppedEpoch = epoch
        }
        apply(effects, at: now, in: &cluster)
    }

    mutating func withdrawn(_ worker: WorkerID, _ attempt: UInt32, in cluster: inout Cluster) {
        cluster.giveBack(job, attempt: attempt, on: worker)
        if withdrawal?.attempt == attempt { withdrawn(from: worker) }
    }

    mutating func withdrawn(from worker: WorkerID) {
        withdrawal?.waiting.remove(worker)
        if withdrawal?.waiting.isEmpty ?? false { withdrawal = nil }
    }

    /// Something that begins cannot be made, or a connection broke that only the change needs.
    mutating func cannotChange(_ worker: WorkerID, _ attempt: UInt32, _ error: StreamError, at now: Now, in cluster: inout Cluster) {
        guard case .running = phase, let planned, planned.next.attempt == attempt else { return }
        avoid(culprits(of: error, saidBy: worker, in: planned), for: restFromChanges(at: now) * 2, at: now)
        guard !planned.isRunning else { return fail(error, worker: worker, charges: false, at: now, in: &cluster) }
        dropChange(because: "TaskManager \(worker) cannot: \(error)", at: now, in: &cluster)
    }

    /// Who should not be planned with again so soon.
    private func culprits(of error: StreamError, saidBy worker: WorkerID, in planned: PlannedLayout) -> [WorkerID] {
        let joiners = planned.joiners
        if let peer = error.unreachable {
            if joiners.contains(peer) { return [peer] }
            return joiners.contains(worker) ? [worker] : []
        }
        guard error.kind == .connection, !joiners.contains(worker) else { return [worker] }
        return joiners
    }

    /// The pause, which grows from change to change that cannot be.
    @discardableResult
    mutating func restFromChanges(at now: Now) -> Duration {
        let pause = changePause.next()
        rest = ChangeRest(since: now.instant, until: now.instant + pause)
        return pause
    }

    private mutating func avoid(_ workers: [WorkerID], for time: Duration, at now: Now) {
        for worker in workers { avoided[worker] = max(avoided[worker] ?? .zero, now.instant + max(time, .seconds(10))) }
    }

    /// Somebody cannot reach a TaskManager with which the job was to begin: it begins without that one where there is room.
    mutating func avoidUnreachable(_ error: StreamError, at now: Now) {
        if case .deploying = phase, let peer = error.unreachable { avoid([peer], for: .seconds(60), at: now) }
    }

    /// Nobody waits longer for those who prepare or take in copies than for a checkpoint.
    mutating func watchPatience(at now: Now, in cluster: inout Cluster) {
        guard let planned, let waiting = planned.step.waiting else { return }
        let due = planned.since + options.checkpointTimeout
        guard due <= now.instant else { return remind(at: due) }
        avoid(planned.joiners.filter(waiting.contains), for: restFromChanges(at: now) * 2, at: now)
        let names = waiting.sorted().map(\.description).joined(separator: ", ")
        dropChange(because: "it was not prepared within \(options.checkpointTimeout) on TaskManager\(waiting.count > 1 ? "s" : "") \(names)", at: now, in: &cluster)
    }

    /// Behind its barrier a change cannot be dropped. Where it does not hold after the time of a checkpoint, something is lost that nobody will send
    /// again: the job goes on from a checkpoint.
    mutating func watchSettling(at now: Now, in cluster: inout Cluster) {
        guard let planned, let injected = planned.injected, !planned.holdsEverywhere else { return }
        let due = injected + options.checkpointTimeout
        guard due <= now.instant else { return remind(at: due) }
        restFromChanges(at: now)
        let names = planned.unsettled.sorted().map(\.description).joined(separator: ", ")
        let words = "a layout change did not hold within \(options.checkpointTimeout) of its barrier" + (names.isEmpty ? "" : ", on \(names)")
        fail(StreamError(.internal, retry: true, words), charges: false, at: now, in: &cluster)
    }

    /// Whoever leaves must not wait for a change until it is too late even for a checkpoint.
    mutating func watchTime(at now: Now, in cluster: inout Cluster) {
        guard let planned, !planned.isRunning else { return }
        let leaving = planned.plan.old.workers.filter { !planned.places(on: $0) }.compactMap { cluster.workers[$0]?.leaving }
        guard let until = leaving.filter(\.ends).map(\.until).min() else { return }
        let left = until - now.instant - partingTime
        if left > .zero {
            self.planned?.hasTime = true
            remind(at: now.instant + left)
        } else if planned.hasTime {
            isTooLateToChange = true
            dropChange(because: "there is no time left for it", at: now, in: &cluster)
        }
    }

    // MARK: Where

    /// TaskManagers on which something may begin with a change.
    func takers(in cluster: Cluster) -> [WorkerID] { cluster.usableWorkers.filter { avoided[$0] == nil } }

    func freeSlots(in cluster: Cluster) -> Int { cluster.freeSlots(on: takers(in: cluster)) }

    mutating func forgetAvoided(at now: Now) {
        guard !avoided.isEmpty else { return }
        avoided = avoided.filter { $0.value > now.instant }
        if let next = avoided.values.min() { remind(at: next) }
    }

    mutating func remind(at instant: Instant) { changeDeadline = min(changeDeadline ?? instant, instant) }

    // MARK: Its checkpoint

    /// The tasks have switched; only their snapshots could not be written. They are kept, and written again under other names: what the failed
    /// attempt to write leaves behind may still land.
    mutating func writesAgain(_ worker: WorkerID, _ reason: String, at now: Now, in cluster: inout Cluster) {
        guard let planned, let pending = coordinator.pending, pending.awaited.contains(worker) else { return }
        let tries = (planned.rewrites[worker]?.tries ?? 0) + 1
        let pause = min(Duration.milliseconds(100) * Int(1 << min(tries - 1, 7)), .seconds(10))
        self.planned?.rewrites[worker] = (tries, now.instant + pause)
        sweepsAfterNext = true
        cluster.log(
            .warning, "CheckpointCoordinator",
            "TaskManager \(worker) could not write its part of checkpoint \(pending.id) of job \(job), it tries again: \(reason)")
    }

    mutating func rewrite(_ layout: Layout, at now: Now, in cluster: inout Cluster) {
        guard let planned, case .running(let id) = planned.step, let pending = coordinator.pending, pending.id == id else { return }
        for worker in planned.rewrites.keys.sorted() {
            guard let (tries, due) = planned.rewrites[worker], let due else { continue }
            guard due <= now.instant else {
                remind(at: due)
                continue
            }
            self.planned?.rewrites[worker]?.due = nil
            cluster.send(
                .trigger(
                    job: job, attempt: layout.attempt, Barrier(checkpoint: id, kind: pending.kind, layout: planned.next.epoch),
                    folder: "\(pending.folder)/again-\(tries)", store: nil),
                to: worker)
        }
    }
}
