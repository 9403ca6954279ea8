import Glibc
import Synchronization

/// Says which seeds were running when a machine's own check ended the process: a broken precondition cannot be caught.
enum RunningSeeds {
    private static let seeds = Mutex<[UInt64]>([])
    /// What the signal handler writes: kept up to date, for a handler may not lock or allocate.
    nonisolated(unsafe) private static let text = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 256)
    nonisolated(unsafe) private static var length = 0
    nonisolated(unsafe) private static let previous = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)

    static func during<T>(_ seed: UInt64, _ body: () -> T) -> T {
        change { $0.append(seed) }
        defer { change { if let place = $0.firstIndex(of: seed) { $0.remove(at: place) } } }
        return body()
    }

    private static func change(_ body: (inout [UInt64]) -> Void) {
        seeds.withLock { seeds in
            if length == 0 {
                var action = sigaction()
                action.__sigaction_handler.sa_handler = report
                for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT] { sigaction(number, &action, previous + Int(number)) }
            }
            body(&seeds)
            let words = "A machine's own check failed while these seeds were running: \(seeds.map(String.init).joined(separator: " "))\n"
            length = 0
            for byte in words.utf8.prefix(text.count) {
                text[length] = byte
                length += 1
            }
        }
    }

    private static let report: @convention(c) (Int32) -> Void = { number in
        _ = write(2, text.baseAddress, length)
        // The handler that was there before prints where it happened.
        sigaction(number, previous + Int(number), nil)
        raise(number)
    }
}
