import Dataflow
import Wire

/// See `promise`. Attempts are judged in every run, the rest in those in which nothing but planned things happens.
struct PlannedChecker: Checker {
    static let promise = """
        A notice costs no restart and no attempt: in a planned change who keeps its number and its slot keeps its attempt, and where nobody and \
        nothing is lost the job is deployed once, no task that stays is taken off, and every row of a split is read once, in order.
        """

    private let graph: JobGraph
    private let isPlanned: Bool
    /// The attempt that was deployed first.
    private var first: UInt32?
    /// The layout that holds, and the one that a change is about to make of it.
    private var layout: Layout?
    private var next: Layout?
    /// The job comes to its end: its tasks are taken off.
    private var isOver = false
    /// Rows of each split that have been read.
    private var positions: [String: Int] = [:]

    init(graph: JobGraph, isPlanned: Bool) {
        self.graph = graph
        self.isPlanned = isPlanned
    }

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .leaderSent(.change(let deployment), _, _):
            next = deployment.layout
            return deployment.previous.flatMap { wrong($0, deployment.layout) }
        case .leaderSent(.deploy(let deployment), _, _) where isPlanned:
            let attempt = deployment.layout.attempt
            layout = deployment.layout
            if let first, attempt != first { return "attempt \(attempt) is deployed from checkpoint \(deployment.restore?.checkpoint ?? 0), although nobody was lost" }
            first = attempt
            return nil
        case .leaderSent(.conclude, _, _):
            layout = next ?? layout
            return nil
        case .leaderSent(.cancel, _, _):
            isOver = true
            return nil
        case .taskGone(let task, _) where isPlanned && !isOver && layout?.has(task) ?? false:
            return "task \(task), which stays, is taken off"
        case .read(let split, let rows):
            let position = positions[split] ?? 0
            positions[split] = rows.upperBound
            return rows.lowerBound == position ? nil : "split \(split) is read on at row \(rows.lowerBound), but \(position) rows of it have been read"
        default: return nil
        }
    }

    private func wrong(_ old: Layout, _ new: Layout) -> String? {
        for (vertex, places) in new.vertices.enumerated() {
            let subtasks = places.indices.map { SubtaskID(vertex: vertex, index: $0) }.filter { old.has($0) && old.slot(of: $0) == new.slot(of: $0) }
            let moved = subtasks.filter { old.attempt(of: $0) != new.attempt(of: $0) }
            // Readers that share their splits anew all begin anew.
            if graph.vertices[vertex].source != nil, moved.count == subtasks.count { continue }
            if let subtask = moved.first { return "\(subtask) stays where it is, but its attempt goes from \(old.attempt(of: subtask)) to \(new.attempt(of: subtask))" }
        }
        return nil
    }
}
