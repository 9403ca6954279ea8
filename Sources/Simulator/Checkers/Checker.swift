import Dataflow
import Wire

/// What the simulator's hosts see pass by. Checkers judge from this alone, never from inside a machine.
package enum Observation {
    /// A put of HEAD happens now.
    case head(Head)
    /// Any other object comes to be, or goes.
    case put(path: String)
    case deleted(path: String)
    /// The JobManager gives a message to a connection; the worker that registered there.
    case leaderSent(LeaderMessage, epoch: LeaderEpoch, to: WorkerID?)
    /// A JobManager is told a message. `leader`: which one, in the order of their starts.
    case leaderHeard(WorkerMessage, from: WorkerID, leader: Int)
    /// A JobManager closes a worker's connection.
    case leaderClosed(WorkerID, reason: String, leader: Int)
    /// A TaskManager obeys a message (its machine is told it).
    case workerHeard(LeaderMessage, epoch: LeaderEpoch, WorkerID)
    case taskStarted(TaskID, on: WorkerID)
    case taskGone(TaskID, on: WorkerID)
    case elementSent(ChannelID, sequence: UInt64, StreamElement)
    case elementArrived(ChannelID, StreamElement)
    /// A piece of moving state leaves its old owner.
    case stateSent(StateParcel)
    case creditSent(ChannelID, batches: UInt32)
    case creditArrived(ChannelID, batches: UInt32)
    /// A sink is told to carry out committables of a checkpoint.
    case committing(CheckpointID, ids: [String])
    case committed(SimulatedFile)
    /// A reader gives these rows of a split.
    case read(split: String, Range<Int>)
    /// A sink subtask's unit, as a checkpoint is about to hold it.
    case sinkUnit(CheckpointID, [UInt8])
    case bucket(BucketChange)
    /// A stream's records leave a reader of a task of this attempt, in this order.
    case recordsRead(table: String, ids: [Int64], attempt: UInt32)
    /// A sink's task writes these rows, in this order.
    case rowsWritten([Int64], by: TaskID)
    /// The job has finished, and nothing is under way any more.
    case over
}

/// Watches one promise.
package protocol Checker {
    /// The promise, in words.
    static var promise: String { get }
    /// Answers how the promise was broken, if it was.
    mutating func see(_ seen: Observation, at time: Duration) -> String?
}

/// A promise that did not hold, or a run that did not end.
package struct BrokenPromise: Error, Sendable, CustomStringConvertible {
    package let checker: String
    package let words: String
    package let time: Duration

    package init(checker: String, words: String, time: Duration) {
        self.checker = checker
        self.words = words
        self.time = time
    }

    package var description: String { "\(checker) at \(Double(time.nanoseconds / 1_000_000) / 1e3)s: \(words)" }
}
