import Dataflow

/// One connection. Messages of one direction arrive in the order they were sent; nothing is promised between connections.
package final class Link {
    package enum End: Int {
        case opener = 0, acceptor = 1
        package var other: End { self == .opener ? .acceptor : .opener }
    }

    private let network: Network
    private let deliver: (End, [UInt8]) -> Void
    private let ended: (Link, End, String) -> Void
    /// Whether each end believes in the connection.
    private var isOpen = [true, true]
    /// Bytes sent by this end vanish, without anybody being told.
    private var isCut = [false, false]
    /// The machine behind this end is gone: nobody refuses what arrives.
    private var isGone = [false, false]
    private var lastArrival = [Duration.zero, .zero]
    private var heldUntil = Duration.zero

    /// `deliver` gives an end what the other one sent; `ended` tells it that the connection is over.
    package init(network: Network, deliver: @escaping (End, [UInt8]) -> Void, ended: @escaping (Link, End, String) -> Void) {
        self.network = network
        self.deliver = deliver
        self.ended = ended
    }

    package var isUp: Bool { isOpen[0] && isOpen[1] && !isCut[0] && !isCut[1] }

    package func isOpen(at end: End) -> Bool { isOpen[end.rawValue] }

    package func send(_ bytes: [UInt8], from end: End) {
        guard isOpen[end.rawValue] else { return }
        let target = end.other
        if isCut[end.rawValue] || !isOpen[target.rawValue] {
            // What reaches a closed end is refused, and the sender learns of it.
            if !isOpen[target.rawValue], !isGone[target.rawValue], !isCut[end.rawValue] { tell(end, "connection reset by peer") }
            return
        }
        let arrival = max(lastArrival[end.rawValue], max(network.time, heldUntil) + network.latency())
        lastArrival[end.rawValue] = arrival
        network.timeline.at(arrival) { [self] in
            if isOpen[target.rawValue], !isCut[end.rawValue] { deliver(target, bytes) }
        }
    }

    /// This end closes; it is told nothing any more.
    package func close(from end: End, reason: String) {
        guard isOpen[end.rawValue] else { return }
        isOpen[end.rawValue] = false
        guard !isCut[end.rawValue] else { return }
        // Behind everything that was sent before.
        let arrival = max(lastArrival[end.rawValue], max(network.time, heldUntil) + network.latency())
        lastArrival[end.rawValue] = arrival
        network.timeline.at(arrival) { [self] in
            if !isCut[end.rawValue] { over(end.other, reason) }
        }
    }

    /// The process at this end is killed: its kernel says so to the other end, unless the whole machine is gone.
    package func kill(_ end: End, machineGone: Bool) {
        guard isOpen[end.rawValue] else { return }
        if machineGone {
            isOpen[end.rawValue] = false
            isGone[end.rawValue] = true
        } else {
            close(from: end, reason: "connection closed by peer")
        }
    }

    /// The connection breaks; an end without a delay is not told.
    package func cut(opener: Duration?, acceptor: Duration?) {
        isCut = [true, true]
        for (end, delay) in [(End.opener, opener), (.acceptor, acceptor)] {
            guard let delay else { continue }
            network.timeline.after(delay) { [self] in over(end, "connection reset") }
        }
    }

    /// From now on this end's bytes vanish.
    package func silence(_ end: End) { isCut[end.rawValue] = true }

    /// Nothing arrives before this time; then what was sent does, in order.
    package func hold(until time: Duration) { heldUntil = max(heldUntil, time) }

    private func tell(_ end: End, _ reason: String) {
        network.timeline.after(network.latency()) { [self] in over(end, reason) }
    }

    private func over(_ end: End, _ reason: String) {
        guard isOpen[end.rawValue] else { return }
        isOpen[end.rawValue] = false
        ended(self, end, reason)
    }
}
