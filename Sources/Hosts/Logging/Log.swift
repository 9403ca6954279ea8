import Dataflow
import Glibc
import JobControl
import Settings
import Synchronization

/// Lines for people, in Flink's layout: `2026-11-22 10:00:00,123 INFO  CheckpointCoordinator [] - message`; between the brackets stands the
/// job, or the task, that the line is about. Or JSON, an object a line (`log.format`).
///
/// Written whole, to standard error and, once the configuration names a folder, to a file; from any thread. Secrets must not come here:
/// machines and hosts never put settings into messages.
package final class Log: Sendable {
    private struct State {
        var least: LogLine.Level?
        /// By logger.
        var levels: [String: LogLine.Level?] = [:]
        var format = LogFormat.text
        var kept: LogFiles
    }

    private let descriptor: Int32
    private let state: Mutex<State>

    package init(descriptor: Int32 = STDERR_FILENO, least: LogLine.Level = .info) {
        self.descriptor = descriptor
        state = Mutex(State(least: least, kept: LogFiles(name: "log")))
    }

    /// For a command that tells the outcome itself.
    package static let none = Log(descriptor: -1)

    /// From now on as the configuration says. `role`: `jobmanager` or `taskmanager`, for the file's name.
    package func configure(_ configuration: Configuration, role: String) {
        var levels: [String: LogLine.Level?] = [:]
        for (name, value) in configuration.values where name.hasPrefix("log.level.") {
            let logger = String(name.dropFirst("log.level.".count))
            if let level = LogLevel(configText: value) {
                levels[logger] = LogLine.Level(level)
            } else {
                self(.warning, "Configuration", "\(name): '\(value)' is no level; there are DEBUG, INFO, WARN, ERROR and OFF")
            }
        }
        var kept = LogFiles(name: "\(role).log")
        var problem: String?
        if let folder = configuration.get(LogOptions.directory) ?? environment("FLINK_LOG_DIR") {
            do throws(StreamError) {
                kept = try LogFiles(
                    folder: folder, name: "swiftwater-\(role)-\(getpid()).log", maximumBytes: configuration.get(LogOptions.maximumSize).bytes,
                    retained: configuration.get(LogOptions.retained))
            } catch { problem = error.message }
        }
        state.withLock { state in
            kept.adopt(state.kept)
            state = State(
                least: LogLine.Level(configuration.get(LogOptions.level)), levels: levels, format: configuration.get(LogOptions.format), kept: kept)
        }
        if let problem { self(.warning, "Log", "Lines go to standard error only: \(problem)") }
    }

    package func write(_ line: LogLine) {
        guard descriptor >= 0 else { return }
        state.withLock { state in
            guard let least = state.levels[line.logger] ?? state.least, line.level >= least else { return }
            let now = SystemClock.wallMilliseconds()
            let text = state.format == .text ? Log.text(line, at: now) : Log.json(line, at: now)
            let bytes = Array(text.utf8)
            bytes.withUnsafeBytes { writeAll($0, to: descriptor) }
            state.kept.append(bytes)
        }
    }

    package func callAsFunction(_ level: LogLine.Level, _ logger: String, _ message: String) {
        write(LogLine(level, logger, message))
    }

    // MARK: Reading them again

    /// Names, sizes and times of what may be read.
    package var files: [LogFiles.Entry] { state.withLock { $0.kept.entries } }

    /// The file that is being written now.
    package var currentFile: String { state.withLock { $0.kept.name } }

    /// At most `limit` bytes from `offset` on; nil when there is no such file. Negative offsets count from the end.
    package func read(file: String, offset: Int64, limit: Int) -> LogFiles.Part? { state.withLock { $0.kept }.read(file, offset: offset, limit: limit) }

    // MARK: Layouts

    private static func text(_ line: LogLine, at milliseconds: Int64) -> String {
        var text = stamp(milliseconds)
        text += " " + line.level.rawValue + String(repeating: " ", count: 5 - line.level.rawValue.count)
        text += " " + line.logger + " [" + (line.subject ?? "") + "] - "
        // One line stays one line: what came from outside must not forge another.
        text += line.message.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n    ") + "\n"
        return text
    }

    private static func json(_ line: LogLine, at milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let day = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(thousandths(milliseconds))"
        var text = "{\"timestamp\":\"\(day)T\(time)Z\",\"level\":\"\(line.level.rawValue)\",\"logger\":\(quoted(line.logger))"
        if let subject = line.subject {
            text += ",\"job\":\"\(subject.prefix(32))\""
            if subject.utf8.count > 32 { text += ",\"task\":\(quoted(subject))" }
        }
        return text + ",\"message\":\(quoted(line.message))}\n"
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static func stamp(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        let day = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)),\(thousandths(milliseconds))"
    }

    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func thousandths(_ milliseconds: Int64) -> String {
        let rest = Int(milliseconds % 1_000)
        return String(repeating: "0", count: rest < 10 ? 2 : rest < 100 ? 1 : 0) + "\(rest)"
    }
}

func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
    var at = 0
    while at < bytes.count {
        let written = Glibc.write(descriptor, bytes.baseAddress.unsafelyUnwrapped + at, bytes.count - at)
        if written <= 0 { break }
        at += written
    }
}

private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }

extension LogLine.Level {
    /// Nil: nothing is logged.
    init?(_ level: LogLevel) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .warning: self = .warning
        case .error: self = .error
        case .off: return nil
        }
    }
}

extension LogLine {
    /// The first task (`<job>/<vertex>.<index>#<attempt>`) or job (32 hex digits) that the message names: machines say what they speak about.
    package var subject: String? {
        let bytes = Array(message.utf8)
        func isHex(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
        var start = 0
        while start + 32 <= bytes.count {
            guard isHex(bytes[start]) else {
                start += 1
                continue
            }
            var end = start
            while end < bytes.count, isHex(bytes[end]) { end += 1 }
            let isWord = start == 0 || !isLetterOrDigit(bytes[start - 1])
            if end - start == 32, isWord, end == bytes.count || !isLetterOrDigit(bytes[end]) {
                if end < bytes.count, bytes[end] == UInt8(ascii: "/") {
                    var rest = end + 1
                    while rest < bytes.count, isLetterOrDigit(bytes[rest]) || bytes[rest] == UInt8(ascii: ".") || bytes[rest] == UInt8(ascii: "#") { rest += 1 }
                    if bytes[end..<rest].contains(UInt8(ascii: "#")) { end = rest }
                }
                return String(decoding: bytes[start..<end], as: UTF8.self)
            }
            start = end
        }
        return nil
    }
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
}
