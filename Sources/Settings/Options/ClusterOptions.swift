/// Keys of the JobManager, and of the talk between it and its TaskManagers.
package enum JobManagerOptions {
    package static let rpcAddress = ConfigKey("jobmanager.rpc.address", "localhost", "Host at which TaskManagers and clients reach the JobManager.")
    package static let rpcPort = ConfigKey(port: "jobmanager.rpc.port", 6123, "Port at which TaskManagers reach the JobManager.")
    package static let bindHost = ConfigKey<String?>("jobmanager.bind-host", nil, "Address the JobManager listens on; without it, jobmanager.rpc.address.")
    package static let slotRequestTimeout = ConfigKey<Duration>(
        "slot.request.timeout", .seconds(300), "A job that has waited this long for slots fails.")
    package static let scheduler = ConfigKey<SchedulerType>("jobmanager.scheduler", .adaptive, "Accepted for Flink's sake, and changes nothing: a job adapts to the slots there are with scheduler-mode: reactive, or within the bounds that it was given while it ran.")
    package static let schedulerMode = ConfigKey<SchedulerMode>("scheduler-mode", .none, "reactive: a job always uses every slot.")
    package static let submissionTimeout = ConfigKey<Duration>(
        "jobmanager.adaptive-scheduler.submission.resource-wait-timeout", .seconds(300), formerly: ["jobmanager.adaptive-scheduler.resource-wait-timeout"],
        "How long a new job waits for the slots it wants before it starts with fewer.")
    package static let submissionStabilization = ConfigKey<Duration>(
        "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout", .seconds(10),
        formerly: ["jobmanager.adaptive-scheduler.resource-stabilization-timeout"],
        "How long a new job with enough slots for some parallelism waits for more.")
    package static let executingCooldown = ConfigKey<Duration>(
        "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling", .seconds(5), formerly: ["jobmanager.adaptive-scheduler.scaling-interval.min"],
        "Least time between two rescales of a running job.")
    package static let executingStabilization = ConfigKey<Duration>(
        "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout", .seconds(1),
        formerly: ["jobmanager.adaptive-scheduler.scaling-interval.max"], "How long a running job waits for still more slots before it rescales.")
    package static let noticeWindow = ConfigKey<Duration>(
        "jobmanager.evacuation.notice-window", .seconds(6),
        "TaskManagers that say within this time that they leave in a minute or later leave in one change; more than taskmanager.spot.interval.")
    package static let rescaleMaxDelay = ConfigKey<Duration?>(
        "jobmanager.adaptive-scheduler.rescale-trigger.max-delay", nil, formerly: ["jobmanager.adaptive-scheduler.max-delay-for-scale-trigger"],
        "Longest wait for a checkpoint before a rescale.")
    package static let rescaleMaxFailures = ConfigKey(
        "jobmanager.adaptive-scheduler.rescale-trigger.max-checkpoint-failures", 2,
        formerly: ["jobmanager.adaptive-scheduler.scale-on-failed-checkpoints-count"], atLeast: 1, "Failed checkpoints after which a rescale no longer waits.")
    package static let minParallelismIncrease = ConfigKey(
        "jobmanager.adaptive-scheduler.min-parallelism-increase", 1, atLeast: 1, "Smallest gain in parallelism that is worth a rescale.")
    package static let historySize = ConfigKey("jobmanager.execution.attempts-history-size", 16, atLeast: 1, "How many failures a job's history shows.")
    package static let archiveDirectory = ConfigKey<String?>("jobmanager.archive.fs.dir", nil, "Where finished jobs are kept for a history server.")
    package static let completedJobs = ConfigKey("jobstore.max-capacity", 100, atLeast: 1, "How many finished jobs the JobManager remembers.")

    static let all: [any AnyConfigKey] = [
        rpcAddress, rpcPort, bindHost, slotRequestTimeout, scheduler, schedulerMode, submissionTimeout, submissionStabilization, executingCooldown,
        executingStabilization, noticeWindow, rescaleMaxDelay, rescaleMaxFailures, minParallelismIncrease, historySize, archiveDirectory, completedJobs,
    ]
}

package enum SchedulerType: String, ConfigChoice {
    case standard = "Default"
    case adaptive = "Adaptive"
    case adaptiveBatch = "AdaptiveBatch"

    package static var aliases: [String: SchedulerType] { ["ng": .standard] }
}

package enum SchedulerMode: String, ConfigChoice {
    case none
    case reactive
}

