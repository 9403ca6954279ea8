import Dataflow

/// The split enumerator of one source vertex: knows what was found, hands it out in order, one split a request.
///
/// Promise: a split is pending, or with one reader, or finished; never two of them. What was handed out before a trigger belongs to its
/// reader; so the pending ones at the trigger are what the checkpoint holds.
package struct SplitAssigner: Sendable {
    package struct Assignment: Hashable, Sendable {
        package var subtask: Int
        package var splits: [SplitState]
        /// Nothing further will come for this reader.
        package var noMore: Bool
    }

    package let vertex: Int
    private var pending: [SplitState] = []
    private var known: [String] = []
    private var knownSet: Set<String> = []
    private var isComplete = false
    /// Readers whose request could not be answered yet, in the order of asking.
    private var waiting: [Int] = []
    /// Splits with a reader that no snapshot has shown as finished, by reader.
    private var handedOut: [String: Int] = [:]

    private enum Discovery: Hashable, Sendable {
        case due(Instant)
        case asked
        /// The answer on its way was asked for before the last reset: it may lack splits that are unknown again.
        case askedBefore
        case over
    }
    private var discovery = Discovery.due(.zero)

    package init(vertex: Int) { self.vertex = vertex }

    /// Starts from a checkpoint, or from nothing. `reading`: splits with the positions that readers had reached.
    package mutating func reset(to enumerator: Manifest.Enumerator?, reading: [SplitState]) {
        let old = discovery
        known = enumerator?.known ?? []
        knownSet = Set(known)
        isComplete = enumerator?.isComplete ?? false
        let order = Dictionary(known.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        pending = reading.sorted { (order[$0.split.id] ?? .max, $0.split.id) < (order[$1.split.id] ?? .max, $1.split.id) }
        pending += enumerator?.pending ?? []
        waiting = []
        handedOut = [:]
        if isComplete {
            discovery = old == .asked || old == .askedBefore ? .askedBefore : .over
        } else {
            discovery = old == .asked || old == .askedBefore ? .askedBefore : .due(.zero)
        }
    }

    /// The split ids to leave out, when it is time to look for splits.
    package mutating func discover(at now: Instant) -> Set<String>? {
        guard case .due(let due) = discovery, due <= now else { return nil }
        discovery = .asked
        return knownSet
    }

    package var deadline: Instant? {
        if case .due(let due) = discovery { return due }
        return nil
    }

    package mutating func discovered(_ found: JobControl.Discovery, at now: Instant) -> [Assignment] {
        switch discovery {
        case .askedBefore:
            discovery = isComplete ? .over : .due(now)
            return []
        case .due, .over:  // Nobody asked.
            return []
        case .asked:
            for split in found.splits where knownSet.insert(split.id).inserted {
                known.append(split.id)
                pending.append(SplitState(split: split))
            }
            isComplete = found.isComplete
            discovery = isComplete ? .over : found.next.map { .due(now + $0) } ?? .over
            let asking = waiting
            waiting = []
            return asking.flatMap { needsSplits($0) }
        }
    }

    /// Looks again after `pause`; what was found so far stays.
    package mutating func discoveryFailed(retryAfter pause: Duration, at now: Instant) {
        switch discovery {
        case .asked: discovery = .due(now + pause)
        case .askedBefore: discovery = isComplete ? .over : .due(now)
        case .due, .over: break
        }
    }

    /// Empty: nothing now; the request is remembered.
    package mutating func needsSplits(_ subtask: Int) -> [Assignment] {
        if waiting.contains(subtask) { return [] }
        guard !pending.isEmpty else {
            if isComplete { return [Assignment(subtask: subtask, splits: [], noMore: true)] }
            waiting.append(subtask)
            return []
        }
        let split = pending.removeFirst()
        handedOut[split.split.id] = subtask
        return [Assignment(subtask: subtask, splits: [split], noMore: isComplete && pending.isEmpty)]
    }

    package func snapshot() -> Manifest.Enumerator {
        Manifest.Enumerator(vertex: vertex, pending: pending, known: known, isComplete: isComplete)
    }

    /// The splits that readers hold, which every complete checkpoint must show.
    package var outstanding: Set<String> { Set(handedOut.keys) }

    /// A snapshot of the running attempt shows these as read to their end.
    package mutating func finished(_ splits: [String]) {
        for split in splits { handedOut[split] = nil }
    }

    package var counts: (pending: Int, handedOut: Int, known: Int) { (pending.count, handedOut.count, known.count) }

    package func checkInvariants() {
        precondition(knownSet.count == known.count, "a split is known once")
        let waiting = Set(pending.map(\.split.id))
        precondition(waiting.count == pending.count, "a split is pending once")
        precondition(waiting.isDisjoint(with: handedOut.keys), "a split with a reader is not pending")
        precondition(pending.isEmpty || self.waiting.isEmpty, "no reader waits while there are splits")
        precondition(waiting.isSubset(of: knownSet), "what is pending is known")
    }
}
