import Dataflow
import JobControl
import Testing
import Wire

/// Who gets which splits, seen at the assigner alone.
struct SplitShareStories {
    private func split(_ id: String, _ position: UInt8? = nil, watermark: Int64 = Watermark.minimum) -> SplitState {
        SplitState(split: Split(id: id, label: id, payload: []), position: position.map { [$0] } ?? [], watermark: watermark)
    }

    private func found(_ ids: [String], isComplete: Bool, _ distribution: SplitDistribution = .onRequest) -> Discovery {
        Discovery(splits: ids.map { split($0).split }, isComplete: isComplete, next: .seconds(1), distribution: distribution)
    }

    private func ids(_ answers: [SplitAssigner.Assignment]) -> [[String]] { answers.map { $0.splits.map(\.split.id) } }

    // MARK: Nothing for now

    @Test func aReaderIsToldThatThereIsNothingOnlyWhenThatIsKnown() {
        var assigner = SplitAssigner(vertex: 0, readers: 2)
        let early = assigner.needsSplits(1)
        #expect(early.isEmpty)
        _ = assigner.discover(at: .zero)
        let told = assigner.discovered(found([], isComplete: false), at: .zero)
        #expect(told == [SplitAssigner.Assignment(subtask: 1, splits: [], noMore: false)])
        _ = assigner.discover(at: .seconds(1))
        let again = assigner.discovered(found([], isComplete: false), at: .seconds(1))
        #expect(again.isEmpty)
        _ = assigner.discover(at: .seconds(2))
        let some = assigner.discovered(found(["a"], isComplete: false), at: .seconds(2))
        #expect(ids(some) == [["a"]])
        let next = assigner.needsSplits(1)
        #expect(next == [SplitAssigner.Assignment(subtask: 1, splits: [], noMore: false)])
        _ = assigner.discover(at: .seconds(3))
        let over = assigner.discovered(found([], isComplete: true), at: .seconds(3))
        #expect(over == [SplitAssigner.Assignment(subtask: 1, splits: [], noMore: true)])
        assigner.checkInvariants()
    }

    // MARK: Half-read splits

    private let enumerator = Manifest.Enumerator(
        vertex: 0, pending: [], known: ["a", "b", "c", "d", "e", "f"], isComplete: true)

    @Test func halfReadSplitsAreAllHandedOutBeforeFreshOnes() {
        var assigner = SplitAssigner(vertex: 0, readers: 2)
        var enumerator = enumerator
        // "d" was half read before an earlier restore, and nobody had asked for it yet; "b" was given but not begun.
        enumerator.pending = [split("d", watermark: 7), split("f")]
        assigner.reset(to: enumerator, reading: [split("e", 3), split("b"), split("c", 1), split("a", 2)])
        assigner.checkInvariants()
        let held = assigner.snapshot()
        #expect(held.pending.map(\.split.id) == ["b", "c", "e", "a", "d", "f"])
        let answers = [1, 1, 0, 0, 1].flatMap { assigner.needsSplits($0) }
        #expect(ids(answers) == [["a", "d"], ["f"], ["b", "c", "e"], [], []])
        #expect(answers[0].splits.map(\.position) == [[2], []])
        #expect(answers[0].splits.map(\.watermark) == [Watermark.minimum, 7])
        #expect(answers.map(\.noMore) == [false, true, true, true, true])
        assigner.checkInvariants()
    }

