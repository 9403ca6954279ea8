import Dataflow
import Wire

/// See `promise`.
struct AttemptChecker: Checker {
    static let promise = "At most one attempt of a subtask writes committed output: attempts do not fall as checkpoints rise, and a checkpoint has one."

    private var attempts: [CheckpointID: UInt32] = [:]

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .committed(let file):
            let attempt = file.task.attempt
            if let other = attempts[file.checkpoint], other != attempt {
                return "checkpoint \(file.checkpoint) commits output of attempts \(other) and \(attempt)"
            }
            attempts[file.checkpoint] = attempt
            for (checkpoint, other) in attempts where checkpoint < file.checkpoint && other > attempt {
                return "attempt \(attempt) writes checkpoint \(file.checkpoint), after attempt \(other) wrote checkpoint \(checkpoint)"
            }
            for (checkpoint, other) in attempts where checkpoint > file.checkpoint && other < attempt {
                return "attempt \(other) writes checkpoint \(checkpoint), after attempt \(attempt) wrote checkpoint \(file.checkpoint)"
            }
            return nil
        default: return nil
        }
    }
}
