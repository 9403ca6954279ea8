import Dataflow

/// What one host's clocks show. Monotonic clocks start anywhere, and the wall clock steps; no machine may compare them between hosts.
package struct HostClock {
    private let start: Duration
    private var wallOffset: Duration

    package init(using random: inout Chance) {
        start = random.duration(.seconds(1), .seconds(1_000_000))
        wallOffset = random.duration(.seconds(-2), .seconds(2))
    }

    /// The wall clock of cluster time zero: 2026-11-22 10:00:00 UTC.
    package static let epochMilliseconds: Int64 = 1_795_341_600_000

    package func now(at time: Duration) -> Now {
        Now(
            instant: Instant(nanoseconds: (start + time).nanoseconds),
            wallMilliseconds: HostClock.epochMilliseconds + (time + wallOffset).milliseconds)
    }

    /// The cluster time at which this host's monotonic clock shows `instant`.
    package func time(of instant: Instant) -> Duration { .nanoseconds(instant.nanoseconds) - start }

    package mutating func stepWall(by step: Duration) { wallOffset += step }
}