package enum TaskManagerOptions {
    package static let host = ConfigKey<String?>(
        "taskmanager.host", nil, formerly: ["taskmanager.hostname"], "Host that other TaskManagers reach this one at; without it, the address that reaches the JobManager.")
    package static let bindHost = ConfigKey<String?>("taskmanager.bind-host", nil, "Address the TaskManager listens on; without it, taskmanager.host, and without that too the loopback.")
    package static let rpcPort = ConfigKey(
        "taskmanager.rpc.port", PortRange(6122), "Port of the TaskManager's health answer; 0 for any.")
    package static let dataPort = ConfigKey(port: "taskmanager.data.port", 0, "Port at which other TaskManagers send rows; 0 for any.")
    package static let slots = ConfigKey(
        "taskmanager.numberOfTaskSlots", 1, atLeast: 1, "How many slots, each one thread, the TaskManager offers.")
    package static let processMemory = ConfigKey<MemorySize?>(
        "taskmanager.memory.process.size", nil, "What the TaskManager may use in all; without it, the limit of its cgroup, else 1 GiB.")
    package static let resourceID = ConfigKey<String?>("taskmanager.resource-id", nil, "A name for this TaskManager; without it, one is made up.")
    package static let registrationTimeout = ConfigKey<Duration>(
        "taskmanager.registration.timeout", .seconds(300), "A TaskManager that has found no JobManager for so long ends.")
    package static let evacuationTimeout = ConfigKey<Duration>(
        "taskmanager.evacuation.timeout", .seconds(25),
        "After SIGTERM the TaskManager ends as soon as its tasks have moved to others, and after so long in any case.")
    package static let temporaryDirectories = ConfigKey<String?>(
        "io.tmp.dirs", nil, "Folder for local copies of checkpoints; of several, separated by `,` or `:`, the first. Without it, `$TMPDIR` or `/tmp`.")
    package static let localStateSize = ConfigKey<MemorySize>(
        "taskmanager.state.local.max-size", .gibibytes(4),
        "What local copies of checkpoints may take of the disk (`execution.checkpointing.local-backup.enabled`); more is read from the store again. 0 for none.")

    static let all: [any AnyConfigKey] = [
        host, bindHost, rpcPort, dataPort, slots, processMemory, resourceID, registrationTimeout, evacuationTimeout, temporaryDirectories, localStateSize,
    ]
}

package enum HeartbeatOptions {
    package static let interval = ConfigKey<Duration>("heartbeat.interval", .seconds(1), must: "longer than 0", { $0 > .zero }, "Time between two heartbeats.")
    package static let timeout = ConfigKey<Duration>(
        "heartbeat.timeout", .seconds(4), must: "longer than 0", { $0 > .zero }, "A peer that has been silent for so long is lost.")
    package static let rpcFailureThreshold = ConfigKey(
        "heartbeat.rpc-failure-threshold", 2, atLeast: -1, "Failed heartbeats in a row after which a peer counts as lost; -1 for never.")

    static let all: [any AnyConfigKey] = [interval, timeout, rpcFailureThreshold]
}

package enum HighAvailabilityOptions {
    package static let type = ConfigKey(
        "high-availability.type", HighAvailabilityType.none, formerly: ["high-availability", "recovery.mode"], "Where the leader's lease lives.")
    package static let storageDirectory = ConfigKey<String?>(
        "high-availability.storageDir", nil, formerly: ["high-availability.zookeeper.storageDir", "recovery.zookeeper.storageDir"],
        "Folder or URI for what a new leader must know.")
    package static let clusterID = ConfigKey("high-availability.cluster-id", "default", "Tells clusters that share a storageDir apart.")
    package static let kubernetesClusterID = ConfigKey<String?>("kubernetes.cluster-id", nil, "Name of the cluster's Kubernetes objects.")
    package static let kubernetesNamespace = ConfigKey("kubernetes.namespace", "default", "Kubernetes namespace of the cluster.")
    package static let leaseDuration = ConfigKey<Duration>(
        "high-availability.kubernetes.leader-election.lease-duration", .seconds(15), "A lease that was not renewed for so long may be taken over.")
    package static let renewDeadline = ConfigKey<Duration>(
        "high-availability.kubernetes.leader-election.renew-deadline", .seconds(15), "A leader that has not renewed for so long stops leading.")
    package static let retryPeriod = ConfigKey<Duration>(
        "high-availability.kubernetes.leader-election.retry-period", .seconds(5), "Time between two looks at the lease.")

    static let all: [any AnyConfigKey] = [
        type, storageDirectory, clusterID, kubernetesClusterID, kubernetesNamespace, leaseDuration, renewDeadline, retryPeriod,
    ]
}

package enum HighAvailabilityType: String, ConfigChoice {
    case none = "NONE"
    case kubernetes
    /// A lease object in `storageDir`, moved by conditional puts.
    case storage
    case zookeeper

    package static var aliases: [String: HighAvailabilityType] {
        ["org.apache.flink.kubernetes.highavailability.kuberneteshaservicesfactory": .kubernetes, "standalone": .none, "filesystem": .storage]
    }
}
