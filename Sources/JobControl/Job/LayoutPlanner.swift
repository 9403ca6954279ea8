import Dataflow

/// Plans the next layout of a running job: who stays keeps his number, his slot and as many of his key groups as an even share allows.
package struct LayoutPlanner {
    package let graph: JobGraph
    package let old: Layout
    /// The slots of the next layout, those to be filled first in front. One subtask of a vertex in each.
    package let slots: [Layout.Slot]
    /// Subtasks of each vertex; at most as many as slots.
    package let parallelism: [Int]
    /// Vertices of which no subtask stays: readers that share their splits anew.
    package let renewed: Set<Int>

    package init(graph: JobGraph, old: Layout, slots: [Layout.Slot], parallelism: [Int], renewed: Set<Int> = []) {
        self.graph = graph
        self.old = old
        self.slots = slots
        self.parallelism = parallelism
        self.renewed = renewed
    }

    /// `epoch`: nil: the one after the old layout's.
    package func plan(attempt: UInt32, epoch: LayoutEpoch? = nil) -> Layout {
        Layout(
            epoch: epoch ?? old.epoch + 1, attempt: attempt,
            vertices: graph.vertices.indices.map { vertex in
                let places = places(of: vertex)
                var slots = [Layout.Slot?](repeating: nil, count: (places.keys.max() ?? -1) + 1)
                var attempts = [UInt32](repeating: 0, count: slots.count)
                for (number, slot) in places {
                    slots[number] = slot
                    attempts[number] = stays(number, of: vertex, in: slot) ? old.attempt(of: SubtaskID(vertex: vertex, index: number)) : attempt
                }
                return Layout.Vertex(slots: slots, owners: owners(vertex, numbers: places.keys.sorted()), attempts: attempts)
            })
    }

    private func stays(_ number: Int, of vertex: Int, in slot: Layout.Slot) -> Bool {
        !renewed.contains(vertex) && old.vertices[vertex].has(number) && old.vertices[vertex].slots[number] == slot
    }

    /// The slot of each subtask by its number. A number whose subtask cannot stay is given to one that begins.
    private func places(of vertex: Int) -> [Int: Layout.Slot] {
        let count = min(parallelism[vertex], slots.count)
        var places: [Int: Layout.Slot] = [:]
        for number in old.vertices[vertex].indices where places.count < count {
            if let slot = old.vertices[vertex].slots[number], slots.contains(slot) { places[number] = slot }
        }
        let taken = Set(places.values)
        var free = slots.filter { !taken.contains($0) }[...]
        var number = 0
        while places.count < count, let slot = free.first {
            if places[number] == nil {
                places[number] = slot
                free = free.dropFirst()
            }
            number += 1
        }
        return places
    }

    /// Even shares, with the fewest groups moved.
    private func owners(_ vertex: Int, numbers: [Int]) -> [UInt16] {
        var owners = old.vertices[vertex].owners
        let known = Set(numbers)
        var held: [Int: Int] = [:]
        for owner in owners where known.contains(Int(owner)) { held[Int(owner), default: 0] += 1 }
        // Who holds most gets the larger shares, where they are not all alike.
        let (least, larger) = owners.count.quotientAndRemainder(dividingBy: numbers.count)
        let ranked = numbers.sorted { (-(held[$0] ?? 0), $0) < (-(held[$1] ?? 0), $1) }
        var room: [Int: Int] = [:]
        for (rank, number) in ranked.enumerated() { room[number] = least + (rank < larger ? 1 : 0) }
        var homeless: [Int] = []
        for group in owners.indices {
            let owner = Int(owners[group])
            if let left = room[owner], left > 0 { room[owner] = left - 1 } else { homeless.append(group) }
        }
        var takers = numbers.filter { (room[$0] ?? 0) > 0 }[...]
        for group in homeless {
            while let first = takers.first, room[first] == 0 { takers = takers.dropFirst() }
            guard let taker = takers.first else { preconditionFailure("the shares add up to all groups") }
            owners[group] = UInt16(taker)
            room[taker]! -= 1
        }
        return owners
    }
}