    /// "c" was fetched ahead by a reader that ended "a"; the other one is half through "d". Whoever asks first, "d"'s reader must not take
    /// "c" after it: its rows would come behind the watermark of "d".
    @Test(arguments: [[0, 0, 1], [1, 0, 0], [0, 1, 0]]) func aReaderThatIsFurtherOnNeverTakesAnEarlierSplitAfterwards(asking: [Int]) {
        var assigner = SplitAssigner(vertex: 0, readers: 2)
        var enumerator = enumerator
        enumerator.pending = [split("e"), split("f")]
        assigner.reset(to: enumerator, reading: [split("c"), split("d", 3)])
        var readers: [[String]] = [[], []]
        for reader in asking {
            for answer in assigner.needsSplits(reader) { readers[answer.subtask] += answer.splits.map(\.split.id) }
        }
        for reader in readers { #expect(reader == reader.sorted()) }
        #expect(readers.flatMap { $0 }.sorted().starts(with: ["c", "d"]))
    }

    @Test func aReaderLeavesTheSharesOfOthersAlone() {
        var assigner = SplitAssigner(vertex: 0, readers: 3)
        assigner.reset(to: enumerator, reading: [split("a", 1), split("b", 1)])
        let answers = [2, 2, 0, 1].flatMap { assigner.needsSplits($0) }
        #expect(ids(answers) == [[], [], ["a"], ["b"]])
        #expect(answers.map(\.noMore) == [true, true, true, true])
    }

    /// Its rows would come behind the end that the reader has told (seed 156373: two readers of six had asked, and were told that there is nothing).
    @Test(arguments: [SplitDistribution.onRequest, .spread]) func whoHasEndedGetsNothingFromThoseWhoHaveNotAskedYet(distribution: SplitDistribution) {
        var assigner = SplitAssigner(vertex: 0, readers: 4)
        var enumerator = enumerator
        enumerator.distribution = distribution
        assigner.reset(to: enumerator, reading: [split("e", 1), split("f", 2)])
        let ended = (0..<4).filter { ![0, 2].contains($0) }.flatMap { assigner.needsSplits($0) }
        #expect(ids(ended) == [[], []] && ended.allSatisfy(\.noMore))
        // More readers, and nobody else awaits anything.
        let given = assigner.resume(readers: Array(0..<6), awaiting: [4, 5], beginning: [4, 5]).filter { !$0.splits.isEmpty }
        assigner.checkInvariants()
        #expect(Set(given.map(\.subtask)).isDisjoint(with: [1, 3]))
        #expect(given.flatMap { $0.splits.map(\.split.id) }.sorted() == ["e", "f"])
        #expect(given.count == 2)
    }

    // MARK: Spread

    @Test func splitsWithoutEndAreSpreadOverAllReaders() {
        var story = Story()
        story.splits = (0..<5).map { "s\($0)" }
        story.isComplete = false
        story.distribution = .spread
        for worker in 0..<2 { story.connect("w\(worker)") }
        var options = Story.options(interval: nil)
        options.parallelism = 2
        story.submit(options)
        func given(_ story: Story) -> [[String]] {
            story.sent.compactMap { if case .splits(_, let splits, _, _) = $0 { splits.map(\.split.id) } else { nil } }
        }
        for index in [1, 0] { story.say("w\(index)", .needsSplits(story.task(0, index))) }
        #expect(given(story) == [["s1", "s3"], ["s0", "s2", "s4"]])
        // New ones go to readers that have not asked again.
        story.forget()
        story.splits += ["s5", "s6"]
        story.wait(.seconds(11))
        let late = story.sent.compactMap { message -> [String]? in
            guard case .splits(let task, let splits, false, _) = message else { return nil }
            return ["\(task.subtask.index)"] + splits.map(\.split.id)
        }
        #expect(late == [["0", "s6"], ["1", "s5"]])
    }

    @Test func afterARestoreWhatIsSpreadStaysSo() {
        var assigner = SplitAssigner(vertex: 0, readers: 3)
        _ = assigner.discover(at: .zero)
        _ = assigner.discovered(found((0..<8).map { "s\($0)" }, isComplete: true, .spread), at: .zero)
        let first = assigner.needsSplits(0)
        #expect(ids(first) == [["s0", "s3", "s6"]])
        #expect(first.first?.noMore == true)
        let snapshot = assigner.snapshot()
        var next = SplitAssigner(vertex: 0, readers: 2)
        next.reset(to: snapshot, reading: [split("s0", 1), split("s3", 1), split("s6")])
        let answers = (0..<2).flatMap { next.needsSplits($0) }
        #expect(ids(answers) == [["s0", "s1", "s4", "s6"], ["s3", "s2", "s5", "s7"]])
        next.checkInvariants()
    }

    // MARK: A walk

    /// Readers that ask, read and end splits in any order; checkpoints, and restores at any parallelism: no split is lost or doubled, and
    /// when every reader has asked, no half-read split is without one.
    @Test(arguments: 0..<200) func noSplitIsLostOrDoubled(seed: UInt64) {
        struct Checkpoint {
            var enumerator: Manifest.Enumerator?
            var reading: [SplitState] = []
            var finished: Set<String> = []
        }
        var chance = SeededGenerator(seed: seed)
        func pick(_ count: Int) -> Int { Int(chance.next() % UInt64(count)) }
        let distribution: SplitDistribution = pick(2) == 0 ? .onRequest : .spread
        let all = (0..<1 + pick(12)).map { "s\($0)" }
        var existing = pick(all.count + 1)
        var checkpoint = Checkpoint()
        var finished: Set<String> = []
        var readers: [[SplitState]] = [[]]
        var isDone = [false]
        var asked: Set<Int> = []
        var assigner = SplitAssigner(vertex: 0, readers: 1)
        var question: Set<String>?
        var now = Instant.zero

        func take(_ answers: [SplitAssigner.Assignment]) {
            for answer in answers {
                #expect(!isDone[answer.subtask], "who was told that there is no more gets no more")
                readers[answer.subtask] += answer.splits
                if answer.noMore { isDone[answer.subtask] = true }
            }
        }
        func ask(_ reader: Int) {
            asked.insert(reader)
            take(assigner.needsSplits(reader))
        }
        func answerDiscovery() {
            guard let known = question else { return }
            question = nil
            take(assigner.discovered(found(all.prefix(existing).filter { !known.contains($0) }, isComplete: existing == all.count, distribution), at: now))
        }
        func check() {
            assigner.checkInvariants()
            let snapshot = assigner.snapshot()
            let places = snapshot.pending.map(\.split.id) + readers.joined().map(\.split.id) + finished
            #expect(places.sorted() == snapshot.known.sorted(), "every split is in one place")
            if asked.count == readers.count { #expect(snapshot.pending.allSatisfy { $0.position.isEmpty }) }
            if asked.count == readers.count, distribution == .spread { #expect(snapshot.pending.isEmpty) }
        }

        for _ in 0..<150 {
            now = now + .seconds(1)
            let reader = pick(readers.count)
            switch pick(9) {
            case 0, 1: if !isDone[reader] { ask(reader) }
            case 2, 3:
                // In part, of any split; or to its end.
                guard !readers[reader].isEmpty else { break }
                let place = pick(readers[reader].count)
                if pick(3) == 0 {
                    finished.insert(readers[reader].remove(at: place).split.id)
                } else {
                    readers[reader][place].position = [UInt8(pick(200))]
                }
            case 4: question = question ?? assigner.discover(at: now)
            case 5: answerDiscovery()
            case 6: existing = min(existing + 1, all.count)
            case 7:
                for reader in readers.indices { take(assigner.finished(finished.sorted(), by: reader)) }
                checkpoint = Checkpoint(enumerator: assigner.snapshot(), reading: readers.flatMap { $0 }, finished: finished)
            default:
                guard pick(3) == 0 else { break }
                let width = 1 + pick(4)
                if width != readers.count {
                    assigner = SplitAssigner(vertex: 0, readers: width)
                    question = nil
                }
                readers = Array(repeating: [], count: width)
                isDone = Array(repeating: false, count: width)
                asked = []
                finished = checkpoint.finished
                assigner.reset(to: checkpoint.enumerator, reading: checkpoint.reading)
            }
            check()
        }
        existing = all.count
        while !isDone.allSatisfy({ $0 }) || readers.contains(where: { !$0.isEmpty }) {
            now = now + .seconds(1)
            guard now < .seconds(400) else { return #expect(Bool(false), "every split is read in the end") }
            question = question ?? assigner.discover(at: now)
            answerDiscovery()
            for reader in readers.indices {
                finished.formUnion(readers[reader].map(\.split.id))
                readers[reader] = []
                if !isDone[reader] { ask(reader) }
            }
            check()
        }
        #expect(finished == Set(all))
    }
}
