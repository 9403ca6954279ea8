import Columnar
import Dataflow
import TaskRuntime
import Testing

@Suite struct TaskOutputTests {
    private func subject(outputs: Int, _ partitioning: JobEdge.Partitioning, capacity: Int = 2, groups: Int = 128) -> Subject {
        let subject = Subject(
            Task(
                plan: plan(inputs: 1, outputs: outputs, partitioning: partitioning, groups: groups), chain: TaskChain(),
                options: TaskOptions(channelCapacity: capacity)))
        return subject.tell(.start)
    }

    @Test func eventsNeverOvertakeRowsAndNeedNoCredit() {
        let subject = subject(outputs: 1, .forward, capacity: 2)
        for sequence in 0..<2 { subject.tell(.element(channel(0, 0, 0), sequence: UInt64(sequence), .batch(batch(Row(Int64(sequence), 1))))) }
        subject.run()
        subject.tell(.element(channel(0, 0, 0), sequence: 2, .watermark(1)))
        subject.tell(.element(channel(0, 0, 0), sequence: 3, .batch(batch(Row(2, 1)))))
        subject.run()
        #expect(subject.said().filter { !$0.hasPrefix("credit") } == ["0→0 #0 rows 0@1", "0→0 #1 rows 1@1", "0→0 #2 watermark 1"])
        #expect(subject.step() == .backpressured(wake: nil))
        subject.tell(.element(channel(0, 0, 0), sequence: 4, .barrier(barrier(1))))
        #expect(subject.step() == .backpressured(wake: nil))
        subject.tell(.credit(channel(1, 0, 0), batches: 1))
        subject.run()
        #expect(subject.said().filter { !$0.hasPrefix("credit") } == ["0→0 #3 rows 2@1", "snapshot 1", "0→0 #4 barrier 1"])
    }

    @Test func watermarksThatWaitAreOne() {
        let subject = subject(outputs: 1, .forward, capacity: 1)
        for sequence in 0..<2 {
            subject.tell(.element(channel(0, 0, 0), sequence: UInt64(sequence), .batch(batch(Row(Int64(sequence), 1)))))
            subject.run()
        }
        // There is no credit for the second batch: the watermarks wait at the input.
        for sequence in 2..<50 { subject.tell(.element(channel(0, 0, 0), sequence: UInt64(sequence), .watermark(Int64(sequence)))) }
        subject.run()
        _ = subject.said()
        subject.tell(.credit(channel(1, 0, 0), batches: 1))
        subject.run()
        #expect(subject.said().filter { !$0.hasPrefix("credit") } == ["0→0 #1 rows 1@1", "0→0 #2 watermark 49"])
    }

    @Test func batchesAreCutByBytes() {
        var options = TaskOptions(channelCapacity: 64)
        options.batchBytes = 64
        let subject = Subject(Task(plan: plan(inputs: 1, outputs: 1, partitioning: .forward), chain: TaskChain(), options: options))
        subject.tell(.start)
        let sent = (0..<10).map { Row(Int64($0), 1) }
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(sent))))
        var effects: [TaskEffect] = [], parts: [Batch] = []
        _ = subject.task.step(at: .milliseconds(1), into: &effects)
        for case .send(_, _, .batch(let part)) in effects { parts.append(part) }
        #expect(parts.flatMap { rows($0) } == sent)
        #expect(parts.allSatisfy { $0.byteCount <= 64 || $0.count == 1 })
        #expect(parts.count < 10)
    }

    @Test(arguments: [2, 3, 7]) func hashedRowsReachTheOwnerOfTheirKeyGroup(parallelism: Int) {
        let subject = subject(outputs: parallelism, .hash([0]), capacity: 8)
        var generator = SplitMix(seed: 3)
        let sent = (0..<500).map { _ in Row(Int64(generator.below(40)), Int64(generator.below(9))) }
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(sent))))
        var effects: [TaskEffect] = []
        _ = subject.task.step(at: .milliseconds(1), into: &effects)
        let owners = KeyGroup.table(parallelism: parallelism, groups: 128)
        var received: [Int: [Row]] = [:]
        for case .send(let channel, _, .batch(let part)) in effects { received[Int(channel.to), default: []] += rows(part) }
        for target in 0..<parallelism {
            let due = sent.filter { Int(owners[KeyGroup.of(hash: KeyHash.of(UInt64(bitPattern: $0.key)), groups: 128)]) == target }
            #expect(received[target] ?? [] == due)
        }
    }

    @Test func aBatchOfOneTargetGoesAsItIs() {
        let subject = subject(outputs: 4, .hash([0]))
        let whole = batch((0..<100).map { Row(5, $0) })
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(whole)))
        var effects: [TaskEffect] = []
        _ = subject.task.step(at: .milliseconds(1), into: &effects)
        guard case .send(_, _, .batch(let part))? = effects.last else { return #expect(Bool(false)) }
        #expect(part.columns[0].values === whole.columns[0].values)
    }

    @Test func rebalancingPassesOverChannelsWithoutCredit() {
        let subject = subject(outputs: 2, .rebalance, capacity: 2)
        for sequence in 0..<2 { subject.tell(.element(channel(0, 0, 0), sequence: UInt64(sequence), .batch(batch(Row(Int64(sequence), 1))))) }
        subject.run()
        for sequence in 2..<4 { subject.tell(.element(channel(0, 0, 0), sequence: UInt64(sequence), .batch(batch(Row(Int64(sequence), 1))))) }
        subject.run()
        subject.tell(.credit(channel(1, 0, 1), batches: 1))
        subject.tell(.element(channel(0, 0, 0), sequence: 4, .batch(batch(Row(4, 1)))))
        subject.run()
        #expect(
            subject.said().filter { !$0.hasPrefix("credit") } == [
                "0→0 #0 rows 0@1", "0→1 #0 rows 1@1", "0→0 #1 rows 2@1", "0→1 #1 rows 3@1", "0→1 #2 rows 4@1",
            ])
    }

    @Test func barriersGoToEveryChannel() {
        let subject = subject(outputs: 3, .hash([0]))
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .barrier(barrier(1))))
        subject.run()
        #expect(subject.said() == ["snapshot 1", "0→0 #0 barrier 1", "0→1 #0 barrier 1", "0→2 #0 barrier 1"])
    }

    @Test func tooMuchCreditFailsTheTask() {
        let subject = subject(outputs: 1, .forward, capacity: 2)
        subject.tell(.credit(channel(1, 0, 0), batches: 1))
        #expect(subject.said().first?.contains("more than its receiver has room for") == true)
    }
}
