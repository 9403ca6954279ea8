/// Where log lines go, and which. `log.level.<logger>` (a family, not declared here) sets the level of one logger, as in `log.level.CheckpointCoordinator: DEBUG`.
package enum LogOptions {
    package static let directory = ConfigKey<String?>(
        "env.log.dir", nil, "Folder for log files, beside standard error; without it, none are written and the last lines are kept in memory for REST.")
    package static let retained = ConfigKey("env.log.max", 10, atLeast: 0, "How many old log files are kept; the oldest go first.")
    package static let level = ConfigKey("env.log.level", LogLevel.info, "The least level that is logged, where no log.level.<logger> says otherwise.")
    package static let format = ConfigKey("log.format", LogFormat.text, "text: Flink's line layout. json: one object a line.")
    package static let maximumSize = ConfigKey<MemorySize>(
        "log.file.max-size", MemorySize(bytes: 100 << 20), must: "at least 64 kb", { $0.bytes >= 64 << 10 }, "A log file that has reached this size is set aside and a new one begun.")

    static let all: [any AnyConfigKey] = [directory, retained, level, format, maximumSize]
}

package enum LogLevel: String, ConfigChoice {
    case debug = "DEBUG"
    case info = "INFO"
    case warning = "WARN"
    case error = "ERROR"
    case off = "OFF"

    package static var aliases: [String: LogLevel] { ["trace": .debug, "all": .debug, "warning": .warning, "fatal": .error] }
}

package enum LogFormat: String, ConfigChoice {
    case text
    case json
}
