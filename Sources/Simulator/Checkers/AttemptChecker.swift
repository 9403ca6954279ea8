import Dataflow
import Wire

/// See `promise`.
struct AttemptChecker: Checker {
    static let promise = """
        At most one attempt of a subtask writes committed output: its attempts do not fall as checkpoints rise, and in a checkpoint it has one.
        """

    private var attempts: [SubtaskID: [CheckpointID: UInt32]] = [:]

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        guard case .committed(let file) = seen else { return nil }
        let attempt = file.task.attempt
        let others = attempts[file.task.subtask] ?? [:]
        if let other = others[file.checkpoint], other != attempt {
            return "checkpoint \(file.checkpoint) commits output of attempts \(other) and \(attempt) of \(file.task.subtask)"
        }
        attempts[file.task.subtask, default: [:]][file.checkpoint] = attempt
        for (checkpoint, other) in others where checkpoint < file.checkpoint && other > attempt {
            return "attempt \(attempt) writes checkpoint \(file.checkpoint), after attempt \(other) wrote checkpoint \(checkpoint)"
        }
        for (checkpoint, other) in others where checkpoint > file.checkpoint && other < attempt {
            return "attempt \(other) writes checkpoint \(checkpoint), after attempt \(attempt) wrote checkpoint \(file.checkpoint)"
        }
        return nil
    }
}
