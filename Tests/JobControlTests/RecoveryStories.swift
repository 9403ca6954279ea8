import Columnar
import Dataflow
import JobControl
import Testing
import Wire

/// After a loss whoever lives gets back what it had, and restores it from its own copies.
struct RecoveryStories {
    /// A source, and counts by key that go into a sink.
    static let graph: JobGraph = {
        let schema = Schema([.init("k", DataType(.string)), .init("v", DataType(.bigint))])
        let counts = GroupAggregateSpec(
            input: schema, keys: [0], aggregates: [.init(function: .countStar, argument: nil, type: DataType(.bigint))], emitsUpdateBefore: false,
            consumesRetractions: false)
        return JobGraph(
            name: "counts",
            vertices: [
                JobVertex(id: "a", chain: [
                    ChainedOperator(uid: "s", name: "Source: in", spec: .source(SourceSpec(table: "in", options: [:], physical: schema, output: schema)), output: schema)
                ]),
                JobVertex(id: "b", chain: [
                    ChainedOperator(uid: "g", name: "GroupAggregate", spec: .groupAggregate(counts), output: schema),
                    ChainedOperator(uid: "t", name: "Sink: out", spec: .sink(SinkSpec(table: "out", options: [:], schema: schema)), output: Schema([])),
                ]),
            ],
            edges: [JobEdge(source: 0, target: 1, partitioning: .hash([0]), schema: schema)], maxParallelism: 8)
    }()

    /// Three subtasks on three of `workers`, and a complete checkpoint.
    private static func counting(workers: Int, isReactive: Bool = false) -> Story {
        var story = Story()
        for index in 0..<workers { story.connect("w\(index)") }
        var options = Story.options()
        options.parallelism = 3
        options.isReactive = isReactive
        story.submit(options, graph: graph)
        story.wait(.milliseconds(4_500))
        precondition(story.phase == .running && story.view.checkpoints.counts.completed > 0)
        return story
    }

    /// The objects that each TaskManager is told to restore from, by the name of who wrote them.
    private static func origins(_ story: Story) -> [String: Set<String>] {
        var origins: [String: Set<String>] = [:]
        for case .send(.deploy(let deployment), _, let connection) in story.effects {
            guard let name = story.connections.first(where: { $0.value == connection })?.key else { continue }
            origins[name] = Set((deployment.restore?.objects ?? []).map { String($0.key.split(separator: "/").last!.prefix { $0 != "-" }) })
        }
        return origins
    }

    private static func worker(_ layout: Layout, _ group: Int) -> WorkerID {
        layout.slot(of: SubtaskID(vertex: 1, index: Int(layout.vertices[1].owners[group]))).worker
    }

