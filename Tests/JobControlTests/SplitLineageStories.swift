import Dataflow
import JobControl
import Testing
import Wire

/// Splits that come after others: shards whose parents must be read first.
struct SplitLineageStories {
    private func split(_ id: String, after: [String] = []) -> Split { SplitLineage.split(id, after: after) }

    private func found(_ splits: [Split], isComplete: Bool = false) -> Discovery {
        Discovery(splits: splits, isComplete: isComplete, next: .seconds(10), distribution: .spread)
    }

    private func ids(_ answers: [SplitAssigner.Assignment]) -> [String] { answers.flatMap { answer in answer.splits.map { "\(answer.subtask):\($0.split.id)" } } }

    /// An assigner that has found these splits, and whose readers have all asked.
    private func assigner(readers: Int, _ splits: [Split]) -> (SplitAssigner, given: [String]) {
        var assigner = SplitAssigner(vertex: 0, readers: readers)
        _ = assigner.discover(at: .zero)
        var given = ids(assigner.discovered(found(splits), at: .zero))
        for reader in 0..<readers { given += ids(assigner.needsSplits(reader)) }
        assigner.checkInvariants()
        return (assigner, given)
    }

    @Test func splitsOfAStreamThatWasMadeAnewAreNotTakenForTheOldOnes() {
        var (assigner, _) = assigner(readers: 1, [])
        var first = found([split("a")])
        first.origin = "stream s, created at noon"
        _ = assigner.discover(at: .seconds(10))
        #expect(assigner.isForeign(first) == nil)
        _ = assigner.discovered(first, at: .seconds(10))
        let saved = assigner.snapshot()
        var restored = SplitAssigner(vertex: 0)
        restored.reset(to: saved, reading: [])
        _ = restored.discover(at: .zero)
        #expect(restored.isForeign(first) == nil)
        #expect(restored.isForeign(found([])) == nil, "it could not be seen this time")
        first.origin = "stream s, created at one"
        #expect(restored.isForeign(first) == "stream s, created at noon")
    }

    @Test func aJobEndsWhenItsStreamWasMadeAnew() {
        var story = Story()
        story.isComplete = false
        story.connect("w0")
        story.submit()
        for (moment, isEnded) in [("noon", false), ("one", true)] {
            story.time = story.time + .seconds(11)
            _ = story.machine.handle(.timer, at: Now(instant: story.time, wallMilliseconds: 2_000_000))
            var answer = found([])
            answer.origin = "stream s, created at \(moment)"
            story.tell(.discovered(job: Story.job, vertex: 0, .success(answer)))
            #expect((story.view.status == .failed) == isEnded)
        }
        #expect(story.view.failure?.contains("created at noon") == true)
        #expect(story.view.failure?.contains("Start the job without that state") == true)
    }

    @Test func aMergedShardWaitsForBothParents() {
        var (assigner, given) = assigner(readers: 2, [split("a"), split("b"), split("ab", after: ["a", "b"])])
        #expect(given == ["0:a", "1:b"])
        #expect(ids(assigner.finished(["b"], by: 1)) == [])
        #expect(ids(assigner.finished(["b"], by: 1)) == [], "a snapshot says it again")
        #expect(ids(assigner.finished(["a"], by: 0)) == ["0:ab"])
        assigner.checkInvariants()
    }

    @Test func theHalvesOfAShardGoToItsReaderAndToTheNextIdlest() {
        var (assigner, given) = assigner(readers: 2, [split("a"), split("b"), split("a1", after: ["a"]), split("a2", after: ["a"])])
        #expect(given == ["0:a", "1:b"])
        #expect(ids(assigner.finished(["a"], by: 0)) == ["0:a1", "0:a2"])
        #expect(ids(assigner.finished(["b"], by: 1)) == [])
    }

    @Test func aMergeThatIsSplitAgainIsReadGenerationByGeneration() {
        var (assigner, given) = assigner(
            readers: 1,
            [split("m1", after: ["m"]), split("m2", after: ["m"]), split("m", after: ["a", "b"]), split("a"), split("b")])
        #expect(given == ["0:a", "0:b"])
        #expect(ids(assigner.finished(["a", "b"], by: 0)) == ["0:m"])
        #expect(ids(assigner.finished(["m"], by: 0)) == ["0:m1", "0:m2"])
    }

    @Test func parentsThatAreNotListedAnyMoreAreFinished() {
        let (_, given) = assigner(readers: 1, [split("child", after: ["gone", "gone too"])])
        #expect(given == ["0:child"])
    }

    @Test func childrenAreLookedForAsSoonAsAShardEnds() {
        var (assigner, _) = assigner(readers: 1, [split("a")])
        #expect(assigner.discover(at: .seconds(1)) == nil)
        #expect(ids(assigner.finished(["a"], by: 0)) == [])
        #expect(assigner.discover(at: .seconds(1)) == ["a"])
        #expect(ids(assigner.discovered(found([split("a1", after: ["a"])]), at: .seconds(1))) == ["0:a1"])
    }

    @Test func whatAStrangerOrAnOldReaderSaysFinishesNothing() {
        var (assigner, _) = assigner(readers: 2, [split("a"), split("a1", after: ["a"])])
        #expect(ids(assigner.finished(["a"], by: 1)) == [])
        #expect(ids(assigner.finished(["never found"], by: 0)) == [])
        #expect(ids(assigner.finished(["a"], by: 0)) == ["0:a1"])
    }

