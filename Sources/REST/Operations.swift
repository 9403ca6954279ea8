import Synchronization

/// Savepoints and stops under way: asked for once, then asked about by their request id.
final class Operations: Sendable {
    enum State: Sendable {
        case inProgress
        case completed(path: String)
        case failed(String)

        var hasEnded: Bool { if case .inProgress = self { false } else { true } }
    }

    private struct Held {
        var states: [String: State] = [:]
        var order: [String] = []
        /// Whoever asked for these has not been told yet how they ended.
        var untold: Set<String> = []
        var lastTold: ContinuousClock.Instant?
    }

    /// The oldest are forgotten beyond this.
    private static let limit = 1000
    private let held = Mutex(Held())

    func begin(_ id: String) {
        held.withLock { held in
            held.states[id] = .inProgress
            held.order.append(id)
            held.untold.insert(id)
            if held.order.count > Operations.limit {
                let oldest = held.order.removeFirst()
                held.states[oldest] = nil
                held.untold.remove(oldest)
            }
        }
    }

    func end(_ id: String, _ state: State) {
        held.withLock { if $0.states[id] != nil { $0.states[id] = state } }
    }

    func knows(_ id: String) -> Bool { held.withLock { $0.states[id] != nil } }

    /// For the one who asked.
    func tell(_ id: String) -> State? {
        held.withLock { held in
            let state = held.states[id]
            if state?.hasEnded == true, held.untold.remove(id) != nil { held.lastTold = .now }
            return state
        }
    }

    /// Nobody waits for an answer any more, nor can one still be on its way out.
    var areSettled: Bool {
        held.withLock { $0.untold.isEmpty && $0.lastTold.map { .now - $0 > .milliseconds(200) } ?? true }
    }
}