    @Test(arguments: 0..<3) func aSpareSlotTakesThePlaceOfWhatIsLost(lost: Int) {
        var story = Self.counting(workers: 4)
        let before = story.lastLayout(Story.job)!
        let (gone, spare) = (before.vertices[1].slots[lost]!.worker, ["w0", "w1", "w2", "w3"].first { !before.workers.map(\.description).contains($0) }!)
        story.forget()
        story.lose(gone.description)
        #expect(story.phase == .running && story.view.restarts == 1)
        let after = story.lastLayout(Story.job)!
        #expect(after.attempt == before.attempt + 1 && after.tasks(of: Story.job).allSatisfy { $0.attempt == after.attempt })
        for vertex in 0...1 {
            #expect(after.vertices[vertex].owners == before.vertices[vertex].owners)
            for index in 0..<3 {
                let slot = before.vertices[vertex].slots[index]!
                #expect(after.vertices[vertex].slots[index] == (slot.worker == gone ? Layout.Slot(worker: WorkerID(spare), index: 0) : slot))
            }
        }
        let origins = Self.origins(story)
        #expect(origins[spare] == [gone.description])
        for worker in before.workers where worker != gone { #expect(origins[worker.description] == [worker.description]) }
    }

    @Test(arguments: 0..<3) func aJobThatShrinksSharesOnlyWhatIsLost(lost: Int) {
        var story = Self.counting(workers: 3, isReactive: true)
        let before = story.lastLayout(Story.job)!
        #expect(before.vertices.map(\.parallelism) == [3, 3])
        let gone = before.vertices[1].slots[lost]!.worker
        story.forget()
        story.lose(gone.description)
        #expect(story.phase == .running)
        let after = story.lastLayout(Story.job)!
        #expect(after.vertices.map { $0.indices } == [[0, 1], [0, 1]])
        #expect((0..<2).map { after.vertices[1].groups(of: $0).count } == [4, 4])
        for group in 0..<8 where Self.worker(before, group) != gone { #expect(Self.worker(after, group) == Self.worker(before, group)) }
        for worker in after.workers { #expect(Self.origins(story)[worker.description]?.contains(worker.description) ?? false) }
    }

    @Test func afterAFailureWithoutALossNothingMoves() {
        var story = Self.counting(workers: 4)
        let before = story.lastLayout(Story.job)!
        story.forget()
        story.say(before.workers[0].description, .failed(before.task(before.subtasks(on: before.workers[0])[0], of: Story.job), StreamError(.externalSystem, retry: true, "broker gone")))
        story.wait(.seconds(3))
        let after = story.lastLayout(Story.job)!
        #expect(after.attempt > before.attempt && after.vertices.map(\.slots) == before.vertices.map(\.slots) && after.vertices.map(\.owners) == before.vertices.map(\.owners))
        for worker in before.workers { #expect(Self.origins(story)[worker.description] == [worker.description]) }
    }

    /// Who took on more after a loss gives it up when there are others again.
    @Test func noWorkerIsPreferredBeyondAnEvenSpread() {
        var pool = SlotPool()
        for name in ["a", "b"] { pool.add(WorkerID(name), slots: 4) }
        let held = (0..<4).map { Layout.Slot(worker: WorkerID("a"), index: $0) }
        let taken = pool.take(4, for: SlotPool.Holder(job: Story.job, attempt: 2), on: [WorkerID("a"), WorkerID("b")], preferring: held)
        #expect(taken?.map(\.worker.description) == ["a", "a", "b", "b"])
        #expect(taken?.prefix(2).map(\.index) == [0, 1])
    }

    @Test func randomRecoveriesMoveNoMoreThanEvenSharesAskFor() throws {
        var random = SeededGenerator(seed: 9)
        let all = (0..<12).map { Layout.Slot(worker: WorkerID("w\($0)"), index: 0) }
        var layout = RecoveryPlanner(graph: Self.graph, point: nil).plan(on: Array(all.prefix(3)), parallelism: [3, 3], attempt: 1, epoch: 1)
        for step in 2..<300 {
            let manifest = Manifest(
                job: Story.job, checkpoint: 1, kind: .checkpoint, leaderEpoch: 1, layout: layout, vertexIDs: ["a", "b"], maxParallelism: 8, triggered: 0,
                objects: [], subtasks: [], enumerators: [], uncommitted: [])
            let point = try RestorePoint.check(
                SealedJSON.encode(manifest), graph: Self.graph, own: Story.job, store: nil, path: "", allowNonRestoredState: false).get()
            let planner = RecoveryPlanner(graph: Self.graph, point: point)
            let count = Int.random(in: 1...9, using: &random)
            let living = Array(all.shuffled(using: &random).prefix(count))
            let slots = planner.slots.filter(living.contains) + living.filter { !planner.slots.contains($0) }
            let next = planner.plan(on: slots, parallelism: [count, count], attempt: UInt32(step), epoch: LayoutEpoch(step))
            for (old, vertex) in zip(layout.vertices, next.vertices) {
                #expect(vertex.indices == Array(0..<count))
                #expect(vertex.owners.allSatisfy { vertex.has(Int($0)) } && vertex.attempts.isEmpty)
                let shares = vertex.indices.map { vertex.groups(of: $0).count }
                #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
                #expect(Set(vertex.slots.compactMap { $0 }) == Set(slots))
                for number in old.indices {
                    guard let slot = old.slots[number], let place = vertex.slots.firstIndex(of: slot) else { continue }
                    let (had, has) = (Set(old.groups(of: number)), Set(vertex.groups(of: place)))
                    #expect(had.isSubset(of: has) || has.isSubset(of: had), "who was there gives away or takes, not both")
                }
            }
            layout = next
        }
    }
}
