import Dataflow

/// A planned change of a job's layout, from the plan to its end (docs/protocols.md 6).
package struct PlannedLayout: Sendable {
    package enum Step: Hashable, Sendable {
        /// HEAD does not hold the plan yet.
        case publishing(change: Int)
        /// TaskManagers make the tasks that begin and open the new channels.
        case preparing(waiting: Set<WorkerID>)
        /// State that leaves its owner is copied to the next one; what changes meanwhile follows at the barrier.
        case copying(waiting: Set<WorkerID>)
        /// Its barrier comes next.
        case ready
        /// The barrier runs. From here on the change comes to its end, or the job recovers.
        case running(CheckpointID)

        /// TaskManagers that have not yet done what comes before the barrier.
        var waiting: Set<WorkerID>? {
            switch self {
            case .preparing(let waiting), .copying(let waiting): waiting
            case .publishing, .ready, .running: nil
            }
        }
    }

    package let plan: LayoutChange
    package let reason: String
    package var step: Step
    /// TaskManagers on which it does not hold yet.
    package var unsettled: Set<WorkerID>
    /// Source tasks that have not said which splits they leave, by vertex.
    package var unheard: [Int: Set<TaskID>] = [:]
    /// Source vertices whose readers have been told their splits.
    package var resumed: Set<Int> = []
    /// HEAD names the checkpoint.
    package var isDurable = false
    /// Tasks that it begins and that have ended already.
    package var ended: Set<SubtaskID> = []
    /// There was time for it when it was planned, and for a checkpoint of those who leave after it.
    package var hasTime = false
    /// TaskManagers that could not write their part of its checkpoint: how often, and when they are to try again.
    package var rewrites: [WorkerID: (tries: Int, due: Instant?)] = [:]
    package let since: Instant
    /// When its barrier went out.
    package var injected: Instant?

    package init(plan: LayoutChange, reason: String, change: Int, at now: Instant) {
        self.plan = plan
        self.reason = reason
        step = .publishing(change: change)
        unsettled = Set(plan.old.workers + plan.new.workers)
        since = now
    }

    package var next: Layout { plan.new }

    /// TaskManagers that take part, sorted.
    package var workers: [WorkerID] { Set(plan.old.workers + plan.new.workers).sorted() }

    /// TaskManagers that had no task of the job before, sorted.
    package var joiners: [WorkerID] { Set(plan.new.workers).subtracting(plan.old.workers).sorted() }

    /// Its barrier may be on its way.
    package var isRunning: Bool {
        if case .running = step { return true }
        return false
    }

    /// Whether it would put something there.
    package func places(on worker: WorkerID) -> Bool { plan.new.workers.contains(worker) }

    /// On every TaskManager, and every reader knows its splits.
    package var holdsEverywhere: Bool { isRunning && unsettled.isEmpty && unheard.isEmpty }

    package var isOver: Bool { holdsEverywhere && isDurable }
}
