import NIOCore
import NIOPosix
import Settings
import Synchronization
import Transport

/// Which end of our protocol speaks; told in the greeting.
package enum Role {
    package static let jobManager: UInt8 = 1
    package static let taskManager: UInt8 = 2
    /// A TaskManager's data connection.
    package static let data: UInt8 = 3
    /// Somebody who asks about a process, for people.
    package static let inspection: UInt8 = 4
}

extension TransportOptions {
    /// A connection that is silent for as long as a peer may be is lost, as the peer would be.
    init(_ configuration: Configuration) {
        self.init()
        silenceTimeout = .nanoseconds(configuration.get(HeartbeatOptions.timeout).nanoseconds)
    }
}

/// A TCP connection as a link.
package struct FrameLink: Link {
    package let connection: FrameConnection

    package func send(_ bytes: [UInt8]) { connection.send(bytes) }
    package func close(reason: String) { connection.close(reason: reason) }
    package var pendingBytes: Int { connection.isClosing ? 0 : connection.pendingBytes }
}

extension FrameHandler {
    /// Brings frames and the end to a link's owner.
    package init(_ events: LinkEvents) {
        self.init(
            onFrame: { buffer in events.received(Array(buffer.readableBytesView)) },
            onClosed: { reason in events.closed(reason.description) })
    }
}

/// Two ends inside one process: `swiftwater run` has no sockets.
package struct LocalLink: Link {
    private let peer: LinkEvents
    private let own: LinkEvents

    /// `peer` hears what this end sends; both hear when either closes.
    package init(to peer: LinkEvents, own: LinkEvents) {
        self.peer = peer
        self.own = own
    }

    package func send(_ bytes: [UInt8]) { peer.received(bytes) }

    package func close(reason: String) {
        peer.closed(reason)
        own.closed(reason)
    }
}
