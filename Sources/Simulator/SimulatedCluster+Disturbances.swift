import Dataflow
import JobControl
import Wire

extension SimulatedCluster {
    func scheduleStrike(_ strike: DisturbancePlan.Strike, mean: Duration, from: Duration) {
        // Exponential pauses, so that strikes sometimes come close together.
        let pause = Duration.nanoseconds(Int64(Double(mean.nanoseconds) * -logarithm(1 - chance.unit())))
        let time = from + pause
        guard time < plan.until else { return }
        timeline.at(time) { [self] in
            carryOut(strike)
            scheduleStrike(strike, mean: mean, from: time)
        }
    }

    /// Everything that disturbs comes to an end; what it broke stays broken until the machines notice.
    func heal() {
        trace.note(time, "run", "heals")
        isHealed = true
        store.conditions = .healthy
        network.conditions = Latency()
    }

    private func carryOut(_ strike: DisturbancePlan.Strike) {
        guard outcome == nil else { return }
        trace.note(time, "disturbance", "\(strike)")
        switch strike {
        case .kill:
            guard let victim = pickTaskManager() else { return }
            tally.count(.taskManagerKilled)
            remove(victim, machineGone: false, restartAfter: chance.duration(.milliseconds(500), .seconds(20)))
        case .vanish:
            guard let victim = pickTaskManager() else { return }
            tally.count(.taskManagerVanished)
            remove(victim, machineGone: true, restartAfter: chance.duration(.seconds(1), .seconds(30)))
        case .terminate:
            guard let victim = pickTaskManager(), mayLeave(victim) else { return }
            tally.count(.taskManagerTerminated)
            leave(victim, reason: "the run says so", within: chance.duration(.seconds(2), .seconds(25)), isDrained: chance.chance(0.3))
        case .pause:
            tally.count(.taskManagerPaused)
            pickTaskManager()?.pause(for: chance.duration(.milliseconds(100), .seconds(15)))
        case .stallTask:
            guard let host = pickTaskManager() else { return }
            tally.count(.taskStalled)
            host.stallTask(for: chance.duration(.milliseconds(100), .seconds(10))) { chance.pick($0) }
        case .breakControl, .halfOpenControl, .holdControl: disturbControl(strike)
        case .breakData, .halfOpenData, .holdData: disturbData(strike)
        case .killJobManager:
            guard leader != nil else { return }
            tally.count(.jobManagerKilled)
            jobManager.kill()
            timeline.after(chance.duration(.milliseconds(300), .seconds(15))) { [self] in replaceJobManager() }
        case .deposeJobManager:
            guard let deposed = leader else { return }
            // Who has not claimed HEAD when his lease is over must not do so after his successor: there the lease protects, which nobody
            // keeps here.
            guard deposed.leads(jobID) else { return }
            tally.count(.jobManagerDeposed)
            deposed.cutOff { $0.cut(opener: soon(), acceptor: chance.chance(0.5) ? nil : atLast()) }
            replaceJobManager()
            timeline.after(atLast()) { deposed.kill() }
        case .slowNetwork:
            tally.count(.networkSlow)
            network.conditions.most = chance.duration(.milliseconds(20), .milliseconds(plan.isPlanned ? 200 : 800))
            network.conditions.tail = 0.1
            // Heartbeats must come through where nobody may be lost.
            network.conditions.tailMost = plan.isPlanned ? .milliseconds(400) : .seconds(3)
            timeline.after(chance.duration(.seconds(2), .seconds(30))) { [self] in network.conditions = Latency() }
        case .badStore:
            var bad = StoreConditions()
            bad.most = .milliseconds(chance.int(30...2_000))
            bad.slow = chance.pick([0, 0.3])
            if plan.isPlanned { return change(store: bad, for: chance.duration(.seconds(2), .seconds(30))) }
            bad.unavailable = chance.pick([0, 0.1, 0.5])
            bad.requestLost = chance.pick([0, 0.1, 0.3])
            bad.answerLost = chance.pick([0, 0.1, 0.3])
            bad.late = chance.pick([0, 0.1, 0.3])
            change(store: bad, for: chance.duration(.seconds(2), .seconds(30)))
        case .fullStore:
            var full = plan.store
            full.isFull = true
            change(store: full, for: chance.duration(.seconds(2), .seconds(40)))
        case .failReader:
            tally.count(.readerFailed)
            world.failNextPoll()
        case .stepWallClock:
            tally.count(.wallClockStepped)
            let step = chance.duration(.seconds(-7_200), .seconds(7_200))
            if let host = pickTaskManager(), chance.chance(0.7) { host.stepWallClock(by: step) } else { jobManager.stepWallClock(by: step) }
        case .requestCheckpoint:
            tally.count(.checkpointRequested)
            leader?.request(.checkpoint(jobID)) { _ in }
        case .rescale:
            tally.count(.rescaled)
            rescale()
            if chance.chance(0.3) { timeline.after(chance.duration(.zero, .seconds(1))) { [self] in rescale() } }
        case .rescaleToAndFro:
            tally.count(.rescaledToAndFro)
            var pause = Duration.zero
            for _ in 0..<chance.int(3...8) {
                timeline.after(pause) { [self] in rescale() }
                pause += chance.duration(.zero, .milliseconds(1_500))
            }
        case .recommend:
            guard let host = pickTaskManager(), isStaying(host), mayLeave(host) else { return }
            let isZone = chance.chance(0.3)
            tally.count(isZone ? .allRecommended : .taskManagerRecommended)
            for host in isZone ? living.filter({ isStaying($0) && $0.machine.isRegistered }) : [host] {
                host.isRecommended = true
                host.inside { host.tell(.leave(Leave(reason: "it is recommended", milliseconds: 120_000, ends: false))) }
                timeline.after(chance.duration(.seconds(5), .seconds(100))) { [self] in leaveOnce(host) }
            }
        case .join:
            tally.count(.taskManagerJoined)
            let host = startTaskManager()
            host.isExtra = true
            // What is deployed must be able to run where nothing may restart.
            host.isUnreachable = chance.chance(plan.unreachableJoiners) && (!plan.isPlanned || !restartsSeen.isEmpty)
            timeline.after(chance.duration(.seconds(10), .seconds(60))) { [self] in leaveOnce(host) }
        case .requestSavepoint:
            tally.count(.savepointRequested)
            leader?.request(.savepoint(jobID, kind: .savepoint, directory: nil)) { _ in }
        }
    }

