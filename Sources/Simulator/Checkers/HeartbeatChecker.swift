import Dataflow
import Wire

/// See `promise`.
struct HeartbeatChecker: Checker {
    static let promise = "A TaskManager is not declared lost for silence while its messages arrive within the heartbeat timeout."

    private let timeout: Duration
    private struct Pair: Hashable {
        var worker: WorkerID
        var leader: Int
    }
    private var heard: [Pair: Duration] = [:]

    init(timeout: Duration) { self.timeout = timeout }

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .leaderHeard(_, let worker, let leader):
            heard[Pair(worker: worker, leader: leader)] = time
            return nil
        case .leaderClosed(let worker, let reason, let leader) where reason.hasPrefix("no sign of life"):
            guard let last = heard[Pair(worker: worker, leader: leader)], time - last < timeout else { return nil }
            return "\(worker) is declared lost (\(reason)) \(time - last) after its last message"
        default: return nil
        }
    }
}
