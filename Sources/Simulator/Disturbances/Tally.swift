/// Counts of one run, and of many.
package struct Counts: Sendable, Equatable {
    package private(set) var disturbances: [Disturbance: Int] = [:]
    /// (state, event) pairs of the machines, as their `coverage` names them.
    package private(set) var pairs: [String: Int] = [:]
    package var events = 0
    package var checkpoints = 0
    package var restarts = 0
    package var rows = 0
    package var runs = 0

    package init() {}

    package mutating func count(_ disturbance: Disturbance, times: Int = 1) { disturbances[disturbance, default: 0] += times }

    package mutating func count(pair: String, times: Int = 1) { pairs[pair, default: 0] += times }

    package mutating func add(_ other: Counts) {
        disturbances.merge(other.disturbances, uniquingKeysWith: +)
        pairs.merge(other.pairs, uniquingKeysWith: +)
        events += other.events
        checkpoints += other.checkpoints
        restarts += other.restarts
        rows += other.rows
        runs += other.runs
    }
}

/// The counts of one cluster, shared by its parts.
package final class Tally {
    package var counts = Counts()

    package init() {}

    package func count(_ disturbance: Disturbance) { counts.count(disturbance) }
}
