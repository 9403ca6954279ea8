import Dataflow
import TaskRuntime
import Wire

/// Where the elements and credits of a channel go.
package enum Route: Sendable {
    case slot(SlotThread, TaskID)
    case peer(any Link)
}

/// A task on its slot's thread: the machine, where its channels lead, and how its time is spent.
///
/// Made on another thread, then handed over; from then on only the slot's thread touches it.
package final class TaskCell: @unchecked Sendable {
    package let id: TaskID
    /// For flame graphs.
    let mark: UInt64
    package private(set) var routes: [ChannelID: Route]
    var task: Task
    var effects: [TaskEffect] = []
    var gaveToNeighbour = false

    private enum Waiting { case idle, backpressured }
    private var waiting = Waiting.idle
    private var since: Instant
    private var busy = Duration.zero
    private var idle = Duration.zero
    private var backpressured = Duration.zero
    /// When key groups are told again: they are many, and people look at them.
    private static let keyGroupsInterval = Duration.seconds(5)
    private var keyGroupsDue = Instant.zero

    package init(task: Task, routes: [ChannelID: Route]) {
        self.id = task.plan.task
        mark = TaskMark(task.plan.task).number
        self.task = task
        self.routes = routes
        self.since = SystemClock.instant()
    }

    /// A planned change opens channels.
    func add(_ new: [ChannelID: Route]) { routes.merge(new) { old, _ in old } }

    func keep(_ channels: Set<ChannelID>) { routes = routes.filter { channels.contains($0.key) } }

    /// One step; the time up to it counts as what the step before came to.
    func step(at now: Now) -> StepResult {
        account(at: now.instant)
        let result = task.step(at: now, into: &effects)
        let end = SystemClock.instant()
        switch result {
        case .worked:
            busy += end - now.instant
            since = end
            waiting = .idle
        case .idle, .stopped: waiting = .idle
        case .backpressured: waiting = .backpressured
        }
        return result
    }

    private func account(at now: Instant) {
        switch waiting {
        case .idle: idle += now - since
        case .backpressured: backpressured += now - since
        }
        since = now
    }

    /// `isLast`: nothing may come after it.
    func metrics(at now: Instant, isLast: Bool = false) -> TaskMetrics {
        account(at: now)
        var metrics = task.metrics
        metrics.busyMilliseconds = busy.milliseconds
        metrics.idleMilliseconds = idle.milliseconds
        metrics.backpressuredMilliseconds = backpressured.milliseconds
        if now >= keyGroupsDue || isLast {
            metrics.keyGroups = task.keyGroupLoads
            keyGroupsDue = now + TaskCell.keyGroupsInterval
        }
        return metrics
    }
}
