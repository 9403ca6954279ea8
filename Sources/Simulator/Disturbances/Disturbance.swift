/// What a run does to its cluster. Each kind is counted when it happens, and one that never happens over many seeds fails the report.
package enum Disturbance: String, CaseIterable, Sendable {
    // The store
    case storeSlow, storeUnavailable, storeRequestLost, storeAnswerLost, storeLate, storeFull
    // The bucket that a sink writes to
    case bucketUnavailable, bucketRequestLost, bucketAnswerLost, bucketLate
    // Processes
    /// The process is killed; its connections break.
    case taskManagerKilled
    /// The machine is gone: nobody is told.
    case taskManagerVanished
    /// The process stands still for a while and then goes on as if nothing had been.
    case taskManagerPaused
    /// SIGTERM.
    case taskManagerTerminated
    case taskManagerStarted
    case jobManagerKilled
    /// Another JobManager leads, and the old one does not know.
    case jobManagerDeposed
    /// One task's thread stands still for a while.
    case taskStalled
    // Connections
    case controlBroken, controlHalfOpen, controlHeld, controlRefused
    case dataBroken, dataHalfOpen, dataHeld, dataRefused
    case networkSlow
    // Outside systems
    case fetchRefused, readerFailed, discoveryFailed, discoverySlow
    case commitFailed, commitSlow, commitAnswerLost, commitRepeated
    // Clocks
    case wallClockStepped, timerLate, timerRepeated
    // Users
    case checkpointRequested, savepointRequested, rescaled
    // Planned changes of the layout
    /// Somebody may leave, but need not end (a rebalance recommendation).
    case taskManagerRecommended
    /// The same said of all at once, as of a whole zone.
    case allRecommended
    /// No other TaskManager gets a connection to one that joins.
    case taskManagerUnreachable
    /// Somebody goes on whom a change begins tasks.
    case changeSpoiled
    /// Many other parallelisms within seconds.
    case rescaledToAndFro
    case taskManagerJoined, layoutChanged, stateMoved, stateMovedInPieces, splitsMoved

    /// Why some of them may be missing from a report.
    package static let allowedToBeMissing: [Disturbance: String] = [:]
}
