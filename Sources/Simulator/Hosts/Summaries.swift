import Dataflow
import JobControl
import Wire

// One line of each message for the trace: enough to follow a failed seed by eye.

extension WorkerMessage {
    var summary: String {
        switch self {
        case .register(let registration): "register, \(registration.slots) slots, runs \(registration.running.map { "\($0.subtask)#\($0.attempt)" })"
        case .heartbeat(let sequence): "heartbeat \(sequence)"
        case .deployed(_, let attempt): "deployed #\(attempt)"
        case .ended(let task): "ended \(task.subtask)#\(task.attempt)"
        case .failed(let task, let error): "failed \(task.subtask)#\(task.attempt): \(error)"
        case .stopped(_, let attempt): "stopped #\(attempt)"
        case .needsSplits(let task): "needs splits \(task.subtask)#\(task.attempt)"
        case .splitFinished(let task, let split): "split \(split) finished \(task.subtask)#\(task.attempt)"
        case .acknowledged(let all):
            "acknowledged \(all.checkpoint) #\(all.attempt): "
                + all.tasks.map { "\($0.share.subtask) \($0.share.splits.summary) \($0.share.finishedSplits) \($0.share.committables.map(\.id))" }
                .joined(separator: "; ")
        case .declined(_, let attempt, let checkpoint, let reason): "declined \(checkpoint) #\(attempt): \(reason)"
        case .committed(_, let checkpoint, let ids): "committed \(checkpoint) \(ids)"
        case .commitFailed(_, let checkpoint, let error): "commit failed \(checkpoint): \(error)"
        case .metrics: "metrics"
        case .leaving(let leave): "leaving within \(leave.milliseconds) ms: \(leave.reason)"
        case .prepared(_, let attempt): "prepared #\(attempt)"
        case .copied(_, let attempt): "copied #\(attempt)"
        case .handedBack(let task, let splits, let finished): "hands back \(task.subtask)#\(task.attempt): \(splits.summary) \(finished)"
        case .settled(_, let attempt): "settled #\(attempt)"
        case .retired(_, let attempt): "retired #\(attempt)"
        case .cannotChange(_, let attempt, let error): "cannot change #\(attempt): \(error)"
        case .withdrawn(_, let attempt): "withdrawn #\(attempt)"
        case .moved(_, let layout, let bytes, _): "moved \(bytes) bytes for layout \(layout)"
        }
    }
}

extension [SplitState] {
    /// Each with the row that is next.
    fileprivate var summary: String { map { "\($0.split.id)@\(SimulatedInput.index(at: $0.position))" }.description }
}

extension LeaderMessage {
    var summary: String {
        switch self {
        case .registered: "registered"
        case .refused(let reason): "refused: \(reason)"
        case .turnedAway(let reason): "turnedAway: \(reason)"
        case .heartbeat(let sequence): "heartbeat \(sequence)"
        case .deploy(let deployment):
            "deploy #\(deployment.layout.attempt) \(deployment.subtasks) from checkpoint \(deployment.restore?.checkpoint ?? 0), keeping "
                + "\(deployment.committables.map(\.committable.id))"
        case .change(let deployment): "change to layout \(deployment.layout.epoch) #\(deployment.layout.attempt), begins \(deployment.subtasks)"
        case .copyAhead(_, let attempt): "copy ahead #\(attempt)"
        case .withdraw(_, let attempt): "withdraw #\(attempt)"
        case .conclude(_, let attempt): "conclude #\(attempt)"
        case .start(_, let attempt): "start #\(attempt)"
        case .cancel(_, let attempt): "cancel #\(attempt)"
        case .trigger(_, let attempt, let barrier, _, _): "trigger \(barrier.checkpoint) \(barrier.kind) #\(attempt)\(barrier.layout.map { ", then layout \($0)" } ?? "")"
        case .completed(_, let checkpoint): "completed \(checkpoint)"
        case .aborted(_, let checkpoint): "aborted \(checkpoint)"
        case .splits(let task, let splits, let noMore, let released):
            "splits for \(task.subtask)#\(task.attempt): \(splits.summary)\(noMore ? ", no more" : "")\(released.isEmpty ? "" : ", released \(released)")"
        case .commit(_, let checkpoint, let commits): "commit \(checkpoint) \(commits.map(\.committable.id))"
        case .release: "release"
        case .leave(let leave): "leave within \(leave.milliseconds) ms: \(leave.reason)"
        }
    }
}

extension StoreRequest {
    var summary: String {
        switch self {
        case .put(let key, let bytes, let condition): "put \(key) (\(bytes.count) bytes, \(condition))"
        case .get(let key): "get \(key)"
        case .list(let prefix): "list \(prefix)"
        case .delete(let keys): "delete \(keys)"
        }
    }
}

extension StoreAnswer {
    var summary: String {
        switch self {
        case .put(let etag): "put \(etag)"
        case .got(let bytes, let etag): "\(bytes.count) bytes \(etag)"
        case .listed(let keys): "\(keys.count) keys"
        case .deleted: "deleted"
        case .notFound: "not found"
        case .conflict: "conflict"
        case .refused(let words): "refused (\(words))"
        case .failed(let words, let mayHaveHappened): "failed (\(words)\(mayHaveHappened ? ", may have happened" : ""))"
        }
    }
}

extension StreamElement {
    var summary: String {
        switch self {
        case .batch(let batch): "\(batch.count) rows"
        case .watermark(let mark): "watermark \(mark)"
        case .barrier(let barrier): "barrier \(barrier.checkpoint) \(barrier.kind)"
        case .idle: "idle"
        case .active: "active"
        case .end: "end"
        }
    }
}
