import Dataflow
import Wire

/// See `promise`.
struct SlotChecker: Checker {
    static let promise = """
        A slot has at most one holder: a deployment places one subtask of a vertex there, and no other attempt is placed on a TaskManager \
        while a task of an older one still runs in the slot.
        """

    private var slots: [TaskID: Layout.Slot] = [:]
    private var holders: [Layout.Slot: Set<TaskID>] = [:]
    /// For each attempt the deployment that it goes back to without a restart: tasks of its layouts may stand side by side.
    private var origins: [UInt32: UInt32] = [:]

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .leaderSent(.deploy(let deployment), _, _), .leaderSent(.change(let deployment), _, _):
            let (job, previous) = (deployment.job, deployment.previous)
            let attempt = deployment.layout.attempt
            origins[attempt] = previous.map { origins[$0.attempt] ?? $0.attempt } ?? attempt
            var taken: Set<String> = []
            for subtask in deployment.layout.subtasks {
                let slot = deployment.layout.slot(of: subtask)
                if !taken.insert("\(slot.worker) \(slot.index) \(subtask.vertex)").inserted {
                    return "slot \(slot.index) of \(slot.worker) holds two subtasks of vertex \(subtask.vertex)"
                }
                slots[deployment.layout.task(subtask, of: job)] = slot
            }
            return nil
        case .taskStarted(let task, _):
            guard let slot = slots[task] else { return "task \(task) starts without a deployment" }
            if let other = holders[slot]?.first(where: { origins[$0.attempt] != origins[task.attempt] }) {
                return "slot \(slot.index) of \(slot.worker) holds \(task) while \(other) is still there"
            }
            holders[slot, default: []].insert(task)
            return nil
        case .taskGone(let task, _):
            if let slot = slots[task] { holders[slot]?.remove(task) }
            return nil
        default: return nil
        }
    }
}
