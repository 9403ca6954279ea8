import Dataflow

/// What all connections of a run share: the queue, the chance, and how slow the wires are at present.
package final class Network {
    package let timeline: Timeline
    package var conditions = Latency()
    private var random: Chance

    package init(timeline: Timeline, random: Chance) {
        self.timeline = timeline
        self.random = random
    }

    package var time: Duration { timeline.time }

    package func latency() -> Duration { conditions.draw(&random) }
}
