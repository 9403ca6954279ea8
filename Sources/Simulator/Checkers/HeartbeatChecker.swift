import Dataflow
import Wire

/// See `promise`.
struct HeartbeatChecker: Checker {
    static let promise = "A TaskManager is not declared lost for silence while its messages arrive within the heartbeat timeout."

    private let timeout: Duration
    private var heard: [WorkerID: Duration] = [:]

    init(timeout: Duration) { self.timeout = timeout }

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .leaderHeard(_, let worker):
            heard[worker] = time
            return nil
        case .leaderClosed(let worker, let reason) where reason.contains("heartbeat"):
            guard let last = heard[worker], time - last < timeout else { return nil }
            return "\(worker) is declared lost (\(reason)) \(time - last) after its last message"
        default: return nil
        }
    }
}
