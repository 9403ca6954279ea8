import Columnar
import Dataflow
import TaskRuntime
import Testing

@Suite struct TaskSourceTests {
    private func subject(
        _ reader: ListReader, delay: Int64? = 2, everyRow: Bool = false, interval: Int64 = 0, idle: Duration = .zero, rate: Double? = nil,
        outputs: Int = 1, capacity: Int = 8
    ) -> Subject {
        var source = TaskChain.Source(name: "Source: t", reader: reader)
        source.watermark = delay.map { watermarks(delay: $0) }
        source.timeColumn = 1
        source.watermarkAfterEveryRow = everyRow
        source.watermarkInterval = .milliseconds(interval)
        source.idleTimeout = idle
        source.rowsPerSecond = rate
        let chain = TaskChain(source: source)
        return Subject(Task(plan: plan(outputs: outputs), chain: chain, options: TaskOptions(channelCapacity: capacity))).tell(.start)
    }

    private func times(_ times: [Int64], most: Int = 4) -> ListReader { ListReader(most: most) { _, row in Row(Int64(row), times[row]) } }

    @Test func asksForSplitsOneAheadAndEnds() {
        let subject = subject(times([1, 2, 3, 4, 5, 6]))
        #expect(subject.run() == .idle(wake: nil))
        #expect(subject.said() == ["needsSplits"])
        subject.tell(.splits([split("a", rows: 6)], noMore: false))
        subject.step()
        subject.step()
        #expect(subject.said() == ["0→0 #0 rows 0@1 1@2 2@3 3@4", "0→0 #1 watermark 2", "needsSplits"])
        subject.run()
        #expect(subject.said() == ["0→0 #2 rows 4@5 5@6", "0→0 #3 watermark 4", "finished a"])
        subject.tell(.splits([], noMore: true))
        subject.run()
        #expect(subject.said() == ["0→0 #4 watermark max", "0→0 #5 end", "ended"])
    }

    /// In the midst of reading from time to time, but never a split's end, a barrier or a pause later than that.
    @Test func betweenTwoWatermarksIsTheIntervalWhileThereIsMoreToRead() {
        let subject = subject(times([1, 2, 3, 4, 5, 6, 7, 8], most: 1), delay: 0, interval: 10, capacity: 100)
        subject.tell(.splits([split("a", rows: 8)], noMore: false))
        for moment in [0, 4, 8, 12, 16] as [Int64] { subject.step(at: moment) }
        #expect(marks(subject.said()) == ["watermark 1", "watermark 4"])
        subject.step(at: 17)
        subject.tell(.trigger(barrier(1)))
        subject.step()
        #expect(marks(subject.said()) == ["watermark 5", "barrier 1"])
        for moment in [18, 19, 20] as [Int64] { subject.step(at: moment) }
        #expect(marks(subject.said()).isEmpty)
        subject.run()
        #expect(marks(subject.said()) == ["watermark 8"])
    }

    /// Watermarks and barriers among what a task said, without their channel and place.
    private func marks(_ said: [String]) -> [String] {
        said.filter { $0.contains("watermark") || $0.contains("barrier") }.map { $0.split(separator: " ").dropFirst(2).joined(separator: " ") }
    }

    /// Ingestion time after a move to a machine whose clock is behind.
    @Test func rowsStampedWithTheTimeOfReadingNeverComeBehindTheirSplitsWatermark() {
        var source = TaskChain.Source(name: "Source: t", reader: times([0, 0]))
        source.project = { (read, now) in batch(rows(read).map { Row($0.key, now.wallMilliseconds) }) }
        source.watermark = watermarks(delay: 1)
        source.timeColumn = 1
        source.stampsRows = true
        let subject = Subject(Task(plan: plan(outputs: 1), chain: TaskChain(source: source), options: TaskOptions(channelCapacity: 8))).tell(.start)
        var restored = split("a", rows: 2)
        restored.watermark = 100
        subject.tell(.splits([restored], noMore: true), at: 50)
        subject.step(at: 50)
        subject.step(at: 50)
        #expect(subject.said().filter { $0.contains("rows") } == ["0→0 #1 rows 0@101 1@101"])
    }

