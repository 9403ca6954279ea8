import Dataflow

/// How long messages travel now. One for the whole cluster; a slow network is a larger one for a while.
package struct Latency {
    package var least = Duration.microseconds(100)
    package var most = Duration.milliseconds(2)
    /// Share of messages that take much longer (a retransmission).
    package var tail = 0.01
    package var tailMost = Duration.milliseconds(400)

    package init() {}

    package func draw(_ random: inout Chance) -> Duration {
        random.chance(tail) ? random.duration(most, max(most, tailMost)) : random.duration(least, most)
    }
}
