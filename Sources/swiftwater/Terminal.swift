import Glibc
import Hosts

/// Standard output and error, unbuffered: what a user sees is whole lines in order.
enum Terminal {
    static let isInteractive = isatty(STDERR_FILENO) == 1

    static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
    static func error(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Replaces the line under the cursor on a terminal; elsewhere does nothing.
    static func status(_ text: String) {
        if isInteractive { write("\r\u{1B}[K" + text, to: STDERR_FILENO) }
    }

    static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var at = 0
            while at < bytes.count {
                let written = Glibc.write(descriptor, bytes.baseAddress.unsafelyUnwrapped + at, bytes.count - at)
                if written <= 0 { break }
                at += written
            }
        }
    }

    static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

    /// Calls `body` on a thread of its own when Ctrl-C is pressed; it ends the process. Call before other threads start.
    static func onInterrupt(_ body: @escaping @Sendable () -> Never) {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let waited = signals
        startThread(named: "ctrl-c") {
            var waited = waited
            var signal: Int32 = 0
            sigwait(&waited, &signal)
            body()
        }
    }
}
