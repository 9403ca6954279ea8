import Dataflow

/// Keeps one job's HEAD: the only writer of it in this process (docs/protocols.md 1).
///
/// Changes are collected in `desired` and written with one put in flight. Each change has a number; `published(through:)` says up to which
/// one the store has them. After a conflict or an unknown outcome HEAD is read again: my nonce means published, the old value means
/// try again with the same bytes, a newer epoch means that another leader has the job and this one must not act on it any more.
package struct HeadKeeper: Sendable {
    package enum Effect: Hashable, Sendable {
        case store(Ticket, StoreRequest)
        /// This leader has the job. HEAD is as it was left, but for the new epoch.
        case claimed(Head)
        case published(through: Int)
        /// Another leader has the job.
        case lost(LeaderEpoch)
        /// HEAD is no HEAD; it is left alone.
        case damaged(String)
        case slow(String)
    }

    private enum Goal: Sendable {
        /// Take the job over, whatever its HEAD says.
        case claim
        /// Find out what became of a put.
        case verify(Attempt)
        case put(Attempt)
    }

    /// A put, repeated with the very same bytes until its outcome is known.
    private struct Attempt: Sendable {
        var head: Head
        var bytes: [UInt8]
        var through: Int
        var isClaim: Bool
        /// Why its outcome was not known.
        var trouble: String?
    }

    private enum State: Sendable {
        case unclaimed
        case waiting(Ticket, Goal)
        case pausing(until: Instant, Goal)
        case quiet
        case over
    }

    package let key: String
    private let job: JobID
    private var epoch: LeaderEpoch
    private var state = State.unclaimed
    /// As the store has it, and its tag; nil: the store has none.
    package private(set) var published: Head?
    private var etag: String?
    private var desired: Head
    private var changes = 0
    private var publishedThrough = 0
    private var backoff = Backoff(first: .milliseconds(50), maximum: .seconds(5))

    package init(job: JobID) {
        self.job = job
        key = "\(job)/HEAD"
        epoch = 0
        desired = Head(job: job, leaderEpoch: 0)
    }

    /// What HEAD will say when all changes are published.
    package var head: Head { desired }
    package var leaderEpoch: LeaderEpoch { epoch }
    package func isPublished(_ change: Int) -> Bool { publishedThrough >= change }
    /// Whether the ticket is that of a put whose outcome is awaited.
    func isPutting(_ ticket: Ticket) -> Bool {
        if case .waiting(ticket, .put) = state { return true }
        return false
    }
    /// Whether the ticket's answer is awaited.
    func awaits(_ ticket: Ticket) -> Bool {
        if case .waiting(ticket, _) = state { return true }
        return false
    }
    package var isQuiet: Bool {
        if case .quiet = state { return true }
        return false
    }

    /// `epoch`: the least that this leader may take.
    package mutating func claim(epoch: LeaderEpoch, draw: inout Draw) -> [Effect] {
        self.epoch = epoch
        return go(.claim, draw: &draw)
    }

    /// Answers the change's number.
    package mutating func change(draw: inout Draw, _ body: (inout Head) -> Void) -> (change: Int, effects: [Effect]) {
        body(&desired)
        changes += 1
        return (changes, writeIfQuiet(draw: &draw))
    }

    package mutating func timer(at now: Instant, draw: inout Draw) -> [Effect] {
        guard case .pausing(let until, let goal) = state, until <= now else { return [] }
        return go(goal, draw: &draw)
    }

    package var deadline: Instant? {
        if case .pausing(let until, _) = state { return until }
        return nil
    }

    /// Nil when the ticket is not this keeper's.
    package mutating func stored(_ ticket: Ticket, _ answer: StoreAnswer, at now: Instant, draw: inout Draw) -> [Effect]? {
        guard case .waiting(ticket, let goal) = state else { return nil }
        switch (goal, answer) {
        case (.put(let attempt), .put(let tag)):
            return settled(attempt, tag, draw: &draw)
        case (.put(let attempt), .conflict), (.put(let attempt), .notFound): return go(.verify(attempt), draw: &draw)
        case (.put(var attempt), .failed(let reason, mayHaveHappened: true)):
            attempt.trouble = reason
            return go(.verify(attempt), draw: &draw)
        case (.put, .failed(let reason, mayHaveHappened: false)), (.put, .refused(let reason)):
            return pause(goal, reason, at: now)
        case (.claim, .got(let bytes, let tag)):
            guard let found = decode(bytes) else { return damaged() }
            return claim(over: found, tag, draw: &draw)
        case (.claim, .notFound):
            return claim(over: nil, nil, draw: &draw)
        case (.verify(let attempt), .got(let bytes, let tag)):
            guard let found = decode(bytes) else { return damaged() }
            if found.leaderEpoch == attempt.head.leaderEpoch, found.nonce == attempt.head.nonce { return settled(attempt, tag, draw: &draw) }
            if let published, found.nonce == published.nonce, found.leaderEpoch == published.leaderEpoch {
                // The old value: the put did not happen, or not yet. The same bytes again, so that it may even happen twice.
                etag = tag
                return pause(.put(attempt), attempt.trouble, at: now)
            }
            if found.leaderEpoch >= attempt.head.leaderEpoch {
                state = .over
                return [.lost(found.leaderEpoch)]
            }
            if attempt.isClaim { return claim(over: found, tag, draw: &draw) }
            etag = tag
            return pause(.put(attempt), "HEAD of job \(job) was replaced by an older one; it is written again", at: now)
        case (.verify(let attempt), .notFound):
            etag = nil
            return pause(.put(attempt), published == nil ? attempt.trouble : "HEAD of job \(job) is gone from the store; it is written again", at: now)
        case (.claim, .failed(let reason, _)), (.verify, .failed(let reason, _)), (.claim, .refused(let reason)), (.verify, .refused(let reason)):
            return pause(goal, reason, at: now)
        case (.put, .got), (.put, .listed), (.put, .deleted), (.claim, .put), (.claim, .listed), (.claim, .deleted), (.claim, .conflict),
            (.verify, .put), (.verify, .listed), (.verify, .deleted), (.verify, .conflict):
            preconditionFailure("a store answers what it was asked")
        }
    }

    // MARK: Steps

    private mutating func go(_ goal: Goal, draw: inout Draw) -> [Effect] {
        let ticket = draw.ticket()
        state = .waiting(ticket, goal)
        switch goal {
        case .claim, .verify: return [.store(ticket, .get(key: key))]
        case .put(let attempt): return [.store(ticket, .put(key: key, attempt.bytes, etag.map { .ifMatch($0) } ?? .ifNoneMatch))]
        }
    }

    private mutating func pause(_ goal: Goal, _ reason: String?, at now: Instant) -> [Effect] {
        state = .pausing(until: now + backoff.next(), goal)
        return reason.map { [.slow($0)] } ?? []
    }

    private mutating func claim(over found: Head?, _ tag: String?, draw: inout Draw) -> [Effect] {
        published = found
        etag = tag
        epoch = max(epoch, (found?.leaderEpoch ?? 0) + 1)
        var head = found ?? Head(job: job, leaderEpoch: epoch)
        head.leaderEpoch = epoch
        desired = head
        return put(isClaim: true, draw: &draw)
    }

    private mutating func put(isClaim: Bool, draw: inout Draw) -> [Effect] {
        desired.sequence += 1
        desired.nonce = draw.nonce()
        return go(.put(Attempt(head: desired, bytes: encode(desired), through: changes, isClaim: isClaim)), draw: &draw)
    }

    private mutating func settled(_ attempt: Attempt, _ tag: String, draw: inout Draw) -> [Effect] {
        published = attempt.head
        etag = tag
        publishedThrough = attempt.through
        backoff.reset()
        state = .quiet
        var effects: [Effect] = [attempt.isClaim ? .claimed(attempt.head) : .published(through: attempt.through)]
        effects += writeIfQuiet(draw: &draw)
        return effects
    }

    private mutating func writeIfQuiet(draw: inout Draw) -> [Effect] {
        guard case .quiet = state, publishedThrough < changes else { return [] }
        return put(isClaim: false, draw: &draw)
    }

    private mutating func damaged() -> [Effect] {
        state = .over
        return [.damaged("\(key) exists, but is no HEAD of job \(job)")]
    }

    private func encode(_ head: Head) -> [UInt8] { SealedJSON.encode(head) }

    private func decode(_ bytes: [UInt8]) -> Head? {
        guard let head = SealedJSON.decode(Head.self, bytes), head.job == job else { return nil }
        return head
    }

    package func checkInvariants() {
        precondition(publishedThrough <= changes, "only what was changed is published")
        if let published, case .quiet = state {
            precondition(published.leaderEpoch == epoch, "this leader acts only under a HEAD that it claimed")
            precondition(publishedThrough == changes, "a change is written as soon as no put is in flight")
        }
    }
}
