import Dataflow
import Wire

/// Names of states and events, as `WorkerMachine.coverage` counts their pairs: `link.registered/message.heartbeat`,
/// `job.running/trigger`.
extension WorkerMachine {
    /// Every pair that the machine may meet, so that a run can tell which it never met.
    package static var pairs: [String] {
        let links = ["waiting", "connecting", "closing", "registering", "registered"]
        let events =
            ["connected", "disconnected", "task", "made", "removed", "peerLost", "uploaded", "committed", "prepared", "notHandedOver", "retired", "metrics",
             "timer", "leave"]
            + LeaderMessage.names.map { "message." + $0 }
        let phases = ["making", "made", "running", "broken", "removing"]
        return links.flatMap { link in events.map { "link.\(link)/\($0)" } }
            + phases.flatMap { phase in WorkerJob.Event.names.map { "job.\(phase)/\($0)" } }
    }
}

extension LeaderLink.State {
    var name: String {
        switch self {
        case .waiting: "waiting"
        case .connecting: "connecting"
        case .closing: "closing"
        case .registering: "registering"
        case .registered: "registered"
        }
    }
}

extension WorkerJob.Phase {
    var name: String {
        switch self {
        case .making: "making"
        case .made: "made"
        case .running: "running"
        case .broken: "broken"
        case .removing: "removing"
        case .gone: "gone"
        }
    }
}

extension WorkerJob.Event {
    static let names = [
        "deploy", "made", "start", "cancel", "removed", "release", "trigger", "completed", "aborted", "splits", "snapshot", "needsSplits",
        "splitFinished", "ended", "failed", "uploaded", "peerLost",
        "change", "prepared", "copyAhead", "copied", "settled", "notHandedOver", "conclude", "retired", "withdraw",
    ]

    var name: String {
        switch self {
        case .deploy: "deploy"
        case .made: "made"
        case .start: "start"
        case .cancel: "cancel"
        case .removed: "removed"
        case .release: "release"
        case .trigger: "trigger"
        case .completed: "completed"
        case .aborted: "aborted"
        case .splits: "splits"
        case .snapshot: "snapshot"
        case .needsSplits: "needsSplits"
        case .splitFinished: "splitFinished"
        case .ended: "ended"
        case .failed: "failed"
        case .uploaded: "uploaded"
        case .peerLost: "peerLost"
        case .change: "change"
        case .prepared: "prepared"
        case .copyAhead: "copyAhead"
        case .copied: "copied"
        case .settled: "settled"
        case .notHandedOver: "notHandedOver"
        case .conclude: "conclude"
        case .retired: "retired"
        case .withdraw: "withdraw"
        }
    }
}

extension WorkerEvent {
    var name: String {
        switch self {
        case .connected: "connected"
        case .disconnected: "disconnected"
        case .message(let message, _): "message." + message.name
        case .task: "task"
        case .made: "made"
        case .removed: "removed"
        case .prepared: "prepared"
        case .notHandedOver: "notHandedOver"
        case .retired: "retired"
        case .peerLost: "peerLost"
        case .uploaded: "uploaded"
        case .committed: "committed"
        case .metrics: "metrics"
        case .timer: "timer"
        case .leave: "leave"
        }
    }
}

extension LeaderMessage {
    static let names = [
        "registered", "refused", "turnedAway", "heartbeat", "deploy", "start", "cancel", "trigger", "completed", "aborted", "splits", "commit", "release",
        "change", "copyAhead", "withdraw", "conclude", "leave",
    ]

    var name: String {
        switch self {
        case .registered: "registered"
        case .refused: "refused"
        case .turnedAway: "turnedAway"
        case .heartbeat: "heartbeat"
        case .deploy: "deploy"
        case .start: "start"
        case .cancel: "cancel"
        case .trigger: "trigger"
        case .completed: "completed"
        case .aborted: "aborted"
        case .splits: "splits"
        case .commit: "commit"
        case .release: "release"
        case .change: "change"
        case .copyAhead: "copyAhead"
        case .withdraw: "withdraw"
        case .conclude: "conclude"
        case .leave: "leave"
        }
    }
}
