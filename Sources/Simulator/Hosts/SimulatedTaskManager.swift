import Dataflow
import TaskRuntime
import Wire

/// A TaskManager's second host: carries out the effects of the very machine and tasks that the server runs.
final class SimulatedTaskManager {
    unowned let cluster: SimulatedCluster
    let id: WorkerID
    private(set) var machine: WorkerMachine
    private(set) var clock: HostClock
    /// The process runs. After a crash nothing that was on its way arrives.
    private(set) var isAlive = true
    /// None is started in its place when it is over.
    var isExtra = false
    /// It has been told to leave, or that it should.
    var isLeaving = false
    var isRecommended = false
    /// It reaches others, but the address that it tells them is wrong.
    var isUnreachable = false
    private var pausedUntil = Duration.zero
    private var control: Link?
    /// Attempts to connect fail until then.
    private var unreachableUntil = Duration.zero
    private var wakes: Set<Instant> = []
    var tasks: [TaskID: SimulatedTask] = [:]
    /// Tasks of deployments, made and not removed, in order.
    var deployments: [DeployedAttempt] = []
    var graphs: [JobID: JobGraph] = [:]
    /// Where the tasks are to which a planned change sends state.
    var places: [TaskID: WorkerID] = [:]
    /// Connections that this process opened to others, and those that others opened to it.
    var peers: [WorkerID: Link] = [:]
    var accepted: [Link] = []
    /// Where the channels into and out of the tasks here lead.
    var incoming: [ChannelID: Route] = [:]
    var outgoing: [ChannelID: Route] = [:]

    init(cluster: SimulatedCluster, id: WorkerID, machine: WorkerMachine, clock: HostClock) {
        self.cluster = cluster
        self.id = id
        self.machine = machine
        self.clock = clock
    }

    func start() {
        tell(.timer)
        measure()
    }

    private func measure() {
        after(cluster.chance.duration(.seconds(5), .seconds(30))) { [self] in
            tell(.metrics(tasks.keys.sorted().compactMap { tasks[$0]?.task.metrics }))
            measure()
        }
    }

    var time: Duration { cluster.time }
    var now: Now { clock.now(at: cluster.time) }
    var isPaused: Bool { pausedUntil > cluster.time }

    func stepWallClock(by step: Duration) { clock.stepWall(by: step) }

    // MARK: The machine

    func tell(_ event: WorkerEvent) {
        guard isAlive, !cluster.isOver else { return }
        let effects = machine.handle(event, at: now)
        if cluster.checksInvariants { machine.checkInvariants() }
        for effect in effects where isAlive { carryOut(effect) }
    }

    /// Lets something happen in this process: not after its end, and not while it stands still.
    func inside(_ action: @escaping () -> Void) {
        guard isAlive, !cluster.isOver else { return }
        if pausedUntil > cluster.time {
            cluster.timeline.at(pausedUntil) { [self] in inside(action) }
        } else {
            action()
        }
    }

    func after(_ delay: Duration, _ action: @escaping () -> Void) { cluster.timeline.after(delay) { [self] in inside(action) } }

    func timer(at instant: Instant, _ action: @escaping () -> Void) { timer(at: clock.time(of: instant), action) }

    func timer(at time: Duration, _ action: @escaping () -> Void) { cluster.timeline.at(time) { [self] in inside(action) } }

