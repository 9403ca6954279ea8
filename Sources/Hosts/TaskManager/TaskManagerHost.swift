import Dataflow
import JobControl
import Settings
import Storage
import Synchronization
import TaskRuntime
import Wire

/// Runs the TaskManager's brain on a thread of its own, with a thread a slot for the tasks and a few for what waits.
package final class TaskManagerHost: Sendable {
    private enum Command: Sendable {
        case event(WorkerEvent)
        /// The link of this number says or is something.
        case linked(any Link, Int)
        case refused(Int, String)
        case heard([UInt8], Int)
        case ended(Int, String)
        /// For people: nothing is decided by it.
        case tell(WorkerMessage)
    }

    /// Makes a link to the JobManager, on any thread; nil and the reason when it cannot be had.
    package typealias LeaderConnector = @Sendable (LinkEvents) -> Result<any Link, StreamError>

    private let mailbox = Mailbox<Command>()
    private let pool = WorkPool(name: "tm-io", threads: 4)
    /// Of its own: storage in trouble must not keep tasks from being made. Few, since small files that are merged take memory.
    private let commits = WorkPool(name: "tm-commit", threads: 2)
    /// Snapshots are made into bytes and written with what rows, and state on its way to another task, leave of the processors.
    private let uploads = WorkPool(name: "tm-upload", threads: 2, niceness: 10)
    /// Tasks stand still for state that is on its way: it does not stand in line behind uploads.
    private let handingOver = WorkPool(name: "tm-handover", threads: 2)
    /// The way back to the JobManager waits for nothing else.
    private let connecting = WorkPool(name: "tm-connect", threads: 1)
    private let slots: [SlotThread]
    private let channels: ChannelTable
    private let network: DataNetwork?
    private let workshop: TaskWorkshop
    private let backup: LocalBackup?
    private let connectLeader: LeaderConnector
    private let log: Log
    private let onExit: @Sendable (Int32, String) -> Void
    /// What the tasks here did, for scrapes.
    package let figures: TaskFigures

    package init(
        registration: Registration, options: WorkerOptions, memoryLimit: Int, stores: Stores, backup: LocalBackup? = nil,
        connectors: any ConnectorRegistry, network: DataNetwork?, connectLeader: @escaping LeaderConnector, log: Log, onExit: @escaping @Sendable (Int32, String) -> Void
    ) {
        figures = TaskFigures(worker: registration.worker, host: registration.host, memoryBytes: registration.memoryBytes)
        self.connectLeader = connectLeader
        self.backup = backup
        self.log = log
        self.onExit = onExit
        let mailbox = self.mailbox
        let notice: @Sendable (WorkerEvent) -> Void = { mailbox.post(.event($0)) }
        slots = (0..<registration.slots).map { SlotThread(index: $0, notice: notice) }
        self.network = network
        channels = network?.channels ?? ChannelTable()
        let budget = MemoryBudget(processSize: memoryLimit, slots: registration.slots)
        workshop = TaskWorkshop(
            worker: registration.worker, slots: slots, channels: channels, network: network, stores: stores, backup: backup, connectors: connectors,
            budget: budget, log: log)
        guardMemory(limit: memoryLimit, budget: budget)
        network?.onLost { purpose, reason in notice(.peerLost(purpose.peer, of: purpose.job, attempt: purpose.attempt, reason: reason)) }
        startThread(named: "taskmanager") { [self] in run(WorkerMachine(registration: registration, options: options)) }
    }

    /// This TaskManager is about to go: its tasks move to others at a barrier, then the process ends (`ends`; otherwise it stays, empty).
    /// It is over after `within` in any case. Callable from any thread, and again: the shortest time counts.
    package func leave(reason: String, within: Duration, ends: Bool = true) {
        mailbox.post(.event(.leave(Leave(reason: reason, milliseconds: within.milliseconds, ends: ends))))
    }

    private func run(_ start: WorkerMachine) {
        var machine = start
        var leader = NewestLink()
        var wake = Instant.zero
        var commands: [Command] = []
        while true {
            mailbox.take(into: &commands, sleepingUntil: wake)
            for command in commands {
                switch command {
                case .linked(let link, let number): tell(&machine, leader.made(link, number), &leader, &wake)
                case .refused(let number, let reason): tell(&machine, leader.failed(number, reason), &leader, &wake)
                case .ended(let number, let reason): tell(&machine, leader.ended(number, reason), &leader, &wake)
                case .heard(let bytes, let number): if leader.hears(number) { tell(&machine, read(bytes), &leader, &wake) }
                case .event(.task(let task, .handOver(let operators, let departure, let layout, let isAhead))):
                    handingOver.run { [workshop, mailbox] in
                        do throws(StreamError) {
                            let bytes = try workshop.handOver(operators, departure, layout, isAhead: isAhead, from: task)
                            if bytes > 0 { mailbox.post(.tell(.moved(job: task.job, layout: layout, bytes: Int64(bytes), isAhead: isAhead))) }
                        } catch {
                            mailbox.post(.event(.notHandedOver(task, layout, error)))
                        }
                    }
                case .tell(let message): leader.send(message.encode())
                case .event(let event): tell(&machine, event, &leader, &wake)
                }
            }
            commands.removeAll(keepingCapacity: true)
            let now = SystemClock.now()
            if now.instant >= wake {
                wake = .distantFuture
                carryOut(machine.handle(.timer, at: now), &leader, &wake)
            }
        }
    }

    private func tell(_ machine: inout WorkerMachine, _ event: WorkerEvent?, _ leader: inout NewestLink, _ wake: inout Instant) {
        if let event { carryOut(machine.handle(event, at: SystemClock.now()), &leader, &wake) }
    }

    private func read(_ bytes: [UInt8]) -> WorkerEvent? {
        do {
            let (epoch, message) = try LeaderMessage.decode(bytes)
            return .message(message, epoch: epoch)
        } catch {
            log(.error, "TaskManager", "The JobManager sent a message that cannot be read: \(error)")
            return nil
        }
    }

    private func carryOut(_ effects: [WorkerEffect], _ leader: inout NewestLink, _ wake: inout Instant) {
        let notice: @Sendable (WorkerEvent) -> Void = { [mailbox] in mailbox.post(.event($0)) }
        for effect in effects {
            switch effect {
            case .connect: connect(number: leader.ask())
            case .disconnect(let reason): leader.close(reason: reason)
            case .send(.metrics(let metrics)):
                let all = figures.noted(metrics)
                leader.send(WorkerMessage.metrics(all).encode())
            case .send(let message): leader.send(message.encode())
            case .make(let deployment):
                pool.run { [workshop, figures] in
                    if let graph = try? JobGraphBytes.decode(deployment.graph) { figures.deployed(deployment.job, graph) }
                    let error = workshop.make(deployment)
                    notice(.made(job: deployment.job, attempt: deployment.layout.attempt, error))
                }
            case .prepare(let deployment):
                workshop.willPrepare(deployment)
                pool.run { [workshop, figures] in
                    if let graph = try? JobGraphBytes.decode(deployment.graph) { figures.deployed(deployment.job, graph) }
                    let error = workshop.prepare(deployment)
                    notice(.prepared(job: deployment.job, attempt: deployment.layout.attempt, error))
                }
            case .keep(let job, let peers):
                // Before the next change is prepared: it would go on with what is closed here.
                network?.close(job: job, except: Set(peers))
                workshop.keep(job)
            case .retire(let job, let attempt, let retired): retire(Set(retired), then: { notice(.retired(job: job, attempt: attempt)) })
            case .start(let job, let attempt): for slot in slots { slot.post(.start(job: job, attempt: attempt)) }
            case .remove(let job, let attempt):
                figures.removed(job, attemptsUpTo: attempt)
                workshop.remove(job, attemptsUpTo: attempt)
                remove(job, attempt, then: { notice(.removed(job: job, attempt: attempt)) })
            case .command(let task, let command): workshop.slot(of: task)?.post(.command(task, command))
            case .upload(let job, let attempt, let checkpoint, let folder, let store, let snapshots):
                uploads.run { [workshop, figures] in
                    workshop.upload(job: job, attempt: attempt, checkpoint, folder: folder, store: store, snapshots) {
                        if case .success(let upload) = $0 { figures.wrote(job, upload.groups) }
                        notice(.uploaded(job: job, attempt: attempt, checkpoint: checkpoint, $0))
                    }
                }
            case .subsume(let job, let checkpoint):
                pool.run { [backup, workshop] in
                    backup?.drop(job, before: checkpoint)
                    workshop.dropWritten(job, before: checkpoint)
                }
            case .commit(let job, let checkpoint, let pending):
                commits.run { [workshop] in
                    let (ids, error) = workshop.commit(job: job, pending)
                    notice(.committed(job: job, checkpoint: checkpoint, ids: ids, error))
                }
            case .forget(let job):
                workshop.forget(job)
                pool.run { [backup] in backup?.drop(job) }
                network?.close(job: job, attemptsUpTo: .max)
            case .wake(let instant): wake = min(wake, instant)
            case .log(let level, let logger, let message): log(LogLine.Level(rawValue: level) ?? .info, logger, message)
            case .exit(let code, let reason):
                // Its last words tell that it leaves, and is not lost.
                leader.flush(within: .seconds(1))
                onExit(code, reason)
            }
        }
    }

    private func connect(number: Int) {
        connecting.run { [self] in
            let result = connectLeader(
                LinkEvents(
                    received: { [mailbox] bytes in mailbox.post(.heard(bytes, number)) },
                    closed: { [mailbox] reason in mailbox.post(.ended(number, reason)) }))
            switch result {
            case .success(let link): mailbox.post(.linked(link, number))
            case .failure(let error): mailbox.post(.refused(number, error.message))
            }
        }
    }

    private func retire(_ retired: Set<TaskID>, then: @escaping @Sendable () -> Void) {
        channels.remove(retired)
        let left = Countdown(slots.count, then: { [workshop, figures] in
            workshop.retired(retired)
            figures.retired(retired)
            then()
        })
        for slot in slots { slot.post(.retire(retired, then: { left.down() })) }
    }

    /// Takes tasks off all slots, then calls once.
    private func remove(_ job: JobID, _ attempt: UInt32, then: @escaping @Sendable () -> Void) {
        channels.remove(job: job, attemptsUpTo: attempt)
        let left = Countdown(slots.count, then: { [workshop, network] in
            workshop.removed(job: job, attempt: attempt)
            // Also what a dropped change had opened: the next attempt's are opened when this is done.
            network?.close(job: job, attemptsUpTo: .max)
            then()
        })
        for slot in slots { slot.post(.remove(job: job, attempt: attempt, then: { left.down() })) }
    }
}
