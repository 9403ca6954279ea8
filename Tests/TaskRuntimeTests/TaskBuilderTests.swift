import Columnar
import Dataflow
import Expressions
import Synchronization
import TaskRuntime
import Testing
import Wire

@Suite struct TaskBuilderTests {
    /// Gives list readers and writers, and remembers what they were made with.
    private final class Connectors: ConnectorRegistry {
        let reader = Mutex<ReaderContext?>(nil)
        let writer = Mutex<WriterContext?>(nil)

        struct ListSource: Source {
            let connectors: Connectors
            var discoveryInterval: Duration? { nil }
            func discover(known: Set<String>) throws(StreamError) -> (splits: [Split], isComplete: Bool) { ([], true) }

            func makeReader(_ context: ReaderContext) throws(StreamError) -> any SourceReader {
                connectors.reader.withLock { $0 = context }
                return ListReader { _, row in Row(Int64(row), 10 * Int64(row)) }
            }
        }

        struct ListSink: Sink {
            let connectors: Connectors
            func commit(_ committables: [Committable]) throws(StreamError) {}

            func makeWriter(_ context: WriterContext) throws(StreamError) -> any SinkWriter {
                connectors.writer.withLock { $0 = context }
                return ListWriter()
            }
        }

        func source(_ spec: SourceSpec) throws(StreamError) -> any Source { ListSource(connectors: self) }

        func sink(_ spec: SinkSpec) throws(StreamError) -> any Sink {
            if spec.table == "missing" { throw StreamError(.user, retry: false, "no such connector") }
            return ListSink(connectors: self)
        }
    }

    private let key = Expression.column(0, type: DataType(.bigint, nullable: false))
    private let time = Expression.column(1, type: DataType(.timestamp(3), nullable: false))

    private func plan(_ chain: [ChainedOperator], inputs: Int, outputs: Int) -> TaskPlan {
        var plan = TaskRuntimeTests.plan(inputs: inputs, outputs: outputs)
        plan.vertex = JobVertex(id: "v", chain: chain)
        return plan
    }

    @Test func aSourceComputesItsColumnsAndItsWatermark() throws {
        let swapped = Schema([rowSchema.fields[1], rowSchema.fields[0]])
        let spec = SourceSpec(
            table: "t", options: [:], physical: rowSchema, projections: [time, key], output: swapped,
            watermark: .column(0, type: DataType(.timestamp(3), nullable: false)))
        let connectors = Connectors()
        let task = try TaskBuilder.make(
            plan: plan([ChainedOperator(uid: "s", name: "Source: t", spec: .source(spec), output: swapped)], inputs: 0, outputs: 1),
            connectors: connectors, options: TaskOptions(batchRows: 100))
        let subject = Subject(task)
        subject.tell(.start).tell(.splits([split("a", rows: 3)], noMore: true))
        subject.step()
        subject.step()
        #expect(subject.said() == ["0→0 #0 rows 0@0 10@1 20@2", "0→0 #1 watermark 20"])
        #expect(connectors.reader.withLock { $0?.batchRows } == 100)
        #expect(subject.task.metrics.rowsIn == 3)
        #expect(subject.task.metrics.rowsOut == 3)
        #expect(subject.task.metrics.batchesOut == 1)
        #expect(subject.task.metrics.watermark == 20)
        #expect(subject.task.metrics.operators == [OperatorMetrics(rowsIn: 3, rowsOut: 3)])
    }

    @Test func aRateIsShared() throws {
        var spec = SourceSpec(table: "t", options: [:], physical: rowSchema, output: rowSchema)
        spec.rowsPerSecond = 200
        var plan = plan([ChainedOperator(uid: "s", name: "Source: t", spec: .source(spec), output: rowSchema)], inputs: 0, outputs: 1)
        plan.parallelism = 2
        let subject = Subject(try TaskBuilder.make(plan: plan, connectors: Connectors()))
        subject.tell(.start).tell(.splits([split("a", rows: 200)], noMore: true))
        // 100 rows a second are two every 20 ms.
        #expect(subject.run(at: 0) == .idle(wake: Instant(nanoseconds: 20_000_001)))
        #expect(subject.task.metrics.rowsOut == 2)
    }

    @Test func writersGetTheirUnitsBack() throws {
        let spec = SinkSpec(table: "t", options: [:], schema: rowSchema)
        let connectors = Connectors()
        _ = try TaskBuilder.make(
            plan: plan([ChainedOperator(uid: "k", name: "Sink: t", spec: .sink(spec), output: Schema([]))], inputs: 1, outputs: 0),
            restore: TaskRestore(operators: [.init(uid: "k", units: [[1], [2]])]), connectors: connectors)
        #expect(connectors.writer.withLock { $0?.restored } == [[1], [2]])
    }

    @Test func operatorsAreMadeFromTheirSpecs() throws {
        let calc = CalcSpec(condition: nil, projections: [key, time])
        let subject = Subject(
            try TaskBuilder.make(
                plan: plan([ChainedOperator(uid: "c", name: "Calc", spec: .calc(calc), output: rowSchema)], inputs: 1, outputs: 1),
                connectors: Connectors()))
        subject.tell(.start).tell(.element(channel(0, 0, 0), sequence: 0, .batch(batch(Row(1, 2)))))
        subject.step()
        #expect(subject.said() == ["0→0 #0 rows 1@2"])
    }

    @Test func whatCannotBeMadeIsNamed() {
        let spec = SinkSpec(table: "missing", options: [:], schema: rowSchema)
        let chain = [ChainedOperator(uid: "k", name: "Sink: missing", spec: .sink(spec), output: Schema([]))]
        let error = #expect(throws: StreamError.self) {
            _ = try TaskBuilder.make(plan: plan(chain, inputs: 1, outputs: 0), connectors: Connectors())
        }
        #expect(error?.description == "Sink: missing: no such connector")
    }
}