    @Test func aTriggerCutsBetweenPollsAndIsIdempotent() {
        let subject = subject(times([1, 2, 3, 4, 5, 6]), delay: nil)
        subject.tell(.splits([split("a", rows: 6)], noMore: true))
        subject.step()
        subject.step()
        _ = subject.said()
        subject.tell(.trigger(barrier(3)))
        subject.tell(.trigger(barrier(3)))
        subject.tell(.trigger(barrier(2)))
        subject.step()
        #expect(subject.lastSnapshot?.splits.map(position) == [4])
        subject.run()
        #expect(subject.said() == ["snapshot 3", "0→0 #1 barrier 3", "0→0 #2 rows 4@5 5@6", "finished a", "0→0 #3 watermark max", "0→0 #4 end", "ended"])
    }

    @Test func splitsThatCameBeforeATriggerBelongToItsCheckpoint() {
        let subject = subject(times([1, 2]))
        subject.tell(.splits([split("a", rows: 2)], noMore: false))
        subject.tell(.trigger(barrier(1)))
        subject.tell(.splits([split("b", rows: 2)], noMore: false))
        subject.step()
        subject.step()
        #expect(subject.lastSnapshot?.splits.map(\.split.id) == ["a"])
    }

    @Test func anAbortedTriggerIsNotCarriedOut() {
        let subject = subject(times([1]))
        subject.tell(.trigger(barrier(1)))
        subject.tell(.aborted(1))
        subject.run()
        #expect(subject.said() == ["needsSplits"])
    }

    @Test func barriersAreInjectedWhileRowsWaitForCredit() {
        let subject = subject(times([1, 2, 3], most: 1), delay: nil, capacity: 1)
        subject.tell(.splits([split("a", rows: 3)], noMore: true))
        subject.run()
        #expect(subject.step() == .backpressured(wake: nil))
        subject.tell(.trigger(barrier(1)))
        subject.step()
        #expect(subject.lastSnapshot?.splits.map(position) == [2])
        #expect(subject.said() == ["0→0 #0 rows 0@1", "snapshot 1"])
        subject.tell(.credit(channel(1, 0, 0), batches: 1))
        #expect(subject.said() == ["0→0 #1 rows 1@2", "0→0 #2 barrier 1"])
    }

    @Test func finishedSplitsStayUntilACheckpointThatHeldThemCompletes() {
        let subject = subject(times([1, 2]))
        subject.tell(.splits([split("a", rows: 2)], noMore: false))
        subject.run()
        subject.tell(.trigger(barrier(1)))
        subject.step()
        #expect(subject.lastSnapshot?.finishedSplits == ["a"])
        subject.tell(.splits([split("b", rows: 1)], noMore: false))
        subject.run()
        subject.tell(.completed(1))
        subject.tell(.trigger(barrier(2)))
        subject.step()
        #expect(subject.lastSnapshot?.finishedSplits == ["b"])
        subject.tell(.trigger(barrier(3)))
        subject.step()
        #expect(subject.lastSnapshot?.finishedSplits == ["b"])
        subject.tell(.completed(3))
        subject.tell(.trigger(barrier(4)))
        subject.step()
        #expect(subject.lastSnapshot?.finishedSplits == [])
    }

    @Test func watermarksStandInTheSnapshotAndHoldBackAfterARestore() {
        let subject = subject(ListReader { id, row in Row(0, id == "a" ? 100 + Int64(row) : 50 + Int64(row)) }, delay: 0)
        var half = split("b", rows: 4)
        half.position = Array("2".utf8)
        half.watermark = 51
        var first = split("a", rows: 4)
        first.watermark = 99
        subject.tell(.splits([first, half], noMore: true))
        subject.step()
        subject.step()
        // The restored split holds the watermark although the other one is read first.
        #expect(subject.said() == ["0→0 #0 watermark 51", "0→0 #1 rows 0@100 0@101 0@102 0@103"])
        subject.tell(.trigger(barrier(1)))
        subject.step()
        #expect(subject.lastSnapshot?.splits.map(\.watermark) == [103, 51])
    }

