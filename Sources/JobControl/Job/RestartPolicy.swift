import Dataflow

/// Whether and when a job starts again after a failure.
///
/// The loss of a TaskManager uses up an attempt, but no time: the job starts again as soon as there are slots. (Source: Flink 2.x docs,
/// "Task Failure Recovery"; exponential: the delay grows with every failure and falls back after a quiet `resetAfter`.)
package struct RestartPolicy: Hashable, Sendable {
    package enum Answer: Hashable, Sendable {
        case restart(after: Duration)
        case giveUp(reason: String)
    }

    private let strategy: JobOptions.RestartStrategy
    /// Failures since the start, or since the last quiet time (exponential).
    private var failures = 0
    private var recent: [Instant] = []
    private var backoff: Duration = .zero
    private var lastRestart: Instant?

    package init(_ strategy: JobOptions.RestartStrategy) { self.strategy = strategy }

    package mutating func failed(at now: Instant, isWorkerLoss: Bool, draw: inout Draw) -> Answer {
        let answer: Answer
        switch strategy {
        case .none:
            answer = .giveUp(reason: "no restart strategy is configured")
        case .fixedDelay(let attempts, let delay):
            failures += 1
            answer = failures > attempts
                ? .giveUp(reason: "the fixed-delay strategy allows \(attempts) restarts") : .restart(after: delay)
        case .exponentialDelay(let initial, let maximum, let multiplier, let resetAfter, let jitter, let attempts):
            if let lastRestart, now - lastRestart >= resetAfter { failures = 0 }
            failures += 1
            backoff = failures == 1 ? initial : min(.nanoseconds(Int64(min(Double(backoff.nanoseconds) * multiplier, 1e18))), maximum)
            let factor = 1 + jitter * (2 * draw.fraction() - 1)
            answer = failures > attempts
                ? .giveUp(reason: "the exponential-delay strategy allows \(attempts) restarts")
                : .restart(after: min(.nanoseconds(Int64(Double(backoff.nanoseconds) * factor)), maximum))
        case .failureRate(let maximum, let interval, let delay):
            recent.removeAll { now - $0 > interval }
            recent.append(now)
            answer = recent.count > maximum
                ? .giveUp(reason: "the failure-rate strategy allows \(maximum) failures in \(interval)") : .restart(after: delay)
        }
        guard case .restart(let delay) = answer else { return answer }
        let pause = isWorkerLoss ? .zero : delay
        lastRestart = now + pause
        return .restart(after: pause)
    }
}
