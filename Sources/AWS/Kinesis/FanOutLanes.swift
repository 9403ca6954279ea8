import Synchronization

/// Which of the process's HTTP clients carries which subscription. A client has one HTTP/2 connection to a service, and the service bounds how many
/// answers may be under way on one (100 is usual; those beyond wait without a word); over HTTP/1.1 a client has 64 connections.
package struct FanOutLanes {
    /// Subscriptions of one client.
    package static let width = 50
    package static let shared = Mutex(FanOutLanes())

    /// Subscriptions by lane. Lane 0 is for calls whose answers end, and has none.
    private var counts: [Int] = [0]

    package init() {}

    /// A lane with room; to be left when the subscriptions of one shard are over.
    package mutating func take() -> Int {
        let lane = counts.indices.dropFirst().first { counts[$0] < FanOutLanes.width } ?? counts.count
        if lane == counts.count { counts.append(0) }
        counts[lane] += 1
        return lane
    }

    package mutating func leave(_ lane: Int) {
        precondition(lane > 0 && counts[lane] > 0, "only who has taken a lane leaves it")
        counts[lane] -= 1
    }
}
