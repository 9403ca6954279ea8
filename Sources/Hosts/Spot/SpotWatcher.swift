import AWS
import Dataflow
import JobControl
import Settings

/// Asks the instance's metadata service every few seconds whether the instance will end, for as long as the process lives.
package struct SpotWatcher: Sendable {
    /// How often the service is looked for at the start, before `auto` takes it that this is no instance.
    private static let attempts = 3

    private let mode: SpotWatch
    private let interval: Duration
    private let start: SpotNotices
    private let surroundings: Surroundings
    private let kind: MachineKind
    private let log: Log

    /// `kind` is told what the service calls this instance.
    package init(_ configuration: Configuration, surroundings: Surroundings = .machine, kind: MachineKind = MachineKind(), log: Log) {
        self.kind = kind
        mode = configuration.get(SpotOptions.watch)
        interval = configuration.get(SpotOptions.interval)
        start = SpotNotices(
            deadline: configuration.get(SpotOptions.deadline), evacuatesOnRebalance: configuration.get(SpotOptions.evacuatesOnRebalance))
        self.surroundings = surroundings
        self.log = log
    }

    /// Watches in the background: nothing waits for it. What is decided goes to `act`, on any thread.
    package func begin(_ act: @escaping @Sendable (SpotNotices.Decision) -> Void) {
        if mode != .off { Task.detached { await watch(act) } }
    }

    /// Returns when there is nothing to watch, or when the task is cancelled.
    package func watch(_ act: @Sendable (SpotNotices.Decision) -> Void) async {
        let metadata = InstanceMetadata(surroundings)
        guard await isWanted(metadata) else { return }
        log(.info, "SpotWatcher", "Watching for notices that this instance ends, every \(interval).")
        var notices = start
        var isSilent = false
        while !Task.isCancelled {
            do throws(AWSError) {
                if let values = try await metadata.values(SpotNotices.Look.paths) {
                    let look = SpotNotices.Look(action: values[0], termination: values[1], rebalance: values[2])
                    isSilent = false
                    switch notices.looked(look, elapsed: surroundings.elapsed(), now: surroundings.now()) {
                    case .note(let words)?: log(.info, "SpotWatcher", words)
                    case .leave(let reason, let within)?:
                        log(.warning, "SpotWatcher", "\(reason); leaving within \(within)")
                        act(.leave(reason: reason, within: within))
                    case .evacuate(let reason)?:
                        log(.warning, "SpotWatcher", "\(reason); what runs here moves away")
                        act(.evacuate(reason: reason))
                    case nil: break
                    }
                } else if !isSilent {
                    isSilent = true
                    log(.warning, "SpotWatcher", "The metadata service does not answer; it is asked again. (In containers its hop limit must be 2.)")
                }
            } catch {
                if !isSilent { log(.warning, "SpotWatcher", "The metadata service answers with an error, it is asked again: \(error)") }
                isSilent = true
            }
            await surroundings.sleep(interval)
        }
    }

    private func isWanted(_ metadata: InstanceMetadata) async -> Bool {
        if metadata.isDisabled {
            if mode == .on { log(.warning, "SpotWatcher", "AWS_EC2_METADATA_DISABLED is set: nobody watches for Spot notices.") }
            return false
        }
        if mode == .on {
            kind.found(isSpot: true)
            return true
        }
        for _ in 0..<Self.attempts {
            if let values = try? await metadata.values(["instance-life-cycle"]) {
                if let lifeCycle = values[0] { kind.found(isSpot: lifeCycle == "spot") }
                guard let lifeCycle = values[0], lifeCycle != "spot" else { return true }
                log(.info, "SpotWatcher", "This instance is \(lifeCycle), not Spot: nobody watches for notices.")
                return false
            }
            await surroundings.sleep(interval)
        }
        return false
    }
}
