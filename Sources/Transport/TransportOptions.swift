import NIOCore

package struct TransportOptions: Sendable {
    /// Both sides must have the same.
    package var version: UInt16 = 2
    /// Largest payload, in both directions: a row as large as a task sends it (`TaskOptions.maximumRowBytes`), and what goes around it.
    package var frameLimitBytes = 129 << 20
    /// Bytes handed to `send` that the kernel has not taken yet; beyond it the connection is closed. Credits keep senders far below it: a
    /// batch has 1 MiB at most unless it is one row.
    package var pendingLimitBytes = 1 << 30
    /// From the TCP connection (for clients: from the call) to the end of the greeting.
    package var handshakeTimeout = TimeAmount.seconds(10)
    /// How long a connection closed from here may take to send what was handed to it before.
    package var lingerTimeout = TimeAmount.seconds(2)
    /// After so long without an answer of the other host's kernel a connection is broken: to what was sent, or, while nothing is sent, to
    /// probes. Whole seconds; nil: the system's 15 minutes to 2 hours.
    package var silenceTimeout: TimeAmount?

    package init() {}
}

/// What to do with a connection's events. All are called on the connection's event loop and must not wait.
package struct FrameHandler: Sendable {
    /// Payloads in the order they were sent. A slice of the read buffer: copy what is kept for long.
    package let onFrame: @Sendable (ByteBuffer) -> Void
    /// Once, after the last frame.
    package let onClosed: @Sendable (CloseReason) -> Void

    package init(onFrame: @escaping @Sendable (ByteBuffer) -> Void, onClosed: @escaping @Sendable (CloseReason) -> Void) {
        self.onFrame = onFrame
        self.onClosed = onClosed
    }
}

package enum CloseReason: Equatable, Sendable, CustomStringConvertible {
    /// `FrameConnection.close(reason:)`.
    case here(String)
    /// The peer closed between two frames, or died.
    case byPeer
    /// What the peer sent is not our protocol, or ended inside a frame.
    case brokenFrame(String)
    /// More was handed to `send` than the limit.
    case overflow(String)
    case failed(String)

    package var description: String {
        switch self {
        case .here(let reason): "closed: \(reason)"
        case .byPeer: "closed by the peer"
        case .brokenFrame(let what), .overflow(let what): "closed: \(what)"
        case .failed(let what): "connection lost: \(what)"
        }
    }
}

package enum TransportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The other side said no, in these words.
    case refused(String, peer: String)
    case failed(String)

    package var description: String {
        switch self {
        case .refused(let words, let peer): "\(peer) refused the connection: \(words)"
        case .failed(let what): what
        }
    }
}
