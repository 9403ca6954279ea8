/// A reading of a host's monotonic clock, in nanoseconds. Never compared between hosts, never shown to people.
package struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let nanoseconds: Int64

    @inlinable package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let zero = Instant(nanoseconds: 0)
    package static let distantFuture = Instant(nanoseconds: .max)

    package static func seconds(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }
    package static func milliseconds(_ count: Int64) -> Instant { Instant(nanoseconds: count * 1_000_000) }

    @inlinable package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Saturates, so that "never" plus something stays never.
    package static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.nanoseconds)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }

    package static func - (a: Instant, b: Instant) -> Duration { .nanoseconds(a.nanoseconds - b.nanoseconds) }

    package var description: String { "\(Double(nanoseconds / 1_000) / 1e6)s" }
}

extension Duration {
    /// Saturates. (`components` would divide wide numbers twice.)
    package var nanoseconds: Int64 {
        if let few = Int64(exactly: attoseconds) { return few / 1_000_000_000 }
        return Int64(clamping: attoseconds / 1_000_000_000)
    }

    package var milliseconds: Int64 { nanoseconds / 1_000_000 }
}

/// What a machine is told about time with each event: the monotonic clock for intervals, the wall clock for labels and
/// processing time (milliseconds since the epoch; may step).
package struct Now: Hashable, Sendable {
    package let instant: Instant
    package let wallMilliseconds: Int64

    @inlinable package init(instant: Instant, wallMilliseconds: Int64) {
        self.instant = instant
        self.wallMilliseconds = wallMilliseconds
    }
}
