import Dataflow
import Wire

/// See `promise`.
struct CollectorChecker: Checker {
    static let promise = "Nothing that HEAD reaches is deleted, and everything that HEAD reaches is there when HEAD comes to name it."

    private var present: Set<String> = []
    private var reached: [String: CheckpointID] = [:]

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .put(let path):
            present.insert(CollectorChecker.key(path))
            return nil
        case .deleted(let path):
            let key = CollectorChecker.key(path)
            present.remove(key)
            return reached[key].map { "\(key) is deleted, but HEAD names checkpoint \($0), which needs it" }
        case .head(let head):
            reached = [:]
            for retained in head.retained {
                for key in retained.objects + [retained.manifest] {
                    reached[key] = retained.checkpoint
                    if !present.contains(key) { return "HEAD names checkpoint \(retained.checkpoint), but \(key) is not there" }
                }
            }
            return nil
        default: return nil
        }
    }

    /// HEAD names a savepoint's manifest by its whole path, and everything else by its key, in whichever store of the job it is.
    private static func key(_ path: String) -> String {
        for root in [SimulatedCluster.checkpoints + "/", "memory"] where path.hasPrefix(root) {
            return String(root == "memory" ? path.drop { $0 != "/" }.dropFirst() : path.dropFirst(root.count))
        }
        return path
    }
}
