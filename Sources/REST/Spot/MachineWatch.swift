import Dataflow
import Hosts
import JobControl
import Synchronization

/// Keeps `MachineHours`, and asks each TaskManager once what kind of machine it is on.
final class MachineWatch: Sendable {
    private struct State {
        var hours = MachineHours()
        /// How often each was asked: a TaskManager finds it out in its first seconds, or never.
        var asked: [WorkerID: Int] = [:]
        /// The last kind of each, also of those that have left.
        var seen: [WorkerID: MachineHours.Kind] = [:]
    }

    private static let attempts = 12

    private let state = Mutex(State())
    /// Milliseconds since the epoch.
    let since = SystemClock.wallMilliseconds()

    /// Answers those that are to be asked.
    func note(_ view: ClusterView, at now: Int64) -> [ClusterView.Worker] {
        state.withLock { state in
            state.hours.note(view.workers.map { ($0.id, $0.connectedSince) }, at: now)
            let there = Set(view.workers.map(\.id))
            state.asked = state.asked.filter { there.contains($0.key) }
            return view.workers.filter { worker in
                guard state.hours.kind(of: worker.id) == .unknown, state.asked[worker.id, default: 0] < MachineWatch.attempts else { return false }
                state.asked[worker.id, default: 0] += 1
                return true
            }
        }
    }

    func found(_ worker: WorkerID, isSpot: Bool) {
        state.withLock { state in
            state.hours.found(worker, isSpot: isSpot)
            if state.seen.count > 1000 { state.seen = [:] }
            state.seen[worker] = isSpot ? .spot : .onDemand
        }
    }

    var kinds: [WorkerID: MachineHours.Kind] { state.withLock { $0.seen } }

    var hours: MachineHours { state.withLock { $0.hours } }
}

/// `LayoutLatency` of all jobs.
final class LayoutLatencies: Sendable {
    private let state = Mutex(LayoutLatency())

    var value: LayoutLatency { state.withLock { $0 } }
    func note(_ view: ClusterView, at now: Int64) { state.withLock { $0.note(view, at: now) } }
}

extension RESTService {
    /// Waits for nobody: who does not answer must not hold up what is looked at every second.
    func noteMachines(_ view: ClusterView, at now: Int64) {
        for worker in machines.note(view, at: now) {
            Task {
                guard case .figures(let figures)? = try? await ask(.figures, of: .worker(worker), within: .seconds(2)),
                    let isSpot = figures.first(where: { $0.name == MachineKind.figure })
                else { return }
                machines.found(worker.id, isSpot: isSpot.value == 1)
            }
        }
    }
}
