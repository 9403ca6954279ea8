import Dataflow
import JobControl
import SQL
import Storage
import Synchronization
import Wire

/// Runs the JobManager's brain on a thread of its own: turns its effects into links, stores, folders and replies, and brings the
/// answers back as events. Knows nothing of the protocol.
package final class JobManagerHost: Sendable {
    package enum Command: Sendable {
        case event(ClusterEvent)
        case linked(any Link, ConnectionID)
        case inspect(@Sendable (ClusterView) -> Void)
        case stop
    }

    private let mailbox = Mailbox<Command>()
    private let pool = WorkPool(name: "jm-io", threads: 4)
    /// Folders and streams of jobs may hang; what keeps other jobs alive must not wait for them.
    private let discovery = WorkPool(name: "jm-discover", threads: 4)
    private let connections = Turn()
    private let tickets = Turn()
    private let replies = Mutex<[Ticket: @Sendable (ClientReply) -> Void]>([:])
    private let stores: Stores
    private let connectors: any ConnectorRegistry
    private let log: Log
    /// The view that was made last, until something has happened since but a sign of life or figures.
    private let made = Mutex<(view: ClusterView, at: Instant)?>(nil)

    package init(options: ClusterOptions, seed: UInt64, stores: Stores, connectors: any ConnectorRegistry, log: Log) {
        self.stores = stores
        self.connectors = connectors
        self.log = log
        startThread(named: "jobmanager") { [self] in run(JobManagerMachine(options: options, seed: seed)) }
    }

    // MARK: For the process around it; callable from any thread.

    /// A TaskManager has connected. The events of its link go where this answer says.
    package func accept(_ link: any Link) -> LinkEvents {
        let connection = ConnectionID(connections.take())
        mailbox.post(.linked(link, connection))
        mailbox.post(.event(.connected(connection)))
        return LinkEvents(
            received: { [mailbox, log] bytes in
                do {
                    mailbox.post(.event(.message(try WorkerMessage.decode(bytes), from: connection)))
                } catch {
                    log(.warning, "JobManager", "A TaskManager sent a message that cannot be read, its connection is closed: \(error)")
                    link.close(reason: "unreadable message: \(error)")
                }
            },
            closed: { [mailbox] reason in mailbox.post(.event(.disconnected(connection, reason: reason))) })
    }

    package func request(_ request: ClientRequest, reply: @escaping @Sendable (ClientReply) -> Void) {
        let ticket = Ticket(tickets.take())
        replies.withLock { $0[ticket] = reply }
        guard case .savepoint(_, _, let directory?) = request else { return mailbox.post(.event(.request(ticket, request))) }
        pool.run { [self] in
            guard let error = stores.problem(writingTo: directory) else { return mailbox.post(.event(.request(ticket, request))) }
            replies.withLock { $0.removeValue(forKey: ticket) }?(.refused(error))
        }
    }

    package func request(_ request: ClientRequest) async -> ClientReply {
        await withCheckedContinuation { continuation in self.request(request) { continuation.resume(returning: $0) } }
    }

    /// What is wrong with the job's tables or settings, found without submitting it.
    package func problem(with job: CompiledJob) -> StreamError? { connectors.problem(onClusterWith: job) }

    package func inspect(_ body: @escaping @Sendable (ClusterView) -> Void) { mailbox.post(.inspect(body)) }

    package func view() async -> ClusterView {
        await withCheckedContinuation { continuation in
            inspect { [self] view in
                made.withLock { $0 = (view, SystemClock.now().instant) }
                continuation.resume(returning: view)
            }
        }
    }

    /// As `view`, but figures of tasks may be about a second older: who asks often costs the brain next to nothing. Whatever else has happened, and all
    /// that was asked for and answered, shows.
    package func recentView() async -> ClusterView {
        if let made = made.withLock({ $0 }), SystemClock.now().instant - made.at < Self.oldestFigures { return made.view }
        return await view()
    }

    /// REST's clockwork looks once a second in any case.
    private static let oldestFigures = Duration.milliseconds(1100)

    package func stop() { mailbox.post(.stop) }

    // MARK: The thread

    private func run(_ start: JobManagerMachine) {
        var machine = start
        var links: [ConnectionID: any Link] = [:]
        var wake = Instant.distantFuture
        var commands: [Command] = []
        while true {
            mailbox.take(into: &commands, sleepingUntil: wake)
            for command in commands {
                switch command {
                case .linked(let link, let connection): links[connection] = link
                case .event(let event):
                    // Before, so that the brain need not copy what the view holds; again below, when a sign of life was the occasion for more.
                    if !event.isRoutine { made.withLock { $0 = nil } }
                    let effects = machine.handle(event, at: SystemClock.now())
                    if !effects.allSatisfy(\.isRoutine) { made.withLock { $0 = nil } }
                    carryOut(effects, &links, &wake)
                    if case .disconnected(let connection, _) = event { links[connection] = nil }
                case .inspect(let body): body(machine.view)
                case .stop:
                    for link in links.values { link.close(reason: "the JobManager stops") }
                    return
                }
            }
            commands.removeAll(keepingCapacity: true)
            let now = SystemClock.now()
            if now.instant >= wake {
                wake = .distantFuture
                let effects = machine.handle(.timer, at: now)
                if !effects.allSatisfy(\.isRoutine) { made.withLock { $0 = nil } }
                carryOut(effects, &links, &wake)
            }
        }
    }

    private func carryOut(_ effects: [ClusterEffect], _ links: inout [ConnectionID: any Link], _ wake: inout Instant) {
        for effect in effects {
            switch effect {
            case .send(let message, let epoch, let connection): links[connection]?.send(message.encode(epoch: epoch))
            case .close(let connection, let reason): links[connection]?.close(reason: reason)
            case .store(let ticket, let store, let request):
                pool.run { [mailbox, stores] in mailbox.post(.event(.stored(ticket, stores.answer(request, at: store)))) }
            case .discover(let job, let vertex, let spec, let known):
                discovery.run { [mailbox, connectors] in
                    mailbox.post(.event(.discovered(job: job, vertex: vertex, discover(spec, known, connectors))))
                }
            case .giveBack(let job, let specs):
                discovery.run { [log, connectors] in
                    for spec in specs {
                        do throws(StreamError) { try connectors.source(spec).giveBack() } catch {
                            log(.warning, "JobManagerHost", "Job \(job) has ended, and source \(spec.table) could not give back what it had registered: \(error)")
                        }
                    }
                }
            case .reply(let ticket, let reply): replies.withLock { $0.removeValue(forKey: ticket) }?(reply)
            case .wake(let instant): wake = min(wake, instant)
            case .log(let line): log.write(line)
            }
        }
    }
}

extension ClusterEvent {
    /// By itself it changes nothing but figures.
    fileprivate var isRoutine: Bool {
        switch self {
        case .message(.heartbeat, _), .message(.metrics, _), .timer: true
        case .message, .connected, .disconnected, .stored, .discovered, .request: false
        }
    }
}

extension ClusterEffect {
    /// What time brings when nothing else happens.
    fileprivate var isRoutine: Bool {
        switch self {
        case .wake, .send(.heartbeat, _, _): true
        case .send, .close, .store, .discover, .giveBack, .reply, .log: false
        }
    }
}

private func discover(_ spec: SourceSpec, _ known: Set<String>, _ connectors: any ConnectorRegistry) -> Result<Discovery, StreamError> {
    do throws(StreamError) {
        let source = try connectors.source(spec)
        let (splits, isComplete) = try source.discover(known: known)
        let origin = try source.origin()
        return .success(
            Discovery(splits: splits, isComplete: isComplete, next: source.discoveryInterval, distribution: source.distribution, origin: origin))
    } catch {
        return .failure(error.during("source \(spec.table)"))
    }
}
