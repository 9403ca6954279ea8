import Columnar
import Dataflow

/// What the JobManager tells a TaskManager. One connection carries them in order: an assignment of splits that was sent before a
/// trigger arrives before it.
///
/// Bytes: `kind: u8 | leader epoch: u64 | body`. A TaskManager refuses messages of an older epoch than the greatest it has seen.
package enum LeaderMessage: Hashable, Sendable {
    /// Answer to `register`. The TaskManager beats every `heartbeatMilliseconds`.
    case registered(heartbeatMilliseconds: Int64, timeoutMilliseconds: Int64)
    /// The registration is not taken; says why. The TaskManager exits.
    case refused(reason: String)
    /// The registration is not taken now; says why, and the connection ends. The TaskManager tries again.
    case turnedAway(reason: String)
    case heartbeat(sequence: UInt64)
    /// Make these tasks: restore their state, register their channels, answer `deployed`. They do not run before `start`.
    case deploy(Deployment)
    /// Every TaskManager has answered `deployed`: go.
    case start(job: JobID, attempt: UInt32)
    /// A planned change: make those of its tasks that are new here, and open the new channels of those that stay; answer `prepared`. The
    /// layout takes effect at the barrier that names its epoch; then answer `settled`.
    case change(Deployment)
    /// Everybody has prepared that change: send state that leaves with it ahead; answer `copied` when what comes here is taken in.
    case copyAhead(job: JobID, attempt: UInt32)
    /// The change to this attempt is dropped, and its barrier comes nowhere: take off the tasks that it began, forget the channels that it opened
    /// and what was copied for it; answer `withdrawn`.
    case withdraw(job: JobID, attempt: UInt32)
    /// The change to this attempt is over everywhere: take its retired tasks off their threads, answer `retired`.
    case conclude(job: JobID, attempt: UInt32)
    /// End all tasks of the job whose attempt is at most this one, answer `stopped`.
    case cancel(job: JobID, attempt: UInt32)
    /// Inject the barrier into the job's sources on this TaskManager, and expect snapshots of all its tasks there.
    /// Their object goes into `folder` of `store` (nil: the job's own directory).
    case trigger(job: JobID, attempt: UInt32, Barrier, folder: String, store: String?)
    /// HEAD names the checkpoint.
    case completed(job: JobID, checkpoint: CheckpointID)
    case aborted(job: JobID, checkpoint: CheckpointID)
    /// Splits for a source task; with `noMore` it will get no further ones and may end. `released`: splits that it has read to their end, and whose
    /// place it need not hold once it has taken the others; without others and without `noMore` nothing else is said.
    case splits(TaskID, [SplitState], noMore: Bool, released: [String] = [])
    /// Carry out committables of a checkpoint that HEAD names; answer `committed`. Repeated until acknowledged.
    case commit(job: JobID, checkpoint: CheckpointID, [Manifest.PendingCommit])
    /// Nothing of the job is needed any more.
    case release(job: JobID)
    /// Somebody wants this TaskManager empty: answer `leaving`.
    case leave(Leave)
}

/// Everything a TaskManager must know to make its tasks of a job.
package struct Deployment: Hashable, Sendable {
    package struct Peer: Hashable, Sendable {
        package var worker: WorkerID
        package var host: String
        package var port: UInt16

        package init(worker: WorkerID, host: String, port: UInt16) {
            self.worker = worker
            self.host = host
            self.port = port
        }
    }

    /// Where the state of the tasks lies.
    package struct Restore: Hashable, Sendable {
        package var checkpoint: CheckpointID
        /// The store that holds the objects; nil: the job's own checkpoint directory.
        package var store: String?
        package var objects: [Manifest.StateObject]
        /// For each vertex of this graph the vertex position in the checkpoint, or nil where it is new.
        package var vertices: [Int?]
        /// The parallelism of each of the checkpoint's vertices: whose units fall to whom.
        package var parallelism: [Int]

        package init(checkpoint: CheckpointID, store: String?, objects: [Manifest.StateObject], vertices: [Int?], parallelism: [Int]) {
            self.checkpoint = checkpoint
            self.store = store
            self.objects = objects
            self.vertices = vertices
            self.parallelism = parallelism
        }
    }

    package var job: JobID
    package var name: String
    /// `JobGraph` as JSON (`JobGraphBytes`).
    package var graph: [UInt8]
    /// The job's configuration, keys as the user knows them; secrets included, so never logged.
    package var settings: [String: String]
    package var layout: Layout
    /// A planned change: the layout that runs until its barrier. Nil: everything starts anew.
    package var previous: Layout?
    package var peers: [Peer]
    /// The subtasks for this TaskManager, at `layout.attempt`.
    package var subtasks: [SubtaskID]
    package var restore: Restore?
    /// Committables that sinks must not throw away when they remove what older attempts left.
    package var committables: [Manifest.PendingCommit]

    package init(
        job: JobID, name: String, graph: [UInt8], settings: [String: String], layout: Layout, previous: Layout? = nil, peers: [Peer],
        subtasks: [SubtaskID], restore: Restore?, committables: [Manifest.PendingCommit]
    ) {
        self.job = job
        self.name = name
        self.graph = graph
        self.settings = settings
        self.layout = layout
        self.previous = previous
        self.peers = peers
        self.subtasks = subtasks
        self.restore = restore
        self.committables = committables
    }
}
