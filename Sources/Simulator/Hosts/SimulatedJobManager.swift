import Dataflow
import JobControl
import Wire

/// The JobManager's second host: carries out the effects of the very machine that the server runs, through simulated wires and stores.
final class SimulatedJobManager {
    private unowned let cluster: SimulatedCluster
    /// The process runs; of several, the newest is the one that TaskManagers find.
    private(set) var isAlive = true
    private(set) var machine: JobManagerMachine
    private(set) var clock: HostClock
    private var links: [ConnectionID: Link] = [:]
    private var workers: [ConnectionID: WorkerID] = [:]
    private(set) var lastConnection: ConnectionID = 0
    private var wakes: Set<Instant> = []
    private var lastTicket: Ticket = 0
    private var clients: [Ticket: (ClientReply) -> Void] = [:]

    private let number: Int

    init(cluster: SimulatedCluster, number: Int, machine: JobManagerMachine, clock: HostClock) {
        self.cluster = cluster
        self.number = number
        self.machine = machine
        self.clock = clock
    }

    private var name: String { "jobmanager-\(number)" }

    var now: Now { clock.now(at: cluster.time) }

    func stepWallClock(by step: Duration) { clock.stepWall(by: step) }

    // MARK: Connections

    /// A TaskManager's connection stands.
    func accept(_ make: (ConnectionID) -> Link) -> Link {
        lastConnection += 1
        let connection = lastConnection
        let link = make(connection)
        links[connection] = link
        tell(.connected(connection))
        return link
    }

    func arrived(_ bytes: [UInt8], on connection: ConnectionID) {
        let message: WorkerMessage
        do { message = try WorkerMessage.decode(bytes) } catch { return cluster.broken("Wire", "a TaskManager's message is malformed: \(error)") }
        if case .register(let registration) = message { workers[connection] = registration.worker }
        if let worker = workers[connection] { cluster.see(.leaderHeard(message, from: worker, leader: number)) }
        cluster.trace.note(cluster.time, name, "← \(workers[connection]?.description ?? "?") \(message.summary)")
        tell(.message(message, from: connection))
    }

    func lost(_ connection: ConnectionID, reason: String) {
        guard links.removeValue(forKey: connection) != nil else { return }
        tell(.disconnected(connection, reason: reason))
    }

    /// It has claimed the job's HEAD.
    func leads(_ job: JobID) -> Bool {
        switch machine.phase(of: job) {
        case nil, .created, .claiming, .suspended: false
        case .reading, .waitingForSlots, .publishingLayout, .deploying, .running, .restarting, .finishing, .ending, .ended: true
        }
    }

    // MARK: What is done to it

    /// The process ends without a word. What it had asked of the store may still happen.
    func kill() {
        isAlive = false
        for connection in links.keys.sorted() { links[connection]?.kill(.acceptor, machineGone: false) }
    }

    /// It is cut off from its TaskManagers, who look for another leader; it does not know that it is none any more.
    func cutOff(_ body: (Link) -> Void) {
        for connection in links.keys.sorted() { if let link = links[connection] { body(link) } }
    }

    // MARK: Users

    func request(_ request: ClientRequest, reply: @escaping (ClientReply) -> Void) {
        lastTicket += 1
        clients[lastTicket] = reply
        tell(.request(lastTicket, request))
    }

    // MARK: The machine

    func tell(_ event: ClusterEvent) {
        guard isAlive, !cluster.isOver else { return }
        let effects = machine.handle(event, at: now)
        if cluster.checksInvariants { machine.checkInvariants() }
        for effect in effects { carryOut(effect) }
    }

    private func carryOut(_ effect: ClusterEffect) {
        switch effect {
        case .send(let message, let epoch, let connection):
            guard let link = links[connection] else { return }
            cluster.see(.leaderSent(message, epoch: epoch, to: workers[connection]))
            cluster.trace.note(cluster.time, name, "→ \(workers[connection]?.description ?? "?") \(message.summary)")
            link.send(message.encode(epoch: epoch), from: .acceptor)
        case .close(let connection, let reason):
            if let worker = workers[connection] { cluster.see(.leaderClosed(worker, reason: reason, leader: number)) }
            links[connection]?.close(from: .acceptor, reason: reason)
            cluster.timeline.after(.milliseconds(1)) { [self] in lost(connection, reason: reason) }
        case .store(let ticket, let store, let request):
            cluster.trace.note(cluster.time, name, "store \(request.summary)")
            cluster.store.perform(request, in: store) { [self] answer in
                cluster.trace.note(cluster.time, name, "store answers \(answer.summary) to \(request.summary)")
                tell(.stored(ticket, answer))
            }
        case .discover(let job, let vertex, let spec, let known):
            cluster.discover(spec, known: known) { [self] answer in tell(.discovered(job: job, vertex: vertex, answer)) }
        case .giveBack: break
        case .reply(let ticket, let reply):
            clients.removeValue(forKey: ticket)?(reply)
        case .wake(let instant):
            wake(at: instant)
        case .log(let line):
            cluster.trace.note(cluster.time, name, "\(line.level.rawValue) \(line.logger) \(line.message)")
        }
    }

    private func wake(at instant: Instant) {
        guard instant < .distantFuture, wakes.insert(instant).inserted else { return }
        cluster.timer(at: clock.time(of: instant)) { [self] in
            wakes.remove(instant)
            tell(.timer)
        }
    }
}
