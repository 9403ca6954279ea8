/// Where a job runs: which subtasks exist, in which slots, and which key groups each owns. Has an epoch; recoveries and
/// planned changes make the next one.
package struct Layout: Hashable, Codable, Sendable {
    package struct Slot: Hashable, Codable, Sendable, Comparable {
        package var worker: WorkerID
        package var index: Int

        package init(worker: WorkerID, index: Int) {
            self.worker = worker
            self.index = index
        }

        package static func < (a: Slot, b: Slot) -> Bool { (a.worker, a.index) < (b.worker, b.index) }
    }

    package struct Vertex: Hashable, Codable, Sendable {
        /// The slot of each subtask, by its number. Nil: there is no subtask of this number; a planned change leaves such gaps, so that those
        /// who stay keep their numbers.
        package var slots: [Slot?]
        /// For each key group the subtask that owns it.
        package var owners: [UInt16]
        /// The attempt of each subtask, where planned changes have made some later than others; empty: all are of `Layout.attempt`.
        package var attempts: [UInt32]

        package init(slots: [Slot?], owners: [UInt16], attempts: [UInt32] = []) {
            self.slots = slots
            self.owners = owners
            self.attempts = attempts
        }

        private enum CodingKeys: CodingKey { case slots, owners, attempts }

        package init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                slots: try values.decode([Slot?].self, forKey: .slots), owners: try values.decode([UInt16].self, forKey: .owners),
                attempts: try values.decodeIfPresent([UInt32].self, forKey: .attempts) ?? [])
        }

        /// How many subtasks there are.
        package var parallelism: Int { slots.count { $0 != nil } }

        /// Their numbers, ascending.
        package var indices: [Int] { slots.indices.filter { slots[$0] != nil } }

        package func has(_ index: Int) -> Bool { slots.indices.contains(index) && slots[index] != nil }

        package func groups(of subtask: Int) -> [Int] { owners.indices.filter { Int(owners[$0]) == subtask } }
    }

    package var epoch: LayoutEpoch
    /// The attempt of every task that this layout deployed anew.
    package var attempt: UInt32
    package var vertices: [Vertex]

    package init(epoch: LayoutEpoch, attempt: UInt32, vertices: [Vertex]) {
        self.epoch = epoch
        self.attempt = attempt
        self.vertices = vertices
    }

    package var subtasks: [SubtaskID] {
        var subtasks: [SubtaskID] = []
        subtasks.reserveCapacity(vertices.reduce(0) { $0 + $1.slots.count })
        for (vertex, layout) in vertices.enumerated() {
            for (index, slot) in layout.slots.enumerated() where slot != nil { subtasks.append(SubtaskID(vertex: vertex, index: index)) }
        }
        return subtasks
    }

    package var subtaskCount: Int { vertices.reduce(0) { $0 + $1.parallelism } }

    package func has(_ subtask: SubtaskID) -> Bool { vertices.indices.contains(subtask.vertex) && vertices[subtask.vertex].has(subtask.index) }

    package func slot(of subtask: SubtaskID) -> Slot {
        guard let slot = vertices[subtask.vertex].slots[subtask.index] else { preconditionFailure("subtask \(subtask) is not in the layout") }
        return slot
    }

    /// The attempt of one subtask's task.
    package func attempt(of subtask: SubtaskID) -> UInt32 {
        let attempts = vertices[subtask.vertex].attempts
        return attempts.isEmpty ? attempt : attempts[subtask.index]
    }

    package func task(_ subtask: SubtaskID, of job: JobID) -> TaskID { TaskID(job: job, subtask: subtask, attempt: attempt(of: subtask)) }

    /// The task is one of this layout.
    package func has(_ task: TaskID) -> Bool { has(task.subtask) && attempt(of: task.subtask) == task.attempt }

    /// Every task, sorted.
    package func tasks(of job: JobID) -> [TaskID] { subtasks.map { task($0, of: job) } }

    /// Workers that hold at least one subtask, sorted.
    package var workers: [WorkerID] {
        // Asked for at every report of a task. Neighbours are mostly on one TaskManager, and sorting these few needs no hashes.
        var all: [WorkerID] = []
        for vertex in vertices { for case let slot? in vertex.slots where slot.worker != all.last { all.append(slot.worker) } }
        all.sort()
        var workers: [WorkerID] = []
        for worker in all where worker != workers.last { workers.append(worker) }
        return workers
    }

    /// Slots that hold at least one subtask.
    package var usedSlots: Set<Slot> {
        var used: Set<Slot> = []
        for vertex in vertices { for case let slot? in vertex.slots { used.insert(slot) } }
        return used
    }

    package func subtasks(on worker: WorkerID) -> [SubtaskID] { subtasks.filter { slot(of: $0).worker == worker } }

    /// The target subtasks that one source subtask of an edge sends to.
    package func targets(of edge: JobEdge, from index: Int) -> [Int] {
        switch edge.partitioning {
        case .forward: [index]
        case .hash, .rebalance: vertices[edge.target].indices
        case .single: Array(vertices[edge.target].indices.prefix(1))
        }
    }

    /// The source subtasks that one target subtask of an edge hears from.
    package func origins(of edge: JobEdge, to index: Int) -> [Int] {
        switch edge.partitioning {
        case .forward: [index]
        case .hash, .rebalance: vertices[edge.source].indices
        case .single: index == vertices[edge.target].indices.first ? vertices[edge.source].indices : []
        }
    }

    /// The channel between two subtasks along an edge: as old as the younger of its ends.
    package func channel(of job: JobID, _ graph: JobGraph, edge: Int, from: Int, to: Int) -> ChannelID {
        let sender = attempt(of: SubtaskID(vertex: graph.edges[edge].source, index: from))
        let receiver = attempt(of: SubtaskID(vertex: graph.edges[edge].target, index: to))
        return ChannelID(job: job, edge: edge, from: from, to: to, attempt: max(sender, receiver))
    }
}
