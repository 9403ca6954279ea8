import Dataflow

/// How long TaskManagers have been there, by kind of machine, since the JobManager began.
package struct MachineHours: Sendable {
    package enum Kind: String, Sendable {
        case spot, onDemand = "on-demand", unknown
    }

    private var milliseconds: [Kind: Int64] = [:]
    private var kinds: [WorkerID: Kind] = [:]
    /// Of those whose kind is not known (yet).
    private var waiting: [WorkerID: Int64] = [:]
    private var last: Int64?

    package init() {}

    /// What is known of a TaskManager does not change while it is there.
    package mutating func found(_ worker: WorkerID, isSpot: Bool) {
        kinds[worker] = isSpot ? .spot : .onDemand
        if let earlier = waiting.removeValue(forKey: worker) { milliseconds[isSpot ? .spot : .onDemand, default: 0] += earlier }
    }

    package func kind(of worker: WorkerID) -> Kind { kinds[worker] ?? .unknown }

    /// `present`: with the moment each has come, milliseconds since the epoch.
    package mutating func note(_ present: [(worker: WorkerID, since: Int64)], at now: Int64) {
        for (worker, since) in present {
            let passed = max(0, now - max(since, last ?? since))
            if let kind = kinds[worker] { milliseconds[kind, default: 0] += passed } else { waiting[worker, default: 0] += passed }
        }
        last = now
        let there = Set(present.map(\.worker))
        for worker in waiting.keys.filter({ !there.contains($0) }) { milliseconds[.unknown, default: 0] += waiting.removeValue(forKey: worker) ?? 0 }
        kinds = kinds.filter { there.contains($0.key) }
    }

    package func hours(_ kind: Kind) -> Double {
        Double((milliseconds[kind] ?? 0) + (kind == .unknown ? waiting.values.reduce(0, +) : 0)) / 3_600_000
    }
}
