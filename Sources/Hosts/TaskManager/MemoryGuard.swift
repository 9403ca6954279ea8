import CKernels
import Glibc
import TaskRuntime

/// Looks twice a second at what the system says the process has, for what no account counts; past the limit a large task fails, before the
/// kernel ends the process.
func guardMemory(limit: Int, budget: MemoryBudget) {
    guard limit < .max else { return }
    startThread(named: "memory") {
        while true {
            usleep(500_000)
            guard let size = anonymousBytes(), size > limit else {
                budget.alarm(nil)
                continue
            }
            // What was freed may still be the process's: give it back before anybody is blamed for it.
            swiftwater_trim_memory()
            budget.alarm(anonymousBytes().flatMap { $0 > limit ? $0 : nil })
        }
    }
}

/// `RssAnon` of this process; nil where it cannot be read.
private func anonymousBytes() -> Int? {
    let descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var text = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptor, &text, text.count)
    guard count > 0 else { return nil }
    for line in text[..<count].split(separator: UInt8(ascii: "\n")) where line.starts(with: "RssAnon:".utf8) {
        let digits = line.filter { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        return Int(String(decoding: digits, as: UTF8.self)).map { $0 * 1024 }
    }
    return nil
}
