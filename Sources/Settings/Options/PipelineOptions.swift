/// Keys of a job: parallelism, time, SQL.
package enum PipelineOptions {
    package static let parallelism = ConfigKey("parallelism.default", 1, atLeast: 1, "Parallelism of operators that name none.")
    package static let maxParallelism = ConfigKey(
        "pipeline.max-parallelism", 720, must: "from 1 to 32768", { (1...32768).contains($0) }, "Number of key groups, fixed when the job is submitted.")
    package static let name = ConfigKey<String?>("pipeline.name", nil, "The job's name; without it, made from its sinks.")
    package static let fixedJobID = ConfigKey<String?>("$internal.pipeline.job-id", nil, "The job's id, 32 hex digits; without it, one is made up.")
    package static let autoWatermarkInterval = ConfigKey<Duration>(
        "pipeline.auto-watermark-interval", .milliseconds(200),
        "Time between two watermarks while there is more to read (at once when there is not); 0 for one after every row.")
    package static let operatorChaining = ConfigKey(
        "pipeline.operator-chaining.enabled", true, formerly: ["pipeline.operator-chaining"], "Run operators that follow each other as one task.")
    package static let runtimeMode = ConfigKey("execution.runtime-mode", RuntimeMode.streaming, "streaming; a bounded job ends when its input does.")
    package static let attached = ConfigKey("execution.attached", false, "The client waits for the job's end.")
    package static let bufferTimeout = ConfigKey<Duration>(
        "execution.buffer-timeout.interval", .milliseconds(100), formerly: ["execution.buffer-timeout"], "Longest time rows wait for a batch to fill.")

    package static let localTimeZone = ConfigKey("table.local-time-zone", "UTC", "Zone of TIMESTAMP_LTZ in text and of CURRENT_TIMESTAMP's parts.")
    package static let idleTimeout = ConfigKey<Duration>(
        "table.exec.source.idle-timeout", .zero, "A source that is silent for so long no longer holds watermarks back; 0 for never.")
    package static let stateTTL = ConfigKey<Duration>("table.exec.state.ttl", .zero, "State not touched for so long may go; 0 for never.")
    package static let tableParallelism = ConfigKey(
        "table.exec.resource.default-parallelism", -1, atLeast: -1, "Parallelism of SQL operators; -1 for parallelism.default.")
    package static let miniBatch = ConfigKey("table.exec.mini-batch.enabled", false, "Collect rows before an unwindowed aggregate answers.")
    package static let miniBatchLatency = ConfigKey<Duration>("table.exec.mini-batch.allow-latency", .zero, "Longest time rows are collected.")
    package static let miniBatchSize = ConfigKey("table.exec.mini-batch.size", -1, atLeast: -1, "Most rows that are collected.")
    package static let notNullEnforcer = ConfigKey("table.exec.sink.not-null-enforcer", NotNullEnforcer.error, "What happens to NULL in a NOT NULL column of a sink.")
    package static let upsertMaterialize = ConfigKey("table.exec.sink.upsert-materialize", UpsertMaterialize.auto, "Whether a sink's changelog is put in order by key first.")
    package static let legacyCast = ConfigKey("table.exec.legacy-cast-behaviour", Switch.disabled, "Failing CASTs answer NULL.")
    package static let dmlSync = ConfigKey("table.dml-sync", false, "A statement waits for its job's end.")
    package static let rowsPerSecond = ConfigKey<Int?>(
        "scan.rows-per-second", nil, must: "at least 1", { $0.map { $0 >= 1 } ?? true }, "Limits every source of the job.")

    static let all: [any AnyConfigKey] = [
        parallelism, maxParallelism, name, fixedJobID, autoWatermarkInterval, operatorChaining, runtimeMode, attached, bufferTimeout, localTimeZone, idleTimeout,
        stateTTL, tableParallelism, miniBatch, miniBatchLatency, miniBatchSize, notNullEnforcer, upsertMaterialize, legacyCast, dmlSync, rowsPerSecond,
    ]
}

package enum RuntimeMode: String, ConfigChoice {
    case streaming = "STREAMING"
    case batch = "BATCH"
    case automatic = "AUTOMATIC"
}

package enum NotNullEnforcer: String, ConfigChoice {
    case error = "ERROR"
    case drop = "DROP"
}

package enum UpsertMaterialize: String, ConfigChoice {
    case none = "NONE"
    case auto = "AUTO"
    case force = "FORCE"
}

package enum Switch: String, ConfigChoice {
    case enabled = "ENABLED"
    case disabled = "DISABLED"
}
