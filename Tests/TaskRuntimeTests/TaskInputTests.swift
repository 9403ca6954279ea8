import Columnar
import Dataflow
import TaskRuntime
import Testing

@Suite struct TaskInputTests {
    private func subject(inputs: Int, outputs: Int = 1, op: any Operator = CountingOperator(), capacity: Int = 4) -> Subject {
        Subject(
            Task(
                plan: plan(inputs: inputs, outputs: outputs), chain: TaskChain(operators: [.init(name: "Count", uid: "count", op: op)]),
                options: TaskOptions(channelCapacity: capacity)))
    }

    @Test func nothingHappensBeforeStart() {
        let subject = subject(inputs: 1)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(Row(1, 1)))))
        #expect(subject.step() == .stopped)
        #expect(subject.said() == [])
        subject.tell(.start)
        #expect(subject.step() == .worked)
        #expect(subject.said() == ["0→0 #0 rows 1@1"])
        #expect(subject.step() == .idle(wake: nil))
    }

    @Test func barriersWaitForEveryChannelAndBlockOnlyThoseThatDelivered() {
        let subject = subject(inputs: 2)
        subject.tell(.start)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .barrier(barrier(1))))
        subject.tell(.element(channel(0, 0, 0), sequence: 1, .batch(batch(Row(9, 9)))))
        subject.tell(.element(channel(0, 1, 0), sequence: 0, .batch(batch(Row(1, 1)))))
        subject.run()
        #expect(subject.said() == ["0→0 #0 rows 1@1"])
        subject.tell(.element(channel(0, 1, 0), sequence: 1, .barrier(barrier(1))))
        subject.run(at: 30)
        let snapshot = subject.lastSnapshot
        #expect((snapshot?.operators[0].keyed as? CountingOperator.Counts)?.counts == [1: 1])
        #expect(snapshot?.alignmentMilliseconds == 30)
        #expect(subject.said() == ["snapshot 1", "0→0 #1 barrier 1", "0→0 #2 rows 9@9"])
    }

    @Test func whatOperatorsHoldBackGoesBeforeTheBarrier() {
        let subject = subject(inputs: 1, op: CountingOperator(keeps: 10))
        subject.tell(.start)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(Row(1, 1)))))
        subject.tell(.element(channel(0, 0, 0), sequence: 1, .barrier(barrier(1))))
        subject.run()
        #expect(subject.said() == ["0→0 #0 rows 1@1", "snapshot 1", "0→0 #1 barrier 1"])
    }

    /// What follows such a barrier is of another layout: ends are declared anew, rows go by other owners. (`simulate --seeds 400 --jobs calc` of 2026-11-23.)
    @Test(arguments: [false, true]) func theBarrierOfAChangeHoldsItsChannelThoughItsCheckpointIsAborted(isAbortedFirst: Bool) {
        let subject = subject(inputs: 2)
        subject.tell(.start)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .end))
        subject.tell(.prepare(TaskChange(layout: 2, plan: plan(inputs: 2, outputs: 1))))
        subject.run()
        if isAbortedFirst { subject.tell(.aborted(7)) }
        let change = Barrier(checkpoint: 7, kind: .checkpoint, layout: 2)
        subject.tell(.element(channel(0, 0, 0), sequence: 1, .barrier(change)))
        subject.run()
        if !isAbortedFirst { subject.tell(.aborted(7)) }
        subject.tell(.element(channel(0, 0, 0), sequence: 2, .end))
        subject.tell(.element(channel(0, 1, 0), sequence: 0, .batch(batch(Row(1, 1)))))
        subject.run()
        #expect(subject.said() == ["0→0 #0 rows 1@1"], "one channel has ended, and that once")
        subject.tell(.element(channel(0, 1, 0), sequence: 1, .barrier(change)))
        subject.run()
        let said = subject.said()
        #expect(said.prefix(2) == ["snapshot 7", "0→0 #1 barrier 7"] && !said.contains("ended"), "\(said)")
    }

    /// Over forward edges it hears one reader each, which may get splits that are behind.
    @Test func whoHearsMovedSplitsTellsNoWatermarkBeforeTheyDo() {
        let subject = subject(inputs: 2, op: FailingOperator(on: -1))
        subject.tell(.start)
        for input in 0...1 { subject.tell(.element(channel(0, input, 0), sequence: 0, .watermark(100))) }
        subject.tell(.prepare(TaskChange(layout: 2, plan: plan(inputs: 2, outputs: 1), movesSplits: true)))
        let change = Barrier(checkpoint: 7, kind: .checkpoint, layout: 2)
        for input in 0...1 { subject.tell(.element(channel(0, input, 0), sequence: 1, .barrier(change))) }
        subject.run()
        #expect(subject.said() == ["0→0 #0 watermark 100", "snapshot 7", "0→0 #1 barrier 7", "settled 2"])
        subject.tell(.element(channel(0, 0, 0), sequence: 2, .watermark(100)))
        subject.run()
        #expect(subject.said() == [])
        subject.tell(.element(channel(0, 1, 0), sequence: 2, .watermark(50)))
        subject.run()
        #expect(subject.said() == ["0→0 #2 watermark 50"])
    }

    @Test func anAbortLetsBlockedRowsThrough() {
        let subject = subject(inputs: 2)
        subject.tell(.start)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .barrier(barrier(1))))
        subject.tell(.element(channel(0, 0, 0), sequence: 1, .batch(batch(Row(9, 9)))))
        subject.run()
        #expect(subject.said() == [])
        subject.tell(.aborted(1))
        subject.run()
        #expect(subject.said() == ["0→0 #0 rows 9@9"])
        subject.tell(.element(channel(0, 1, 0), sequence: 0, .barrier(barrier(1))))
        subject.run()
        #expect(subject.said() == [])
    }

    @Test(arguments: [(0, 2), (0, 0)]) func aGapOrARepetitionFailsTheTask(first: UInt64, second: UInt64) {
        let subject = subject(inputs: 1)
        subject.tell(.start)
        subject.tell(.element(channel(0, 0, 0), sequence: first, .watermark(1)))
        subject.tell(.element(channel(0, 0, 0), sequence: second, .watermark(2)))
        let said = subject.said()
        #expect(said.count == 1)
        #expect(said[0].contains("channel \(channel(0, 0, 0)): element \(second) came where 1 was due"))
        #expect(subject.step() == .stopped)
    }

    @Test func anElementOfAnotherAttemptIsDropped() {
        let subject = subject(inputs: 1)
        subject.tell(.start)
        subject.tell(.element(channel(0, 0, 0, attempt: 9), sequence: 5, .watermark(1)))
        #expect(subject.step() == .idle(wake: nil))
        #expect(subject.said() == [])
    }

    @Test func aBatchWithoutCreditFailsTheTask() {
        let subject = subject(inputs: 1, capacity: 2)
        subject.tell(.start)
        for sequence in 0..<3 { subject.tell(.element(channel(0, 0, 0), sequence: UInt64(sequence), .batch(batch(Row(1, 1))))) }
        #expect(subject.said().first?.contains("without credit") == true)
    }

    @Test func creditIsGivenBackInHalves() {
        let subject = subject(inputs: 1, capacity: 4)
        subject.tell(.start)
        for sequence in 0..<4 { subject.tell(.element(channel(0, 0, 0), sequence: UInt64(sequence), .batch(batch(Row(1, 1))))) }
        subject.run()
        #expect(subject.said().filter { $0.hasPrefix("credit") } == ["credit 0→0 2", "credit 0→0 2"])
    }

    @Test func theEndOfAllChannelsFiresEverything() {
        let op = CountingOperator(keeps: 5)
        let subject = subject(inputs: 2, op: op)
        subject.tell(.start)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(Row(1, 1)))))
        subject.tell(.element(channel(0, 0, 0), sequence: 1, .watermark(Watermark.maximum)))
        subject.tell(.element(channel(0, 0, 0), sequence: 2, .end))
        subject.run()
        #expect(subject.said() == [])
        subject.tell(.element(channel(0, 1, 0), sequence: 0, .end))
        subject.run()
        #expect(subject.said() == ["0→0 #0 rows 1@1", "0→0 #1 watermark max", "0→0 #2 end", "ended"])
        // Ended channels still carry barriers.
        subject.tell(.element(channel(0, 0, 0), sequence: 3, .barrier(barrier(1, .final))))
        subject.tell(.element(channel(0, 1, 0), sequence: 1, .barrier(barrier(1, .final))))
        #expect(subject.run() == .stopped)
        #expect(subject.said() == ["snapshot 1", "0→0 #3 barrier 1"])
    }

    @Test func anErrorNamesTheInnermostOperatorOnce() {
        let chain = TaskChain(operators: [
            .init(name: "Count", uid: "count", op: CountingOperator()), .init(name: "Fail", uid: "fail", op: FailingOperator(on: 3)),
        ])
        let subject = Subject(Task(plan: plan(inputs: 1, outputs: 1), chain: chain, options: TaskOptions()))
        subject.tell(.start)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(Row(3, 1)))))
        #expect(subject.step() == .stopped)
        #expect(subject.said() == ["failed Fail: key 3"])
        subject.tell(.element(channel(0, 0, 0), sequence: 1, .batch(batch(Row(3, 1)))))
        #expect(subject.step() == .stopped)
        #expect(subject.said() == [])
    }

    @Test func idlenessFlushesAndIsPassedOn() {
        let subject = subject(inputs: 2, op: CountingOperator(keeps: 5))
        subject.tell(.start)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(Row(1, 1)))))
        subject.tell(.element(channel(0, 0, 0), sequence: 1, .idle))
        subject.tell(.element(channel(0, 1, 0), sequence: 0, .idle))
        subject.run()
        #expect(subject.said() == ["0→0 #0 rows 1@1", "0→0 #1 idle"])
        subject.tell(.element(channel(0, 1, 0), sequence: 1, .batch(batch(Row(2, 2)))))
        subject.run()
        #expect(subject.said() == ["0→0 #2 active"])
    }

    @Test func pastTheMemoryLimitTheTaskFailsWithNames() {
        let subject = Subject(
            Task(
                plan: plan(inputs: 1, outputs: 1), chain: TaskChain(operators: [.init(name: "Count", uid: "count", op: CountingOperator())]),
                options: TaskOptions(), budget: MemoryBudget(limit: 100)))
        subject.tell(.start)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch((0..<10).map { Row($0, 1) }))))
        #expect(subject.step() == .stopped)
        let said = subject.said().last ?? ""
        #expect(said.contains("operator Count holds 160 bytes of state, most of it in key group 7"))
        #expect(said.contains("of 100 bytes"))
    }

    @Test func whatNoAccountCountsFailsOneTaskOnce() {
        let budget = MemoryBudget(processSize: 10_000)
        let subject = Subject(
            Task(
                plan: plan(inputs: 1, outputs: 1), chain: TaskChain(operators: [.init(name: "Count", uid: "count", op: CountingOperator())]),
                options: TaskOptions(), budget: budget))
        subject.tell(.start)
        #expect(budget.charge(upload: 9_000))
        #expect(!budget.charge(upload: 1))
        budget.release(upload: 9_000)
        #expect(budget.held == 0)
        budget.alarm(12_345)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(Row(1, 1)))))
        #expect(subject.step() == .stopped)
        #expect(subject.said().last?.contains("the process has 12345 bytes in all") == true)
    }

    @Test func stateOnItsWayToAnotherTaskFailsNoTaskAndKeepsUploadsWaiting() {
        let budget = MemoryBudget(limit: 300)
        let subjects = (0..<3).map { _ in
            Subject(
                Task(
                    plan: plan(inputs: 1, outputs: 1), chain: TaskChain(operators: [.init(name: "Count", uid: "count", op: CountingOperator())]),
                    options: TaskOptions(), budget: budget))
        }
        subjects[0].tell(.start)
        budget.charge(handOver: 200)
        #expect(!budget.charge(upload: 101) && budget.charge(upload: 100))
        budget.release(upload: 100)
        subjects[0].tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch((0..<10).map { Row($0, 1) }))))
        #expect(subjects[0].step() != .stopped)
        #expect(budget.held == 160)
        budget.release(handOver: 200)
        #expect(budget.charge(upload: 140))
    }

    @Test func aClosedTaskGivesItsMemoryBack() {
        let budget = MemoryBudget(limit: 10_000)
        let subject = Subject(
            Task(
                plan: plan(inputs: 1, outputs: 1), chain: TaskChain(operators: [.init(name: "Count", uid: "count", op: CountingOperator())]),
                options: TaskOptions(), budget: budget))
        subject.tell(.start)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(Row(1, 1)))))
        subject.step()
        #expect(budget.held == 16)
        subject.task.close()
        #expect(budget.held == 0)
        #expect(subject.step() == .stopped)
    }
}
