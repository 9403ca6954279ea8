import Columnar
import Dataflow
import Hosts
import Testing
import Wire

/// Source -> keyed work, one minute of each.
@Suite struct ScalingAdviceTests {
    private let graph: JobGraph = {
        let schema = Schema([])
        let source = ChainedOperator(
            uid: "s", name: "Source", spec: .source(SourceSpec(table: "in", options: [:], physical: schema, output: schema)), output: schema)
        let sink = ChainedOperator(uid: "t", name: "Sink", spec: .sink(SinkSpec(table: "out", options: [:], schema: schema)), output: schema)
        return JobGraph(
            name: "job", vertices: [JobVertex(id: "a", chain: [source]), JobVertex(id: "b", chain: [sink])],
            edges: [JobEdge(source: 0, target: 1, partitioning: .hash([]), schema: schema)], maxParallelism: 16)
    }()

    private func work(
        _ vertex: Int, _ index: Int, rows: Int64, busy: Int64, backpressured: Int64 = 0, pending: (Int64, Int64) = (-1, -1), attempt: UInt32 = 1,
        seconds: Int64 = 60, hasEnded: Bool = false
    ) -> ScalingAdvice.Work? {
        let job = JobID(high: 1, low: 2)
        var first = TaskMetrics(task: TaskID(job: job, subtask: SubtaskID(vertex: vertex, index: index), attempt: 1))
        (first.rowsIn, first.busyMilliseconds, first.pendingRows) = (500, 100, pending.0)
        var last = TaskMetrics(task: TaskID(job: job, subtask: SubtaskID(vertex: vertex, index: index), attempt: attempt))
        (last.rowsIn, last.rowsOut, last.pendingRows) = (500 + rows, rows, pending.1)
        (last.busyMilliseconds, last.backpressuredMilliseconds, last.idleMilliseconds) = (100 + busy, backpressured, seconds * 1000 - busy - backpressured)
        return ScalingAdvice.Work(from: first, to: last, hasEnded: hasEnded)
    }

    private func advice(_ work: [ScalingAdvice.Work?], utilization: Double = 0.7) -> ScalingAdvice {
        var options = ScalingAdvice.Options()
        options.utilization = utilization
        return ScalingAdvice(graph: graph, current: [1, 1], work: work.compactMap(\.self), options: options)
    }

    /// 1,000 rows a second; the source could read 10,000, the sink 2,500: 0.1 + 0.4 threads.
    @Test func anEasyLoadFitsIntoOneSlot() throws {
        let advice = advice([work(0, 0, rows: 60_000, busy: 6_000), work(1, 0, rows: 60_000, busy: 24_000)])
        #expect(advice.vertices.map(\.trueRate) == [10_000, 2_500])
        #expect(advice.vertices.map(\.load) == [0.1, 0.4])
        #expect(advice.vertices.map(\.parallelism) == [1, 1])
        #expect(advice.parallelism == 1)
        #expect(advice.pendingRows == nil)
    }

    /// The sink is always busy and lets through half of what comes: 1,000 a second of 2,000, and 60,000 wait. For a minute 3,000 a second should go through.
    @Test func aGrowingBacklogIsReadAndWorkedOff() throws {
        let advice = advice([
            work(0, 0, rows: 60_000, busy: 6_000, backpressured: 54_000, pending: (0, 60_000)), work(1, 0, rows: 60_000, busy: 60_000),
        ])
        #expect(advice.vertices.map(\.target) == [3_000, 3_000])
        #expect(advice.vertices[1].load == 3)
        #expect(advice.vertices[1].parallelism == 5)
        #expect(advice.parallelism == 5, "3.3 threads at 70 %")
        #expect(advice.pendingRows == 60_000)
    }

    @Test func aSourceThatIsHeldBackWouldReadMore() throws {
        let advice = advice([work(0, 0, rows: 60_000, busy: 6_000, backpressured: 30_000), work(1, 0, rows: 60_000, busy: 60_000)], utilization: 1)
        #expect(advice.vertices.map(\.target) == [2_000, 2_000])
        #expect(advice.vertices.map(\.parallelism) == [1, 2])
        #expect(advice.parallelism == 3)
    }

    @Test func twoSubtasksCountTogether() throws {
        let sinks = (0..<2).map { work(1, $0, rows: 60_000, busy: 30_000) }
        let advice = advice([work(0, 0, rows: 120_000, busy: 12_000)] + sinks, utilization: 0.5)
        #expect(advice.vertices[1].rate == 2_000)
        #expect(advice.vertices[1].load == 1)
        #expect(advice.vertices.map(\.parallelism) == [1, 2])
        #expect(advice.parallelism == 3, "1.2 threads, half busy")
    }

    /// 1,000 rows a second all the while, for 40 s at two sinks, then at one, which took the other's place: what the ended one did counts too.
    @Test func aPlannedChangeWithinTheWindowChangesNoRate() {
        let sinks = [
            work(1, 0, rows: 20_000, busy: 8_000, seconds: 40, hasEnded: true), work(1, 0, rows: 20_000, busy: 8_000, attempt: 1, seconds: 20),
            work(1, 1, rows: 20_000, busy: 8_000, pending: (500, 500), seconds: 40, hasEnded: true),
        ]
        let advice = advice([work(0, 0, rows: 60_000, busy: 6_000)] + sinks)
        #expect(advice.vertices.map(\.rate) == [1_000, 1_000])
        #expect(advice.vertices.map(\.load) == [0.1, 0.4])
        #expect(advice.pendingRows == nil)
    }

    @Test func nothingMeasuredGivesNoAdvice() throws {
        let advice = advice([work(0, 0, rows: 1, busy: 1, attempt: 2)])
        #expect(advice.parallelism == nil)
        #expect(advice.vertices.map(\.parallelism) == [1, 1])
    }

    @Test func anIdleJobNeedsOneSlotAndNoneNeedsMoreThanGroups() throws {
        #expect(advice([work(0, 0, rows: 0, busy: 0), work(1, 0, rows: 0, busy: 10)]).parallelism == 1)
        let flood = advice([work(0, 0, rows: 60_000, busy: 60_000, pending: (0, 1_000_000_000)), work(1, 0, rows: 60_000, busy: 60_000)])
        #expect(flood.parallelism == 16)
    }
}
