import Dataflow

/// The split enumerator of one source vertex: knows what was found and gives it to readers, which ask when they run out.
///
/// Promises: a split is pending, or with one reader, or finished; never two of them. What was handed out before a trigger belongs to its
/// reader; so the pending ones at the trigger are what the checkpoint holds.
///
/// A split waits (`held`) while one that it comes after is known and not read to its end. Finished is what is known and neither pending nor with
/// a reader: so a checkpoint says it without saying anything, also one whose reader ended a split between the enumerator's share and its own.
///
/// Of what is spread, a split that has ended stays with its reader until all splits that come after it are with one: meanwhile it holds the
/// watermark where it left it, also in checkpoints. What comes after it goes to the same reader, behind its last rows in the same channels. What
/// comes after ends at several readers waits until a checkpoint is complete whose barrier followed them all: so their rows were taken in
/// everywhere. Of these readers it gets the one whose end left the least watermark, which has held the place all the while. (Without checkpoints
/// nobody can know, and it does not wait.)
///
/// Splits that were with readers before a restore, half read or only fetched ahead, are all with readers again before those begin anything
/// fresh, each reader's in the order of discovery: a reader that is further on would raise the watermark above rows that nobody has yet.
/// So they are kept as shares, one a reader, which its first request answers.
package struct SplitAssigner: Sendable {
    package struct Assignment: Hashable, Sendable {
        package var subtask: Int
        /// Empty: nothing for now, so that the reader holds no watermarks back.
        package var splits: [SplitState]
        /// Nothing further will come for this reader.
        package var noMore: Bool
        /// Ended splits whose place need not be held any more once `splits` are taken. Without these it says nothing else.
        package var released: [String]

        package init(subtask: Int, splits: [SplitState], noMore: Bool, released: [String] = []) {
            self.subtask = subtask
            self.splits = splits
            self.noMore = noMore
            self.released = released
        }
    }

    /// A split that its reader has read to its end.
    private struct End: Sendable {
        /// The next checkpoint that was triggered after it: when that or a later one is complete, all its rows were taken in everywhere.
        let proof: CheckpointID
        var isProven: Bool
        /// Of the split, once a checkpoint has shown it.
        var watermark = Int64.max
        let since: Instant
    }

    /// When a look that was begun so long after a split's end finds nothing that comes after it, nothing will be.
    private static let patience = Duration.seconds(60)

    package let vertex: Int
    private let hasCheckpoints: Bool
    /// Fresh splits for whoever asks, in the order of discovery.
    private var pending = SplitLine()
    /// Splits that are set aside for each reader until it asks for the first time.
    private var shares: [[SplitState]]
    /// The numbers of the readers.
    private var readers: [Int]
    /// A planned change has passed its barrier, and not all readers have said which splits they leave: nothing is handed out.
    private var isSuspended = false
    /// Splits that readers left, with the number of each.
    private var handedBack: [(split: SplitState, reader: Int)] = []
    /// Splits that come after unfinished ones, in the order of discovery.
    private var held: [SplitState] = []
    /// Known and not finished.
    private var open: Set<String> = []
    private var known: [String] = []
    private var knownSet: Set<String> = []
    /// What they are parts of.
    private var origin: String?
    private var isComplete = false
    private var distribution: SplitDistribution?
    /// Discovery has answered since the reset, or need not.
    private var isInformed = false
    /// Readers of this attempt that have asked at least once.
    private var hasAsked: Set<Int> = []
    /// Readers whose request could not be answered with a split yet, in the order of asking, and whether they were told.
    private var waiting: [(subtask: Int, isTold: Bool)] = []
    /// Splits with a reader that no snapshot has shown as finished, by reader.
    private var handedOut: [String: Int] = [:]
    /// Those of them that were read to their end.
    private var ends: [String: End] = [:]
    /// Readers to be told that an ended split's place need not be held.
    private var released: [(split: String, reader: Int)] = []
    private var looks = SplitLooks()

    package init(vertex: Int, readers: Int = 1, hasCheckpoints: Bool = true) {
        self.vertex = vertex
        self.hasCheckpoints = hasCheckpoints
        shares = Array(repeating: [], count: readers)
        self.readers = Array(0..<readers)
    }

    /// Before anybody reads: there will be so many readers.
    package mutating func prepare(readers count: Int) {
        guard readers != Array(0..<count) else { return }
        let all = shares.flatMap { $0 }
        readers = Array(0..<count)
        shares = Array(repeating: [], count: count)
        deal(all)
        setSharesAside()
    }

    /// Neighbours among the old readers stay together.
    private mutating func deal(_ splits: [SplitState]) {
        for (place, split) in splits.enumerated() { shares[place * shares.count / splits.count].append(split) }
    }

    /// Starts from a checkpoint, or from nothing. `reading`: splits with the positions that readers had reached, in the order of readers.
    package mutating func reset(to enumerator: Manifest.Enumerator?, reading: [SplitState]) {
        known = enumerator?.known ?? []
        knownSet = Set(known)
        isComplete = enumerator?.isComplete ?? false
        distribution = enumerator?.distribution
        origin = enumerator?.origin
        isInformed = isComplete
        hasAsked = []
        waiting = []
        handedOut = [:]
        ends = [:]
        released = []
        handedBack = []
        isSuspended = false
        looks.reset(isComplete: isComplete)

        let order = Dictionary(known.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        func isBefore(_ a: SplitState, _ b: SplitState) -> Bool {
            (order[a.split.id] ?? .max, a.split.id) < (order[b.split.id] ?? .max, b.split.id)
        }
        let set = enumerator?.pending ?? []
        open = Set((reading + set).map(\.split.id))
        // What was with a reader, begun or not, and whatever comes before it: a reader that is further on must not take it, or its rows
        // would come behind the watermark. (Splits that are read side by side all count from the start.)
        let last = (reading + set.filter(\.isBegun)).max(by: isBefore)
        func isOwed(_ split: SplitState, wasReading: Bool) -> Bool {
            if split.isBegun || isSpread { return split.isBegun }
            return wasReading || last.map { isBefore(split, $0) } ?? false && split.split.after.allSatisfy { !open.contains($0) }
        }
        let owed = reading.filter { isOwed($0, wasReading: true) } + set.filter { isOwed($0, wasReading: false) }
        let dealt = Set(owed.map(\.split.id))
        pending = SplitLine()
        held = (reading + set).filter { !dealt.contains($0.split.id) }.sorted(by: isBefore)
        release()
        readers = Array(0..<readers.count)
        shares = Array(repeating: [], count: readers.count)
        deal(owed)
        for reader in shares.indices { shares[reader].sort(by: isBefore) }
        setSharesAside()
    }

    /// The split ids to leave out, when it is time to look for splits.
    package mutating func discover(at now: Instant) -> Set<String>? {
        looks.begin(at: now) ? knownSet : nil
    }

    package var deadline: Instant? { looks.deadline }

    /// What the splits that are known belong to, when `found` belongs to something else: then its ids mean other splits.
    package func isForeign(_ found: JobControl.Discovery) -> String? {
        guard looks.isAwaited, let origin, let other = found.origin, origin != other else { return nil }
        return origin
    }

    package mutating func discovered(_ found: JobControl.Discovery, at now: Instant) -> [Assignment] {
        guard looks.isAwaited else {
            looks.drop(isComplete: isComplete, at: now)
            return []
        }
        for split in found.splits where knownSet.insert(split.id).inserted {
            known.append(split.id)
            open.insert(split.id)
            held.append(SplitState(split: split))
        }
        release()
        isComplete = found.isComplete
        distribution = found.distribution
        origin = origin ?? found.origin
        isInformed = true
        looks.answer(isComplete: isComplete, next: found.next, at: now)
        giveUp()
        setSharesAside()
        return withReleased(answerWaiting() + handOutShares())
    }

    /// Looks again after `pause`; what was found so far stays.
    package mutating func discoveryFailed(retryAfter pause: Duration, at now: Instant) {
        looks.drop(retryAfter: pause, isComplete: isComplete, at: now)
    }

    /// Empty: it is not known yet whether there is something. The request is remembered until a split answers it.
    package mutating func needsSplits(_ subtask: Int) -> [Assignment] {
        precondition(shares.indices.contains(subtask), "only readers of this vertex ask")
        if waiting.contains(where: { $0.subtask == subtask }) { return [] }
        hasAsked.insert(subtask)
        waiting.append((subtask, isTold: false))
        return withReleased(answerWaiting())
    }

    // MARK: Giving

    /// What comes after nothing unfinished need not wait any longer; what comes after ends goes to a reader of these.
    private mutating func release() {
        guard !held.isEmpty else { return }
        var stillHeld: [SplitState] = []
        for state in held {
            let before = state.split.after.filter { open.contains($0) }
            if before.isEmpty {
                pending.append([state])
            } else if let reader = successor(of: before) {
                shares[reader].append(state)
            } else {
                stillHeld.append(state)
            }
        }
        held = stillHeld
    }

    /// The reader that goes on where these ended; nil: not all have, or rows of them may still be on their way from another one.
    private func successor(of before: [String]) -> Int? {
        let known = before.compactMap { split in ends[split].flatMap { end in handedOut[split].map { (end: end, reader: $0) } } }
        guard known.count == before.count, Set(known.map(\.reader)).count == 1 || known.allSatisfy(\.end.isProven) else { return nil }
        return known.min { ($0.end.watermark, $0.reader) < ($1.end.watermark, $1.reader) }?.reader
    }

    /// With `.spread`, deals what is pending to the readers that have least; among those to `preferred`.
    private mutating func setSharesAside(preferred: Int = 0) {
        guard distribution == .spread, !pending.isEmpty else { return }
        var loads = shares.map(\.count)
        for (split, reader) in handedOut where ends[split] == nil { loads[reader] += 1 }
        for split in pending.elements {
            let reader = readers.min { (loads[$0], $0 == preferred ? -1 : $0) < (loads[$1], $1 == preferred ? -1 : $1) } ?? 0
            loads[reader] += 1
            shares[reader].append(split)
        }
        pending = SplitLine()
    }

    /// Gives splits, or word that there are none, to those who wait.
    private mutating func answerWaiting() -> [Assignment] {
        guard !isSuspended else { return [] }
        var answers: [Assignment] = []
        let asking = waiting
        waiting = []
        for (subtask, isTold) in asking {
            let splits = takeSplits(for: subtask)
            let noMore = isComplete && pending.isEmpty && held.isEmpty
            if splits.isEmpty, !noMore { waiting.append((subtask, isTold: isTold || isInformed)) }
            if !splits.isEmpty || noMore || isInformed && !isTold {
                answers.append(Assignment(subtask: subtask, splits: splits, noMore: noMore))
            }
        }
        return answers
    }

    /// The reader's share if it has one, otherwise one of the fresh.
    private mutating func takeSplits(for subtask: Int) -> [SplitState] {
        var splits = shares[subtask]
        shares[subtask] = []
        if splits.isEmpty, let first = pending.popFirst() { splits = [first] }
        for split in splits { handedOut[split.split.id] = subtask }
        for split in Set(splits.flatMap(\.split.after)).sorted() where ends[split] != nil && !isAwaited(split) { settle(split) }
        return splits
    }

    /// New splits go to readers that do not ask, too: these may never end those that they have.
    private mutating func handOutShares() -> [Assignment] {
        guard !isSuspended else { return [] }
        return shares.indices.filter { !shares[$0].isEmpty && hasAsked.contains($0) }.map { subtask in
            Assignment(subtask: subtask, splits: takeSplits(for: subtask), noMore: isComplete && held.isEmpty)
        }
    }

    // MARK: Checkpoints

    package func snapshot() -> Manifest.Enumerator {
        Manifest.Enumerator(
            vertex: vertex, pending: shares.flatMap { $0 } + pending.elements + held + handedBack.map(\.split), known: known,
            isComplete: isComplete, distribution: distribution, origin: origin)
    }

    /// The splits that readers hold, which every complete checkpoint must show.
    package var outstanding: Set<String> { Set(handedOut.keys) }

    /// A complete checkpoint shows that the reader has read these to their end. What comes after them begins, with the same reader if that one has
    /// no more than the others.
    package mutating func finished(_ splits: [String], by reader: Int) -> [Assignment] {
        let done = splits.filter { handedOut[$0] == reader }
        guard !done.isEmpty else { return [] }
        for split in done {
            handedOut[split] = nil
            ends[split] = nil
            open.remove(split)
        }
        // A shard that ends has children, which may be unknown yet.
        if distribution == .spread { looks.hasten() }
        guard !held.isEmpty else { return [] }
        release()
        setSharesAside(preferred: reader)
        return withReleased(answerWaiting() + handOutShares())
    }

    package var counts: (pending: Int, handedOut: Int, known: Int) {
        (pending.count + held.count + handedBack.count + shares.reduce(0) { $0 + $1.count }, handedOut.count, known.count)
    }

    package func checkInvariants() {
        precondition(knownSet.count == known.count, "a split is known once")
        var unassigned: Set<String> = []
        func lookAt(_ state: SplitState) {
            let id = state.split.id
            precondition(unassigned.insert(id).inserted, "a split is pending once")
            precondition(handedOut[id] == nil, "a split with a reader is not pending")
            precondition(open.contains(id), "what is pending is not finished")
            precondition(knownSet.contains(id), "what is pending is known")
        }
        for share in shares { share.forEach(lookAt) }
        pending.elements.forEach(lookAt)
        held.forEach(lookAt)
        for (split, _) in handedBack { lookAt(split) }
        precondition(handedOut.keys.allSatisfy { open.contains($0) }, "what is with a reader is not finished")
        precondition(open.count == unassigned.count + handedOut.count, "what is neither pending nor with a reader is finished")
        precondition(pending.isEmpty || waiting.isEmpty || isSuspended, "no reader waits while there are splits")
        precondition(held.allSatisfy { $0.split.after.contains { open.contains($0) } }, "a split waits only for unfinished ones")
        precondition(pending.elements.allSatisfy { $0.split.after.allSatisfy { !open.contains($0) } }, "what is handed out comes after nothing unfinished")
        precondition(ends.keys.allSatisfy { handedOut[$0] != nil }, "a split that has ended is with its reader until it is finished")
        precondition(
            isSuspended || shares.joined().allSatisfy { $0.isBegun || $0.split.after.allSatisfy { !open.contains($0) || ends[$0] != nil } },
            "what has a reader set aside for it comes after nothing that has not ended")
        precondition(pending.elements.allSatisfy { !$0.isBegun } && held.allSatisfy { !$0.isBegun }, "what was begun has a reader set aside for it")
        precondition(isSuspended || hasAsked.allSatisfy { shares[$0].isEmpty }, "a reader that has asked has its share")
        precondition(distribution != .spread || pending.isEmpty, "what is spread has a reader set aside for it")
    }
}

// Splits that have ended, and what comes after them.
extension SplitAssigner {
    /// The reader has given all rows of a split, which it says again with each checkpoint until it is answered. `checkpoint`: the next one that
    /// will be triggered.
    package mutating func ended(_ split: String, by reader: Int, before checkpoint: CheckpointID, at now: Instant) -> [Assignment] {
        guard isSpread else { return finished([split], by: reader) }
        guard handedOut[split] == reader else {
            if knownSet.contains(split), !open.contains(split) { released.append((split, reader)) }
            return withReleased([])
        }
        guard ends[split] == nil else { return [] }
        ends[split] = End(proof: checkpoint, isProven: !hasCheckpoints, since: now)
        // What comes after it may be unknown yet.
        looks.hastenNext()
        giveUp()
        release()
        return withReleased(answerWaiting() + handOutShares())
    }

    /// `reading`: the splits that the checkpoint shows.
    package mutating func completed(_ checkpoint: CheckpointID, reading: [SplitState]) -> [Assignment] {
        guard !ends.isEmpty else { return [] }
        for (split, end) in ends where end.proof <= checkpoint { ends[split]?.isProven = true }
        for state in reading { ends[state.split.id]?.watermark = state.watermark }
        giveUp()
        release()
        return withReleased(answerWaiting() + handOutShares())
    }

    /// Something could be read if a checkpoint were complete.
    package var awaitsCheckpoint: Bool {
        held.contains { state in
            let before = state.split.after.filter { open.contains($0) }
            return before.allSatisfy { ends[$0] != nil } && !before.allSatisfy { ends[$0]?.isProven ?? true }
        }
    }

    /// Something that comes after it has no reader yet.
    private func isAwaited(_ split: String) -> Bool {
        func waits(_ state: SplitState) -> Bool { state.split.after.contains(split) }
        return held.contains(where: waits) || shares.contains { $0.contains(where: waits) } || pending.elements.contains(where: waits)
            || handedBack.contains { waits($0.split) }
    }

    private mutating func settle(_ split: String) {
        ends[split] = nil
        open.remove(split)
        if let reader = handedOut.removeValue(forKey: split) { released.append((split, reader)) }
    }

    /// Nothing comes after these.
    private mutating func giveUp() {
        for (split, end) in ends.sorted(by: { $0.key < $1.key }) where !isAwaited(split) {
            if isComplete || looks.isOver || end.isProven && looks.isAnswered(SplitAssigner.patience, after: end.since) { settle(split) }
        }
    }

    private mutating func withReleased(_ answers: [Assignment]) -> [Assignment] {
        guard !isSuspended, !released.isEmpty else { return answers }
        var answers = answers
        for (split, reader) in released where readers.contains(reader) {
            if let index = answers.firstIndex(where: { $0.subtask == reader && (!$0.splits.isEmpty || !$0.released.isEmpty) }) {
                answers[index].released.append(split)
            } else {
                answers.append(Assignment(subtask: reader, splits: [], noMore: false, released: [split]))
            }
        }
        released = []
        return answers
    }
}

// Planned changes of the layout.
extension SplitAssigner {
    /// Every reader has its share from the start, so that more readers mean other shares.
    package var isSpread: Bool { distribution == .spread }

    package mutating func suspend() { isSuspended = true }

    /// A reader is past the barrier and leaves these; those it has read to their end.
    package mutating func handBack(_ splits: [SplitState], finished: [String], by reader: Int) {
        _ = self.finished(finished, by: reader)
        for split in splits where handedOut.removeValue(forKey: split.split.id) != nil {
            // Whoever gets it finds its end again.
            ends[split.split.id] = nil
            handedBack.append((split, reader))
        }
    }

    /// The next layout holds. `readers`: their numbers; `awaiting`: those that read nothing until they are told what is theirs; of these
    /// `beginning` are new.
    ///
    /// A reader that begins gets what the one of its number left; the rest goes to those who have least, of those who have not asked since
    /// they began or await their splits: others may have ended.
    package mutating func resume(readers: [Int], awaiting: [Int], beginning: Set<Int>) -> [Assignment] {
        isSuspended = false
        self.readers = readers
        var back = handedBack
        for (reader, share) in shares.enumerated() { back += share.map { ($0, reader) } }
        handedBack = []
        func isHeld(_ state: SplitState) -> Bool { !state.isBegun && state.split.after.contains { open.contains($0) } }
        held += back.map(\.split).filter(isHeld)
        back.removeAll { isHeld($0.split) }
        shares = Array(repeating: [], count: (readers.max() ?? 0) + 1)
        waiting.removeAll { !readers.contains($0.subtask) || awaiting.contains($0.subtask) }
        // Who has asked has told a watermark, and perhaps its end; only what awaits its splits takes that back.
        let heirsToBe = readers.filter { awaiting.contains($0) || !hasAsked.contains($0) }
        hasAsked = Set(readers)
        var loads = Array(repeating: 0, count: shares.count)
        for (split, reader) in handedOut where loads.indices.contains(reader) && ends[split] == nil { loads[reader] += 1 }
        // All that one reader left goes to one heir, what was only fetched ahead too: it comes before anything fresh.
        var heirs: [Int: Int] = [:]
        for (split, reader) in back {
            let least = heirsToBe.min { (loads[$0], $0) < (loads[$1], $1) } ?? reader
            let heir = isSpread ? least : beginning.contains(reader) ? reader : heirs[reader] ?? least
            heirs[reader] = heir
            loads[heir] += 1
            shares[heir].append(split)
        }
        release()
        setSharesAside()
        var answers: [Assignment] = []
        for reader in awaiting {
            let splits = takeSplits(for: reader)
            let noMore = isComplete && pending.isEmpty && held.isEmpty
            if splits.isEmpty, !noMore {
                // Whether there is something is not known yet: a reader without splits must not say that it is idle.
                let isKnown = isInformed || handedOut.values.contains(reader)
                waiting.append((reader, isTold: isKnown))
                if !isKnown { continue }
            }
            answers.append(Assignment(subtask: reader, splits: splits, noMore: noMore))
        }
        return withReleased(answers + answerWaiting() + handOutShares())
    }
}

extension SplitState {
    /// Rows of it were read, or a watermark came from it.
    fileprivate var isBegun: Bool { !position.isEmpty || watermark > Watermark.minimum }
}
