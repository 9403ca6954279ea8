import Dataflow

/// Plans where a job begins that starts from a checkpoint: whoever was there when it was taken gets the key groups back that it had, and so
/// restores them from its own copies. Only those of others get new owners, and only as many more as even shares ask for.
///
/// Every task is a new attempt all the same. Subtasks are numbered without gaps; those who were there keep their numbers where that allows it.
package struct RecoveryPlanner {
    package let graph: JobGraph
    /// Nil: the job begins with nothing.
    package let point: RestorePoint?

    package init(graph: JobGraph, point: RestorePoint?) {
        self.graph = graph
        self.point = point
    }

    /// Slots in which the tasks of the checkpoint ran, in the order of its widest vertex: a job that shrinks gives up the last ones.
    package var slots: [Layout.Slot] {
        guard let vertices = point?.manifest.layout.vertices else { return [] }
        let widest = vertices.max { $0.parallelism < $1.parallelism }.map { $0.slots.compactMap { $0 } } ?? []
        return widest + Set(vertices.flatMap { $0.slots.compactMap { $0 } }).subtracting(widest).sorted()
    }

    /// `slots`: one subtask of a vertex in each. `parallelism`: subtasks of each vertex, at most as many as slots.
    package func plan(on slots: [Layout.Slot], parallelism: [Int], attempt: UInt32, epoch: LayoutEpoch) -> Layout {
        let usable = Set(slots)
        let old = Layout(
            epoch: epoch, attempt: attempt, vertices: graph.vertices.indices.map { left(of: $0, on: usable, count: min(parallelism[$0], slots.count)) })
        var layout = LayoutPlanner(graph: graph, old: old, slots: slots, parallelism: parallelism, renewed: Set(graph.vertices.indices))
            .plan(attempt: attempt, epoch: epoch)
        for vertex in layout.vertices.indices { layout.vertices[vertex].attempts = [] }
        return layout
    }

    /// What is left of a vertex as it was at the checkpoint, with numbers below `count`. Who begins in the place of somebody who is gone gets all that
    /// was his; groups for which there is nobody belong to none of them.
    private func left(of vertex: Int, on usable: Set<Layout.Slot>, count: Int) -> Layout.Vertex {
        let fresh = Layout.Vertex(slots: [], owners: KeyGroup.table(parallelism: count, groups: graph.maxParallelism))
        guard let point, let place = point.vertices[vertex] else { return fresh }
        let old = point.manifest.layout.vertices[place]
        let survivors = old.indices.filter { old.slots[$0].map(usable.contains) ?? false }.prefix(count)
        guard !survivors.isEmpty, old.owners.count == graph.maxParallelism else { return fresh }
        // Those who live choose first.
        var numbers: [Int: Int] = [:]
        for group in [Array(survivors), old.indices.filter { !survivors.contains($0) }] {
            let taken = Set(numbers.values)
            let kept = group.filter { $0 < count && !taken.contains($0) }
            for number in kept { numbers[number] = number }
            var free = (0..<count).filter { !taken.contains($0) && !kept.contains($0) }[...]
            for number in group where numbers[number] == nil { numbers[number] = free.popFirst() }
        }
        var slots = [Layout.Slot?](repeating: nil, count: count)
        for survivor in survivors { if let number = numbers[survivor] { slots[number] = old.slots[survivor] } }
        return Layout.Vertex(slots: slots, owners: old.owners.map { numbers[Int($0)].map { UInt16($0) } ?? .max })
    }
}
