import Dataflow
import Wire

/// See `promise`.
struct CollectorChecker: Checker {
    static let promise = "Nothing that HEAD reaches is deleted, and everything that HEAD reaches is there when HEAD comes to name it."

    private var present: Set<String> = []
    private var reached: [String: CheckpointID] = [:]

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .put(let key):
            present.insert(key)
            return nil
        case .deleted(let key):
            present.remove(key)
            return reached[key].map { "\(key) is deleted, but HEAD names checkpoint \($0), which needs it" }
        case .head(let head):
            reached = [:]
            for retained in head.retained {
                for key in (retained.objects + [retained.manifest]).map(CollectorChecker.path) {
                    reached[key] = retained.checkpoint
                    if !present.contains(key) { return "HEAD names checkpoint \(retained.checkpoint), but \(key) is not there" }
                }
            }
            return nil
        default: return nil
        }
    }

    /// A savepoint's manifest is named by its whole path.
    private static func path(_ key: String) -> String { key.contains("://") ? key : SimulatedCluster.checkpoints + "/" + key }
}
