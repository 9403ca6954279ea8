import Dataflow
import TaskRuntime

/// A task on its thread: takes commands in order, steps when it may, and every step costs time.
final class SimulatedTask {
    let id: TaskID
    let task: Task
    private let host: SimulatedTaskManager
    private var commands: [TaskCommand] = []
    private var isScheduled = false
    private var isGone = false
    private var busyUntil = Duration.zero
    private var wakes: Set<Instant> = []

    init(id: TaskID, task: Task, host: SimulatedTaskManager) {
        self.id = id
        self.task = task
        self.host = host
    }

    func tell(_ command: TaskCommand) {
        guard !isGone else { return }
        commands.append(command)
        schedule()
    }

    /// No thread runs it any more.
    func remove() {
        isGone = true
        commands = []
        task.close()
    }

    /// What a task's reader holds on to, which is made before it.
    final class Waker: @unchecked Sendable {
        weak var task: SimulatedTask?
        func wake() {
            if let task, !task.isGone { task.schedule() }
        }
    }

    /// Its thread stands still.
    func stall(until time: Duration) { busyUntil = max(busyUntil, time) }

    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        host.timer(at: busyUntil) { [self] in step() }
    }

    private func step() {
        isScheduled = false
        guard !isGone else { return }
        if busyUntil > host.time { return schedule() }
        let now = host.now
        let due = commands
        commands = []
        var effects: [TaskEffect] = []
        for command in due { task.handle(command, at: now, into: &effects) }
        let result = task.step(at: now, into: &effects)
        for read in host.cluster.world.takeReads() { host.cluster.see(.read(split: read.split, read.rows)) }
        if host.cluster.checksInvariants { task.checkInvariants() }
        busyUntil = host.time + host.cluster.stepCost(of: id)
        for effect in effects { host.carryOut(effect, of: id) }
        switch result {
        case .worked: schedule()
        case .idle(let wake?), .backpressured(let wake?): self.wake(at: wake)
        case .idle(nil), .backpressured(nil), .stopped: break
        }
        if !commands.isEmpty { schedule() }
    }

    private func wake(at instant: Instant) {
        guard instant < .distantFuture, wakes.insert(instant).inserted else { return }
        host.timer(at: instant) { [self] in
            wakes.remove(instant)
            if !isGone { schedule() }
        }
    }
}
