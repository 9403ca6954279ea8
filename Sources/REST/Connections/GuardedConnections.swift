import Hosts
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// HTTP/1 connections: the decoder, a `ConnectionGuard` behind it, and a `RequestHandler`.
struct GuardedConnections<Routes: HTTPResponder>: ServerChildChannel where Routes.Context == BasicRequestContext {
    struct Value: ServerChildChannelValue {
        let channel: any Channel
    }

    let routes: Routes
    let desk: ConnectionDesk
    /// Whether it is spoken to over TLS.
    let isSecure: Bool

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = 16 << 10
            limits.maxHeaderListSize = 32 << 10
            limits.maxHeaderFieldCount = 1000
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false, withEncoderConfiguration: .init(),
                withDecoderLimitConfiguration: limits)
            try pipeline.addHandlers([ConnectionGuard(desk), RequestHandler(routes, isSecure: isSecure, logger: logger, on: channel.eventLoop)])
            return Value(channel: channel)
        }
    }

    /// Until it ends.
    func handle(value: Value, logger: Logger) async {
        await withTaskCancellationHandler {
            _ = try? await value.channel.closeFuture.get()
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }
}

/// All connections of one server.
package final class ConnectionDesk: Sendable {
    private struct State {
        var table: ConnectionTable
        var channels: [ConnectionTable.ID: any Channel] = [:]
        var last: ConnectionTable.ID = 0
    }

    /// From the start of a connection to the head of its first request, and from a head to the end of its body.
    let requestTimeout: TimeAmount
    /// How long a client may leave unread what waits for it, or ask nothing.
    let idleTimeout: TimeAmount
    let handshakes: RefusedHandshakes
    private let state: Mutex<State>

    package init(_ table: ConnectionTable, requestTimeout: TimeAmount, idleTimeout: TimeAmount, log: Log = .none) {
        handshakes = RefusedHandshakes(log)
        self.requestTimeout = requestTimeout
        self.idleTimeout = idleTimeout
        state = Mutex(State(table: table))
    }

    /// The words are why it is not admitted.
    func opened(_ channel: any Channel) -> (id: ConnectionTable.ID, refusal: String?) {
        let address = channel.remoteAddress?.ipAddress ?? "an unknown address"
        let (id, verdict, loser) = state.withLock { state -> (ConnectionTable.ID, ConnectionTable.Verdict, (any Channel)?) in
            state.last += 1
            let verdict = state.table.opened(state.last, from: address)
            var loser: (any Channel)?
            switch verdict {
            case .admitted: state.channels[state.last] = channel
            case .admittedInsteadOf(let other):
                state.channels[state.last] = channel
                loser = state.channels.removeValue(forKey: other)
            case .refused: break
            }
            return (state.last, verdict, loser)
        }
        loser?.close(promise: nil)
        if case .refused(let words) = verdict { return (id, words) }
        return (id, nil)
    }

    func asked(_ id: ConnectionTable.ID) { state.withLock { $0.table.asked(id) } }
    func answered(_ id: ConnectionTable.ID) { state.withLock { $0.table.answered(id) } }

    func closed(_ id: ConnectionTable.ID) {
        state.withLock { state in
            state.table.closed(id)
            state.channels[id] = nil
        }
    }
}
