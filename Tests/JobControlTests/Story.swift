import Columnar
import Dataflow
import JobControl
import Wire

/// A JobManager without a world: events go in, effects are gathered, and small answers (stores that work, TaskManagers that obey) are
/// given where a story does not care.
struct Story {
    static let job = JobID(high: 0xABCD_EF01_2345_6789, low: 7)

    var machine: JobManagerMachine
    var time: Instant = .zero
    /// Everything since the last `take`.
    var effects: [ClusterEffect] = []
    /// Objects by store and key.
    var objects: [String: [String: (bytes: [UInt8], etag: String)]] = [:]
    private var writes = 0
    private var lastRequest: Ticket = 1_000_000
    /// Requests to the store are answered at once; otherwise they wait in `asked`.
    var storeAnswers = true
    var asked: [(ticket: Ticket, store: String?, request: StoreRequest)] = []
    /// Splits that discovery finds.
    var splits: [String] = []
    var isComplete = true
    var distribution = SplitDistribution.onRequest
    var connections: [String: ConnectionID] = [:]
    private var lastConnection: ConnectionID = 0
    /// Workers that do what they are told at once.
    var obedient: Set<String> = []
    /// What an obedient worker does not obey.
    var obedience: [String: (LeaderMessage) -> Bool] = [:]
    var ackBytes = 10

    init(seed: UInt64 = 1, cluster: ClusterOptions = ClusterOptions()) {
        var cluster = cluster
        cluster.changesLayouts = true
        machine = JobManagerMachine(options: cluster, seed: seed, recordsCoverage: true)
    }

    // MARK: Events

    mutating func tell(_ event: ClusterEvent) {
        let new = machine.handle(event, at: Now(instant: time, wallMilliseconds: 1_000_000 + time.nanoseconds / 1_000_000))
        machine.checkInvariants()
        effects += new
        for case .send(.deploy(let deployment), _, _) in new { layouts.append((deployment.job, deployment.layout)) }
        for effect in new { react(effect) }
    }

    mutating func wait(_ duration: Duration) {
        let end = time + duration
        while let due = nextWake, due <= end {
            time = max(time, due)
            nextWake = nil
            tell(.timer)
            // Workers that are connected answer heartbeats.
            for name in connections.keys.sorted() where !silent.contains(name) { say(name, .heartbeat(sequence: 0)) }
        }
        time = end
    }
    private var nextWake: Instant?
    var silent: Set<String> = []

    mutating func connect(_ name: String, slots: Int = 1, obeys: Bool = true, running: [TaskID] = []) {
        lastConnection += 1
        connections[name] = lastConnection
        if obeys { obedient.insert(name) } else { obedient.remove(name) }
        tell(.connected(lastConnection))
        tell(.message(.register(Story.registration(name, slots: slots, running: running)), from: lastConnection))
    }

    static func registration(_ name: String, slots: Int = 1, running: [TaskID] = [], version: String = "") -> Registration {
        Registration(
            worker: WorkerID(name), host: "\(name).host", dataPort: 1, slots: slots, memoryBytes: 1 << 30, processors: 2, version: version,
            running: running)
    }

    mutating func lose(_ name: String) {
        guard let connection = connections.removeValue(forKey: name) else { return }
        tell(.disconnected(connection, reason: "killed"))
    }

    mutating func say(_ name: String, _ message: WorkerMessage) {
        guard let connection = connections[name] else { return }
        tell(.message(message, from: connection))
    }

    @discardableResult mutating func request(_ request: ClientRequest) -> Ticket {
        lastRequest += 1
        tell(.request(lastRequest, request))
        return lastRequest
    }

    @discardableResult mutating func submit(
        _ options: JobOptions = Story.options(), graph: JobGraph = Story.graph(), restore: String? = nil, allowNonRestored: Bool = false,
        job: JobID = Story.job, resumesFailed: Bool = false
    ) -> Ticket {
        var submission = Submission(
            job: job, graph: graph, settings: [:], options: options, restorePath: restore, allowNonRestoredState: allowNonRestored)
        submission.resumesFailed = resumesFailed
        return request(.submit(submission))
    }

    // MARK: The world's answers

    private mutating func react(_ effect: ClusterEffect) {
        switch effect {
        case .store(let ticket, let store, let request):
            if storeAnswers { answer(ticket, store, request) } else { asked.append((ticket, store, request)) }
        case .discover(let job, let vertex, _, let known):
            let new = splits.filter { !known.contains($0) }.map { Split(id: $0, label: $0, payload: []) }
            let found = Discovery(splits: new, isComplete: isComplete, next: .seconds(10), distribution: distribution)
            tell(.discovered(job: job, vertex: vertex, .success(found)))
        case .send(let message, _, let connection):
            guard let name = connections.first(where: { $0.value == connection })?.key, obedient.contains(name), obedience[name]?(message) ?? true
            else { return }
            obey(name, message)
        case .wake(let at): nextWake = min(nextWake ?? at, at)
        case .close(let connection, _): connections = connections.filter { $0.value != connection }
        case .reply, .log, .giveBack: break
        }
    }

