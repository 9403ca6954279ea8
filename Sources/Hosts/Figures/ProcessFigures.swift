import Dataflow
import Glibc
import Synchronization

/// What this process uses, as the kernel says. Stands where Flink has `Status.JVM`: there is no heap here, so `Heap.Used` is the memory that
/// is the process's own (anonymous), and what a JVM alone has (garbage collectors, class loaders, metaspace) is left out.
package struct ProcessFigures: Sendable {
    package var cpuNanoseconds: Int64 = 0
    /// All that is resident, mapped files included, in bytes.
    package var residentBytes: Int64 = 0
    package var anonymousBytes: Int64 = 0
    package var threads: Int64 = 0
    package var openFiles: Int64 = 0
    package var maximumFiles: Int64 = 0

    /// What the process may use; nil: not known.
    package var maximumBytes: Int64?

    /// `wanted`: names of figures; what none of them needs is not looked up. Nil: all of them.
    package static func now(maximumBytes: Int64? = nil, wanted: [String]? = nil) -> ProcessFigures {
        func isWanted(_ names: String...) -> Bool { wanted.map { names.contains(where: $0.contains) } ?? true }

        var figures = ProcessFigures()
        figures.maximumBytes = maximumBytes
        var time = timespec()
        if clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 {
            figures.cpuNanoseconds = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        }
        if isWanted("Status.JVM.Memory.Heap.Used", "Status.JVM.Memory.Heap.Committed", "Status.JVM.Threads.Count") { figures.readStatus() }
        if isWanted("Status.JVM.FileDescriptor.Open"), let folder = opendir("/proc/self/fd") {
            while readdir(folder) != nil { figures.openFiles += 1 }
            closedir(folder)
            figures.openFiles = max(0, figures.openFiles - 3)  // ".", ".." and the folder itself.
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { figures.maximumFiles = Int64(clamping: limit.rlim_cur) }
        return figures
    }

    private mutating func readStatus() {
        for line in ProcessFigures.status().split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count > 1, let number = Int64(words[1]) else { continue }
            switch words[0] {
            case "VmRSS:": residentBytes = number << 10
            case "RssAnon:": anonymousBytes = number << 10
            case "Threads:": threads = number
            default: break
            }
        }
    }

    private static func status() -> String {
        let descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// By Flink's names, without the scope in front. `load`: the share of all processors since the last look.
    package func named(load: Double) -> [(name: String, value: Double)] {
        [
            ("Status.JVM.CPU.Load", load), ("Status.JVM.CPU.Time", Double(cpuNanoseconds)), ("Status.JVM.Memory.Heap.Used", Double(anonymousBytes)),
            ("Status.JVM.Memory.Heap.Committed", Double(residentBytes)), ("Status.JVM.Threads.Count", Double(threads)),
            ("Status.JVM.FileDescriptor.Open", Double(openFiles)), ("Status.JVM.FileDescriptor.Max", Double(maximumFiles)),
        ] + (maximumBytes.map { [("Status.JVM.Memory.Heap.Max", Double($0))] } ?? [])
    }
}

/// The share of the machine's processors that the process took between two looks.
package final class ProcessLoad: Sendable {
    private let last = Mutex((at: SystemClock.now().instant, cpu: Int64(0)))
    private let processors = Double(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    package init() {}

    package func take(_ figures: ProcessFigures) -> Double {
        let now = SystemClock.now().instant
        return last.withLock { last in
            defer { last = (now, figures.cpuNanoseconds) }
            let elapsed = Double((now - last.at).milliseconds) * 1_000_000
            return elapsed > 0 ? Double(figures.cpuNanoseconds - last.cpu) / elapsed / processors : 0
        }
    }
}
