package enum RestartStrategyType: String, ConfigChoice {
    case none
    case fixedDelay = "fixed-delay"
    case exponentialDelay = "exponential-delay"
    case failureRate = "failure-rate"

    package static var aliases: [String: RestartStrategyType] {
        ["off": .none, "disable": .none, "fixeddelay": .fixedDelay, "exponentialdelay": .exponentialDelay, "failurerate": .failureRate]
    }
}

package enum RestartOptions {
    package static let type = ConfigKey(
        "restart-strategy.type", RestartStrategyType.exponentialDelay, formerly: ["restart-strategy"], "How a failed job is restarted.")

    package static let fixedAttempts = ConfigKey(
        "restart-strategy.fixed-delay.attempts", 1, atLeast: 0, "Restarts before the job fails for good.")
    package static let fixedDelay = ConfigKey<Duration>(
        "restart-strategy.fixed-delay.delay", .seconds(1), "Wait before each restart.")

    package static let exponentialInitial = ConfigKey<Duration>(
        "restart-strategy.exponential-delay.initial-backoff", .seconds(1), must: "longer than 0", { $0 > .zero }, "Wait before the first restart.")
    package static let exponentialMax = ConfigKey<Duration>(
        "restart-strategy.exponential-delay.max-backoff", .seconds(60), must: "longer than 0", { $0 > .zero }, "Longest wait before a restart.")
    package static let exponentialMultiplier = ConfigKey(
        "restart-strategy.exponential-delay.backoff-multiplier", 1.5, must: "at least 1", { $0 >= 1 }, "Factor between one wait and the next.")
    package static let exponentialReset = ConfigKey<Duration>(
        "restart-strategy.exponential-delay.reset-backoff-threshold", .seconds(3600), "Running this long without a failure brings the first wait back.")
    package static let exponentialJitter = ConfigKey(
        "restart-strategy.exponential-delay.jitter-factor", 0.1, must: "from 0 to 1", { (0...1).contains($0) }, "Share of the wait that chance adds or takes.")
    package static let exponentialAttempts = ConfigKey<AttemptLimit>(
        "restart-strategy.exponential-delay.attempts-before-reset-backoff", .infinite, "Restarts without a reset before the job fails for good.")

    package static let failureRateMax = ConfigKey(
        "restart-strategy.failure-rate.max-failures-per-interval", 1, atLeast: 1, "Failures within the interval before the job fails for good.")
    package static let failureRateInterval = ConfigKey<Duration>(
        "restart-strategy.failure-rate.failure-rate-interval", .seconds(60), "The interval in which failures are counted.")
    package static let failureRateDelay = ConfigKey<Duration>(
        "restart-strategy.failure-rate.delay", .seconds(1), "Wait before each restart.")

    static let all: [any AnyConfigKey] = [
        type, fixedAttempts, fixedDelay, exponentialInitial, exponentialMax, exponentialMultiplier, exponentialReset, exponentialJitter, exponentialAttempts,
        failureRateMax, failureRateInterval, failureRateDelay,
    ]
}

/// A number of attempts, or `infinite`.
package enum AttemptLimit: ConfigValue {
    case infinite
    case attempts(Int)

    package init?(configText: String) {
        if configText.lowercased() == "infinite" {
            self = .infinite
        } else {
            guard let count = Int(configText), count >= 0 else { return nil }
            self = count >= Int32.max ? .infinite : .attempts(count)
        }
    }

    package var configText: String? {
        switch self {
        case .infinite: "infinite"
        case .attempts(let count): String(count)
        }
    }

    package static var expected: String { "a number of attempts or infinite" }
    package static var typeName: String { "Integer" }
}
