import Dataflow
import Synchronization

/// Savepoints, stops and checkpoints under way: asked for once, then asked about by their request id.
package final class Operations: Sendable {
    /// Savepoints and stops share their ids, as in Flink; those of another job, and of checkpoints, are others.
    package struct Key: Hashable, Sendable {
        package var job: JobID
        package var isCheckpoint: Bool
        /// 32 hex digits, as a job's.
        package var trigger: JobID

        package init(job: JobID, isCheckpoint: Bool, trigger: JobID) { (self.job, self.isCheckpoint, self.trigger) = (job, isCheckpoint, trigger) }
    }

    package enum State: Hashable, Sendable {
        case inProgress
        case completed(path: String)
        case failed(String)

        var hasEnded: Bool { if case .inProgress = self { false } else { true } }
    }

    private struct Held {
        var states: [Key: State] = [:]
        var order: [Key] = []
        /// Whoever asked for these has not been told yet how they ended.
        var untold: Set<Key> = []
        var lastTold: ContinuousClock.Instant?
    }

    /// The oldest are forgotten beyond this.
    private static let limit = 1000
    private let held = Mutex(Held())

    package init() {}

    /// False: it was asked for already, and nothing is to be begun.
    package func begin(_ id: Key) -> Bool {
        held.withLock { held in
            guard held.states[id] == nil else { return false }
            held.states[id] = .inProgress
            held.order.append(id)
            held.untold.insert(id)
            if held.order.count > Operations.limit {
                let oldest = held.order.removeFirst()
                held.states[oldest] = nil
                held.untold.remove(oldest)
            }
            return true
        }
    }

    package func end(_ id: Key, _ state: State) {
        held.withLock { if $0.states[id] != nil { $0.states[id] = state } }
    }

    /// For the one who asked.
    package func tell(_ id: Key) -> State? {
        held.withLock { held in
            let state = held.states[id]
            if state?.hasEnded == true, held.untold.remove(id) != nil { held.lastTold = .now }
            return state
        }
    }

    /// Nobody waits for an answer any more, nor can one still be on its way out.
    package var areSettled: Bool {
        held.withLock { $0.untold.isEmpty && $0.lastTold.map { .now - $0 > .milliseconds(200) } ?? true }
    }
}
