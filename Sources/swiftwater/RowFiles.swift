import Columnar
import Connectors
import Dataflow
import Glibc

/// Files of rows that appear in a folder one after the other, whole: `.NAME.part` while written, then renamed.
///
/// Names rise with time, so that a reader that takes files by name reads rows in the order in which they were made.
final class RowFiles {
    private let folder: String
    private let prefix: String
    private let rowsEach: Int64?
    private let lasting: Duration
    private var descriptor: Int32 = -1
    private var rows: Int64 = 0
    private var opened = Instant.zero
    private(set) var finished = 0

    /// Makes the folder if it is not there.
    init(folder: String, rowsEach: Int64?, lasting: Duration, at now: Now) throws(StreamError) {
        self.folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        self.rowsEach = rowsEach
        self.lasting = lasting
        // 20261122-110439-4711: two generators of one folder do not meet.
        let (day, clock) = TimestampText.floorDivide(now.wallMilliseconds, 86_400_000)
        let date = CivilDate(days: Int(day)), second = Int(clock / 1000)
        let digits = date.year * 10_000 + date.month * 100 + date.day
        let time = second / 3600 * 10_000 + second / 60 % 60 * 100 + second % 60
        prefix = "rows-\(digits)-\(RowFiles.padded(time, 6))-\(getpid())"
        try RowFiles.makeFolder(self.folder)
    }

    private var name: String { "\(prefix)-\(RowFiles.padded(finished + 1, 6)).json" }

    /// Rows are never cut: a file ends behind one. It has `rowsEach` of them at most when each call gives so many at most.
    func take(_ text: TextBuffer, rows count: Int64, at now: Now) throws(StreamError) {
        var from = 0, left = count
        while left > 0 {
            if descriptor < 0 { try open(at: now.instant) }
            let part = min(left, rowsEach.map { $0 - rows } ?? left)
            let end = part == left ? text.count : RowFiles.end(ofLines: part, in: text, from: from)
            try write(text.pointer + from, end - from)
            rows += part
            left -= part
            from = end
            if rows == rowsEach { try finish() }
        }
        if descriptor >= 0, now.instant - opened >= lasting { try finish() }
    }

    func finish() throws(StreamError) {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        guard rename("\(folder)/.\(name).part", "\(folder)/\(name)") == 0 else { throw error("renaming", name) }
        finished += 1
    }

    private func open(at now: Instant) throws(StreamError) {
        descriptor = Glibc.open("\(folder)/.\(name).part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw error("opening", name) }
        rows = 0
        opened = now
    }

    private func write(_ bytes: UnsafeMutablePointer<UInt8>, _ length: Int) throws(StreamError) {
        var from = 0
        while from < length {
            let count = Glibc.write(descriptor, bytes + from, length - from)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw error("writing", name) }
            from += count
        }
    }

    private static func end(ofLines lines: Int64, in text: TextBuffer, from: Int) -> Int {
        var at = from, left = lines
        while left > 0, at < text.count {
            if text.pointer[at] == 0x0A { left -= 1 }
            at += 1
        }
        return at
    }

    private static func makeFolder(_ path: String) throws(StreamError) {
        if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
        if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeFolder(String(path[..<slash]))
            if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
        }
        throw StreamError(.user, retry: false, "creating \(path): \(String(cString: strerror(errno)))")
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private func error(_ action: String, _ name: String) -> StreamError {
        StreamError(.externalSystem, retry: false, "\(action) \(folder)/\(name): \(String(cString: strerror(errno)))")
    }
}
