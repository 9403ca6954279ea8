import Glibc

/// A process of this machine that a load test watches, from `name=pid`.
struct ObservedProcess {
    let name: String
    let pid: Int

    init?(_ text: String) {
        let parts = text.split(separator: "=")
        guard parts.count == 2, let pid = Int(parts[1]) else { return nil }
        name = String(parts[0])
        self.pid = pid
    }

    struct Reading {
        var cpuSeconds: Double
        var residentBytes: Int
        var peakBytes: Int
    }

    /// From /proc; zeros when the process is gone.
    func read() -> Reading {
        // The name in parentheses may hold blanks; utime and stime are the 12th and 13th fields behind it.
        let fields = smallFile("/proc/\(pid)/stat").split(separator: ")").last.map { $0.split(separator: " ") } ?? []
        let ticks = fields.count > 12 ? (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0) : 0
        let status = smallFile("/proc/\(pid)/status").split(separator: "\n")
        func kilobytes(_ name: String) -> Int {
            status.first { $0.hasPrefix(name) }.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) } ?? 0
        }
        return Reading(
            cpuSeconds: ticks / Double(sysconf(Int32(_SC_CLK_TCK))), residentBytes: kilobytes("VmRSS:") << 10, peakBytes: kilobytes("VmHWM:") << 10)
    }
}

/// What a process used between two readings.
struct ProcessUsage {
    let name: String
    /// 1 is one core, all the time.
    let cores: Double
    let residentBytes: Int
    /// Since the process started.
    let peakBytes: Int

    init(_ name: String, from before: ObservedProcess.Reading, to after: ObservedProcess.Reading, over seconds: Double) {
        self.name = name
        cores = (after.cpuSeconds - before.cpuSeconds) / seconds
        residentBytes = after.residentBytes
        peakBytes = after.peakBytes
    }
}

/// A file of a megabyte at most as text; empty when it cannot be read.
func smallFile(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    var count = 0
    while count < bytes.count {
        let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress.unsafelyUnwrapped + count, $0.count - count) }
        if got <= 0 { break }
        count += got
    }
    return String(decoding: bytes[..<count], as: UTF8.self)
}