    @Test func theWatermarkNeverFallsFromSplitToSplit() {
        let subject = subject(ListReader { id, row in Row(0, id == "a" ? 100 : 10) }, delay: 0)
        subject.tell(.splits([split("a", rows: 1), split("b", rows: 1)], noMore: true))
        subject.run()
        #expect(
            subject.said() == [
                "0→0 #0 rows 0@100", "0→0 #1 watermark 100", "finished a", "0→0 #2 rows 0@10", "finished b", "0→0 #3 watermark max",
                "0→0 #4 end", "ended",
            ])
    }

    /// After a restore: "a" was only fetched ahead, "b" half read.
    @Test func anEarlierSplitHoldsTheWatermarkOfALaterOneThatWasBegun() {
        let subject = subject(ListReader { id, row in Row(0, id == "a" ? 10 : 100) }, delay: 0)
        var begun = split("b", rows: 1)
        begun.watermark = 90
        subject.tell(.splits([split("a", rows: 1), begun], noMore: true))
        subject.run()
        let said = subject.said()
        let rows = said.firstIndex { $0.contains("0@10") } ?? .max
        let passed = said.firstIndex { $0.contains("watermark 90") } ?? .max
        #expect(rows < passed, "\(said)")
    }

    /// After a planned change: "a" was only fetched ahead, then another reader's "b" came, half read.
    @Test func aSplitThatWaitsHoldsTheWatermarkOfABegunOneThatComesBehindIt() {
        let subject = subject(ListReader { id, row in Row(0, id == "a" ? 10 : 100) }, delay: 0)
        var begun = split("b", rows: 1)
        begun.watermark = 90
        subject.tell(.splits([split("a", rows: 1)], noMore: false))
        subject.tell(.splits([begun], noMore: true))
        subject.run()
        let said = subject.said()
        let rows = said.firstIndex { $0.contains("0@10") } ?? .max
        let passed = said.firstIndex { $0.contains("watermark 90") } ?? .max
        #expect(rows < passed, "\(said)")
    }

    /// It has read later splits to their end, and had none when the change came.
    @Test func aReaderWithNothingLeftWaitsForWhatAnotherOneLeaves() {
        let subject = subject(ListReader { id, row in Row(0, id == "a" ? 100 : 10) }, delay: 0)
        subject.tell(.splits([split("a", rows: 1)], noMore: false))
        subject.run()
        subject.tell(.prepare(TaskChange(layout: 1, plan: plan(outputs: 1), movesSplits: true)))
        subject.tell(.trigger(Barrier(checkpoint: 1, kind: .checkpoint, layout: 1)))
        subject.run()
        _ = subject.said()
        subject.tell(.splits([split("b", rows: 1)], noMore: true))
        subject.run()
        let said = subject.said()
        let rows = said.firstIndex { $0.contains("0@10") } ?? .max
        let passed = said.firstIndex { $0.contains("watermark 100") } ?? .max
        #expect(rows < passed, "\(said)")
    }

    /// The final checkpoint was given up, and a planned change comes before the next one: receivers that begin with it wait for the end too.
    @Test func aReaderSaysItsEndAgainInALayoutAfterAFinalCheckpointThatFailed() {
        let subject = subject(times([1]))
        subject.tell(.splits([split("a", rows: 1)], noMore: true))
        subject.run()
        subject.tell(.trigger(barrier(1, .final)))
        #expect(subject.run() == .stopped)
        subject.tell(.aborted(1))
        subject.tell(.prepare(TaskChange(layout: 1, plan: plan(outputs: 2), movesSplits: true)))
        subject.tell(.trigger(Barrier(checkpoint: 2, kind: .checkpoint, layout: 1)))
        subject.run()
        _ = subject.said()
        subject.tell(.splits([], noMore: true))
        subject.run()
        #expect(subject.said().filter { $0.hasSuffix("end") }.map { String($0.prefix(3)) } == ["0→0", "0→1"])
    }

    @Test func splitsThatAreReadSideBySideHoldTheWatermarkFromTheStart() {
        let reader = ListReader { id, row in Row(0, id == "a" ? 100 : 10) }
        reader.readsSideBySide = true
        let subject = subject(reader, delay: 0)
        subject.tell(.splits([split("a", rows: 1), split("b", rows: 1)], noMore: true))
        subject.run()
        #expect(
            subject.said() == [
                "0→0 #0 rows 0@100", "finished a", "0→0 #1 rows 0@10", "0→0 #2 watermark 10", "finished b", "0→0 #3 watermark max", "0→0 #4 end",
                "ended",
            ])
    }

    /// Shards: "a" ends, others go on, and its children are found later.
    private func ended(idle: Duration = .zero) -> Subject {
        let reader = ListReader { id, row in Row(Int64(row), ["a": 10, "b": 100, "a1": 11, "a2": 12][id] ?? 0) }
        (reader.readsSideBySide, reader.hasFollowers) = (true, true)
        let subject = subject(reader, delay: 0, idle: idle)
        subject.tell(.splits([split("a", rows: 1), split("b", rows: 2)], noMore: false))
        subject.run()
        _ = subject.said()
        return subject
    }

    @Test func aSplitThatEndedHoldsTheWatermarkUntilItsChildrenAreRead() {
        let subject = ended()
        #expect(subject.task.metrics.watermark == 10)
        subject.tell(.splits([], noMore: false, released: ["b"]))
        subject.tell(.splits([split("a1", rows: 1, after: ["a"]), split("a2", rows: 1, after: ["a"])], noMore: false, released: ["a"]))
        subject.run()
        let said = subject.said().filter { $0.contains("rows") || $0.contains("watermark") }
        #expect(said == ["0→0 #3 rows 0@11", "0→0 #4 rows 0@12", "0→0 #5 watermark 11"], "no row is late")
    }

    @Test func aSplitThatEndedDoesNotFallIdle() {
        let subject = ended(idle: .seconds(5))
        subject.run(at: 60_000)
        #expect(subject.said().isEmpty && subject.task.metrics.watermark == 10)
        subject.tell(.splits([split("a1", rows: 1, after: ["a"])], noMore: false, released: ["a", "b"]))
        subject.run()
        #expect(subject.said().filter { $0.contains("rows") || $0.contains("watermark") } == ["0→0 #3 rows 0@11", "0→0 #4 watermark 11"])
    }

    @Test func snapshotsShowWhatEndedUntilItIsReleased() {
        let subject = ended()
        subject.tell(.trigger(barrier(1)))
        subject.run()
        #expect(subject.lastSnapshot?.splits.map(\.split.id) == ["a", "b"] && subject.lastSnapshot?.splits.map(\.watermark) == [10, 100])
        #expect(subject.lastSnapshot?.splits.map { position($0) } == [1, 2] && subject.lastSnapshot?.finishedSplits == [])
        _ = subject.said()
        subject.tell(.completed(1))
        #expect(subject.said() == ["finished a", "finished b"], "the word of it may have been lost")
        subject.tell(.splits([], noMore: false, released: ["a", "b", "unknown"]))
        subject.tell(.trigger(barrier(2)))
        subject.run()
        #expect(subject.lastSnapshot?.splits.isEmpty == true && subject.lastSnapshot?.finishedSplits == ["a", "b"])
    }

    @Test func nothingIsHeldWhenNothingWillFollow() {
        let subject = ended()
        subject.tell(.splits([], noMore: true))
        subject.run()
        #expect(subject.said().suffix(3) == ["0→0 #4 watermark max", "0→0 #5 end", "ended"])
    }

    @Test func afterEveryRowCutsOnlyBeforeLateRows() {
        let subject = subject(times([10, 5, 9, 20, 19, 17, 30, 8], most: 8), delay: 2, everyRow: true)
        subject.tell(.splits([split("a", rows: 8)], noMore: true))
        subject.step()
        subject.step()
        // 5 is late behind 8; 9 is not; 17 is late behind 18, 19 is not; 8 is late behind 28.
        #expect(
            subject.said() == [
                "0→0 #0 rows 0@10", "0→0 #1 watermark 8", "0→0 #2 rows 1@5 2@9 3@20 4@19", "0→0 #3 watermark 18", "0→0 #4 rows 5@17 6@30",
                "0→0 #5 watermark 28", "0→0 #6 rows 7@8",
            ])
    }

    @Test func afterEveryRowWithNothingLateMakesOneBatch() {
        let subject = subject(times([10, 9, 11, 12], most: 4), delay: 2, everyRow: true)
        subject.tell(.splits([split("a", rows: 4)], noMore: true))
        subject.step()
        subject.step()
        #expect(subject.said() == ["0→0 #0 rows 0@10 1@9 2@11 3@12", "0→0 #1 watermark 10"])
    }

    @Test func aStopEndsReadingAtTheBarrier() {
        let subject = subject(times([1, 2, 3, 4, 5, 6]), delay: nil)
        subject.tell(.splits([split("a", rows: 6)], noMore: true))
        subject.step()
        subject.step()
        _ = subject.said()
        subject.tell(.trigger(barrier(1, .stop)))
        #expect(subject.run() == .stopped)
        #expect(subject.said() == ["snapshot 1", "0→0 #1 barrier 1"])
    }

    @Test func aDrainFiresEverythingBeforeTheBarrier() {
        let subject = subject(times([1, 2, 3, 4, 5, 6]), delay: nil)
        subject.tell(.splits([split("a", rows: 6)], noMore: true))
        subject.step()
        subject.step()
        _ = subject.said()
        subject.tell(.trigger(barrier(1, .drain)))
        #expect(subject.run() == .stopped)
        #expect(subject.said() == ["0→0 #1 watermark max", "0→0 #2 end", "ended", "snapshot 1", "0→0 #3 barrier 1"])
    }

    @Test func aQuietSourceGoesIdleAndComesBack() {
        let subject = subject(ListReader(isUnbounded: true) { _, row in Row(Int64(row), Int64(row)) }, delay: 0, idle: .milliseconds(100))
        subject.tell(.splits([split("a", rows: 2)], noMore: false))
        #expect(subject.run(at: 10) == .idle(wake: .milliseconds(110)))
        _ = subject.said()
        #expect(subject.run(at: 109) == .idle(wake: .milliseconds(110)))
        #expect(subject.said() == [])
        #expect(subject.run(at: 110) == .idle(wake: nil))
        #expect(subject.said() == ["0→0 #2 idle"])
        subject.tell(.splits([split("b", rows: 1)], noMore: false))
        subject.run(at: 120)
        #expect(subject.said() == ["0→0 #3 active"])
    }

    @Test func timeWithoutCreditIsNotSilence() {
        let subject = subject(ListReader(most: 1, isUnbounded: true) { _, row in Row(Int64(row), Int64(row)) }, delay: nil, idle: .milliseconds(100), capacity: 1)
        subject.tell(.splits([split("a", rows: 2)], noMore: false))
        #expect(subject.run(at: 0) == .backpressured(wake: nil))
        #expect(subject.run(at: 1000) == .backpressured(wake: nil))
        subject.tell(.credit(channel(1, 0, 0), batches: 1), at: 1000)
        #expect(subject.run(at: 1000) == .idle(wake: .milliseconds(1100)))
        #expect(subject.said().contains { $0.hasSuffix("idle") } == false)
    }

    @Test func aSourceWithoutSplitsIsIdleOnceItIsToldSo() {
        let subject = subject(times([]))
        subject.run()
        #expect(subject.said() == ["needsSplits"])
        subject.tell(.splits([], noMore: false))
        subject.run()
        #expect(subject.said() == ["0→0 #0 idle"])
    }

    @Test func aRateIsKept() {
        let subject = subject(ListReader(most: 1000, isUnbounded: true) { _, row in Row(Int64(row), 0) }, delay: nil, rate: 1000, capacity: 1000)
        subject.tell(.splits([split("a", rows: 250)], noMore: true))
        var counts: [Int64: Int] = [:]
        var time: Int64 = 0
        while time < 200 {
            guard case .idle(let wake) = subject.run(at: time), let wake else { break }
            counts[time] = Int(subject.task.metrics.rowsOut)
            #expect(wake > .milliseconds(time))
            time = wake.nanoseconds / 1_000_000 + 1
        }
        for (time, count) in counts { #expect(abs(count - Int(time) - 20) <= 25, "\(count) rows at \(time) ms") }
        #expect(counts.count > 5)
    }

    @Test func anErrorOfTheReaderNamesTheSource() {
        let subject = subject(times([1]))
        subject.tell(.splits([split("a", rows: 1)], noMore: true))
        subject.tell(.splits([split("a", rows: 1)], noMore: true))
        subject.run()
        #expect(subject.said().filter { $0.hasPrefix("failed") } == [])
    }

    @Test func closingClosesTheReader() {
        let reader = times([1])
        let subject = subject(reader)
        subject.task.close()
        #expect(reader.isClosed)
    }
}
