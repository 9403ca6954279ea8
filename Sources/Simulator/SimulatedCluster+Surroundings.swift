import Dataflow
import Glibc
import JobControl
import Wire

/// What became of a commit.
struct CommitOutcome {
    var delay: Duration
    /// Carried out in part, or not at all, and answered as failed.
    var fails = false
    var carriesOut = 1.0
    var repeats = false

    func share(of count: Int) -> Int { Int((Double(count) * carriesOut).rounded(.down)) }
}

extension SimulatedCluster {
    func logarithm(_ number: Double) -> Double { log(number) }

    /// A machine's timer; at times late, at times twice.
    func timer(at instant: Duration, _ action: @escaping () -> Void) {
        if !isHealed, chance.chance(plan.timerTrouble) {
            tally.count(.timerLate)
            return timeline.at(instant + chance.duration(.zero, .milliseconds(1_500)), action)
        }
        timeline.at(instant, action)
        if !isHealed, chance.chance(plan.timerTrouble) {
            tally.count(.timerRepeated)
            timeline.at(instant + .milliseconds(1), action)
        }
    }

    func stepCost(of task: TaskID) -> Duration {
        let most = task.subtask.vertex == lastVertex && !isHealed ? job.lastStep : .milliseconds(2)
        return chance.duration(.microseconds(20), most)
    }

    // MARK: Connections

    /// How long an attempt to reach the JobManager takes, and why it fails.
    func connectOutcome(unreachable: Bool) -> (delay: Duration, refusal: String?) {
        if unreachable {
            tally.count(.controlRefused)
            return (chance.duration(.milliseconds(500), .seconds(2)), "timed out")
        }
        if !isHealed, chance.chance(plan.connectTrouble) {
            tally.count(.controlRefused)
            return (chance.duration(.milliseconds(1), .milliseconds(200)), "connection refused")
        }
        return (network.latency() + network.latency(), nil)
    }

    func dataConnectOutcome(to: WorkerID) -> (delay: Duration, refusal: String?) {
        guard let host = taskManagers[to], host.isAlive else { return (chance.duration(.milliseconds(1), .milliseconds(500)), "no such host") }
        if host.isPaused { return (.seconds(1), "timed out") }
        if host.isUnreachable, !isHealed {
            tally.count(.taskManagerUnreachable)
            return (chance.duration(.milliseconds(1), .milliseconds(500)), "no route to host")
        }
        if !isHealed, chance.chance(plan.connectTrouble) {
            tally.count(.dataRefused)
            return (chance.duration(.milliseconds(1), .milliseconds(500)), "connection refused")
        }
        return (network.latency() + network.latency(), nil)
    }

    /// A connection from one TaskManager to another comes to be.
    func connect(_ opener: SimulatedTaskManager, to other: WorkerID) -> Link? {
        guard let acceptor = taskManagers[other], acceptor.isAlive else { return nil }
        let link = Link(network: network) { [unowned acceptor] _, bytes in
            acceptor.inside { acceptor.arrived(bytes) }
        } ended: { [unowned opener, unowned acceptor] link, end, reason in
            switch end {
            case .opener: opener.inside { opener.peerEnded(acceptor.id, link, reason: reason) }
            case .acceptor: acceptor.inside { acceptor.peerEnded(opener.id, nil, reason: reason) }
            }
        }
        acceptor.accepted.append(link)
        return link
    }

    // MARK: Outside systems

    func commitOutcome() -> CommitOutcome {
        var outcome = CommitOutcome(delay: chance.duration(.milliseconds(1), .milliseconds(50)))
        guard !isHealed, chance.chance(plan.commitTrouble) else { return outcome }
        switch plan.isPlanned ? 0 : chance.int(0...3) {
        case 0:
            tally.count(.commitSlow)
            outcome.delay = chance.duration(.seconds(1), .seconds(20))
        case 1:
            tally.count(.commitFailed)
            outcome.fails = true
            outcome.carriesOut = chance.pick([0, 0.5])
        case 2:
            tally.count(.commitAnswerLost)
            outcome.fails = true
        default:
            tally.count(.commitRepeated)
            outcome.repeats = true
        }
        return outcome
    }

    func discover(_ spec: SourceSpec, known: Set<String>, answer: @escaping (Result<Discovery, StreamError>) -> Void) {
        var delay = chance.duration(.milliseconds(1), .milliseconds(50))
        let isTroubled = !isHealed && chance.chance(plan.discoveryTrouble)
        if isTroubled, chance.chance(0.5) {
            tally.count(.discoverySlow)
            delay = chance.duration(.seconds(1), .seconds(15))
        } else if isTroubled {
            tally.count(.discoveryFailed)
            timeline.after(delay) { answer(.failure(StreamError(.externalSystem, retry: true, "the folder cannot be listed"))) }
            return
        }
        timeline.after(delay) { [self] in
            do throws(StreamError) {
                let source = try connectors(jobManager.clock).source(spec)
                let found = try source.discover(known: known)
                let discovery = Discovery(
                    splits: found.splits, isComplete: found.isComplete, next: source.discoveryInterval, distribution: source.distribution)
                // What is found may be old when it is told.
                if job.inputs[0].stream == nil { return answer(.success(discovery)) }
                timeline.after(delay) { answer(.success(discovery)) }
            } catch { answer(.failure(error)) }
        }
    }
}