    private mutating func obey(_ name: String, _ message: LeaderMessage) {
        switch message {
        case .deploy(let deployment):
            say(name, .deployed(job: deployment.job, attempt: deployment.layout.attempt))
        case .cancel(let job, let attempt): say(name, .stopped(job: job, attempt: attempt))
        case .trigger(let job, let attempt, let barrier, let folder, _):
            acknowledge(name, job: job, attempt: attempt, barrier.checkpoint, folder: folder)
            if barrier.layout != nil { settle(name) }
        case .change(let deployment):
            changes.append(deployment)
            say(name, .prepared(job: deployment.job, attempt: deployment.layout.attempt))
        case .copyAhead(let job, let attempt): say(name, .copied(job: job, attempt: attempt))
        case .withdraw(let job, let attempt): say(name, .withdrawn(job: job, attempt: attempt))
        case .conclude(let job, let attempt):
            if let change = changes.last, change.layout.attempt == attempt, lastLayout(job)?.attempt != attempt { layouts.append((job, change.layout)) }
            say(name, .retired(job: job, attempt: attempt))
        case .commit(let job, let checkpoint, let commits):
            say(name, .committed(job: job, checkpoint: checkpoint, ids: commits.map(\.committable.id)))
        case .registered, .refused, .turnedAway, .heartbeat, .start, .completed, .aborted, .splits, .release, .leave: break
        }
    }

    /// Every planned change that a TaskManager was told of, once for each.
    private(set) var changes: [Deployment] = []

    /// A TaskManager is past the barrier of the newest change: its readers hand their splits back.
    mutating func settle(_ name: String) {
        guard let deployment = changes.last, let old = deployment.previous, !settled.contains("\(name) \(deployment.layout.attempt)") else { return }
        settled.insert("\(name) \(deployment.layout.attempt)")
        let change = LayoutChange(job: deployment.job, graph: (try? JobGraphBytes.decode(deployment.graph)) ?? Story.graph(), from: old, to: deployment.layout)
        for task in old.tasks(of: deployment.job) where old.slot(of: task.subtask).worker.description == name && change.movesSplits(of: task.subtask.vertex) {
            say(name, .handedBack(task, change.stays(task) ? [] : held[task.subtask] ?? [], finished: []))
        }
        say(name, .settled(job: deployment.job, attempt: deployment.layout.attempt))
        // Those who join have no barrier of their own.
        for other in Set(deployment.layout.workers).subtracting(old.workers).sorted() where obedient.contains(other.description) { settle(other.description) }
    }
    private var settled: Set<String> = []

    /// What readers hold and sinks want committed, by subtask, for the acknowledgements that follow.
    var held: [SubtaskID: [SplitState]] = [:]
    var finished: [SubtaskID: [String]] = [:]
    var committables: [SubtaskID: [String]] = [:]

    mutating func acknowledge(_ name: String, job: JobID = Story.job, attempt: UInt32, _ checkpoint: CheckpointID, folder: String) {
        guard let layout = lastLayout(job) else { return }
        let subtasks = layout.subtasks(on: WorkerID(name))
        say(
            name,
            .acknowledged(
                Acknowledgement(
                    job: job, attempt: attempt, checkpoint: checkpoint,
                    object: Manifest.StateObject(key: "\(folder)/\(name)-\(attempt)", bytes: ackBytes, checksum: 1, subtasks: subtasks),
                    tasks: subtasks.map { subtask in
                        Acknowledgement.Task(
                            share: Manifest.Subtask(
                                subtask: subtask, splits: held[subtask] ?? [], finishedSplits: finished[subtask] ?? [],
                                committables: (committables[subtask] ?? []).map { Committable(id: $0, payload: [1]) }),
                            stateBytes: 5, alignmentMilliseconds: 1, synchronousNanoseconds: 1)
                    }, uploadMilliseconds: 3)))
    }

    func lastLayout(_ job: JobID) -> Layout? { layouts.last { $0.job == job }?.layout }
    /// Of every deployment, oldest first; also of those that were forgotten.
    private(set) var layouts: [(job: JobID, layout: Layout)] = []

    mutating func answer(_ ticket: Ticket, _ store: String?, _ request: StoreRequest) { tell(.stored(ticket, perform(store, request))) }

