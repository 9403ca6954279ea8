import Glibc
import Settings

/// Configuration as both servers read it; warnings are logged, errors end the process with code 2.
package func loadConfiguration(folder: String?, dynamic: [String], _ log: Log) -> Configuration {
    do {
        let configuration = try folder.map { try Configuration.load(folder: $0, dynamic: dynamic) } ?? Configuration.load(dynamic: dynamic)
        for warning in configuration.warnings { log(.warning, "Configuration", warning) }
        return configuration
    } catch {
        log(.error, "Configuration", "\(error)")
        exit(2)
    }
}

/// Blocks SIGTERM and SIGINT in every thread, waits for the first one here, calls, and then waits for ever: whoever is called ends the
/// process. A second signal ends it at once.
package func waitForTermination(_ onSignal: () -> Void) -> Never {
    var signals = terminationSignals()
    var signal: Int32 = 0
    sigwait(&signals, &signal)
    onSignal()
    sigwait(&signals, &signal)
    exit(128 + signal)
}

/// To be called before any other thread starts, so that no other thread takes the signals.
package func blockTerminationSignals() {
    var signals = terminationSignals()
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    signal(SIGPIPE, SIG_IGN)
}

private func terminationSignals() -> sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGINT)
    return signals
}