    /// Each vertex that may have several subtasks gets between one and one more than there are slots; both ends of a forward edge as many.
    private func rescale() {
        let count = chance.int(1...max(job.slots + 1, 2))
        let most = plan.isPlanned && !plan.isTight ? living.count(where: hasRoom) * slotsEach : options.taskManagers * slotsEach
        var wanted: [Int: ClosedRange<Int>] = [:]
        // All of a union, which is one.
        let tied = Set(graph.edges.filter { $0.partitioning == .forward }.flatMap { [$0.source, $0.target] })
        var wantedOfTied: ClosedRange<Int>?
        for vertex in graph.vertices.indices where !graph.inputs(of: vertex).contains(where: { graph.edges[$0].partitioning == .single }) {
            if tied.contains(vertex), let same = wantedOfTied {
                wanted[vertex] = same
                continue
            }
            let count = chance.chance(0.7) ? count : chance.int(1...count)
            wanted[vertex] = min(chance.chance(0.5) ? 1 : count, most)...count
            if tied.contains(vertex) { wantedOfTied = wanted[vertex] }
        }
        leastSlots = wanted.values.map(\.lowerBound).max() ?? 1
        leader?.request(.requirements(jobID, wanted)) { _ in }
    }

    // MARK: Leaving

    /// Where nothing may restart, only who leaves enough slots behind may go.
    private func mayLeave(_ host: SimulatedTaskManager) -> Bool {
        guard plan.isPlanned else { return true }
        // Before that nobody would hear of it, and its tasks would go with it.
        guard host.machine.isRegistered else { return false }
        if plan.isTight { return !host.isLeaving }
        return !host.isLeaving && living.count { hasRoom($0) && $0.id != host.id } * slotsEach >= leastSlots
    }

    /// Also who is only recommended to be left has, if nobody else.
    private func hasRoom(_ host: SimulatedTaskManager) -> Bool { !host.isLeaving && !host.isUnreachable }

    private func isStaying(_ host: SimulatedTaskManager) -> Bool { !host.isLeaving && !host.isRecommended }

