import Dataflow

/// When a source is looked at for splits that nobody knows yet. One look is on its way at a time.
struct SplitLooks: Sendable {
    private enum State: Hashable, Sendable {
        case due(Instant)
        case asked
        /// The answer on its way was asked for before the last reset: it may lack splits that are unknown again.
        case askedBefore
        case over
    }

    private var state = State.due(.zero)
    /// When the look on its way was begun, and the last one that was answered.
    private var began = Instant.zero
    private var answered: Instant?
    /// A split has ended since the look on its way was begun.
    private var isStale = false

    /// Nothing further will be found.
    var isOver: Bool { state == .over }
    /// An answer is awaited, and says all that is new.
    var isAwaited: Bool { state == .asked }

    var deadline: Instant? {
        if case .due(let due) = state { return due }
        return nil
    }

    /// The last look that was answered was begun so long after this moment, or longer.
    func isAnswered(_ pause: Duration, after moment: Instant) -> Bool { answered.map { $0 - moment >= pause } ?? false }

    /// Starts from a checkpoint, or from nothing.
    mutating func reset(isComplete: Bool) {
        switch state {
        case .asked, .askedBefore: state = .askedBefore
        case .due, .over: state = isComplete ? .over : .due(.zero)
        }
    }

    /// True when it is time for a look, which is on its way from here on.
    mutating func begin(at now: Instant) -> Bool {
        guard case .due(let due) = state, due <= now else { return false }
        state = .asked
        began = now
        isStale = false
        return true
    }

    /// The awaited answer. `next`: how long until the source wants to be looked at again; nil: it does not.
    mutating func answer(isComplete: Bool, next: Duration?, at now: Instant) {
        answered = began
        state = isComplete ? .over : next.map { .due(isStale ? now : now + $0) } ?? .over
    }

    /// An answer that cannot be used: looks again, after `pause` when it was awaited, and at once when it was asked for before the reset.
    mutating func drop(retryAfter pause: Duration = .zero, isComplete: Bool, at now: Instant) {
        switch state {
        case .asked: state = .due(now + pause)
        case .askedBefore: state = isComplete ? .over : .due(now)
        case .due, .over: break
        }
    }

    /// What comes next may be there already: a pause between two looks ends.
    mutating func hasten() { if case .due = state { state = .due(.zero) } }

    /// The same, and a look on its way may have been begun too early.
    mutating func hastenNext() { if case .due = state { state = .due(.zero) } else { isStale = true } }
}
