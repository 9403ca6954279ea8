import Columnar
import Expressions

/// A source connector bound to a table: finds splits (on the JobManager) and makes readers (on TaskManagers).
///
/// Methods may wait for disks and networks; hosts call them where waiting hurts nobody.
package protocol Source: Sendable {
    /// Splits that exist now and are not in `known`, in the order in which they should be read; `isComplete` when no further
    /// one will ever come. A source that begins "now" begins at the `jobStarted` of its spec.
    func discover(known: Set<String>) throws(StreamError) -> (splits: [Split], isComplete: Bool)

    /// What all its splits are parts of, in words that stay the same for as long as it is there: what is made anew under the same name says
    /// something else, though its splits may be called the same. Asked after each `discover`; nil: nothing is known, or the ids say it.
    func origin() throws(StreamError) -> String?

    /// Time between calls of `discover`; nil: once is enough.
    var discoveryInterval: Duration? { get }

    /// How splits come to readers.
    var distribution: SplitDistribution { get }

    /// Of a table whose rows never end: why, and how a user gives it an end. Nil: it ends.
    var withoutEnd: String? { get }

    func makeReader(_ context: ReaderContext) throws(StreamError) -> any SourceReader

    /// The job has ended for good: gives back what its readers registered elsewhere. Called on the JobManager, once; not when that was lost just then.
    func giveBack() throws(StreamError)
}

extension Source {
    package func giveBack() throws(StreamError) {}
    package var distribution: SplitDistribution { .onRequest }
    package func origin() throws(StreamError) -> String? { nil }
    package var withoutEnd: String? { nil }
}

package enum SplitDistribution: String, Hashable, Codable, Sendable {
    /// One split a request: readers end their splits, and who is faster reads more.
    case onRequest
    /// Every reader has its share at once: splits are without end, or are read side by side.
    case spread
}

package struct ReaderContext: Sendable {
    package let subtask: Int
    package let parallelism: Int
    /// Rows a batch at most.
    package let batchRows: Int
    /// Must be called (from any thread) when a reader that answered `.nothing(until: nil)` has rows again.
    package let wake: @Sendable () -> Void

    package init(subtask: Int, parallelism: Int, batchRows: Int = 8192, wake: @escaping @Sendable () -> Void = {}) {
        self.subtask = subtask
        self.parallelism = parallelism
        self.batchRows = batchRows
        self.wake = wake
    }
}

/// Reads the splits that one subtask was given. Called on the task's thread only; never waits longer than a local disk read.
package protocol SourceReader: AnyObject {
    func add(_ splits: [SplitState]) throws(StreamError)

    /// The next rows. Rows of one batch belong to one split. `maximumRows` bounds the batch.
    func poll(maximumRows: Int, at now: Now) throws(StreamError) -> SourcePoll

    /// Every split that is not finished, with the position after the last row that `poll` gave. The watermarks in it are ignored: the
    /// source operator keeps them.
    func snapshot() throws(StreamError) -> [SplitState]

    func close()

    /// Malformed rows that were left out so far, where the options allow that.
    var skippedRows: Int { get }

    /// Its splits are read side by side, so each holds the watermark back from when it is given; otherwise only from its first row.
    var readsSideBySide: Bool { get }

    /// Figures of its own by name; those of `SourceGauge` are taken together over readers.
    var gauges: [(name: String, value: Int64)] { get }
}

/// Names of figures that every source may have.
package enum SourceGauge {
    /// Rows that are there and were not read yet.
    package static let pendingRows = "pendingRecords"
    /// How far behind the newest row the reader is.
    package static let lagMilliseconds = "millisBehindLatest"
}

extension SourceReader {
    package var skippedRows: Int { 0 }
    package var readsSideBySide: Bool { false }
    package var gauges: [(name: String, value: Int64)] { [] }
}

package enum SourcePoll {
    /// Physical columns (`SourceSpec.physical`) of rows of one split.
    case batch(Batch, split: String)
    /// That split is read to its end; its rows were all given.
    case splitFinished(String)
    /// The same, with where it stands, of a source whose splits come after one another: its place in event time is held until all that comes after
    /// it is being read.
    case splitEnded(SplitState)
    /// Nothing now: ask again at `until`, or when woken.
    case nothing(until: Instant?)
    /// All given splits are finished; more are wanted.
    case needsSplits
}

/// A sink connector bound to a table: makes writers, and carries out committables.
package protocol Sink: Sendable {
    func makeWriter(_ context: WriterContext) throws(StreamError) -> any SinkWriter

    /// Carries out what a completed checkpoint covers. Idempotent; in any order; from any process. An error leaves all of them to be tried again.
    func commit(_ committables: [Committable]) throws(StreamError)

    /// Carried out once for each recovery, before the writers start: removes what attempts of this job and vertex below `attempt` left
    /// behind and no manifest names. May do nothing.
    func discard(job: JobID, vertex: Int, attemptsBelow attempt: UInt32, keeping committables: [Committable]) throws(StreamError)
}

extension Sink {
    package func discard(job: JobID, vertex: Int, attemptsBelow attempt: UInt32, keeping committables: [Committable]) throws(StreamError) {}
}

package struct WriterContext: Sendable {
    package let task: TaskID
    package let parallelism: Int
    /// This subtask's unit from the checkpoint it starts from, and units of subtasks that no longer exist.
    package let restored: [[UInt8]]
    /// Bytes that a slot may hold together, of which this writer should take a small share.
    package let slotBytes: Int

    package init(task: TaskID, parallelism: Int, restored: [[UInt8]] = [], slotBytes: Int = .max) {
        self.task = task
        self.parallelism = parallelism
        self.restored = restored
        self.slotBytes = slotBytes
    }
}

/// Writes one subtask's rows. Called on the task's thread only.
package protocol SinkWriter: AnyObject {
    func write(_ batch: Batch, at now: Now) throws(StreamError)

    /// Event time has reached `milliseconds` in what was written.
    func advance(to milliseconds: Int64)

    /// Time passed: roll files that are old or idle. Answers when to be called again.
    func tick(at now: Now) throws(StreamError) -> Instant?

    /// All rows so far belong to checkpoint `checkpoint`. Answers what must be committed once it is complete, and the unit
    /// that a successor needs; what uploads must still come to is answered later (`PreparedCommit`). `isLast`: no row will follow,
    /// close everything.
    func prepareCommit(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) throws(StreamError) -> PreparedCommit

    /// As `prepareCommit`, and rows will follow. A savepoint may be restored beside this job, long after it, and more than once: its unit holds nothing
    /// that this or another attempt goes on writing.
    func prepareSavepoint(_ checkpoint: CheckpointID, at now: Now) throws(StreamError) -> PreparedCommit

    /// Bytes in memory that wait to be written, those on their way included.
    var heldBytes: Int { get }

    /// The task ends without a checkpoint: release resources, keep what a checkpoint names.
    func close()
}

extension SinkWriter {
    package func advance(to milliseconds: Int64) {}
    package var heldBytes: Int { 0 }

    package func prepareSavepoint(_ checkpoint: CheckpointID, at now: Now) throws(StreamError) -> PreparedCommit {
        try prepareCommit(checkpoint, isLast: false, at: now)
    }
}

/// Finds the connector of a table. Hosts give the real ones, the simulator its own.
package protocol ConnectorRegistry: Sendable {
    func source(_ spec: SourceSpec) throws(StreamError) -> any Source
    func sink(_ spec: SinkSpec) throws(StreamError) -> any Sink
}
