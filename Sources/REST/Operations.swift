import Synchronization

/// Savepoints and stops under way: asked for once, then asked about by their request id.
final class Operations: Sendable {
    enum State: Sendable {
        case inProgress
        case completed(path: String)
        case failed(String)
    }

    private struct Held {
        var states: [String: State] = [:]
        var order: [String] = []
    }

    /// The oldest are forgotten beyond this.
    private static let limit = 1000
    private let held = Mutex(Held())

    func begin(_ id: String) {
        held.withLock { held in
            held.states[id] = .inProgress
            held.order.append(id)
            if held.order.count > Operations.limit { held.states[held.order.removeFirst()] = nil }
        }
    }

    func end(_ id: String, _ state: State) {
        held.withLock { if $0.states[id] != nil { $0.states[id] = state } }
    }

    subscript(id: String) -> State? { held.withLock { $0.states[id] } }
}
