import Dataflow
import JobControl
import Settings

extension JobOptions {
    /// What the JobManager acts on, from a job's configuration. `parallelism` beats `parallelism.default`.
    package init(_ configuration: Configuration, parallelism: Int? = nil) {
        self.init()
        self.parallelism = parallelism ?? configuration.get(PipelineOptions.parallelism)
        checkpointInterval = configuration.get(CheckpointingOptions.interval)
        checkpointTimeout = configuration.get(CheckpointingOptions.timeout)
        minimumPause = configuration.get(CheckpointingOptions.minPause)
        tolerableFailedCheckpoints = configuration.get(CheckpointingOptions.tolerableFailures)
        retainedCheckpoints = configuration.get(CheckpointingOptions.numRetained)
        checkpointDirectory = configuration.get(CheckpointingOptions.directory)
        savepointDirectory = configuration.get(CheckpointingOptions.savepointDirectory)
        retainsOnCancellation = configuration.get(CheckpointingOptions.retention) == .retainOnCancellation
        slotRequestTimeout = configuration.get(JobManagerOptions.slotRequestTimeout)
        isReactive = configuration.get(JobManagerOptions.schedulerMode) == .reactive
        stabilization = configuration.get(JobManagerOptions.executingStabilization)
        cooldown = configuration.get(JobManagerOptions.executingCooldown)
        longNoticeWindow = configuration.get(JobManagerOptions.noticeWindow)
        checkpointHistory = configuration.get(RestOptions.checkpointHistory)
        restart = RestartStrategy(configuration)
    }
}

extension JobOptions.RestartStrategy {
    /// Unless one is set, there is none without checkpoints: all would begin anew, and fail anew. (Source: Flink 2.x docs, `restart-strategy.type`)
    init(_ configuration: Configuration) {
        guard configuration.isSet(RestartOptions.type) || configuration.get(CheckpointingOptions.interval) != nil else {
            self = .none
            return
        }
        switch configuration.get(RestartOptions.type) {
        case .none: self = .none
        case .fixedDelay:
            self = .fixedDelay(attempts: configuration.get(RestartOptions.fixedAttempts), delay: configuration.get(RestartOptions.fixedDelay))
        case .exponentialDelay:
            let attempts =
                switch configuration.get(RestartOptions.exponentialAttempts) {
                case .infinite: Int.max
                case .attempts(let count): count
                }
            self = .exponentialDelay(
                initial: configuration.get(RestartOptions.exponentialInitial), maximum: configuration.get(RestartOptions.exponentialMax),
                multiplier: configuration.get(RestartOptions.exponentialMultiplier), resetAfter: configuration.get(RestartOptions.exponentialReset),
                jitter: configuration.get(RestartOptions.exponentialJitter), attempts: attempts)
        case .failureRate:
            self = .failureRate(
                maximum: configuration.get(RestartOptions.failureRateMax), interval: configuration.get(RestartOptions.failureRateInterval),
                delay: configuration.get(RestartOptions.failureRateDelay))
        }
    }
}