    func carryOut(_ effect: WorkerEffect) {
        switch effect {
        case .connect: connect()
        case .disconnect(let reason):
            control?.close(from: .opener, reason: reason)
            let old = links
            let most: Duration = cluster.chance.chance(0.3) ? .seconds(3) : .milliseconds(100)
            after(cluster.chance.duration(.zero, most)) { [self] in ended(old, reason) }
        case .send(let message):
            cluster.trace.note(time, "\(id)", "→ jobmanager \(message.summary)")
            control?.send(message.encode(), from: .opener)
        case .make(let deployment): make(deployment)
        case .prepare(let deployment): prepare(deployment)
        case .subsume: break  // It keeps no copies.
        case .keep: break  // One connection for all jobs, as long as both live.
        case .retire(let job, let attempt, let retired): retire(job, attempt, retired)
        case .start(let job, let attempt): command(.start, of: job, attempt)
        case .remove(let job, let attempt): remove(job, attempt: attempt)
        case .command(let task, let command): tasks[task]?.tell(command)
        case .upload(let job, let attempt, let checkpoint, let folder, let store, let snapshots):
            upload(job, attempt, checkpoint, folder: folder, store: store, snapshots)
        case .commit(let job, let checkpoint, let commits): commit(job, checkpoint, commits)
        case .forget(let job): graphs[job] = nil
        case .wake(let instant):
            guard instant < .distantFuture, wakes.insert(instant).inserted else { return }
            cluster.timer(at: clock.time(of: instant)) { [self] in
                inside { [self] in
                    wakes.remove(instant)
                    tell(.timer)
                }
            }
        case .log(let level, let logger, let message):
            cluster.trace.note(time, "\(id)", "\(level) \(logger) \(message)")
        case .exit(_, let reason):
            cluster.exited(self, reason: reason)
        }
    }

    // MARK: The connection to the JobManager

    private func connect() {
        let (delay, refusal) = cluster.connectOutcome(unreachable: unreachableUntil > time)
        after(delay) { [self] in
            if let refusal { return tell(.disconnected(reason: refusal)) }
            control?.close(from: .opener, reason: "replaced")
            control = nil
            guard let leader = cluster.leader else { return tell(.disconnected(reason: "connection refused")) }
            links += 1
            let number = links
            control = leader.accept { [self] connection in
                Link(network: cluster.network) { [unowned self, unowned leader] end, bytes in
                    switch end {
                    case .opener: inside { [self] in arrived(bytes, number) }
                    case .acceptor: leader.arrived(bytes, on: connection)
                    }
                } ended: { [unowned self, unowned leader] _, end, reason in
                    switch end {
                    case .opener: inside { [self] in ended(number, reason) }
                    case .acceptor: leader.lost(connection, reason: reason)
                    }
                }
            }
            tell(.connected)
        }
    }

    /// Connections made so far: what an older one says is not heard.
    private var links = 0

    private func arrived(_ bytes: [UInt8], _ number: Int) {
        guard number == links, control != nil else { return }
        do {
            let (epoch, message) = try LeaderMessage.decode(bytes)
            cluster.see(.workerHeard(message, epoch: epoch, id))
            tell(.message(message, epoch: epoch))
        } catch { cluster.broken("Wire", "a JobManager's message is malformed: \(error)") }
    }

    private func ended(_ number: Int, _ reason: String) {
        guard number == links, control != nil else { return }
        control = nil
        tell(.disconnected(reason: reason))
    }

    // MARK: What is done to it

    /// The process ends without a word; what it held in memory is gone.
    func kill(machineGone: Bool) {
        guard isAlive else { return }
        isAlive = false
        control?.kill(.opener, machineGone: machineGone)
        for peer in peers.keys.sorted() { peers[peer]?.kill(.opener, machineGone: machineGone) }
        for link in accepted { link.kill(.acceptor, machineGone: machineGone) }
        for task in tasks.keys.sorted() { cluster.see(.taskGone(task, on: id)) }
        tasks = [:]
        deployments = []
        incoming = [:]
        outgoing = [:]
    }

    func pause(for length: Duration) {
        guard !isPaused else { return }
        pausedUntil = time + length
    }

    func stallTask(for length: Duration, choose: ([TaskID]) -> TaskID) {
        guard !tasks.isEmpty else { return }
        tasks[choose(tasks.keys.sorted())]?.stall(until: time + length)
    }

    /// Breaks, silences or holds the control connection.
    func disturbControl(_ body: (Link) -> Void) {
        if let control { body(control) }
    }

    func cutOff(until time: Duration) {
        unreachableUntil = max(unreachableUntil, time)
        control?.hold(until: time)
    }
}