    /// FLINK-37416: the reader ends the parent between the enumerator's share of a checkpoint and its own.
    @Test func aParentThatEndsBetweenTheTwoSharesOfACheckpointIsFinishedAfterTheRestore() {
        let (assigner, _) = assigner(readers: 2, [split("a"), split("b"), split("a1", after: ["a"]), split("a2", after: ["a"])])
        let share = assigner.snapshot()
        #expect(share.pending.map(\.split.id) == ["a1", "a2"])
        // The reader's own share then shows "a" as finished and holds only what it had at the barrier.
        var restored = SplitAssigner(vertex: 0, readers: 2)
        restored.reset(to: share, reading: [SplitState(split: split("b"), position: [1])])
        restored.checkInvariants()
        #expect((0..<2).flatMap { ids(restored.needsSplits($0)) } == ["0:b", "0:a2", "1:a1"])
    }

    @Test func aRestoreHoldsChildrenBackWhileTheirParentIsHalfRead() {
        var (assigner, _) = assigner(readers: 1, [split("a"), split("b"), split("m", after: ["a", "b"])])
        _ = assigner.finished(["b"], by: 0)
        let share = assigner.snapshot()
        var restored = SplitAssigner(vertex: 0, readers: 1)
        restored.reset(to: share, reading: [SplitState(split: split("a"), position: [7])])
        #expect(ids(restored.needsSplits(0)) == ["0:a"])
        #expect(ids(restored.finished(["a"], by: 0)) == ["0:m"])
        restored.checkInvariants()
    }

    @Test func whatASplitComesAfterIsKeptInTheManifest() throws {
        let child = split("c", after: ["a", "b"])
        let bytes = SealedJSON.encode([child, split("a")])
        #expect(SealedJSON.decode([Split].self, bytes) == [child, split("a")])
    }

    @Test func theMomentOfTheFirstStartOutlivesTheJobManager() {
        func started(_ story: Story) -> [Int64?] { story.effects.compactMap { if case .discover(_, _, let spec, _) = $0 { spec.jobStarted } else { nil } } }
        var story = Story()
        story.connect("w0")
        story.submit(Story.options(interval: nil))
        let first = started(story)
        #expect(first == [1_000_000])
        var next = Story()
        next.objects = story.objects
        next.time = .seconds(100)
        next.connect("w0")
        next.submit(Story.options(interval: nil))
        #expect(started(next) == first)
    }

    /// Lineages of splits and merges, readers that end splits in any order, checkpoints cut anywhere and restored at any parallelism: every
    /// split is read once, and none before those that it comes after.
    @Test(arguments: 0..<200) func noSplitIsReadBeforeItsParents(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        func pick(_ count: Int) -> Int { Int(chance.next() % UInt64(count)) }
        var lineage = SplitLineage()
        for _ in 0..<3 { lineage.grow(pick) }

        struct Checkpoint {
            var enumerator: Manifest.Enumerator?
            var reading: [SplitState] = []
            var finished: Set<String> = []
        }
        var checkpoint = Checkpoint()
        var readers: [[SplitState]] = [[]]
        var finished: Set<String> = []
        var assigner = SplitAssigner(vertex: 0, readers: 1)
        /// The enumerator's share of a checkpoint in the making.
        var share: Manifest.Enumerator?
        var cut: (reading: [[SplitState]], late: Set<String>)?
        func take(_ answers: [SplitAssigner.Assignment]) {
            for answer in answers {
                for state in answer.splits {
                    #expect(lineage.parents(of: state.split.id).allSatisfy { finished.contains($0) }, "\(state.split.id) begins after \(state.split.after)")
                    #expect(!finished.contains(state.split.id))
                    readers[answer.subtask].append(state)
                    if share != nil { cut?.late.insert(state.split.id) }
                }
            }
            assigner.checkInvariants()
        }
        var now = Instant.zero
        func look() {
            now = now + .seconds(11)
            guard let known = assigner.discover(at: now) else { return }
            take(assigner.discovered(found(lineage.all.filter { !known.contains($0.id) }), at: now))
        }
        for step in 0..<160 {
            let reader = pick(readers.count)
            switch pick(8) {
            case 0 where step < 120: lineage.grow(pick)
            case 0, 1: look()
            case 2: take(assigner.needsSplits(reader))
            case 3, 4:
                guard !readers[reader].isEmpty else { break }
                let done = readers[reader].remove(at: pick(readers[reader].count)).split.id
                finished.insert(done)
                // The word of it may be lost; a completed checkpoint says it again.
                if pick(4) > 0 { take(assigner.finished([done], by: reader)) }
            case 5:
                if share == nil {
                    share = assigner.snapshot()
                    cut = ([], [])
                } else if let enumerator = share, let late = cut?.late {
                    // Readers take their shares now; what they were given after the trigger is the enumerator's.
                    let reading = readers.joined().filter { !late.contains($0.split.id) }
                    let held = Set(enumerator.pending.map(\.split.id) + reading.map(\.split.id))
                    checkpoint = Checkpoint(enumerator: enumerator, reading: Array(reading), finished: Set(enumerator.known).subtracting(held))
                    share = nil
                    for reader in readers.indices { take(assigner.finished(finished.sorted(), by: reader)) }
                }
            default:
                guard pick(4) == 0 else { break }
                let width = 1 + pick(3)
                readers = Array(repeating: [], count: width)
                finished = checkpoint.finished
                share = nil
                if width != 1 || pick(2) == 0 { assigner = SplitAssigner(vertex: 0, readers: width) } else { assigner = SplitAssigner(vertex: 0) }
                assigner.reset(to: checkpoint.enumerator, reading: checkpoint.reading)
                assigner.checkInvariants()
            }
        }
        for _ in 0..<lineage.all.count * 2 + 2 {
            look()
            for reader in readers.indices {
                take(assigner.needsSplits(reader))
                let done = readers[reader].map(\.split.id)
                readers[reader] = []
                finished.formUnion(done)
                take(assigner.finished(finished.sorted(), by: reader))
            }
        }
        #expect(finished == Set(lineage.all.map(\.id)))
    }
}
