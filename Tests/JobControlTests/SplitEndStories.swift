import Dataflow
import JobControl
import Testing
import Wire

/// Splits that have ended hold their place until all that comes after them is being read, behind their last rows.
struct SplitEndStories {
    private func split(_ id: String, after: [String] = []) -> Split { SplitLineage.split(id, after: after) }

    private func found(_ splits: [Split], isComplete: Bool = false) -> Discovery {
        Discovery(splits: splits, isComplete: isComplete, next: .seconds(10), distribution: .spread)
    }

    /// `0:a1,a2 -a`: reader 0 gets a1 and a2, and need not hold a any more.
    private func words(_ answers: [SplitAssigner.Assignment]) -> [String] {
        answers.filter { !$0.splits.isEmpty || !$0.released.isEmpty }.map { answer in
            (["\(answer.subtask):" + answer.splits.map(\.split.id).joined(separator: ",")] + answer.released.map { "-\($0)" }).joined(separator: " ")
        }
    }

    /// An assigner that has found these splits, and whose readers have all asked.
    private func assigner(readers: Int, hasCheckpoints: Bool = true, _ splits: [Split]) -> SplitAssigner {
        var assigner = SplitAssigner(vertex: 0, readers: readers, hasCheckpoints: hasCheckpoints)
        _ = assigner.discover(at: .zero)
        _ = assigner.discovered(found(splits), at: .zero)
        for reader in 0..<readers { _ = assigner.needsSplits(reader) }
        return assigner
    }

    private func reading(_ id: String, at watermark: Int64) -> SplitState { SplitState(split: split(id), position: [1], watermark: watermark) }

    @Test func childrenAreReadWhereTheirParentWas() {
        var assigner = assigner(readers: 3, [split("a"), split("a1", after: ["a"]), split("a2", after: ["a"])])
        #expect(words(assigner.ended("a", by: 0, before: 1, at: .zero)) == ["0:a1,a2 -a"])
        #expect(words(assigner.ended("a", by: 0, before: 1, at: .zero)) == ["0: -a"], "the answer was lost")
        #expect(assigner.outstanding == ["a1", "a2"])
        assigner.checkInvariants()
    }

    @Test func aMergeAcrossReadersWaitsForACheckpointBehindBothEnds() {
        var assigner = assigner(readers: 2, [split("a"), split("b"), split("ab", after: ["a", "b"])])
        #expect(words(assigner.ended("b", by: 1, before: 3, at: .zero)) == [])
        #expect(!assigner.awaitsCheckpoint, "a is still being read")
        #expect(words(assigner.ended("a", by: 0, before: 4, at: .zero)) == [])
        #expect(assigner.awaitsCheckpoint && assigner.outstanding == ["a", "b"])
        // Its barrier may have passed the reader of a before a's last rows.
        #expect(words(assigner.completed(3, reading: [reading("a", at: 5), reading("b", at: 10)])) == [])
        // The reader that stands lower has held the place.
        #expect(words(assigner.completed(4, reading: [reading("a", at: 20), reading("b", at: 10)])) == ["1:ab -b", "0: -a"])
        #expect(!assigner.awaitsCheckpoint && assigner.outstanding == ["ab"])
        assigner.checkInvariants()
    }

    @Test func aMergeAtOneReaderOrWithoutCheckpointsDoesNotWait() {
        var one = assigner(readers: 1, [split("a"), split("b"), split("ab", after: ["a", "b"])])
        #expect(words(one.ended("a", by: 0, before: 1, at: .zero)) == [])
        #expect(words(one.ended("b", by: 0, before: 1, at: .zero)) == ["0:ab -a -b"])
        var without = assigner(readers: 2, hasCheckpoints: false, [split("a"), split("b"), split("ab", after: ["a", "b"])])
        #expect(words(without.ended("a", by: 0, before: 1, at: .zero)) == [])
        #expect(words(without.ended("b", by: 1, before: 1, at: .zero)) == ["0:ab -a", "1: -b"])
    }

    @Test func thePlaceIsHeldUntilTheChildrenAreFound() {
        var assigner = assigner(readers: 2, [split("a")])
        #expect(words(assigner.ended("a", by: 0, before: 1, at: .seconds(1))) == [])
        #expect(assigner.discover(at: .seconds(1)) == ["a"], "they are looked for at once")
        #expect(words(assigner.discovered(found([]), at: .seconds(1))) == [])
        _ = assigner.discover(at: .seconds(11))
        #expect(words(assigner.discovered(found([split("a1", after: ["a"])]), at: .seconds(11))) == ["0:a1 -a"])
    }

