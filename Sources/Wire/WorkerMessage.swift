import Columnar
import Dataflow

/// What a TaskManager tells the JobManager. Bytes: `kind: u8 | body`.
package enum WorkerMessage: Hashable, Sendable {
    /// First on every connection, also after a break.
    case register(Registration)
    case heartbeat(sequence: UInt64)
    /// All tasks of the deployment are made, restored and reachable.
    case deployed(job: JobID, attempt: UInt32)
    /// The task has read all its input and emitted everything; it stays for checkpoints.
    case ended(TaskID)
    case failed(TaskID, StreamError)
    /// No task of the job with an attempt up to this one runs here any more.
    case stopped(job: JobID, attempt: UInt32)
    case needsSplits(TaskID)
    /// A source task has read this split to its end and emitted its rows: those after it may begin. (Snapshots say it again.)
    case splitFinished(TaskID, split: String)
    /// The snapshots of all tasks of the job on this TaskManager are durable.
    case acknowledged(Acknowledgement)
    case declined(job: JobID, attempt: UInt32, checkpoint: CheckpointID, reason: String)
    /// These committables (by id) are carried out.
    case committed(job: JobID, checkpoint: CheckpointID, ids: [String])
    case commitFailed(job: JobID, checkpoint: CheckpointID, StreamError)
    case metrics([TaskMetrics])
    /// Everything of a planned change is made here, and both ends of its channels that lie here are open.
    case prepared(job: JobID, attempt: UInt32)
    /// This TaskManager cannot take part in that planned change: something cannot be made here, or one that takes part is out of reach.
    case cannotChange(job: JobID, attempt: UInt32, StreamError)
    /// Nothing of a change that was dropped is left here.
    case withdrawn(job: JobID, attempt: UInt32)
    /// What was copied ahead to tasks here is taken in.
    case copied(job: JobID, attempt: UInt32)
    /// A source task is past the barrier of a planned change: these splits are for other readers now, those were read to their end.
    case handedBack(TaskID, [SplitState], finished: [String])
    /// The new layout holds for all tasks here, and what moved to them has come.
    case settled(job: JobID, attempt: UInt32)
    /// No retired task of the change runs here any more.
    case retired(job: JobID, attempt: UInt32)
    /// State of so many bytes went to its new owners for the change that leads to this layout: ahead of its barrier, or after it. For people.
    case moved(job: JobID, layout: LayoutEpoch, bytes: Int64, isAhead: Bool)
    /// This TaskManager leaves: plan without it. Said again after each registration, and when its time becomes shorter.
    case leaving(Leave)
}

package struct Registration: Hashable, Sendable {
    package var worker: WorkerID
    /// Where other TaskManagers reach it.
    package var host: String
    package var dataPort: UInt16
    package var slots: Int
    package var memoryBytes: Int64
    package var processors: Int
    package var version: String
    /// Tasks that run here: after a break of the connection, or for a new leader.
    package var running: [TaskID]
    /// Drawn by each process: another one under the same name is another TaskManager.
    package var incarnation: UInt64
    /// The newest leader it has heard: what is older it refuses.
    package var newestEpoch: LeaderEpoch

    package init(
        worker: WorkerID, host: String, dataPort: UInt16, slots: Int, memoryBytes: Int64, processors: Int, version: String, running: [TaskID],
        incarnation: UInt64 = 0, newestEpoch: LeaderEpoch = 0
    ) {
        self.worker = worker
        self.host = host
        self.dataPort = dataPort
        self.slots = slots
        self.memoryBytes = memoryBytes
        self.processors = processors
        self.version = version
        self.running = running
        self.incarnation = incarnation
        self.newestEpoch = newestEpoch
    }
}

package struct Acknowledgement: Hashable, Sendable {
    package struct Task: Hashable, Sendable {
        package var share: Manifest.Subtask
        package var stateBytes: Int64
        package var alignmentMilliseconds: Int64
        package var synchronousNanoseconds: Int64
        /// From its snapshot to the acknowledgement: for the other tasks here, whose state goes into the same object, and for writing that.
        package var asynchronousMilliseconds: Int64

        package init(
            share: Manifest.Subtask, stateBytes: Int64, alignmentMilliseconds: Int64, synchronousNanoseconds: Int64, asynchronousMilliseconds: Int64 = 0
        ) {
            self.share = share
            self.stateBytes = stateBytes
            self.alignmentMilliseconds = alignmentMilliseconds
            self.synchronousNanoseconds = synchronousNanoseconds
            self.asynchronousMilliseconds = asynchronousMilliseconds
        }
    }

    package var job: JobID
    package var attempt: UInt32
    package var checkpoint: CheckpointID
    /// Nil when no task here had state.
    package var object: Manifest.StateObject?
    package var tasks: [Task]
    package var uploadMilliseconds: Int64

    package init(
        job: JobID, attempt: UInt32, checkpoint: CheckpointID, object: Manifest.StateObject?, tasks: [Task], uploadMilliseconds: Int64
    ) {
        self.job = job
        self.attempt = attempt
        self.checkpoint = checkpoint
        self.object = object
        self.tasks = tasks
        self.uploadMilliseconds = uploadMilliseconds
    }
}

/// What one task did since it started. Counters only rise within an attempt.
package struct TaskMetrics: Hashable, Sendable {
    package var task: TaskID
    package var rowsIn: Int64 = 0
    package var rowsOut: Int64 = 0
    package var bytesIn: Int64 = 0
    package var bytesOut: Int64 = 0
    package var batchesIn: Int64 = 0
    package var batchesOut: Int64 = 0
    package var lateRows: Int64 = 0
    package var skippedRows: Int64 = 0
    package var busyMilliseconds: Int64 = 0
    package var idleMilliseconds: Int64 = 0
    package var backpressuredMilliseconds: Int64 = 0
    package var stateBytes: Int64 = 0
    /// Milliseconds since the epoch; `Watermark.minimum` before the first.
    package var watermark: Int64 = Watermark.minimum
    /// Of sources that know it: rows that are there and not read yet, and how far behind the newest one the reader is; -1: not known.
    package var pendingRows: Int64 = -1
    package var lagMilliseconds: Int64 = -1
    /// A source's own figures by name.
    package var gauges: [String: Int64] = [:]
    /// Of each operator of the chain, in its order, the source and the sink included.
    package var operators: [OperatorMetrics] = []
    /// Of the key groups that the subtask owns, ascending. Not in every report: those without it change nothing.
    package var keyGroups: [KeyGroupLoad] = []

    package init(task: TaskID) { self.task = task }
}

/// What one operator of a chain did since its task started.
package struct OperatorMetrics: Hashable, Sendable {
    package var rowsIn: Int64
    package var rowsOut: Int64
    package var lateRows: Int64
    package var stateBytes: Int64

    package init(rowsIn: Int64, rowsOut: Int64, lateRows: Int64 = 0, stateBytes: Int64 = 0) {
        self.rowsIn = rowsIn
        self.rowsOut = rowsOut
        self.lateRows = lateRows
        self.stateBytes = stateBytes
    }
}
