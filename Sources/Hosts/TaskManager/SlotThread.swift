import CKernels
import Dataflow
import TaskRuntime
import Wire

/// One slot: a thread that steps the tasks placed on it. Everything a task touches per row stays on this thread.
package final class SlotThread: Sendable {
    package enum Message: Sendable {
        case add(TaskCell)
        case command(TaskID, TaskCommand)
        /// Take off all tasks of the job with attempts up to this one, then call.
        case remove(job: JobID, attempt: UInt32, then: @Sendable () -> Void)
        /// A planned change: the routes of the channels that it opens.
        case prepare(TaskID, TaskChange, [ChannelID: Route])
        /// It is over: only these channels of the job are left.
        case keep(Set<ChannelID>, of: JobID)
        /// Take off these tasks, then call.
        case retire(Set<TaskID>, then: @Sendable () -> Void)
        case start(job: JobID, attempt: UInt32)
        case stop
    }

    private static let metricsInterval = Duration.milliseconds(500)

    package let index: Int
    private let mailbox = Mailbox<Message>()
    /// Where snapshots, ends, failures and metrics of the tasks go.
    private let notice: @Sendable (WorkerEvent) -> Void

    package init(index: Int, notice: @escaping @Sendable (WorkerEvent) -> Void) {
        self.index = index
        self.notice = notice
        startThread(named: "slot-\(index)") { [self] in run() }
    }

    package func post(_ message: Message) { mailbox.post(message) }

    /// Ends a sleep: a source of this slot has rows again.
    package func poke() { mailbox.poke() }

    private func run() {
        var cells: [TaskCell] = []
        var inbox: [Message] = []
        var nextMetrics = Instant.distantFuture
        var deadline: Instant? = .distantFuture
        while true {
            mailbox.take(into: &inbox, sleepingUntil: deadline)
            for message in inbox {
                switch message {
                case .add(let cell):
                    cells.append(cell)
                    nextMetrics = min(nextMetrics, SystemClock.instant() + SlotThread.metricsInterval)
                case .command(let task, let command):
                    // A task that is gone had an older attempt; what was on its way to it is dropped.
                    guard let cell = cells.first(where: { $0.id == task }) else { continue }
                    deliver(command, to: cell, cells)
                case .prepare(let task, let change, let routes):
                    guard let cell = cells.first(where: { $0.id == task }) else { continue }
                    cell.add(routes)
                    deliver(.prepare(change), to: cell, cells)
                case .keep(let channels, let job): for cell in cells where cell.id.job == job { cell.keep(channels) }
                case .retire(let retired, let then):
                    let removed = cells.filter { retired.contains($0.id) }
                    report(removed, at: SystemClock.instant())
                    for cell in removed { cell.task.close() }
                    cells.removeAll { retired.contains($0.id) }
                    then()
                case .start(let job, let attempt):
                    for cell in cells where cell.id.job == job && cell.id.attempt == attempt { deliver(.start, to: cell, cells) }
                case .remove(let job, let attempt, let then):
                    let removed = cells.filter { $0.id.job == job && $0.id.attempt <= attempt }
                    report(removed, at: SystemClock.instant())
                    for cell in removed { cell.task.close() }
                    cells.removeAll { $0.id.job == job && $0.id.attempt <= attempt }
                    then()
                case .stop:
                    for cell in cells { cell.task.close() }
                    return
                }
            }
            inbox.removeAll(keepingCapacity: true)
            deadline = step(cells)
            if nextMetrics != .distantFuture {
                let now = SystemClock.instant()
                if now >= nextMetrics {
                    report(cells, at: now)
                    nextMetrics = cells.isEmpty ? .distantFuture : now + SlotThread.metricsInterval
                }
                if let sleep = deadline { deadline = min(sleep, nextMetrics) }
            }
        }
    }

    /// Steps each task that may have work once. Answers until when the thread may sleep; nil: not at all.
    private func step(_ cells: [TaskCell]) -> Instant? {
        var deadline: Instant? = .distantFuture
        for cell in cells {
            let before = SystemClock.now()
            swiftwater_mark_thread(cell.mark)
            let result = cell.step(at: before)
            swiftwater_mark_thread(0)
            switch result {
            case .worked: deadline = nil
            case .idle(let wake), .backpressured(let wake):
                if let limit = deadline, let wake { deadline = min(limit, wake) }
            case .stopped: break
            }
            route(cell, cells)
        }
        // A neighbour that was stepped before may have got something since: from the cell that was stepped, or from one that answered it.
        for cell in cells where cell.gaveToNeighbour {
            cell.gaveToNeighbour = false
            deadline = nil
        }
        return deadline
    }

    private func deliver(_ command: TaskCommand, to cell: TaskCell, _ cells: [TaskCell]) {
        cell.task.handle(command, at: SystemClock.now(), into: &cell.effects)
        route(cell, cells)
    }

    private func route(_ cell: TaskCell, _ cells: [TaskCell]) {
        guard !cell.effects.isEmpty else { return }
        var effects: [TaskEffect] = []
        swap(&effects, &cell.effects)
        for effect in effects {
            switch effect {
            case .send(let channel, let sequence, let element):
                switch cell.routes[channel] {
                case .slot(let slot, let task)?:
                    hand(.element(channel, sequence: sequence, element), to: task, on: slot, from: cell, cells)
                case .peer(let link)?: link.send(DataMessage.element(channel, sequence: sequence, element).encode())
                case nil: preconditionFailure("\(cell.id) sends on \(channel), which is not its own")
                }
            case .credit(let channel, let batches):
                switch cell.routes[channel] {
                case .slot(let slot, let task)?: hand(.credit(channel, batches: batches), to: task, on: slot, from: cell, cells)
                case .peer(let link)?: link.send(DataMessage.credit(channel, batches: batches).encode())
                case nil: preconditionFailure("\(cell.id) credits \(channel), which is not its own")
                }
            case .ended:
                // Nothing is left to report later, and a short job would have reported nothing at all.
                report([cell], at: SystemClock.instant(), isLast: true)
                notice(.task(cell.id, effect))
            case .snapshot, .needsSplits, .splitFinished, .failed, .handOver, .copied, .settled: notice(.task(cell.id, effect))
            }
        }
        effects.removeAll(keepingCapacity: true)
        // The memory goes back to the cell unless a neighbour's answer has put something there already.
        if cell.effects.isEmpty { swap(&effects, &cell.effects) }
    }

    private func hand(_ command: TaskCommand, to task: TaskID, on slot: SlotThread, from cell: TaskCell, _ cells: [TaskCell]) {
        guard slot === self else { return slot.post(.command(task, command)) }
        guard let neighbour = cells.first(where: { $0.id == task }) else { return }
        cell.gaveToNeighbour = true
        neighbour.task.handle(command, at: SystemClock.now(), into: &neighbour.effects)
        route(neighbour, cells)
    }

    private func report(_ cells: [TaskCell], at now: Instant, isLast: Bool = false) {
        guard !cells.isEmpty else { return }
        notice(.metrics(cells.map { $0.metrics(at: now, isLast: isLast) }))
    }
}