    mutating func perform(_ store: String?, _ request: StoreRequest) -> StoreAnswer {
        // A folder of a store is a store as well.
        let parts = (store ?? "").split(separator: "/")
        let root = parts.first.map { "/\($0)" } ?? ""
        let folder = parts.dropFirst().map { "\($0)/" }.joined()
        var all = objects[root] ?? [:]
        defer { objects[root] = all }
        switch request {
        case .put(let name, let bytes, let condition):
            let key = folder + name
            switch condition {
            case .none: break
            case .ifNoneMatch: if all[key] != nil { return .conflict }
            case .ifMatch(let tag): if all[key]?.etag != tag { return .conflict }
            }
            writes += 1
            all[key] = (bytes, "e\(writes)")
            return .put(etag: "e\(writes)")
        case .get(let key): return all[folder + key].map { .got($0.bytes, etag: $0.etag) } ?? .notFound
        case .list(let prefix): return .listed(all.keys.filter { $0.hasPrefix(folder + prefix) }.map { String($0.dropFirst(folder.count)) }.sorted())
        case .delete(let keys):
            for key in keys { all[folder + key] = nil }
            return .deleted
        }
    }

    /// The oldest request that waits, taken out.
    mutating func nextAsked() -> (ticket: Ticket, store: String?, request: StoreRequest)? { asked.isEmpty ? nil : asked.removeFirst() }

    /// Answers everything that waits, and what follows, as a store that works.
    mutating func answerAll() {
        while let (ticket, store, request) = nextAsked() { answer(ticket, store, request) }
    }

    // MARK: Looking

    mutating func forget() { effects = [] }

    func sent(to name: String) -> [LeaderMessage] {
        effects.compactMap { effect in
            if case .send(let message, _, let connection) = effect, connection == connections[name] { message } else { nil }
        }
    }

    var sent: [LeaderMessage] {
        effects.compactMap { if case .send(let message, _, _) = $0 { message } else { nil } }
    }

    func reply(_ ticket: Ticket) -> ClientReply? {
        for case .reply(ticket, let reply) in effects { return reply }
        return nil
    }

    var log: String {
        effects.compactMap { if case .log(let line) = $0 { line.message } else { nil } }.joined(separator: "\n")
    }

    var phase: JobPhase.Name? { machine.phase(of: Story.job) }
    var view: JobView { machine.view(of: Story.job)! }
    var attempt: UInt32 { view.vertices[0].subtasks[0].attempt }
    var triggered: [CheckpointID] {
        sent.compactMap { if case .trigger(_, _, let barrier, _, _) = $0 { barrier.checkpoint } else { nil } }
    }
    func keys(_ store: String = "/chk") -> [String] { (objects[store] ?? [:]).keys.sorted() }

    func task(_ vertex: Int, _ index: Int = 0, attempt: UInt32? = nil) -> TaskID {
        TaskID(job: Story.job, subtask: SubtaskID(vertex: vertex, index: index), attempt: attempt ?? self.attempt)
    }

    // MARK: Jobs

    static func options(interval: Duration? = .seconds(1)) -> JobOptions {
        var options = JobOptions()
        options.checkpointInterval = interval
        options.checkpointDirectory = "/chk"
        options.savepointDirectory = "/sav"
        options.restart = .fixedDelay(attempts: 3, delay: .seconds(2))
        return options
    }

    /// A source and a sink.
    static func graph(ids: [String] = ["a", "b"]) -> JobGraph {
        let schema = Schema([])
        let source = OperatorSpec.source(SourceSpec(table: "in", options: [:], physical: schema, output: schema))
        let sink = OperatorSpec.sink(SinkSpec(table: "out", options: [:], schema: schema))
        return JobGraph(
            name: "copy",
            vertices: [
                JobVertex(id: ids[0], chain: [ChainedOperator(uid: "s", name: "Source: in", spec: source, output: schema)]),
                JobVertex(id: ids[1], chain: [ChainedOperator(uid: "t", name: "Sink: out", spec: sink, output: schema)]),
            ],
            edges: [JobEdge(source: 0, target: 1, partitioning: .rebalance, schema: schema)], maxParallelism: 8)
    }

    /// A job that runs on `workers` workers of one slot each.
    static func running(_ options: JobOptions = Story.options(), workers: Int = 1, parallelism: Int? = nil, splits: [String] = []) -> Story {
        var story = Story()
        story.splits = splits
        for index in 0..<workers { story.connect("w\(index)") }
        var options = options
        options.parallelism = parallelism ?? workers
        story.submit(options)
        precondition(story.phase == .running, "the story begins with a running job, not \(String(describing: story.phase))")
        return story
    }
}
