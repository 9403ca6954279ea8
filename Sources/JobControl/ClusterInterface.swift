import Dataflow
import Wire

/// One connection of a TaskManager, as its host numbers them. A reconnecting TaskManager has a new one.
package typealias ConnectionID = UInt64
/// Names an answer that somebody waits for: a client's request, or an operation on a store.
package typealias Ticket = UInt64

/// What the JobManager's brain is told.
package enum ClusterEvent: Sendable {
    case connected(ConnectionID)
    case message(WorkerMessage, from: ConnectionID)
    case disconnected(ConnectionID, reason: String)
    /// The answer to `ClusterEffect.store` of this ticket.
    case stored(Ticket, StoreAnswer)
    /// The answer to `ClusterEffect.discover`.
    case discovered(job: JobID, vertex: Int, Result<Discovery, StreamError>)
    case request(Ticket, ClientRequest)
    /// The time asked for by `wake` has come. Late, early and repeated ones are harmless.
    case timer
}

package struct Discovery: Hashable, Sendable {
    package var splits: [Split]
    package var isComplete: Bool
    /// When to look again (`Source.discoveryInterval`); nil: once was enough.
    package var next: Duration?
    package var distribution: SplitDistribution
    /// As `Source.origin` said.
    package var origin: String?

    package init(
        splits: [Split], isComplete: Bool, next: Duration? = nil, distribution: SplitDistribution = .onRequest, origin: String? = nil
    ) {
        self.origin = origin
        self.splits = splits
        self.isComplete = isComplete
        self.next = next
        self.distribution = distribution
    }
}

package enum ClientRequest: Sendable {
    case submit(Submission)
    case cancel(JobID)
    /// `.savepoint`, or `.stop` / `.drain`; a directory beats the configured one.
    case savepoint(JobID, kind: CheckpointKind, directory: String?)
    /// How many subtasks vertices may have, by vertex; those that are not named stay as they are. A running job changes without a restart.
    case requirements(JobID, [Int: ClosedRange<Int>])
    /// A checkpoint now, beside the periodic ones.
    case checkpoint(JobID)
    /// Empty a TaskManager, at a barrier where there are slots elsewhere.
    case drain(WorkerID, Leave)
}

package enum ClientReply: Hashable, Sendable {
    case submitted(JobID)
    case accepted
    /// The path of the completed savepoint or checkpoint.
    case completed(path: String)
    case refused(StreamError)
    case unknownJob(JobID)
}

/// A job as it is handed in.
package struct Submission: Sendable {
    package var job: JobID
    package var graph: JobGraph
    /// What the user set; travels to TaskManagers. Secrets included.
    package var settings: [String: String]
    package var options: JobOptions
    /// A checkpoint or savepoint to start from: the folder that holds its `_metadata`.
    package var restorePath: String?
    package var allowNonRestoredState: Bool
    /// Whether a job that has failed goes on from its newest checkpoint, since somebody who starts it again has mended the cause.
    package var resumesFailed = false

    package init(
        job: JobID, graph: JobGraph, settings: [String: String], options: JobOptions, restorePath: String? = nil, allowNonRestoredState: Bool = false
    ) {
        self.job = job
        self.graph = graph
        self.settings = settings
        self.options = options
        self.restorePath = restorePath
        self.allowNonRestoredState = allowNonRestoredState
    }
}

