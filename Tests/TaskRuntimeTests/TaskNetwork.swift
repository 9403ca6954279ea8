import Columnar
import Dataflow
import TaskRuntime

/// A job of tasks on one thread: sources → counters → sinks, with channels whose elements and credits arrive after any delay.
///
/// Every choice is the generator's; after each event the machines check themselves.
final class TaskNetwork {
    /// Vertex 0: sources, 1: counters, 2: sinks.
    struct Shape {
        var sources = 2
        var counters = 2
        var sinks = 1
        var first = JobEdge.Partitioning.hash([0])
        var second = JobEdge.Partitioning.rebalance
        var rowsOfSplit = 60
        var splits = 4
        var capacity = 2
        var isEveryRow = false
    }

    struct Cut {
        var sources: [SubtaskID: TaskSnapshot] = [:]
        var counters: [SubtaskID: TaskSnapshot] = [:]
        var sinks: [SubtaskID: TaskSnapshot] = [:]
    }

    let shape: Shape
    private var generator: SplitMix
    private var tasks: [SubtaskID: Task] = [:]
    private(set) var writers: [SubtaskID: ListWriter] = [:]
    /// What is under way, in order, by receiver's channel; credits go the other way.
    private var elements: [ChannelID: [(UInt64, StreamElement)]] = [:]
    private var credits: [ChannelID: [UInt32]] = [:]
    private var receiver: [ChannelID: SubtaskID] = [:]
    private var sender: [ChannelID: SubtaskID] = [:]
    /// What the JobManager has said to each task and has not arrived, in order.
    private var orders: [SubtaskID: [TaskCommand]] = [:]
    private var lastWatermark: [ChannelID: Int64] = [:]
    private var pendingSplits: [SplitState]
    private var asking: [SubtaskID] = []
    private(set) var ended: Set<SubtaskID> = []
    private(set) var failures: [StreamError] = []
    private(set) var cuts: [CheckpointID: Cut] = [:]
    private(set) var nextCheckpoint: CheckpointID = 1
    private var clock: Int64 = 0
    /// Watermarks that fell, and other broken promises.
    private(set) var broken: [String] = []

