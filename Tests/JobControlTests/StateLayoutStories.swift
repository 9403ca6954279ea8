import Columnar
import Dataflow
import JobControl
import Testing

/// State of another layout is refused where a job is submitted, not by tasks that fail again and again.
struct StateLayoutStories {
    private static func graph(_ spec: OperatorSpec) -> JobGraph {
        let schema = Schema([.init("k", DataType(.string)), .init("v", DataType(.bigint))])
        return JobGraph(
            name: "j", vertices: [JobVertex(id: "a", chain: [ChainedOperator(uid: "1", name: "Aggregate[1]", spec: spec, output: schema)])], edges: [],
            maxParallelism: 8)
    }

    private static func grouped(_ function: AggregateCall.Function, distinct: Bool = false) -> JobGraph {
        graph(.groupAggregate(GroupAggregateSpec(
            input: Schema([.init("k", DataType(.string)), .init("v", DataType(.bigint))]), keys: [0],
            aggregates: [.init(function: function, argument: 1, distinct: distinct, type: DataType(.bigint))], emitsUpdateBefore: true, consumesRetractions: false)))
    }

    private static func windowed(_ window: WindowSpec) -> JobGraph {
        graph(.windowAggregate(WindowAggregateSpec(
            input: Schema([.init("k", DataType(.string)), .init("t", DataType(.timestamp(3)))]), keys: [0],
            aggregates: [.init(function: .countStar, argument: nil, type: DataType(.bigint))], window: window, timeColumn: 1)))
    }

    /// The words of the refusal; nil when the state of the first job fits the second.
    private func refusal(from old: JobGraph, to new: JobGraph, isWrittenDown: Bool = true) -> String? {
        var manifest = Manifest(
            job: JobID(high: 1, low: 2), checkpoint: 3, kind: .savepoint, leaderEpoch: 1,
            layout: Layout(epoch: 1, attempt: 1, vertices: [Layout.Vertex(slots: [], owners: [])]), vertexIDs: ["a"], maxParallelism: 8,
            triggered: 0, objects: [], subtasks: [], enumerators: [], uncommitted: [])
        if isWrittenDown { manifest.stateLayouts = old.vertices.map(\.stateLayouts) }
        let answer = RestorePoint.check(
            SealedJSON.encode(manifest), graph: new, own: nil, store: nil, path: "s/chk-3", allowNonRestoredState: false)
        guard case .failure(let error) = answer else { return nil }
        #expect(error.kind == .user && !error.retry)
        return error.message
    }

    @Test func anotherAggregateIsRefused() {
        #expect(
            refusal(from: Self.grouped(.sum), to: Self.grouped(.min)) == "cannot restore from s/chk-3: it has the state of groups by (VARCHAR(2147483647)): "
                + "SUM(BIGINT) BIGINT, where vertex Aggregate[1] keeps groups by (VARCHAR(2147483647)): MIN(BIGINT) BIGINT")
        #expect(refusal(from: Self.grouped(.count), to: Self.grouped(.count, distinct: true))?.contains("COUNT(DISTINCT BIGINT)") == true)
    }

    @Test func anotherWindowIsRefused() {
        let words = refusal(from: Self.windowed(.tumble(size: 10_000, offset: 0)), to: Self.windowed(.tumble(size: 20_000, offset: 0)))
        #expect(words?.contains("window slices of 10000 ms") == true && words?.contains("keeps window slices of 20000 ms") == true)
    }

    @Test func theSameStateFits() {
        #expect(refusal(from: Self.grouped(.sum), to: Self.grouped(.sum)) == nil)
        // The same slices make both windows.
        #expect(refusal(from: Self.windowed(.hop(size: 10_000, slide: 5_000, offset: 0)), to: Self.windowed(.tumble(size: 5_000, offset: 0))) == nil)
    }

    @Test func aCheckpointThatDoesNotSayIsLeftToTheTasks() {
        #expect(refusal(from: Self.grouped(.sum), to: Self.grouped(.min), isWrittenDown: false) == nil)
    }
}
