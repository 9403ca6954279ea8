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
        /// The slot of each subtask.
        package var slots: [Slot]
        /// For each key group the subtask that owns it.
        package var owners: [UInt16]

        package init(slots: [Slot], owners: [UInt16]) {
            self.slots = slots
            self.owners = owners
        }

        package var parallelism: Int { slots.count }

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
        vertices.indices.flatMap { vertex in vertices[vertex].slots.indices.map { SubtaskID(vertex: vertex, index: $0) } }
    }

    package func slot(of subtask: SubtaskID) -> Slot { vertices[subtask.vertex].slots[subtask.index] }

    /// Workers that hold at least one subtask, sorted.
    package var workers: [WorkerID] { Set(vertices.flatMap { $0.slots.map(\.worker) }).sorted() }

    package func subtasks(on worker: WorkerID) -> [SubtaskID] { subtasks.filter { slot(of: $0).worker == worker } }

    /// The target subtasks that one source subtask of an edge sends to.
    package func targets(of edge: JobEdge, from index: Int) -> [Int] {
        switch edge.partitioning {
        case .forward: [index]
        case .hash, .rebalance: Array(0..<vertices[edge.target].parallelism)
        case .single: [0]
        }
    }

    /// The source subtasks that one target subtask of an edge hears from.
    package func origins(of edge: JobEdge, to index: Int) -> [Int] {
        switch edge.partitioning {
        case .forward: [index]
        case .hash, .rebalance: Array(0..<vertices[edge.source].parallelism)
        case .single: index == 0 ? Array(0..<vertices[edge.source].parallelism) : []
        }
    }
}