    private func leave(_ host: SimulatedTaskManager, reason: String, within time: Duration, isDrained: Bool = false) {
        host.isLeaving = true
        let time = plan.isPlanned ? Duration.seconds(plan.isTight ? chance.int(25...60) : 110) : time
        let leave = Leave(reason: reason, milliseconds: time.milliseconds, ends: true)
        if isDrained { leader?.request(.drain(host.id, leave)) { _ in } } else { host.inside { host.tell(.leave(leave)) } }
        timeline.after(time + .seconds(5)) { [self] in remove(host, machineGone: false, restartAfter: .seconds(1)) }
    }

    /// As soon as it may.
    private func leaveOnce(_ host: SimulatedTaskManager) {
        guard host.isAlive, outcome == nil else { return }
        if mayLeave(host) { return leave(host, reason: "its time is over", within: .seconds(20)) }
        timeline.after(.seconds(10)) { [self] in leaveOnce(host) }
    }

    /// TaskManagers are being told of a change: one that would only join it is told to go, or is gone.
    func spoil(_ change: Deployment) {
        guard !isHealed, chance.chance(plan.spoiledChanges), let previous = change.previous else { return }
        let joiners = Set(change.layout.workers).subtracting(previous.workers).sorted().compactMap { taskManagers[$0] }
        guard !joiners.isEmpty else { return }
        let joiner = chance.pick(joiners)
        timeline.after(chance.duration(.zero, .milliseconds(chance.pick([20, 60, 300])))) { [self] in
            guard joiner.isAlive, !isHealed, outcome == nil else { return }
            if plan.isPlanned || chance.chance(0.5) {
                guard mayLeave(joiner) else { return }
                leave(joiner, reason: "a change counts on it", within: chance.duration(.seconds(2), .seconds(25)))
            } else {
                remove(joiner, machineGone: chance.chance(0.3), restartAfter: chance.duration(.seconds(1), .seconds(20)))
            }
            trace.note(time, "disturbance", "spoils change #\(change.layout.attempt) by \(joiner.id)")
            tally.count(.changeSpoiled)
        }
    }

    private func replaceJobManager() {
        trace.note(time, "jobmanager", "another one is started")
        startJobManager()
        submit()
    }

    private func pickTaskManager() -> SimulatedTaskManager? {
        let all = living
        return all.isEmpty ? nil : chance.pick(all)
    }

    private func change(store conditions: StoreConditions, for length: Duration) {
        store.conditions = conditions
        timeline.after(length) { [self] in store.conditions = isHealed ? .healthy : plan.store }
    }

    private func soon() -> Duration { chance.duration(.zero, .milliseconds(50)) }
    /// When TCP gives up by itself.
    private func atLast() -> Duration { chance.duration(.seconds(15), .seconds(60)) }

    private func disturbControl(_ strike: DisturbancePlan.Strike) {
        guard let host = pickTaskManager() else { return }
        switch strike {
        case .breakControl:
            tally.count(.controlBroken)
            host.disturbControl { $0.cut(opener: soon(), acceptor: soon()) }
        case .halfOpenControl:
            tally.count(.controlHalfOpen)
            host.disturbControl { halfOpen($0) }
        default:
            tally.count(.controlHeld)
            host.cutOff(until: time + chance.duration(.milliseconds(500), .seconds(12)))
        }
    }

    private func disturbData(_ strike: DisturbancePlan.Strike) {
        guard let host = pickTaskManager(), !host.peers.isEmpty, let peer = host.peers[chance.pick(host.peers.keys.sorted())] else { return }
        switch strike {
        case .breakData:
            tally.count(.dataBroken)
            peer.cut(opener: soon(), acceptor: soon())
        case .halfOpenData:
            tally.count(.dataHalfOpen)
            halfOpen(peer)
        default:
            tally.count(.dataHeld)
            peer.hold(until: time + chance.duration(.milliseconds(500), .seconds(15)))
        }
    }

    private func halfOpen(_ link: Link) {
        switch chance.int(0...3) {
        case 0: link.cut(opener: soon(), acceptor: atLast())
        case 1: link.cut(opener: atLast(), acceptor: soon())
        case 2: link.cut(opener: atLast(), acceptor: atLast())
        default:
            let end = chance.pick([Link.End.opener, .acceptor])
            link.silence(end)
            timeline.after(atLast()) { [self] in link.cut(opener: soon(), acceptor: soon()) }
        }
    }
}
