import Columnar
import Dataflow
import TaskRuntime
import Wire

/// A TaskManager's brain with what it said, for stories. Two vertices, source → sink; worker "a" has both first subtasks, "b" the rest.
struct WorkerStory {
    var machine: WorkerMachine
    var time: Int64 = 0

    static let a = WorkerID("a")
    static let b = WorkerID("b")

    init(options: WorkerOptions = WorkerOptions()) {
        machine = WorkerMachine(
            registration: Registration(
                worker: WorkerStory.a, host: "h", dataPort: 1, slots: 2, memoryBytes: 1, processors: 1, version: "1", running: []),
            options: options, coverage: true)
    }

    /// What it does, in words; wake-ups and log lines are left out.
    mutating func on(_ event: WorkerEvent, at milliseconds: Int64? = nil) -> [String] {
        effects(of: event, at: milliseconds).compactMap(WorkerStory.word)
    }

    mutating func effects(of event: WorkerEvent, at milliseconds: Int64? = nil) -> [WorkerEffect] {
        time = milliseconds ?? time
        let effects = machine.handle(event, at: .milliseconds(time))
        machine.checkInvariants()
        return effects
    }

    mutating func hears(_ message: LeaderMessage, epoch: LeaderEpoch = 1, at milliseconds: Int64? = nil) -> [String] {
        on(.message(message, epoch: epoch), at: milliseconds)
    }

    mutating func register() -> [String] {
        on(.timer) + on(.connected) + hears(.registered(heartbeatMilliseconds: 1000, timeoutMilliseconds: 4000))
    }

    /// Registered, with a running attempt.
    static func running(attempt: UInt32 = 1) -> WorkerStory {
        var story = WorkerStory()
        _ = story.register()
        _ = story.hears(.deploy(deployment(attempt)))
        _ = story.on(.made(job: job, attempt: attempt, nil))
        _ = story.hears(.start(job: job, attempt: attempt))
        return story
    }

    static let graph: JobGraph = {
        let source = SourceSpec(table: "t", options: [:], physical: rowSchema, output: rowSchema)
        return JobGraph(
            name: "j",
            vertices: [
                JobVertex(id: "0", chain: [ChainedOperator(uid: "s", name: "Source: t", spec: .source(source), output: rowSchema)]),
                JobVertex(
                    id: "1", chain: [
                        ChainedOperator(
                            uid: "k", name: "Sink: t", spec: .sink(SinkSpec(table: "t", options: [:], schema: rowSchema)), output: Schema([]))
                    ]),
            ], edges: [JobEdge(source: 0, target: 1, partitioning: .hash([0]), schema: rowSchema)], maxParallelism: 8)
    }()

    static func deployment(_ attempt: UInt32) -> Deployment {
        func owned() -> Layout.Vertex {
            Layout.Vertex(slots: [.init(worker: a, index: 0), .init(worker: b, index: 0)], owners: KeyGroup.table(parallelism: 2, groups: 8))
        }
        let layout = Layout(epoch: attempt, attempt: attempt, vertices: [owned(), owned()])
        return Deployment(
            job: job, name: "j", graph: JobGraphBytes.encode(graph), settings: [:], layout: layout, peers: [],
            subtasks: [SubtaskID(vertex: 0, index: 0), SubtaskID(vertex: 1, index: 0)], restore: nil, committables: [])
    }

    static func task(_ vertex: Int, _ attempt: UInt32 = 1) -> TaskID { TaskID(job: job, subtask: SubtaskID(vertex: vertex, index: 0), attempt: attempt) }

    static func word(_ effect: WorkerEffect) -> String? {
        switch effect {
        case .connect: "connect"
        case .disconnect: "disconnect"
        case .send(let message): "send " + word(message)
        case .make(let deployment): "make \(deployment.layout.attempt)"
        case .prepare(let deployment): "prepare \(deployment.layout.attempt)"
        case .retire(_, let attempt, let tasks): "retire \(attempt): \(tasks.map(\.subtask.description))"
        case .keep(_, let peers): "keep \(peers)"
        case .start(_, let attempt): "start \(attempt)"
        case .remove(_, let attempt): "remove \(attempt)"
        case .command(let task, let command): "tell \(task.subtask) " + word(command)
        case .upload(_, _, let checkpoint, let folder, _, let snapshots): "upload \(checkpoint) to \(folder): \(snapshots.map(\.subtask.description))"
        case .commit(_, let checkpoint, let pending): "commit \(checkpoint): \(pending.map(\.committable.id))"
        case .forget: "forget"
        case .exit(let code, _): "exit \(code)"
        case .wake, .log, .subsume: nil
        }
    }

    private static func word(_ command: TaskCommand) -> String {
        switch command {
        case .start: "start"
        case .element: "element"
        case .credit: "credit"
        case .trigger(let barrier): "trigger \(barrier.checkpoint)"
        case .completed(let id): "completed \(id)"
        case .aborted(let id): "aborted \(id)"
        case .prepare(let change): "prepare layout \(change.layout)"
        case .copyAhead(let layout): "copy ahead of layout \(layout)"
        case .withdraw(let layout): "withdraw layout \(layout)"
        case .state(let parcel): "state of \(parcel.from.subtask)"
        case .splits(let splits, let noMore, let released):
            "splits \(splits.map(\.split.id))\(noMore ? " noMore" : "")\(released.isEmpty ? "" : " released \(released)")"
        }
    }

    private static func word(_ message: WorkerMessage) -> String {
        switch message {
        case .register(let registration): "register \(registration.running.map { "\($0.subtask)#\($0.attempt)" })"
        case .heartbeat(let sequence): "heartbeat \(sequence)"
        case .deployed(_, let attempt): "deployed \(attempt)"
        case .ended(let task): "ended \(task.subtask)"
        case .failed(let task, let error): "failed \(task.subtask)#\(task.attempt): \(error)"
        case .stopped(_, let attempt): "stopped \(attempt)"
        case .needsSplits(let task): "needsSplits \(task.subtask)"
        case .splitFinished(let task, let split): "finished \(task.subtask) \(split)"
        case .acknowledged(let acknowledgement): "acknowledged \(acknowledgement.checkpoint)"
        case .declined(_, _, let checkpoint, let reason): "declined \(checkpoint): \(reason)"
        case .committed(_, let checkpoint, let ids): "committed \(checkpoint): \(ids)"
        case .commitFailed(_, let checkpoint, let error): "commitFailed \(checkpoint): \(error)"
        case .metrics: "metrics"
        case .leaving: "leaving"
        case .prepared(_, let attempt): "prepared \(attempt)"
        case .copied(_, let attempt): "copied \(attempt)"
        case .handedBack(let task, let splits, _): "handedBack \(task.subtask) \(splits.map(\.split.id))"
        case .settled(_, let attempt): "settled \(attempt)"
        case .retired(_, let attempt): "retired \(attempt)"
        case .cannotChange(_, let attempt, let error): "cannotChange \(attempt): \(error)"
        case .withdrawn(_, let attempt): "withdrawn \(attempt)"
        case .moved(_, let layout, let bytes, _): "moved \(bytes) for layout \(layout)"
        }
    }
}
