import Hosts
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// HTTP/1 connections, each with a `ConnectionGuard` behind the decoder.
struct GuardedConnections: ServerChildChannel {
    let base: HTTP1Channel
    let desk: ConnectionDesk

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionGuard(desk), position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) { await base.handle(value: value, logger: logger) }
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
    /// How long a client may leave unread what waits for it.
    let readTimeout: TimeAmount
    let handshakes: RefusedHandshakes
    private let state: Mutex<State>

    package init(_ table: ConnectionTable, requestTimeout: TimeAmount, readTimeout: TimeAmount, log: Log = .none) {
        handshakes = RefusedHandshakes(log)
        self.requestTimeout = requestTimeout
        self.readTimeout = readTimeout
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
