import Dataflow

/// What one task must know of a planned change before its barrier comes (docs/protocols.md 6).
package struct TaskChange: Sendable {
    package var layout: LayoutEpoch
    /// What the task is from the barrier on; nil: it retires there.
    package var plan: TaskPlan?
    /// Key groups whose state goes to other tasks at the barrier.
    package var departures: [LayoutChange.Departure]
    /// Tasks that send state to this one.
    package var arrivals: Set<TaskID>
    /// Of a source: splits move, so that it tells no watermark before it knows which are its own. Of who hears one such reader only: it tells none
    /// before that one does, and it is lower, maybe.
    package var movesSplits: Bool

    package init(
        layout: LayoutEpoch, plan: TaskPlan?, departures: [LayoutChange.Departure] = [], arrivals: Set<TaskID> = [], movesSplits: Bool = false
    ) {
        self.layout = layout
        self.plan = plan
        self.departures = departures
        self.arrivals = arrivals
        self.movesSplits = movesSplits
    }

    package init(_ change: LayoutChange, for task: TaskID) {
        self.init(
            layout: change.new.epoch,
            plan: change.new.has(task) ? TaskPlan(job: change.job, graph: change.graph, layout: change.new, subtask: task.subtask) : nil,
            departures: change.departures(from: task), arrivals: Set(change.arrivals(at: task)),
            movesSplits: change.movesSplits(of: task.subtask.vertex) || change.beginsReader(task) || change.hearsMovedSplits(task.subtask.vertex))
    }
}

extension LayoutChange {
    /// A reader that begins with this change is told its splits, if there are any for it.
    fileprivate func beginsReader(_ task: TaskID) -> Bool { graph.vertices[task.subtask.vertex].source != nil && !old.has(task) }
}
