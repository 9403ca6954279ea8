import JobControl
import TaskRuntime

/// The (state, event) pairs that the machines can meet, and why some never come up in a simulation.
package enum Coverage {
    package static var pairs: [String] { JobManagerMachine.allPairs + WorkerMachine.pairs }

    package static func reason(_ pair: String) -> String? { nil }
}
