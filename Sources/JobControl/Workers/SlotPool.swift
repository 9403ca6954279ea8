import Dataflow

/// Who holds which task slot.
///
/// Promise: a slot has at most one holder. The slot of a cancelled attempt stays held until its TaskManager said `stopped` or is lost.
package struct SlotPool: Sendable {
    package struct Holder: Hashable, Sendable {
        package var job: JobID
        package var attempt: UInt32

        package init(job: JobID, attempt: UInt32) {
            self.job = job
            self.attempt = attempt
        }
    }

    private var slots: [WorkerID: [Holder?]] = [:]

    package init() {}

    package func total(on worker: WorkerID) -> Int { slots[worker]?.count ?? 0 }
    package func free(on worker: WorkerID) -> Int { slots[worker]?.count { $0 == nil } ?? 0 }
    package func holders(on worker: WorkerID) -> [Holder?] { slots[worker] ?? [] }
    package var total: Int { slots.values.reduce(0) { $0 + $1.count } }

    package mutating func add(_ worker: WorkerID, slots count: Int) {
        precondition(slots[worker] == nil, "a worker brings its slots once a connection")
        slots[worker] = Array(repeating: nil, count: count)
    }

    /// The worker is gone with its slots. Answers the attempts that were placed there.
    package mutating func remove(_ worker: WorkerID) -> [JobID: UInt32] {
        var held: [JobID: UInt32] = [:]
        for case let holder? in slots.removeValue(forKey: worker) ?? [] { held[holder.job] = max(held[holder.job] ?? 0, holder.attempt) }
        return held
    }

    /// `count` free slots on `usable` workers, as even over the workers as it goes: each next one on the worker with the fewest taken.
    /// Nil, and nothing taken, when there are not enough.
    ///
    /// `preferred` are taken first, in their order, but of no worker more than the fullest one has otherwise.
    package mutating func take(_ count: Int, for holder: Holder, on usable: [WorkerID], preferring preferred: [Layout.Slot] = []) -> [Layout.Slot]? {
        guard !preferred.isEmpty else { return spread(count, for: holder, on: usable) }
        var other = self
        guard let even = other.spread(count, for: holder, on: usable) else { return nil }
        let most = Dictionary(grouping: even, by: \.worker).values.map(\.count).max() ?? 0
        var kept: [Layout.Slot] = []
        for slot in preferred where kept.count < count && usable.contains(slot.worker) {
            guard let held = slots[slot.worker], held.indices.contains(slot.index), held[slot.index] == nil,
                kept.count(where: { $0.worker == slot.worker }) < most
            else { continue }
            slots[slot.worker]![slot.index] = holder
            kept.append(slot)
        }
        return spread(count - kept.count, for: holder, on: usable).map { kept + $0 }
    }

    private mutating func spread(_ count: Int, for holder: Holder, on usable: [WorkerID]) -> [Layout.Slot]? {
        var free: [WorkerID: Int] = [:]
        for worker in usable { free[worker] = self.free(on: worker) }
        guard free.values.reduce(0, +) >= count else { return nil }
        var taken: [Layout.Slot] = []
        for _ in 0..<count {
            let open = usable.filter { free[$0]! > 0 }
            let best = open.min { (total(on: $0) - free[$0]!, -free[$0]!, $0) < (total(on: $1) - free[$1]!, -free[$1]!, $1) }!
            let index = slots[best]!.firstIndex { $0 == nil }!
            slots[best]![index] = holder
            free[best]! -= 1
            taken.append(Layout.Slot(worker: best, index: index))
        }
        return taken
    }

    /// A planned change: these slots, which the job holds, are those of its newest attempt.
    package mutating func keep(_ kept: Set<Layout.Slot>, for holder: Holder) {
        for slot in kept where slots[slot.worker]?[slot.index]?.job == holder.job { slots[slot.worker]![slot.index] = holder }
    }

    /// True when that freed something.
    package mutating func giveBack(_ holder: Holder, on worker: WorkerID) -> Bool {
        guard let held = slots[worker], held.contains(holder) else { return false }
        slots[worker] = held.map { $0 == holder ? nil : $0 }
        return true
    }

    /// True when that freed something.
    package mutating func release(_ job: JobID, attemptsUpTo attempt: UInt32, on worker: WorkerID) -> Bool {
        guard let held = slots[worker] else { return false }
        var freed = false
        for index in held.indices {
            guard let holder = held[index], holder.job == job, holder.attempt <= attempt else { continue }
            slots[worker]![index] = nil
            freed = true
        }
        return freed
    }

    package func checkInvariants(workers: [WorkerID]) {
        precondition(slots.keys.sorted() == workers, "the pool has the slots of the connected workers and no others")
    }
}
