/// When a failed attempt is followed by another, and after how long. Full jitter: anything from nothing to a bound that doubles.
/// Source: "Retry behavior", AWS SDKs and Tools Reference Guide; "Exponential Backoff And Jitter", AWS Architecture Blog.
package struct RetryPolicy: Hashable, Sendable {
    /// In all, the first one included.
    package var attempts = 10
    package var base: Duration = .milliseconds(100)
    package var cap: Duration = .seconds(20)
    /// No attempt begins later than so long after the first.
    package var limit: Duration = .seconds(120)

    package init() {}

    package static let none: RetryPolicy = {
        var policy = RetryPolicy()
        policy.attempts = 1
        return policy
    }()

    /// The pause before another attempt after `attempts` failed ones (at least 1); nil: give up. `random` is from 0 up to 1.
    package func pause(after attempts: Int, elapsed: Duration, random: Double) -> Duration? {
        guard attempts < self.attempts else { return nil }
        let bound = min(cap, base * (1 << min(attempts - 1, 30)))
        let pause = bound * random
        return elapsed + pause > limit ? nil : pause
    }
}

/// Bounds the share of requests that are retries, so that an ailing service is not buried: each retry takes tokens, successes bring them back.
package struct RetryTokens: Sendable {
    package private(set) var tokens = 500
    private static let capacity = 500
    private static let cost = 5
    private static let timeoutCost = 10

    package init() {}

    /// The tokens taken, to be handed to `succeeded`; nil when there are not enough.
    package mutating func take(afterTimeout: Bool) -> Int? {
        let cost = afterTimeout ? Self.timeoutCost : Self.cost
        guard tokens >= cost else { return nil }
        tokens -= cost
        return cost
    }

    /// `taken`: by the retry that succeeded; 0 when the first attempt did.
    package mutating func succeeded(taken: Int) {
        tokens = min(Self.capacity, tokens + max(1, taken))
    }
}