    static func row(_ split: String, _ index: Int) -> Row {
        let salt = Int64(split.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xff })
        return Row((salt &+ Int64(index) &* 7) % 13, Int64(index) * 10 + salt % 5)
    }

    init(_ shape: Shape, seed: UInt64) {
        self.shape = shape
        generator = SplitMix(seed: seed)
        pendingSplits = (0..<shape.splits).map { split("s\($0)", rows: shape.rowsOfSplit) }
        let graph = JobGraph(
            name: "test", vertices: [vertex("sources"), vertex("counters"), vertex("sinks")],
            edges: [
                JobEdge(source: 0, target: 1, partitioning: shape.first, schema: rowSchema),
                JobEdge(source: 1, target: 2, partitioning: shape.second, schema: rowSchema),
            ], maxParallelism: 32)
        let slot = Layout.Slot(worker: WorkerID("w"), index: 0)
        let layout = Layout(
            epoch: 1, attempt: 1,
            vertices: [shape.sources, shape.counters, shape.sinks].map {
                Layout.Vertex(slots: Array(repeating: slot, count: $0), owners: KeyGroup.table(parallelism: $0, groups: 32))
            })
        for subtask in layout.subtasks {
            let plan = TaskPlan(job: job, graph: graph, layout: layout, subtask: subtask)
            tasks[subtask] = Task(plan: plan, chain: chain(of: subtask), options: TaskOptions(channelCapacity: shape.capacity))
            for input in plan.inputs { for channel in input.channels { receiver[channel] = subtask } }
            for output in plan.outputs { for channel in output.channels { sender[channel] = subtask } }
        }
        for subtask in layout.subtasks { tell(subtask, .start) }
    }

    private func chain(of subtask: SubtaskID) -> TaskChain {
        switch subtask.vertex {
        case 0:
            var source = TaskChain.Source(name: "source", reader: ListReader(most: 3, TaskNetwork.row))
            source.watermark = TaskRuntimeTests.watermarks(delay: 20)
            source.timeColumn = 1
            source.watermarkAfterEveryRow = shape.isEveryRow
            return TaskChain(source: source)
        case 1: return TaskChain(operators: [.init(name: "count", uid: "count", op: CountingOperator(keeps: 2))])
        default:
            let writer = ListWriter()
            writers[subtask] = writer
            return TaskChain(sink: .init(name: "sink", uid: "sink", writer: writer))
        }
    }

    // MARK: Events

    private var now: Now { .milliseconds(clock) }

    private func tell(_ subtask: SubtaskID, _ command: TaskCommand) {
        var effects: [TaskEffect] = []
        tasks[subtask]?.handle(command, at: now, into: &effects)
        tasks[subtask]?.checkInvariants()
        carryOut(effects, of: subtask)
    }

    private func step(_ subtask: SubtaskID) -> StepResult {
        var effects: [TaskEffect] = []
        let result = tasks[subtask]?.step(at: now, into: &effects) ?? .stopped
        tasks[subtask]?.checkInvariants()
        carryOut(effects, of: subtask)
        return result
    }

    private func carryOut(_ effects: [TaskEffect], of subtask: SubtaskID) {
        for effect in effects {
            switch effect {
            case .send(let channel, let sequence, let element):
                if sender[channel] != subtask { broken.append("\(subtask) sent on \(channel)") }
                if case .watermark(let watermark) = element {
                    if watermark < lastWatermark[channel] ?? .min { broken.append("the watermark fell on \(channel)") }
                    lastWatermark[channel] = watermark
                }
                elements[channel, default: []].append((sequence, element))
            case .credit(let channel, let batches): credits[channel, default: []].append(batches)
            case .snapshot(let checkpoint, let snapshot):
                switch subtask.vertex {
                case 0: cuts[checkpoint, default: Cut()].sources[subtask] = snapshot
                case 1: cuts[checkpoint, default: Cut()].counters[subtask] = snapshot
                default: cuts[checkpoint, default: Cut()].sinks[subtask] = try? snapshot.finished()
                }
            case .needsSplits: asking.append(subtask)
            case .splitFinished: break  // Snapshots say it, too.
            case .handOver, .copied, .settled: broken.append("\(subtask) changed its layout")
            case .ended: ended.insert(subtask)
            case .failed(let error): failures.append(error)
            }
        }
    }

    /// One thing happens somewhere. `disturbs`: checkpoints begin and are aborted. False: nothing was left to do.
    func happen(disturbs: Bool) -> Bool {
        clock += Int64(generator.below(3))
        if disturbs, generator.chance(3) { return trigger(.checkpoint) }
        if disturbs, generator.chance(1), nextCheckpoint > 1 {
            let id = nextCheckpoint - 1 - UInt64(generator.below(Int(min(nextCheckpoint - 1, 2))))
            for subtask in tasks.keys { orders[subtask, default: []].append(.aborted(id)) }
            return true
        }
        // A few tries at random, then everything in order, so that "nothing happened" means that nothing can.
        for _ in 0..<8 where chance() { return true }
        for subtask in tasks.keys.sorted() where step(subtask) == .worked { return true }
        for subtask in tasks.keys.sorted() where obey(subtask) { return true }
        for channel in receiver.keys.sorted() where deliver(channel) || credit(channel) { return true }
        return assign()
    }

    private func chance() -> Bool {
        let channels = receiver.keys.sorted()
        let subtasks = tasks.keys.sorted()
        switch generator.below(11) {
        case 0: return obey(subtasks[generator.below(subtasks.count)])
        case 1..<4: return step(subtasks[generator.below(subtasks.count)]) == .worked
        case 4..<7: return deliver(channels[generator.below(channels.count)])
        case 7..<10: return credit(channels[generator.below(channels.count)])
        default: return assign()
        }
    }

    private func obey(_ subtask: SubtaskID) -> Bool {
        guard let order = orders[subtask]?.first else { return false }
        orders[subtask]?.removeFirst()
        tell(subtask, order)
        return true
    }

    private func deliver(_ channel: ChannelID) -> Bool {
        guard let target = receiver[channel], let (sequence, element) = elements[channel]?.first else { return false }
        elements[channel]?.removeFirst()
        tell(target, .element(channel, sequence: sequence, element))
        return true
    }

    private func credit(_ channel: ChannelID) -> Bool {
        guard let target = sender[channel], let batches = credits[channel]?.first else { return false }
        credits[channel]?.removeFirst()
        tell(target, .credit(channel, batches: batches))
        return true
    }

    private func assign() -> Bool {
        guard !asking.isEmpty else { return false }
        let subtask = asking.removeFirst()
        if pendingSplits.isEmpty {
            tell(subtask, .splits([], noMore: true))
        } else {
            tell(subtask, .splits([pendingSplits.removeFirst()], noMore: false))
        }
        return true
    }

    func trigger(_ kind: CheckpointKind) -> Bool {
        let id = nextCheckpoint
        nextCheckpoint += 1
        for subtask in tasks.keys where subtask.vertex == 0 { orders[subtask, default: []].append(.trigger(barrier(id, kind))) }
        return true
    }

    func run(disturbs: Bool) {
        var left = 200_000
        while left > 0, failures.isEmpty, happen(disturbs: disturbs && ended.count < tasks.count) { left -= 1 }
        if left == 0 { broken.append("it does not come to an end") }
    }

    // MARK: Answers

    var hasEnded: Bool { ended.count == tasks.count }

    var allRows: [Row] { (0..<shape.splits).flatMap { number in (0..<shape.rowsOfSplit).map { TaskNetwork.row("s\(number)", $0) } } }

    /// Rows that a cut's sources had read: the positions of their splits, and all rows of the finished ones.
    func rowsBefore(_ cut: Cut) -> [Row] {
        cut.sources.values.flatMap { snapshot in
            snapshot.splits.flatMap { state in (0..<position(state)).map { TaskNetwork.row(state.split.id, $0) } }
                + snapshot.finishedSplits.flatMap { id in (0..<shape.rowsOfSplit).map { TaskNetwork.row(id, $0) } }
        }
    }

    func isComplete(_ cut: Cut) -> Bool {
        cut.sources.count == shape.sources && cut.counters.count == shape.counters && cut.sinks.count == shape.sinks
    }

    static func counts(_ rows: [Row]) -> [Int64: Int] { rows.reduce(into: [:]) { $0[$1.key, default: 0] += 1 } }
}
