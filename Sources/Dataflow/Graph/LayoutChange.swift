/// What a planned change of the layout means for each task (docs/protocols.md 6). Computed alike by all who know both layouts.
package struct LayoutChange: Hashable, Sendable {
    /// Key groups whose state one task of the old layout owes to one of the new.
    package struct Departure: Hashable, Sendable {
        package var to: TaskID
        package var groups: [Int]

        package init(to: TaskID, groups: [Int]) {
            self.to = to
            self.groups = groups
        }
    }

    package let job: JobID
    package let graph: JobGraph
    package let old: Layout
    package let new: Layout

    package init(job: JobID, graph: JobGraph, from old: Layout, to new: Layout) {
        self.job = job
        self.graph = graph
        self.old = old
        self.new = new
    }

    package func stays(_ task: TaskID) -> Bool { old.has(task) && new.has(task) }

    /// Tasks of the old layout that are not in the new one, sorted.
    package var retiring: [TaskID] { old.tasks(of: job).filter { !new.has($0) } }

    /// Tasks that the new layout begins, sorted.
    package var beginning: [TaskID] { new.tasks(of: job).filter { !old.has($0) } }

    /// Splits of this source vertex go to other readers: none of them passes a watermark on from the barrier until it knows its own.
    package func movesSplits(of vertex: Int) -> Bool {
        graph.vertices[vertex].source != nil && retiring.contains { $0.subtask.vertex == vertex }
    }

    /// Who hears one reader only, over a forward edge, and not all of the source: its watermark may have to fall with that reader's new splits.
    package func hearsMovedSplits(_ vertex: Int) -> Bool {
        graph.edges.contains { $0.target == vertex && $0.partitioning == .forward && (movesSplits(of: $0.source) || hearsMovedSplits($0.source)) }
    }

    /// Whether subtasks of `vertex` hear one subtask each of `source`, over forward edges.
    package func follows(_ vertex: Int, _ source: Int) -> Bool {
        graph.edges.contains { $0.target == vertex && $0.partitioning == .forward && ($0.source == source || follows($0.source, source)) }
    }

    /// Where the state of a task of the old layout goes, sorted.
    package func departures(from task: TaskID) -> [Departure] {
        let vertex = task.subtask.vertex
        guard graph.vertices[vertex].isKeyed, old.has(task) else { return [] }
        var groups: [TaskID: [Int]] = [:]
        for group in old.vertices[vertex].groups(of: task.subtask.index) {
            let owner = new.task(SubtaskID(vertex: vertex, index: Int(new.vertices[vertex].owners[group])), of: job)
            if owner != task { groups[owner, default: []].append(group) }
        }
        return groups.sorted { $0.key < $1.key }.map { Departure(to: $0.key, groups: $0.value) }
    }

    /// The tasks of the old layout that owe state to one of the new, sorted.
    package func arrivals(at task: TaskID) -> [TaskID] {
        let vertex = task.subtask.vertex
        guard graph.vertices[vertex].isKeyed, new.has(task) else { return [] }
        var owners: Set<TaskID> = []
        for group in new.vertices[vertex].groups(of: task.subtask.index) {
            owners.insert(old.task(SubtaskID(vertex: vertex, index: Int(old.vertices[vertex].owners[group])), of: job))
        }
        owners.remove(task)
        return owners.sorted()
    }
}

extension JobVertex {
    /// Its operators keep state by key group.
    package var isKeyed: Bool { chain.contains { $0.spec.isKeyed } }
}

extension OperatorSpec {
    fileprivate var isKeyed: Bool {
        switch self {
        case .windowAggregate, .groupAggregate: true
        case .source, .calc, .localWindowAggregate, .sink: false
        }
    }
}