    @Test func whatHasNoChildrenIsHeldForAMinuteAndACheckpoint() {
        var assigner = assigner(readers: 1, [split("a"), split("b")])
        #expect(words(assigner.ended("a", by: 0, before: 1, at: .zero)) == [])
        _ = assigner.discover(at: .seconds(61))
        #expect(words(assigner.discovered(found([]), at: .seconds(61))) == [], "its rows may still be on their way")
        #expect(words(assigner.completed(1, reading: [])) == ["0: -a"])
        // Nothing more will be found.
        _ = assigner.discover(at: .seconds(71))
        _ = assigner.discovered(found([], isComplete: true), at: .seconds(71))
        #expect(words(assigner.ended("b", by: 0, before: 2, at: .seconds(72))) == ["0: -b"])
        #expect(assigner.outstanding == [])
    }

    /// That nobody could look is no sign that there is nothing.
    @Test func onlyALookLongAfterTheEndSaysThatNothingFollows() {
        var assigner = assigner(readers: 1, [split("a")])
        _ = assigner.discover(at: .seconds(10))
        #expect(words(assigner.ended("a", by: 0, before: 1, at: .seconds(11))) == [])
        assigner.discoveryFailed(retryAfter: .seconds(5), at: .seconds(80))
        #expect(words(assigner.completed(1, reading: [])) == [])
        _ = assigner.discover(at: .seconds(85))
        #expect(words(assigner.discovered(found([split("a1", after: ["a"])]), at: .seconds(90))) == ["0:a1 -a"])
    }

    @Test func aLookThatBeganBeforeASplitsEndIsFollowedByAnotherAtOnce() {
        var assigner = assigner(readers: 1, [split("a")])
        _ = assigner.discover(at: .seconds(10))
        #expect(words(assigner.ended("a", by: 0, before: 1, at: .seconds(11))) == [])
        #expect(words(assigner.completed(1, reading: [])) == [])
        #expect(words(assigner.discovered(found([]), at: .seconds(90))) == [])
        #expect(assigner.deadline == .seconds(90))
        _ = assigner.discover(at: .seconds(90))
        #expect(words(assigner.discovered(found([]), at: .seconds(91))) == ["0: -a"])
    }

    /// Its end is found again, and what comes after it is read there.
    @Test func anEndedSplitMovesWithAPlannedChange() {
        var assigner = assigner(readers: 2, [split("a"), split("b"), split("ab", after: ["a", "b"])])
        #expect(words(assigner.ended("a", by: 0, before: 1, at: .zero)) == [])
        assigner.suspend()
        assigner.handBack([reading("a", at: 7)], finished: [], by: 0)
        assigner.handBack([], finished: [], by: 1)
        #expect(words(assigner.resume(readers: [1], awaiting: [1], beginning: [])) == ["1:a"])
        assigner.checkInvariants()
        #expect(words(assigner.ended("b", by: 1, before: 2, at: .zero)) == [])
        #expect(words(assigner.ended("a", by: 1, before: 2, at: .zero)) == ["1:ab -a -b"])
    }

    @Test func whatWasSetAsideWaitsAgainWhenItsParentMoves() {
        var assigner = assigner(readers: 2, [split("a"), split("b"), split("ab", after: ["a", "b"])])
        #expect(words(assigner.ended("a", by: 0, before: 1, at: .zero)) == [])
        #expect(words(assigner.ended("b", by: 1, before: 1, at: .zero)) == [])
        assigner.suspend()
        #expect(words(assigner.completed(1, reading: [reading("a", at: 1), reading("b", at: 2)])) == [], "the next layout is under way")
        assigner.handBack([reading("a", at: 1)], finished: [], by: 0)
        assigner.handBack([], finished: [], by: 1)
        #expect(words(assigner.resume(readers: [1], awaiting: [1], beginning: [])) == ["1:a"])
        #expect(words(assigner.ended("a", by: 1, before: 2, at: .zero)) == ["1:ab -a -b"])
    }

    @Test func aRestoreFindsTheEndAgain() {
        var assigner = assigner(readers: 2, [split("a"), split("a1", after: ["a"])])
        let share = assigner.snapshot()
        #expect(words(assigner.ended("a", by: 0, before: 1, at: .zero)) == ["0:a1 -a"])
        var restored = SplitAssigner(vertex: 0, readers: 1)
        restored.reset(to: share, reading: [reading("a", at: 3)])
        #expect(words(restored.needsSplits(0)) == ["0:a"])
        #expect(words(restored.ended("a", by: 0, before: 2, at: .zero)) == ["0:a1 -a"])
        restored.checkInvariants()
    }

