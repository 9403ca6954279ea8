import Dataflow
import Wire

// The ways a job ends.
extension JobMaster {
    /// Commits of complete checkpoints may still be carried out for so long after a cancel or a failure.
    private static let commitGrace = Duration.seconds(10)

    mutating func cancel(_ ticket: Ticket, at now: Now, in cluster: inout Cluster) {
        func accept() { cluster.effects.append(.reply(ticket, .accepted)) }
        switch phase {
        case .created:
            accept()
            answerAll(StreamError(.user, retry: false, "job \(job) was cancelled"), in: &cluster)
            move(to: .ended(.cancelled), at: now, in: &cluster)
        case .reading(let reading):
            accept()
            if reading.retained == nil {
                answerAll(StreamError(.user, retry: false, "job \(job) was cancelled"), in: &cluster)
                move(to: .ended(.cancelled), at: now, in: &cluster)
            } else {
                end(.cancelled, at: now, in: &cluster)
            }
        case .claiming:
            accept()
            cancelWanted = true
        case .waitingForSlots, .publishingLayout, .deploying, .running, .restarting, .finishing:
            accept()
            end(.cancelled, at: now, in: &cluster)
        case .ending:
            accept()  // It ends as it was going to.
        case .ended(let outcome):
            cluster.effects.append(
                .reply(ticket, .refused(StreamError(.user, retry: false, "job \(job) has already ended: \(outcome.rawValue)"))))
        case .suspended:
            cluster.effects.append(
                .reply(ticket, .refused(StreamError(.connection, retry: true, "another JobManager leads job \(job)"))))
        }
    }

    /// Orders the end: tasks first, then HEAD.
    mutating func end(_ outcome: JobPhase.Outcome, at now: Now, in cluster: inout Cluster) {
        if let ticket = submitter {
            cluster.effects.append(.reply(ticket, .refused(StreamError(.user, retry: false, "job \(job) was cancelled before it started"))))
            submitter = nil
        }
        let committers = Set((phase.layout?.workers ?? []).filter { cluster.workers[$0] != nil })
        let waiting = withdraw(outcome == .cancelled ? "the job was cancelled" : "the job is ending", at: now, in: &cluster)
        move(
            to: .ending(
                JobPhase.Ending(
                    outcome: outcome, waiting: waiting, since: now.instant, committers: committers, commitsUntil: nil, change: nil)),
            at: now, in: &cluster)
    }

    mutating func end(_ ending: JobPhase.Ending, at now: Now, in cluster: inout Cluster) {
        var ending = ending
        guard ending.waiting.isEmpty else { return cutOff(ending.waiting, since: ending.since, at: now, in: &cluster) }
        guard !coordinator.isPublishing else { return }
        if let change = ending.change {
            if head.isPublished(change) { ended(ending.outcome, at: now, in: &cluster) }
            return
        }
        // What HEAD names should also be seen; but a sink that is out of reach must not hold up the end of a job that was cancelled.
        if !ledger.isEmpty, !ending.committers.isEmpty {
            precondition(ending.outcome != .finished, "a job finishes when everything is committed")
            let until = ending.commitsUntil ?? now.instant + Self.commitGrace
            ending.commitsUntil = until
            phase = .ending(ending)
            if now.instant < until { return }
        }
        if !ledger.isEmpty {
            cluster.log(
                .warning, "JobMaster",
                "Job \(job) ends with \(ledger.count) committables of complete checkpoints that are not known to be carried out;"
                    + " a restore from its last checkpoint carries them out.")
        }
        for worker in informed.sorted() { cluster.send(.release(job: job), to: worker) }
        informed = []
        let outcome = ending.outcome
        // With commits open the checkpoint is the only thing that can still carry them out.
        let keeps = !ledger.isEmpty || retains(after: outcome)
        var gone: [Head.Retained] = []
        let (change, effects) = head.change(draw: &cluster.draw) { head in
            head.outcome = outcome.rawValue
            head.planned = nil
            if !keeps {
                gone = head.retained.filter { !$0.kind.isSavepoint }
                head.retained = []
            }
        }
        if !gone.isEmpty { retiring.append((change, gone)) }
        ending.change = change
        phase = .ending(ending)
        apply(effects, at: now, in: &cluster)
        if case .ending = phase, head.isPublished(change) { ended(outcome, at: now, in: &cluster) }
    }

    private func retains(after outcome: JobPhase.Outcome) -> Bool {
        switch outcome {
        case .finished: false
        case .failed: options.retainsOnFailure
        case .cancelled: options.retainsOnCancellation
        }
    }

    private mutating func ended(_ outcome: JobPhase.Outcome, at now: Now, in cluster: inout Cluster) {
        for ticket in stoppers { cluster.effects.append(.reply(ticket, stopReply(outcome))) }
        stoppers = []
        collector.wishSweep()
        let sources = graph.vertices.compactMap(\.source)
        if !sources.isEmpty { cluster.effects.append(.giveBack(job: job, sources)) }
        move(to: .ended(outcome), at: now, in: &cluster)
    }

    private func stopReply(_ outcome: JobPhase.Outcome) -> ClientReply {
        if outcome == .finished, let stopPath { return .completed(path: stopPath) }
        return .refused(StreamError(.user, retry: false, "the job ended as \(outcome.rawValue) before it stopped"))
    }

    /// Nobody who waits for this job will get what he asked for.
    mutating func answerAll(_ error: StreamError, in cluster: inout Cluster) {
        let tickets = [submitter].compactMap { $0 } + stoppers + requiring.map(\.ticket) + coordinator.dropWishes() + (coordinator.pending?.wish.tickets ?? [])
        for ticket in tickets { cluster.effects.append(.reply(ticket, .refused(error))) }
        submitter = nil
        stoppers = []
        requiring = []
    }
}
