import Dataflow
import Wire

/// Where a job stands. Each state carries what only it needs.
package enum JobPhase: Sendable {
    /// Nothing was asked yet.
    case created
    /// A manifest is being read: the one that HEAD names, or before the claim the one that the user named.
    case reading(Reading)
    /// HEAD is being claimed.
    case claiming
    case waitingForSlots(since: Instant)
    /// Slots are held; HEAD does not say so yet.
    case publishingLayout(Layout, change: Int)
    /// TaskManagers make their tasks.
    case deploying(Layout, waiting: Set<WorkerID>)
    case running(Layout, ended: Set<SubtaskID>)
    /// Tasks of the old attempt are being ended; the pause of the restart strategy runs.
    case restarting(waiting: Set<WorkerID>, since: Instant, notBefore: Instant)
    /// The last checkpoint stands in HEAD; its committables are being carried out.
    case finishing(Layout)
    case ending(Ending)
    case ended(Outcome)
    /// Another leader has the job.
    case suspended

    package struct Reading: Sendable {
        /// Nil: the path that the user named.
        var retained: Head.Retained?
        var ticket: Ticket?
        var retryAt: Instant?
        var tries = 0
        var backoff = Backoff(first: .milliseconds(100), maximum: .seconds(10))
    }

    package enum Outcome: String, Hashable, Sendable {
        case finished = "FINISHED", failed = "FAILED", cancelled = "CANCELED"
    }

    package struct Ending: Sendable {
        var outcome: Outcome
        /// TaskManagers that still end tasks.
        var waiting: Set<WorkerID>
        var since: Instant
        /// TaskManagers that can still carry out commits.
        var committers: Set<WorkerID>
        /// How long commits may still take once the tasks are gone.
        var commitsUntil: Instant?
        /// The change of HEAD that says so.
        var change: Int?
    }

    package enum Name: String, CaseIterable, Sendable {
        case created, reading, claiming, waitingForSlots, publishingLayout, deploying, running, restarting, finishing, ending, ended, suspended
    }

    package var name: Name {
        switch self {
        case .created: .created
        case .reading: .reading
        case .claiming: .claiming
        case .waitingForSlots: .waitingForSlots
        case .publishingLayout: .publishingLayout
        case .deploying: .deploying
        case .running: .running
        case .restarting: .restarting
        case .finishing: .finishing
        case .ending: .ending
        case .ended: .ended
        case .suspended: .suspended
        }
    }

    /// The layout whose tasks may exist.
    var layout: Layout? {
        switch self {
        case .deploying(let layout, _), .running(let layout, _), .finishing(let layout): layout
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .restarting, .ending, .ended, .suspended: nil
        }
    }

    var isOver: Bool {
        switch self {
        case .ended, .suspended: true
        case .created, .reading, .claiming, .waitingForSlots, .publishingLayout, .deploying, .running, .restarting, .finishing, .ending: false
        }
    }
}

/// What a job is told.
package enum JobEvent: Sendable {
    case begin
    case stored(Ticket, StoreAnswer)
    /// There may be more free slots than before.
    case slotsChanged
    /// `isAnnounced`: it had said that it goes.
    case workerLost(WorkerID, reason: String, isAnnounced: Bool)
    case workerLeaving(WorkerID)
    case deployed(WorkerID, attempt: UInt32)
    case stopped(WorkerID, attempt: UInt32)
    case taskEnded(TaskID)
    case taskFailed(TaskID, StreamError, WorkerID)
    case needsSplits(TaskID)
    case splitFinished(TaskID, split: String)
    case discovered(vertex: Int, Result<Discovery, StreamError>)
    case acknowledged(Acknowledgement, WorkerID)
    case declined(WorkerID, attempt: UInt32, CheckpointID, reason: String)
    case committed([String])
    case commitFailed(CheckpointID, StreamError)
    case metrics(TaskMetrics)
    /// Of a planned change of the layout.
    case prepared(WorkerID, attempt: UInt32)
    case copied(WorkerID, attempt: UInt32)
    case handedBack(TaskID, [SplitState], finished: [String])
    case settled(WorkerID, attempt: UInt32)
    case retired(WorkerID, attempt: UInt32)
    case cannotChange(WorkerID, attempt: UInt32, StreamError)
    case withdrawn(WorkerID, attempt: UInt32)
    /// What vertices may have of subtasks, by vertex.
    case requirements(Ticket, [Int: ClosedRange<Int>])
    case cancel(Ticket)
    case checkpoint(Ticket, CheckpointKind, directory: String?)
    case timer

    package enum Name: String, CaseIterable, Sendable {
        case begin, stored, slotsChanged, workerLost, workerLeaving, deployed, stopped, taskEnded, taskFailed, needsSplits, splitFinished
        case discovered, acknowledged, declined, committed, commitFailed, metrics, cancel, checkpoint, timer
        case prepared, copied, handedBack, settled, retired, requirements, cannotChange, withdrawn
    }

    package var name: Name {
        switch self {
        case .begin: .begin
        case .stored: .stored
        case .slotsChanged: .slotsChanged
        case .workerLost: .workerLost
        case .workerLeaving: .workerLeaving
        case .deployed: .deployed
        case .stopped: .stopped
        case .taskEnded: .taskEnded
        case .taskFailed: .taskFailed
        case .needsSplits: .needsSplits
        case .splitFinished: .splitFinished
        case .discovered: .discovered
        case .acknowledged: .acknowledged
        case .declined: .declined
        case .committed: .committed
        case .commitFailed: .commitFailed
        case .metrics: .metrics
        case .prepared: .prepared
        case .copied: .copied
        case .handedBack: .handedBack
        case .settled: .settled
        case .retired: .retired
        case .cannotChange: .cannotChange
        case .withdrawn: .withdrawn
        case .requirements: .requirements
        case .cancel: .cancel
        case .checkpoint: .checkpoint
        case .timer: .timer
        }
    }
}