    /// Lineages as in `SplitLineageStories`: nothing is read before all rows of its parents are behind it, in the same channels or in a complete
    /// checkpoint; and somebody holds each place until then.
    @Test(arguments: 0..<200) func nothingOvertakesItsParents(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        func pick(_ count: Int) -> Int { Int(chance.next() % UInt64(count)) }
        var lineage = SplitLineage()
        for _ in 0..<3 { lineage.grow(pick) }

        var readers: [[String]] = [[]], held: [[String]] = [[]]
        var ends: [String: Int] = [:], drained: Set<String> = []
        var next: CheckpointID = 1
        /// A checkpoint in the making: the enumerator's share, what had ended by then, and what was handed out since.
        var cut: (share: Manifest.Enumerator, ended: Set<String>, late: Set<String>, released: Set<String>)?
        var checkpoint: (share: Manifest.Enumerator?, reading: [SplitState]) = (nil, [])
        var assigner = SplitAssigner(vertex: 0, readers: 1)
        var now = Instant.zero
        func take(_ answers: [SplitAssigner.Assignment]) {
            for answer in answers {
                for state in answer.splits {
                    let id = state.split.id
                    for parent in lineage.parents(of: id) {
                        #expect(drained.contains(parent) || ends[parent] == answer.subtask, "\(id) begins at \(answer.subtask), \(parent) ended at \(ends[parent] ?? -1)")
                        #expect(held.contains { $0.contains(parent) } || checkpoint.share != nil, "nobody holds the place of \(parent)")
                    }
                    readers[answer.subtask].append(id)
                    cut?.late.insert(id)
                }
                for id in answer.released {
                    held[answer.subtask].removeAll { $0 == id }
                    cut?.released.insert(id)
                }
            }
            assigner.checkInvariants()
        }
        func end(_ reader: Int, isLost: Bool) {
            guard !readers[reader].isEmpty else { return }
            let done = readers[reader].remove(at: pick(readers[reader].count))
            held[reader].append(done)
            ends[done] = reader
            if !isLost { take(assigner.ended(done, by: reader, before: next, at: now)) }
        }
        func look() {
            now = now + .seconds(11)
            if let known = assigner.discover(at: now) { take(assigner.discovered(found(lineage.all.filter { !known.contains($0.id) }), at: now)) }
        }
        func complete() {
            guard let (share, ended, late, released) = cut else { return }
            cut = nil
            let there = (Array((readers + held).joined()) + released).filter { !late.contains($0) }
            checkpoint = (share, there.sorted().map { SplitState(split: split($0, after: lineage.parents(of: $0)), position: [1], watermark: 1) })
            drained.formUnion(ended)
            for reader in held.indices { for id in held[reader] { take(assigner.ended(id, by: reader, before: next, at: now)) } }
            take(assigner.completed(next - 1, reading: checkpoint.reading))
        }
        func trigger() {
            cut = (assigner.snapshot(), Set(held.joined()), [], [])
            next += 1
        }
        for step in 0..<200 {
            let reader = pick(readers.count)
            switch pick(8) {
            case 0 where step < 120: lineage.grow(pick)
            case 0, 1: look()
            case 2: take(assigner.needsSplits(reader))
            case 3, 4: end(reader, isLost: pick(4) == 0)
            case 5, 6:
                if cut == nil { trigger() } else { complete() }
            default:
                guard pick(5) == 0 else { break }
                let width = 1 + pick(3)
                readers = Array(repeating: [], count: width)
                held = readers
                cut = nil
                ends = [:]
                let open = Set((checkpoint.share?.pending ?? []).map(\.split.id) + checkpoint.reading.map(\.split.id))
                drained = Set(checkpoint.share?.known ?? []).subtracting(open)
                assigner = SplitAssigner(vertex: 0, readers: width)
                assigner.reset(to: checkpoint.share, reading: checkpoint.reading)
                assigner.checkInvariants()
            }
        }
        for _ in 0..<lineage.all.count * 2 + 4 {
            look()
            for reader in readers.indices {
                take(assigner.needsSplits(reader))
                while !readers[reader].isEmpty { end(reader, isLost: false) }
            }
            if cut == nil { trigger() }
            complete()
        }
        for _ in 0..<3 {
            now = now + .seconds(100)
            look()
        }
        #expect(Set(ends.keys).union(drained) == Set(lineage.all.map(\.id)))
        #expect(held.joined().isEmpty, "all are released at last")
    }
}
