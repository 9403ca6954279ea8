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
final class ConnectionDesk: Sendable {
    private struct State {
        var table: ConnectionTable
        var channels: [ConnectionTable.ID: any Channel] = [:]
        var last: ConnectionTable.ID = 0
    }

    /// From the start of a connection to the head of its first request, and from a head to the end of its body.
    let requestTimeout: TimeAmount
    /// How long a client may leave unread what waits for it.
    let readTimeout: TimeAmount
    private let state: Mutex<State>

    init(_ table: ConnectionTable, requestTimeout: TimeAmount, readTimeout: TimeAmount) {
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

/// One connection: its deadlines, and an answer in words to what is no HTTP.
///
/// Connections that rest between requests end with the server's idle timeout.
private final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        /// Before the first head, or between an answer and the next head.
        case waiting
        case asked
        /// It has got its last answer; what it still sends is thrown away.
        case refused
    }

    private let desk: ConnectionDesk
    private var id: ConnectionTable.ID?
    private var phase = Phase.waiting
    /// Requests whose answers are not complete.
    private var open = 0
    /// The head of the newest request has come, its end has not.
    private var isIncomplete = false
    private var deadline: Scheduled<Void>?
    private var unreadDeadline: Scheduled<Void>?

    init(_ desk: ConnectionDesk) { self.desk = desk }

    func channelActive(context: ChannelHandlerContext) {
        let (id, refusal) = desk.opened(context.channel)
        if let refusal {
            refuse(.serviceUnavailable, refusal, context)
        } else {
            self.id = id
            deadline = close(context, in: desk.requestTimeout)
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        unreadDeadline?.cancel()
        if let id { desk.closed(id) }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if phase == .refused { return }
        switch unwrapInboundIn(data) {
        case .head:
            open += 1
            phase = .asked
            deadline?.cancel()
            deadline = nil
            isIncomplete = true
        case .body: break
        case .end:
            isIncomplete = false
            deadline?.cancel()
            deadline = nil
            // Until here the server waits for the client, and not the other way round.
            if let id { desk.asked(id) }
        }
        context.fireChannelRead(data)
    }

    /// Most requests come in one piece, and need no deadline.
    func channelReadComplete(context: ChannelHandlerContext) {
        if isIncomplete, deadline == nil, phase != .refused { deadline = close(context, in: desk.requestTimeout) }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if phase == .refused {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        if case .end = unwrapOutboundIn(data) {
            open -= 1
            if open == 0 {
                phase = .waiting
                if let id { desk.answered(id) }
            }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        unreadDeadline?.cancel()
        unreadDeadline = context.channel.isWritable ? nil : close(context, in: desk.readTimeout)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch (phase, error) {
        case (.refused, _): break  // It goes on sending; the end is near.
        case (.waiting, let error as HTTPParserError) where error != .invalidEOFState:
            if error == .headerOverflow {
                refuse(.requestHeaderFieldsTooLarge, "the request's headers are too large", context)
            } else {
                refuse(.badRequest, "the request is no HTTP: \(error)", context)
            }
        // An answer is on its way, and nothing may come between its parts; or the connection broke.
        case (.waiting, _), (.asked, _): context.fireErrorCaught(error)
        }
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    /// Answers and ends the connection: not at once, for who is still sending would lose the answer.
    private func refuse(_ status: HTTPResponseStatus, _ words: String, _ context: ChannelHandlerContext) {
        phase = .refused
        let body = ByteBuffer(bytes: JSON.object([("errors", [.string(words)])]).bytes)
        let headers: HTTPHeaders = [
            "Content-Type": "application/json; charset=UTF-8", "Content-Length": "\(body.readableBytes)", "Connection": "close", "Cache-Control": "no-store",
        ]
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        deadline?.cancel()
        deadline = close(context, in: .seconds(1))
        context.close(mode: .output, promise: nil)
    }
}
