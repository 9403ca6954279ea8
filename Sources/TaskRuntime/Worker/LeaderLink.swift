import Dataflow
import Wire

/// The TaskManager's side of its connection to the JobManager: made, registered, watched for silence, made again.
struct LeaderLink {
    enum State: Hashable {
        /// No link; the next attempt is due.
        case waiting(retryAt: Instant)
        case connecting
        /// A link that went silent is being closed; waits for the host to say that it is gone.
        case closing(until: Instant)
        case registering(since: Instant)
        case registered(lastHeard: Instant)
    }

    private(set) var state = State.waiting(retryAt: .zero)
    private let options: WorkerOptions
    private var pause: Duration
    /// Since when nobody leads this TaskManager; nil while it is registered.
    private var leaderlessSince: Instant?
    /// After so long without a word nothing is committed any more.
    private var silence: Duration
    /// After so long the link is given up: what the JobManager itself calls a loss, which a new registration would be to it.
    private var patience: Duration

    init(options: WorkerOptions) {
        self.options = options
        pause = options.reconnectPause
        silence = options.leaderSilence
        patience = silence
    }

    var isRegistered: Bool { if case .registered = state { true } else { false } }

    /// True when the JobManager has not spoken for so long that another one may lead by now.
    func isSilent(at now: Instant) -> Bool {
        guard case .registered(let lastHeard) = state else { return true }
        return now - lastHeard >= silence
    }

    // MARK: Events

    /// True: register on the new link.
    mutating func connected(at now: Instant) -> Bool {
        switch state {
        case .waiting, .connecting, .closing,  // The newest link is the one that counts, whatever was thought of older ones.
            .registering, .registered:
            state = .registering(since: now)
            if leaderlessSince == nil { leaderlessSince = now }
            return true
        }
    }

    mutating func disconnected(at now: Instant) {
        switch state {
        case .waiting: break  // The end of a link that was given up.
        case .connecting: retryLater(at: now)
        case .closing:
            // It had been registered: the JobManager may be back at once.
            state = .waiting(retryAt: now)
        case .registering: retryLater(at: now)
        case .registered:
            leaderlessSince = now
            state = .waiting(retryAt: now)
        }
    }

    /// True when this registration is new. `interval`, `timeout`: the JobManager's heartbeats.
    mutating func registered(interval: Duration, timeout: Duration, at now: Instant) -> Bool {
        switch state {
        case .registering:
            state = .registered(lastHeard: now)
            leaderlessSince = nil
            pause = options.reconnectPause
            silence = max(options.leaderSilence, interval * 2)
            patience = max(silence, timeout)
            return true
        case .registered,  // Said twice.
            .waiting, .connecting, .closing:  // On a link that is given up.
            return false
        }
    }

    /// Something came from the JobManager.
    mutating func heard(at now: Instant) {
        if case .registered = state { state = .registered(lastHeard: now) }
    }

    mutating func timer(at now: Instant) -> [WorkerEffect] {
        if !isRegistered, leaderlessSince == nil { leaderlessSince = now }
        if let since = leaderlessSince, now - since >= options.registrationTimeout {
            return [.exit(code: 1, reason: "no JobManager took this TaskManager within \(options.registrationTimeout.milliseconds / 1000) s")]
        }
        switch state {
        case .waiting(let retryAt) where retryAt <= now:
            state = .connecting
            return [.connect]
        case .closing(let until) where until <= now:
            state = .connecting
            return [.connect]
        case .registering(let since) where now - since >= options.leaderSilence * 2:
            state = .closing(until: now + options.leaderSilence)
            return [.disconnect(reason: "the JobManager did not answer the registration")]
        case .registered(let lastHeard) where now - lastHeard >= patience:
            leaderlessSince = lastHeard
            state = .closing(until: now + options.leaderSilence)
            return [.disconnect(reason: "nothing was heard of the JobManager for \((now - lastHeard).milliseconds) ms")]
        case .waiting, .closing, .registering, .registered: return []  // Not yet.
        case .connecting: return []  // The host answers in any case.
        }
    }

    private mutating func retryLater(at now: Instant) {
        state = .waiting(retryAt: now + pause)
        pause = min(pause * 2, options.reconnectMaximumPause)
    }

    /// When `timer` has something to do next.
    var deadline: Instant {
        let registration = leaderlessSince.map { $0 + options.registrationTimeout } ?? .distantFuture
        switch state {
        case .waiting(let retryAt): return min(retryAt, registration)
        case .connecting: return registration
        case .closing(let until): return min(until, registration)
        case .registering(let since): return min(since + options.leaderSilence * 2, registration)
        case .registered(let lastHeard): return lastHeard + patience
        }
    }

    func checkInvariants() {
        precondition(!isRegistered || leaderlessSince == nil, "a registered TaskManager has a leader")
        precondition(pause >= options.reconnectPause && pause <= max(options.reconnectMaximumPause, options.reconnectPause), "pauses grow within bounds")
    }
}