/// The part of the configuration that the JobManager acts on, parsed by the host.
package struct JobOptions: Hashable, Sendable {
    package enum RestartStrategy: Hashable, Sendable {
        case none
        case fixedDelay(attempts: Int, delay: Duration)
        case exponentialDelay(initial: Duration, maximum: Duration, multiplier: Double, resetAfter: Duration, jitter: Double, attempts: Int)
        case failureRate(maximum: Int, interval: Duration, delay: Duration)
    }

    package var parallelism = 1
    /// Nil: no periodic checkpoints (one is still taken at the end, so that sinks commit).
    package var checkpointInterval: Duration?
    package var checkpointTimeout = Duration.seconds(600)
    package var minimumPause = Duration.zero
    package var tolerableFailedCheckpoints = 0
    package var retainedCheckpoints = 1
    /// Nil: a store in the JobManager's memory.
    package var checkpointDirectory: String?
    package var savepointDirectory: String?
    /// Whether checkpoints stay after a cancel or a failure (`execution.checkpointing.externalized-checkpoint-retention`).
    package var retainsOnCancellation = false
    package var retainsOnFailure = true
    package var restart = RestartStrategy.exponentialDelay(
        initial: .seconds(1), maximum: .seconds(60), multiplier: 1.5, resetAfter: .seconds(3600), jitter: 0.1, attempts: .max)
    package var slotRequestTimeout = Duration.seconds(300)
    /// `scheduler-mode: reactive`: the job uses the slots that there are.
    package var isReactive = false
    /// More slots must have been there for so long before a reactive job grows (`jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout`).
    package var stabilization = Duration.seconds(1)
    /// A job grows at the earliest so long after its last change (`jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling`).
    package var cooldown = Duration.seconds(5)
    /// Notices that come within this time are one change.
    package var noticeWindow = Duration.milliseconds(50)
    /// The same where there is time: longer than the interval at which TaskManagers look for notices (`jobmanager.evacuation.notice-window`).
    package var longNoticeWindow = Duration.seconds(6)

    /// `time`: until whoever said that he goes is gone.
    package func noticeWindow(of time: Duration) -> Duration { time >= .seconds(60) ? longNoticeWindow : noticeWindow }
    /// How many checkpoints people are told about, from 1 on.
    package var checkpointHistory = 10

    package init() {}
}

/// What the JobManager's host carries out.
package enum ClusterEffect: Sendable {
    case send(LeaderMessage, epoch: LeaderEpoch, to: ConnectionID)
    case close(ConnectionID, reason: String)
    /// An operation on the store at `store` (a URI; nil: the memory store), to be answered by `stored`.
    case store(Ticket, store: String?, StoreRequest)
    /// List the splits of a source, off the machine's thread; to be answered by `discovered`.
    case discover(job: JobID, vertex: Int, SourceSpec, known: Set<String>)
    /// The job of these sources has ended for good: what they registered elsewhere is given back, off the machine's thread. Nobody waits for it.
    case giveBack(job: JobID, [SourceSpec])
    case reply(Ticket, ClientReply)
    case wake(at: Instant)
    case log(LogLine)
}

package struct LogLine: Hashable, Sendable {
    package enum Level: String, Sendable, Comparable {
        case debug = "DEBUG", info = "INFO", warning = "WARN", error = "ERROR"

        package static func < (a: Level, b: Level) -> Bool { a.rank < b.rank }
        private var rank: Int { switch self { case .debug: 0; case .info: 1; case .warning: 2; case .error: 3 } }
    }

    package var level: Level
    /// What speaks, e.g. `CheckpointCoordinator`.
    package var logger: String
    package var message: String

    package init(_ level: Level, _ logger: String, _ message: String) {
        self.level = level
        self.logger = logger
        self.message = message
    }
}

package enum StoreRequest: Hashable, Sendable {
    package enum Condition: Hashable, Sendable {
        case none, ifNoneMatch
        case ifMatch(String)
    }

    case put(key: String, [UInt8], Condition)
    case get(key: String)
    case list(prefix: String)
    /// Missing ones are fine.
    case delete(keys: [String])
}

package enum StoreAnswer: Hashable, Sendable {
    case put(etag: String)
    case got([UInt8], etag: String)
    case listed([String])
    case deleted
    case notFound
    /// The condition did not hold.
    case conflict
    /// `mayHaveHappened`: a timeout or a broken connection; the put may be there.
    case failed(String, mayHaveHappened: Bool)
    /// Nothing happened, and nothing will until somebody mends a permission, a bucket or a path.
    case refused(String)
}

package struct ClusterOptions: Hashable, Sendable {
    package var heartbeatInterval = Duration.seconds(1)
    package var heartbeatTimeout = Duration.seconds(4)
    package var version = ""
    /// The least epoch that this JobManager acts under; greater than any earlier one's where the host knows that. A job's HEAD may raise it.
    package var leaderEpoch: LeaderEpoch = 1
    /// A TaskManager that has not ended the tasks of a cancelled attempt after this time is cut off (`task.cancellation.timeout`).
    package var cancellationTimeout = Duration.seconds(180)
    /// Whether layouts change at barriers: TaskManagers that leave, new slots and other parallelisms then cost no restart.
    package var changesLayouts = false
    /// How many ended jobs are kept for the view (`jobstore.max-capacity`).
    package var endedJobs = 100
    package var faults: Set<SeededFault> = []

    package init() {}
}
