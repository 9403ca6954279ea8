package enum CheckpointingMode: String, ConfigChoice {
    case exactlyOnce = "EXACTLY_ONCE"
    case atLeastOnce = "AT_LEAST_ONCE"
}

package enum CheckpointRetention: String, ConfigChoice {
    case deleteOnCancellation = "DELETE_ON_CANCELLATION"
    case retainOnCancellation = "RETAIN_ON_CANCELLATION"
    case none = "NO_EXTERNALIZED_CHECKPOINTS"
}

package enum ClaimMode: String, ConfigChoice {
    case noClaim = "NO_CLAIM"
    case claim = "CLAIM"
    case legacy = "LEGACY"
}

package enum CheckpointingOptions {
    package static let interval = ConfigKey<Duration?>(
        "execution.checkpointing.interval", nil, must: "longer than 0", { $0.map { $0 > .zero } ?? true },
        "Time between the starts of two checkpoints; without it there are none.")
    package static let mode = ConfigKey(
        "execution.checkpointing.mode", CheckpointingMode.exactlyOnce, formerly: ["execution.checkpointing.consistency-mode"],
        "Whether a row may count twice after a failure.")
    package static let timeout = ConfigKey<Duration>(
        "execution.checkpointing.timeout", .seconds(600), "A checkpoint that takes longer is aborted.")
    package static let minPause = ConfigKey<Duration>(
        "execution.checkpointing.min-pause", .zero, "Least time between the end of a checkpoint and the start of the next.")
    package static let maxConcurrent = ConfigKey(
        "execution.checkpointing.max-concurrent-checkpoints", 1, atLeast: 1, "How many checkpoints may be under way at once.")
    package static let tolerableFailures = ConfigKey(
        "execution.checkpointing.tolerable-failed-checkpoints", 0, atLeast: 0, "How many checkpoints in a row may fail before the job restarts.")
    package static let numRetained = ConfigKey(
        "execution.checkpointing.num-retained", 1, formerly: ["state.checkpoints.num-retained"], atLeast: 1, "How many completed checkpoints are kept.")
    package static let retention = ConfigKey(
        "execution.checkpointing.externalized-checkpoint-retention", CheckpointRetention.none,
        formerly: ["execution.checkpointing.externalized-checkpoint-retention-mode"], "What happens to checkpoints when the job is cancelled.")
    package static let directory = ConfigKey<String?>(
        "execution.checkpointing.dir", nil, formerly: ["state.checkpoints.dir", "state.backend.fs.checkpointdir"], "Where checkpoints are stored, a folder or URI.")
    package static let savepointDirectory = ConfigKey<String?>(
        "execution.checkpointing.savepoint-dir", nil, formerly: ["state.savepoints.dir", "savepoints.state.backend.fs.dir"],
        "Where savepoints are stored when no folder is named.")
    package static let incremental = ConfigKey(
        "execution.checkpointing.incremental", true, formerly: ["state.backend.incremental"], "Store only segments that changed since the last checkpoint.")
    package static let unaligned = ConfigKey(
        "execution.checkpointing.unaligned.enabled", false, formerly: ["execution.checkpointing.unaligned"],
        "Let barriers overtake rows under backpressure.")
    package static let alignedTimeout = ConfigKey<Duration>(
        "execution.checkpointing.aligned-checkpoint-timeout", .zero, formerly: ["execution.checkpointing.alignment-timeout"],
        "With unaligned checkpoints: how long a barrier waits for alignment first.")
    package static let localBackup = ConfigKey(
        "execution.checkpointing.local-backup.enabled", true, formerly: ["state.backend.local-recovery"],
        "A TaskManager keeps what it wrote for the newest checkpoints on its own disk (`io.tmp.dirs`), to restore from after a failure elsewhere, where checkpoints go to S3.")
    package static let afterTasksFinish = ConfigKey(
        "execution.checkpointing.checkpoints-after-tasks-finish", true, formerly: ["execution.checkpointing.checkpoints-after-tasks-finish.enabled"],
        "Go on with checkpoints when some tasks have finished.")
    package static let stateBackend = ConfigKey(
        "state.backend.type", "hashmap", formerly: ["state.backend"], "Where keyed state lives; every Flink name is accepted and means memory.")
    package static let restorePath = ConfigKey<String?>(
        "execution.state-recovery.path", nil, formerly: ["execution.savepoint.path"], "Checkpoint or savepoint that the job starts from.")
    package static let ignoreUnclaimedState = ConfigKey(
        "execution.state-recovery.ignore-unclaimed-state", false, formerly: ["execution.savepoint.ignore-unclaimed-state"],
        "Start even when the savepoint holds state that the job has no operator for.")
    package static let claimMode = ConfigKey(
        "execution.state-recovery.claim-mode", ClaimMode.noClaim, formerly: ["execution.savepoint-restore-mode"],
        "Who owns the checkpoint that the job was started from.")

    static let all: [any AnyConfigKey] = [
        interval, mode, timeout, minPause, maxConcurrent, tolerableFailures, numRetained, retention, directory, savepointDirectory, incremental, unaligned,
        alignedTimeout, localBackup, afterTasksFinish, stateBackend, restorePath, ignoreUnclaimedState, claimMode,
    ]
}
