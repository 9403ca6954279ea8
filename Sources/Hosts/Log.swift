import Dataflow
import Glibc
import JobControl
import Synchronization

/// Lines for people, in Flink's layout: `2026-11-22 10:00:00,123 INFO  CheckpointCoordinator [] - message`.
///
/// Written whole, to standard error or a file, from any thread. Secrets must not come here: machines and hosts never put settings into messages.
package final class Log: Sendable {
    private let descriptor: Int32
    private let least: LogLine.Level

    package init(descriptor: Int32 = STDERR_FILENO, least: LogLine.Level = .info) {
        self.descriptor = descriptor
        self.least = least
    }

    /// For a command that tells the outcome itself.
    package static let none = Log(descriptor: -1)

    package func write(_ line: LogLine) {
        guard line.level >= least, descriptor >= 0 else { return }
        var text = Log.stamp(SystemClock.wallMilliseconds())
        text += " " + line.level.rawValue + String(repeating: " ", count: 5 - line.level.rawValue.count)
        text += " " + line.logger + " [] - "
        // One line stays one line: what came from outside must not forge another.
        text += line.message.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n    ") + "\n"
        text.withUTF8 { bytes in
            var at = 0
            while at < bytes.count {
                let written = Glibc.write(descriptor, bytes.baseAddress.unsafelyUnwrapped + at, bytes.count - at)
                if written <= 0 { break }
                at += written
            }
        }
    }

    package func callAsFunction(_ level: LogLine.Level, _ logger: String, _ message: String) {
        write(LogLine(level, logger, message))
    }

    private static func stamp(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let thousandths = Int(milliseconds % 1_000)
        let fraction = String(repeating: "0", count: thousandths < 10 ? 2 : thousandths < 100 ? 1 : 0) + "\(thousandths)"
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)),\(fraction)"
    }
}
