import Columnar
import Dataflow
import TaskRuntime
import Testing
import Wire

@Suite struct TaskSinkTests {
    private func subject(_ writer: ListWriter) -> Subject {
        let chain = TaskChain(sink: .init(name: "Sink: t", uid: "sink", writer: writer))
        return Subject(Task(plan: plan(inputs: 1), chain: chain, options: TaskOptions())).tell(.start)
    }

    @Test func committablesStayUntilACheckpointThatHeldThemCompletes() {
        let writer = ListWriter()
        let subject = subject(writer)
        func pass(_ id: CheckpointID, sequence: UInt64, _ kind: CheckpointKind = .checkpoint) -> [String] {
            subject.tell(.element(channel(0, 0, 0), sequence: sequence, .barrier(barrier(id, kind))))
            subject.run()
            return subject.lastSnapshot?.committables.map(\.id) ?? []
        }
        #expect(pass(1, sequence: 0) == ["c1"])
        subject.tell(.aborted(1))
        #expect(pass(2, sequence: 1) == ["c1", "c2"])
        subject.tell(.completed(2))
        #expect(pass(3, sequence: 2) == ["c3"])
        #expect(writer.last == [])
        #expect(pass(4, sequence: 3, .final) == ["c3", "c4"])
        #expect(writer.last == [4])
    }

    @Test func theUnitStandsUnderTheSinksName() {
        let subject = subject(ListWriter())
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(Row(1, 1), Row(2, 2)))))
        subject.tell(.element(channel(0, 0, 0), sequence: 1, .barrier(barrier(1))))
        subject.run()
        #expect(subject.lastSnapshot?.operators.map(\.uid) == ["sink"])
        #expect(subject.lastSnapshot?.operators[0].unit == Array("2".utf8))
    }

    @Test func theWriterIsTickedAfterRows() {
        let writer = ListWriter()
        let subject = subject(writer)
        #expect(subject.run(at: 1) == .idle(wake: nil))
        #expect(writer.ticks.count == 1)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(Row(1, 1)))))
        subject.run(at: 5)
        #expect(writer.ticks == [.milliseconds(1), .milliseconds(5)])
        #expect(subject.task.metrics.rowsOut == 1)
    }

    @Test func eachOperatorOfAChainTellsItsRows() {
        let first = CountingOperator(keeps: 1)
        let chain = TaskChain(operators: [.init(name: "a", uid: "a", op: first), .init(name: "b", uid: "b", op: CountingOperator())], sink: .init(name: "t", uid: "t", writer: ListWriter()))
        let subject = Subject(Task(plan: plan(inputs: 1), chain: chain, options: TaskOptions())).tell(.start)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(Row(1, 1), Row(2, 2), Row(3, 3)))))
        subject.run()
        #expect(subject.task.metrics.operators.map(\.rowsIn) == [3, 0, 0])
        #expect(subject.task.metrics.operators.map(\.rowsOut) == [0, 0, 0])
        subject.tell(.element(channel(0, 0, 0), sequence: 1, .end))
        subject.run()
        #expect(subject.task.metrics.operators.map(\.rowsIn) == [3, 3, 3])
        #expect(subject.task.metrics.operators.map(\.rowsOut) == [3, 3, 3])
        #expect(subject.task.metrics.operators.map(\.stateBytes) == [48, 48, 0])
    }

    @Test func theEndIsReported() {
        let subject = subject(ListWriter())
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .end))
        subject.run()
        #expect(subject.said() == ["ended"])
    }

    @Test func uploadsUnderWayHoldUpTheCheckpointAndNotTheTask() throws {
        let writer = ListWriter()
        writer.failure = StreamError(.externalSystem, retry: true, "the upload failed")
        let subject = subject(writer)
        subject.tell(.element(channel(0, 0, 0), sequence: 0, .barrier(barrier(1))))
        subject.run()
        guard case .snapshot(_, let snapshot)? = subject.effects.last else { throw StreamError(.internal, retry: false, "no snapshot") }
        // The task has gone on; whoever writes the snapshot learns what the upload came to.
        #expect(throws: StreamError.self) { try snapshot.finished() }
        #expect(snapshot.operators.isEmpty && snapshot.committables.isEmpty)
        writer.failure = nil
        subject.tell(.aborted(1))
        subject.tell(.element(channel(0, 0, 0), sequence: 1, .barrier(barrier(2))))
        subject.run()
        #expect(subject.lastSnapshot?.committables.map(\.id) == ["c1", "c2"])
    }
}
