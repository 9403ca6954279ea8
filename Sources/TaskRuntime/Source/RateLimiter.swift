import Dataflow

/// Lets so many rows a second pass, in portions of at most 20 ms, so that none waits long for the ones beside it.
///
/// What was not used for lack of input or credit is forgotten after 100 ms: a source that was held back does not rush afterwards.
struct RateLimiter {
    enum Permit: Hashable {
        case rows(Int)
        case wait(until: Instant)
    }

    private let rate: Double
    private let portion: Double
    private let most: Double
    private var tokens: Double
    private var last: Instant?

    /// `rate` in rows a second; `batchRows` bounds a portion.
    init(rate: Double, batchRows: Int) {
        self.rate = max(rate, 1e-6)
        portion = max(1, min(Double(batchRows), (self.rate * 0.02).rounded(.down)))
        most = max(portion, self.rate * 0.1)
        tokens = portion
    }

    mutating func permit(at now: Instant) -> Permit {
        if let last { tokens = min(most, tokens + Double((now - last).nanoseconds) / 1e9 * rate) }
        last = now
        if tokens >= portion - 1e-6 { return .rows(Int(tokens + 1e-6)) }
        let pause = ((portion - tokens) / rate * 1e9).rounded(.up) + 1
        return .wait(until: now + .nanoseconds(Int64(min(pause, 3.6e12))))
    }

    mutating func spent(_ rows: Int) { tokens -= Double(rows) }
}
