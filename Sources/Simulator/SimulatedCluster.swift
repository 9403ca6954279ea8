import Dataflow
import JobControl
import TaskRuntime
import Wire

/// A whole cluster on one thread: one JobManager, TaskManagers, their wires, their store and what lies outside, all from one seed.
///
/// The machines are the very types that the servers run; only what surrounds them is made up. A run submits one job, disturbs the
/// cluster for a while, lets it heal, and expects the job to finish with the right answer.
package final class SimulatedCluster {
    static let checkpoints = "sim://checkpoints"

    let options: RunOptions
    let timeline = Timeline()
    let tally = Tally()
    let trace: Trace
    let network: Network
    let store: SimulatedStore
    let world: ConnectorWorld
    let bucket = SimulatedBucket()
    let job: SimulatedJob
    let jobID: JobID
    let plan: DisturbancePlan
    var chance: Chance
    private(set) var taskManagers: [WorkerID: SimulatedTaskManager] = [:]
    /// All that ever were; the last one is the one that is found.
    private(set) var jobManagers: [SimulatedJobManager] = []
    var jobManager: SimulatedJobManager { jobManagers[jobManagers.count - 1] }
    /// Nil while there is none.
    var leader: SimulatedJobManager? { jobManager.isAlive ? jobManager : nil }
    fileprivate var hosts: [SimulatedTaskManager] = []
    let graph: JobGraph
    private let graphBytes: [UInt8]
    private var checkers: [(name: String, checker: any Checker)]
    private(set) var failure: BrokenPromise?
    /// HEAD says that the job has ended, and how.
    private(set) var outcome: String?
    private(set) var restartsSeen: Set<UInt32> = []
    private var changesSeen: Set<UInt32> = []
    private var changesPlanned: Set<UInt32> = []
    /// Slots without which the job cannot run, as users last wanted it.
    var leastSlots: Int
    /// Nothing disturbs any more.
    var isHealed = false
    var lastVertex: Int { graph.vertices.count - 1 }

    package init(seed: UInt64, options: RunOptions) {
        self.options = options
        var random = Chance(seed: seed)
        trace = Trace(isOn: options.traces, prints: options.printsTrace)
        network = Network(timeline: timeline, random: random.fork())
        store = SimulatedStore(timeline: timeline, tally: tally, random: random.fork())
        var jobChance = random.fork()
        var job = SimulatedJob.draw(&jobChance, kinds: options.kinds, minutes: options.minutes)
        jobID = JobID.random(using: &random)
        var planChance = random.fork()
        let until = Duration.seconds(options.minutes * 54)
        var plan = options.isDisturbed ? DisturbancePlan.draw(&planChance, until: until, isPlanned: options.isPlanned) : .none(until: until)
        world = ConnectorWorld(notesReads: plan.isPlanned && !plan.isTight)
        // A checkpoint of a change that takes too long ends in a recovery, and has a right to.
        if plan.isPlanned { job.options.checkpointTimeout = .seconds(600) }
        if plan.isTight { job.options.restart = .none }
        if plan.isPlanned { job.options.checkpointDirectory = Self.checkpoints }
        // Its HEAD is in the JobManager's memory, and what a checkpoint holds in that of the TaskManagers.
        if job.options.checkpointDirectory == nil { plan.means.removeAll { [.killJobManager, .deposeJobManager, .requestCheckpoint].contains($0.0) } }
        self.plan = plan
        self.job = job
        graph = job.graph
        graphBytes = JobGraphBytes.encode(graph)
        leastSlots = job.options.isReactive ? 1 : job.slots
        checkers = SimulatedCluster.makeCheckers(job: job, graph: graph, world: world, bucket: bucket, isPlanned: plan.isPlanned && !plan.isTight)
        chance = random.fork()
        store.conditions = plan.store
        store.watcher = { [unowned self] in changed($0) }
        bucket.watcher = { [unowned self] in
            trace.note(time, "bucket", $0.summary)
            see(.bucket($0))
        }
        startJobManager()
        for _ in 0..<options.taskManagers { startTaskManager() }
    }

    var time: Duration { timeline.time }
    var isOver: Bool { failure != nil }
    /// A machine that is broken on purpose may well break its own invariants; what counts is what others see.
    var checksInvariants: Bool { options.checksInvariants && options.fault == nil }

    // MARK: The run

    /// Answers the broken promise, or nil when the job finished with the right answer.
    package func run() -> BrokenPromise? {
        if trace.isOn { trace.note(.zero, "run", "\(job.summary); disturbed\(plan.isPlanned ? ", as planned\(plan.isTight ? " and tightly" : "")," : "") by \(plan.means.map { "\($0.0) every \($0.1)" })") }
        timeline.after(chance.duration(.zero, .seconds(3))) { [self] in submit() }
        for (strike, mean) in plan.means { scheduleStrike(strike, mean: mean, from: plan.from) }
        timeline.at(plan.until) { [self] in heal() }
        let deadline = plan.until + .seconds(options.minutes * 60) + .seconds(1_200)
        var quietAt: Duration?
        while failure == nil, timeline.step() {
            if outcome != nil, quietAt == nil { quietAt = max(time + .seconds(30), .seconds(options.minutes * 60)) }
            if let quietAt, time > quietAt { break }
            if timeline.happened > 3_000_000 { broken("Liveness", "events follow each other without end") }
            if time > deadline {
                broken("Liveness", "the job has not finished \((time - plan.until).milliseconds / 1_000) s after the cluster healed")
            }
        }
        if failure == nil { failure = verdict() }
        tally.counts.events = timeline.happened
        tally.counts.runs = 1
        tally.counts.restarts = max(0, restartsSeen.count - 1)
        countPairs()
        return failure
    }

    func submit() {
        jobManager.request(.submit(Submission(job: jobID, graph: graph, settings: [:], options: job.options))) { [self] reply in
            switch reply {
            case .submitted: break
            // A JobManager that is started anew finds a job that has ended meanwhile.
            case .refused where jobManagers.count > 1: break
            default: broken("Liveness", "the job was not taken: \(reply)")
            }
        }
    }

    private func verdict() -> BrokenPromise? {
        guard outcome == "FINISHED" else {
            return BrokenPromise(checker: "Liveness", words: "the job ended as \(outcome ?? "nothing: no event is left")", time: time)
        }
        see(.over)
        if let failure { return failure }
        let words = job.bucket == nil ? OutputChecker(job: job).judge(world.committedFiles) : OutputChecker(job: job).judge(rows: bucket.rows)
        return words.map { BrokenPromise(checker: "Output", words: $0, time: time) }
    }

    // MARK: What checkers see

    func see(_ seen: Observation) {
        guard failure == nil else { return }
        for index in checkers.indices {
            if let words = checkers[index].checker.see(seen, at: time) { return broken(checkers[index].name, words) }
        }
        switch seen {
        case .leaderSent(.deploy(let deployment), _, _): restartsSeen.insert(deployment.layout.attempt)
        case .leaderSent(.change(let deployment), _, _): if changesPlanned.insert(deployment.layout.attempt).inserted { spoil(deployment) }
        case .leaderSent(.conclude(_, let attempt), _, _): if changesSeen.insert(attempt).inserted { tally.count(.layoutChanged) }
        case .leaderHeard(.handedBack(_, let splits, _), _, _): if !splits.isEmpty { tally.count(.splitsMoved) }
        case .stateSent(let parcel): tally.count(parcel.number > 0 ? .stateMovedInPieces : .stateMoved)
        default: break
        }
    }

    func broken(_ checker: String, _ words: String) {
        guard failure == nil else { return }
        failure = BrokenPromise(checker: checker, words: words, time: time)
        trace.note(time, checker, words)
    }

    func lookAtCommits() {
        for file in world.takeNewlyCommitted() {
            tally.counts.rows += file.rows.count
            see(.committed(file))
        }
        for words in world.takeBroken() { broken("Commits", words) }
    }

    private var published: Set<CheckpointID> = []

    private func changed(_ change: SimulatedStore.Change) {
        switch change {
        case .put(let path, let bytes) where path.hasSuffix("/HEAD"):
            guard let head = StoredHead.decode(bytes) else { return broken("Head", "HEAD is no HEAD") }
            trace.note(
                time, "store",
                "HEAD \(head.sequence) names \(head.retained.map(\.checkpoint)), attempt \(head.attempt), \(head.outcome ?? "not ended")")
            for retained in head.retained where published.insert(retained.checkpoint).inserted { tally.counts.checkpoints += 1 }
            see(.head(head))
            if let ended = head.outcome { outcome = ended }
        case .put(let path, _): see(.put(path: path))
        case .deleted(let path): see(.deleted(path: path))
        }
    }

    // MARK: JobManagers

    func startJobManager() {
        var options = ClusterOptions()
        options.cancellationTimeout = .seconds(30)
        // A lease, which the simulator does not have, gives each leader an epoch of its own.
        options.leaderEpoch = LeaderEpoch(jobManagers.count + 1)
        options.faults = faults
        options.changesLayouts = true
        jobManagers.append(
            SimulatedJobManager(
                cluster: self, number: jobManagers.count + 1,
                machine: JobManagerMachine(options: options, seed: chance.next(), recordsCoverage: true), clock: HostClock(using: &chance)))
    }

    /// Decoding it again and again is slow, and shows nothing: machines do that.
    func graph(of bytes: [UInt8]) -> JobGraph? { bytes == graphBytes ? graph : try? JobGraphBytes.decode(bytes) }

    var faults: Set<SeededFault> { options.fault.map { [$0] } ?? [] }

    // MARK: TaskManagers

    @discardableResult
    func startTaskManager() -> SimulatedTaskManager {
        let id = WorkerID("tm-\(hosts.count + 1)")
        let host = SimulatedTaskManager(
            cluster: self, id: id, machine: makeWorkerMachine(id), clock: HostClock(using: &chance))
        taskManagers[id] = host
        hosts.append(host)
        timeline.after(chance.duration(.zero, .milliseconds(500))) { host.start() }
        if hosts.count > options.taskManagers { tally.count(.taskManagerStarted) }
        return host
    }

    /// The process is over; another one is started in its place after a while.
    func remove(_ host: SimulatedTaskManager, machineGone: Bool, restartAfter pause: Duration) {
        guard host.isAlive else { return }
        trace.note(time, "\(host.id)", machineGone ? "vanishes" : "is over")
        host.kill(machineGone: machineGone)
        taskManagers[host.id] = nil
        if !host.isExtra { timeline.after(pause) { [self] in _ = startTaskManager() } }
    }

    func exited(_ host: SimulatedTaskManager, reason: String) {
        trace.note(time, "\(host.id)", "exits: \(reason)")
        remove(host, machineGone: false, restartAfter: chance.duration(.seconds(1), .seconds(10)))
    }

    var living: [SimulatedTaskManager] { taskManagers.keys.sorted().compactMap { taskManagers[$0] } }

    func connectors(_ clock: HostClock, host: SimulatedTaskManager? = nil) -> SimulatedConnectors {
        SimulatedConnectors(
            inputs: Dictionary(uniqueKeysWithValues: job.inputs.map { ($0.name, $0) }), world: world, clock: clock, rollEvery: job.rollEvery,
            time: time, buckets: host.map { buckets(for: $0) }, cluster: self, host: host)
    }
}

extension SimulatedCluster {
    var taskOptions: TaskOptions {
        var options = TaskOptions(channelCapacity: job.channelCapacity, batchRows: 64)
        options.faults = faults
        return options
    }

    /// Of each TaskManager.
    var slotsEach: Int { job.options.isReactive ? 1 + job.spareSlots : (job.slots + 1) / 2 + job.spareSlots }

    private func makeWorkerMachine(_ id: WorkerID) -> WorkerMachine {
        let registration = Registration(
            worker: id, host: "10.0.0.1", dataPort: 6_122, slots: slotsEach, memoryBytes: 1 << 30, processors: 2, version: "", running: [])
        return WorkerMachine(registration: registration, options: WorkerOptions(), coverage: true)
    }

    private func countPairs() {
        for (pair, times) in jobManagers.flatMap({ $0.machine.coverage }) { tally.counts.count(pair: pair, times: times) }
        for host in hosts { for (pair, times) in host.machine.coverage { tally.counts.count(pair: pair, times: times) } }
    }
}
