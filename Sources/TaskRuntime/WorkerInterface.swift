import Dataflow
import Wire

/// What the TaskManager's brain is told.
package enum WorkerEvent: Sendable {
    /// The link to the JobManager stands, or broke, or could not be made.
    case connected
    case disconnected(reason: String)
    case message(LeaderMessage, epoch: LeaderEpoch)
    /// From a task of this process: `snapshot`, `needsSplits`, `ended` or `failed`.
    case task(TaskID, TaskEffect)
    /// The answer to `make`: the tasks stand, restored and reachable, or why not.
    case made(job: JobID, attempt: UInt32, StreamError?)
    /// The answer to `remove`: no thread runs these tasks any more.
    case removed(job: JobID, attempt: UInt32)
    /// The answer to `prepare`: the tasks that a planned change begins stand and wait for their state, those that stay are told; or why not.
    case prepared(job: JobID, attempt: UInt32, StreamError?)
    /// State that a task owes with the change to this layout cannot be sent.
    case notHandedOver(TaskID, LayoutEpoch, StreamError)
    /// The answer to `retire`.
    case retired(job: JobID, attempt: UInt32)
    /// A data connection to or from another TaskManager broke: that of one attempt, or, without a job, all of them.
    case peerLost(WorkerID, of: JobID? = nil, attempt: UInt32 = 0, reason: String)
    /// The answer to `upload`.
    case uploaded(job: JobID, attempt: UInt32, checkpoint: CheckpointID, Result<Upload, StreamError>)
    /// The answer to `commit`.
    case committed(job: JobID, checkpoint: CheckpointID, ids: [String], StreamError?)
    case metrics([TaskMetrics])
    case timer
    /// SIGTERM, a notice of the cloud, or a user: this TaskManager is to be emptied.
    case leave(Leave)
}

package struct Upload: Hashable, Sendable {
    /// Nil when there was no state to write.
    package var object: Manifest.StateObject?
    /// State bytes of each task.
    package var bytes: [SubtaskID: Int64]
    /// State bytes of each task by key group.
    package var groups: [SubtaskID: [Int: Int64]]
    /// What sinks must commit once the checkpoint is complete, of tasks that have any.
    package var committables: [SubtaskID: [Committable]]
    package var milliseconds: Int64

    package init(
        object: Manifest.StateObject?, bytes: [SubtaskID: Int64], groups: [SubtaskID: [Int: Int64]] = [:],
        committables: [SubtaskID: [Committable]] = [:], milliseconds: Int64
    ) {
        self.object = object
        self.bytes = bytes
        self.groups = groups
        self.committables = committables
        self.milliseconds = milliseconds
    }
}

/// What the TaskManager's host carries out.
package enum WorkerEffect: Sendable {
    /// Connect to the JobManager now (it is looked up anew each time), answer `connected` or `disconnected`.
    case connect
    case disconnect(reason: String)
    case send(WorkerMessage)
    /// Build the tasks of a deployment: fetch and check their state, make operators, readers and writers, register channels, open
    /// connections to peers. Answer `made`.
    case make(Deployment)
    case start(job: JobID, attempt: UInt32)
    /// A planned change: build the tasks that begin here, open connections to all peers, register the new channels, tell the tasks that
    /// stay or retire (`TaskCommand.prepare`), and let the new ones run. Answer `prepared`.
    case prepare(Deployment)
    /// Take these tasks off their threads: a planned change has retired them. Answer `retired`.
    case retire(job: JobID, attempt: UInt32, [TaskID])
    /// A planned change is over, these TaskManagers have the job now: connections to others are closed, channels to them forgotten.
    case keep(job: JobID, peers: [WorkerID])
    /// Take all tasks of the job with attempts up to this one off their threads; answer `removed`.
    case remove(job: JobID, attempt: UInt32)
    case command(TaskID, TaskCommand)
    /// Finish these snapshots (`TaskSnapshot.finished`) and write one object with them to the job's store under `folder`; answer `uploaded`.
    case upload(job: JobID, attempt: UInt32, checkpoint: CheckpointID, folder: String, store: String?, [TaskSnapshot])
    case commit(job: JobID, checkpoint: CheckpointID, [Manifest.PendingCommit])
    /// The checkpoint is complete: nobody restores from earlier ones.
    case subsume(JobID, by: CheckpointID)
    /// Nothing of the job is needed any more.
    case forget(JobID)
    case wake(at: Instant)
    case log(level: String, logger: String, message: String)
    /// The process should end.
    case exit(code: Int32, reason: String)
}

package struct WorkerOptions: Hashable, Sendable {
    /// Pauses between attempts to connect grow from the first to the second.
    package var reconnectPause = Duration.milliseconds(100)
    package var reconnectMaximumPause = Duration.seconds(5)
    /// After so long without a JobManager the process ends (`taskmanager.registration.timeout`).
    package var registrationTimeout = Duration.seconds(300)
    /// After so long without a word from the JobManager, or twice its heartbeat interval if that is longer, nothing is committed any more. The link is
    /// made anew after the JobManager's own timeout.
    package var leaderSilence = Duration.seconds(2)
    package init() {}
}
