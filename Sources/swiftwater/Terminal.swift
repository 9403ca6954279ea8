import Glibc
import Hosts
import Synchronization

/// Standard output and error, unbuffered: what a user sees is whole lines in order.
enum Terminal {
    static let isInteractive = isatty(STDERR_FILENO) == 1

    static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
    static func error(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Each warning once: the client and the JobManager may both find it.
    static func warning(_ text: String) {
        if warned.withLock({ $0.insert(text).inserted }) { error("warning: \(text)") }
    }
    private static let warned = Mutex<Set<String>>([])

    /// Replaces the line under the cursor on a terminal; elsewhere does nothing.
    static func status(_ text: String) {
        if isInteractive { write("\r\u{1B}[K" + text, to: STDERR_FILENO) }
    }

    /// Ends the process with code 1 when standard output takes nothing more: rows would be lost. Words that cannot be said are not said.
    static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var at = 0
            while at < bytes.count {
                let written = Glibc.write(descriptor, bytes.baseAddress.unsafelyUnwrapped + at, bytes.count - at)
                if written < 0, errno == EINTR { continue }
                if written <= 0 {
                    guard descriptor == STDOUT_FILENO else { return }
                    error("standard output: \(String(cString: strerror(errno))); rows are missing there")
                    _exit(1)
                }
                at += written
            }
        }
    }

    static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

    /// Calls `body` on a thread of its own when Ctrl-C is pressed; it ends the process.
    ///
    /// A handler and a pipe, not a blocked signal: threads that run already would take a signal that only this one blocks.
    static func onInterrupt(_ body: @escaping @Sendable () -> Never) {
        let reading = interrupts.reading
        startThread(named: "ctrl-c") {
            var byte: UInt8 = 0
            while Glibc.read(reading, &byte, 1) < 0, errno == EINTR {}
            body()
        }
        signal(SIGINT) { _ in
            var byte: UInt8 = 1
            Glibc.write(interrupts.writing, &byte, 1)
        }
    }
}

/// Made before the handler that writes into it.
private let interrupts: (reading: Int32, writing: Int32) = {
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0, "a pipe for Ctrl-C")
    return (ends[0], ends[1])
}()
