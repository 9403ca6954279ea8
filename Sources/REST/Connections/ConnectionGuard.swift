import NIOCore
import NIOHTTP1

/// One HTTP/1 connection: its deadlines, an answer in words to what is no HTTP, and what the protocol asks besides the answers (RFC 9110, 9112).
///
/// Stands behind the decoder, and in front of the encoder: it sees requests as they come, also those before which others wait to be answered, and answers in the
/// requests' order. So `100 Continue` and refusals never come between the parts of an answer.
///
/// Connections that rest between requests end after the idle timeout. It is the guard that ends a connection: behind the last answer, when that has been taken.
package final class ConnectionGuard: ChannelDuplexHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPServerRequestPart
    package typealias OutboundIn = HTTPServerResponsePart
    package typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case taking
        /// The last request's head has come. What comes after that request is thrown away.
        case last
        /// What comes is thrown away. The refusal follows the answers that are not complete.
        case refusing(HTTPResponseStatus, String)
        /// It has got its last answer.
        case ended
    }

    /// A request whose answer is not complete.
    private struct Asked {
        /// HTTP/1.0: knows no chunks.
        var isOld: Bool
        var isLast: Bool
        /// It holds its body back until it is told to go on.
        var isHeldBack: Bool
        var isTooLong: Bool
    }

    private let desk: ConnectionDesk
    private var id: ConnectionTable.ID?
    private var peer: SocketAddress?
    private var phase = Phase.taking
    /// Oldest first.
    private var open: CircularBuffer<Asked> = []
    /// The head of the newest request has come, its end has not.
    private var isIncomplete = false
    private var deadline: Scheduled<Void>?
    private var unreadDeadline: Scheduled<Void>?
    /// The server waits for what comes; else it has enough for now.
    private var isReading = true
    /// The newest answer's end.
    private var written: EventLoopFuture<Void>?
    /// Since when all requests are answered.
    private var restsSince: NIODeadline?
    /// Runs late: it is scheduled once for many requests.
    private var restCheck: Scheduled<Void>?

    package init(_ desk: ConnectionDesk) { self.desk = desk }

    package func channelActive(context: ChannelHandlerContext) {
        peer = context.remoteAddress
        let (id, refusal) = desk.opened(context.channel)
        if let refusal {
            refuse(.serviceUnavailable, refusal, context)
        } else {
            self.id = id
            expectRequest(context)
        }
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        phase = .ended
        deadline?.cancel()
        unreadDeadline?.cancel()
        restCheck?.cancel()
        if let id { desk.closed(id) }
        context.fireChannelInactive()
    }

    // MARK: Requests

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch phase {
        case .ended, .refusing: return
        case .last where !isIncomplete: return
        case .taking, .last: break
        }
        switch unwrapInboundIn(data) {
        case .head(let head): take(head, context)
        case .body:
            // It may have been answered already.
            if !open.isEmpty { open[open.index(before: open.endIndex)].isHeldBack = false }
            context.fireChannelRead(data)
        case .end:
            isIncomplete = false
            deadline?.cancel()
            deadline = nil
            // Until here the server waits for the client, and not the other way round.
            if let id { desk.asked(id) }
            context.fireChannelRead(data)
        }
    }

    private func take(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var head = head
        let isOld = head.version == .http1_0 || head.version == .http0_9
        switch (head.headers[canonicalForm: "host"].count, isOld) {
        case (1, _): break
        // Browsers do not speak HTTP/1.0: whoever does needs no name to be kept out by.
        case (0, true): head.headers.add(name: "Host", value: "localhost")
        case (0, false): return owe(.badRequest, "the request has no Host, which HTTP/1.1 wants", context)
        default: return owe(.badRequest, "the request has several Hosts", context)
        }
        // Behind those that may change the protocol the decoder stops.
        let isLast = isOld || !head.isKeepAlive || head.method == .CONNECT || head.headers.contains(name: "Upgrade")
        if isLast {
            phase = .last
            // In the one spelling that the server looks for.
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        }
        let waits = !isOld && head.headers[canonicalForm: "expect"].contains { $0.lowercased() == "100-continue" }
        let length = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
        open.append(Asked(isOld: isOld, isLast: isLast, isHeldBack: waits, isTooLong: length > RESTService.bodyLimitBytes))
        isIncomplete = true
        restsSince = nil
        deadline?.cancel()
        deadline = nil
        context.fireChannelRead(wrapInboundOut(.head(head)))
        goOnIfHeldBack(context)
    }

    /// Most requests come in one piece, and need no deadline.
    package func channelReadComplete(context: ChannelHandlerContext) {
        switch phase {
        case .taking, .last: if isIncomplete, deadline == nil { expectRequest(context) }
        case .refusing, .ended: break
        }
        isReading = false
        context.fireChannelReadComplete()
    }

    package func read(context: ChannelHandlerContext) {
        isReading = true
        context.read()
    }

    private func expectRequest(_ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: desk.requestTimeout) {
            let (connection, context) = loopBound.value
            // A client is not late while the server does not listen.
            if connection.isReading { context.close(promise: nil) } else { connection.expectRequest(context) }
        }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event, case .taking = phase {
            phase = .last
            if open.isEmpty { endWhenWritten(context) } else { open[open.index(before: open.endIndex)].isLast = true }
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What comes behind bytes that are no HTTP; those have been told.
        if error is ByteToMessageDecoderError { return }
        desk.handshakes.note(error, from: peer, context.pipeline.syncOperations)
        switch (phase, error as? HTTPParserError) {
        case (.ended, _), (.refusing, .some): break  // It goes on sending; the end is near.
        case (.last, .some) where !isIncomplete: break
        case (.taking, let error?) where !isIncomplete:
            switch error {
            case .headerOverflow: owe(.requestHeaderFieldsTooLarge, "the request's headers are too large", context)
            case .invalidEOFState: owe(.badRequest, "the connection ended within a request's headers", context)
            default: owe(.badRequest, "the request is no HTTP: \(error)", context)
            }
        // Answered before its end, which does not come.
        case (.taking, .some) where open.isEmpty, (.last, .some) where open.isEmpty: endWhenWritten(context)
        // Whoever reads its body is told, and answers for the last time.
        case (.taking, .some), (.last, .some):
            phase = .last
            open[open.index(before: open.endIndex)].isLast = true
            context.fireErrorCaught(error)
        // The connection broke.
        case (.taking, nil), (.last, nil), (.refusing, nil): context.fireErrorCaught(error)
        }
    }

    // MARK: Answers

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .ended = phase {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        guard !open.isEmpty else { return context.write(data, promise: promise) }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if open[open.startIndex].isHeldBack {
                // A body that nobody has asked for may come or not: the next request could not be told from it.
                open[open.startIndex].isHeldBack = false
                open[open.startIndex].isLast = true
                phase = .last
            }
            if open[open.startIndex].isOld { head.version = .http1_0 }
            if open[open.startIndex].isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end: end(open.removeFirst(), data, promise, context)
        }
    }

    private func end(_ asked: Asked, _ data: NIOAny, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        if open.isEmpty {
            if let id { desk.answered(id) }
            rests(context)
        }
        let promise = promise ?? context.eventLoop.makePromise()
        written = promise.futureResult
        if asked.isLast {
            context.writeAndFlush(data, promise: promise)
            return endWhenWritten(context)
        }
        context.write(data, promise: promise)
        if open.isEmpty, case .refusing(let status, let words) = phase { return refuse(status, words, context) }
        goOnIfHeldBack(context)
    }

    /// Only the oldest request is spoken to.
    private func goOnIfHeldBack(_ context: ChannelHandlerContext) {
        guard open.count == 1, open[open.startIndex].isHeldBack, !open[open.startIndex].isTooLong else { return }
        open[open.startIndex].isHeldBack = false
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        unreadDeadline?.cancel()
        unreadDeadline = context.channel.isWritable ? nil : close(context, in: desk.idleTimeout)
        context.fireChannelWritabilityChanged()
    }

    private func rests(_ context: ChannelHandlerContext) {
        restsSince = context.eventLoop.now
        if restCheck == nil { checkRest(context, in: desk.idleTimeout) }
    }

    private func checkRest(_ context: ChannelHandlerContext, in time: TimeAmount) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        restCheck = context.eventLoop.scheduleTask(in: time) {
            let (connection, context) = loopBound.value
            connection.restCheck = nil
            guard let since = connection.restsSince else { return }  // The end of the answer begins anew.
            let left = since + connection.desk.idleTimeout - context.eventLoop.now
            if left > .zero { connection.checkRest(context, in: left) } else { context.close(promise: nil) }
        }
    }

    // MARK: The end

    /// Nothing more is taken; the refusal goes when it is its turn.
    private func owe(_ status: HTTPResponseStatus, _ words: String, _ context: ChannelHandlerContext) {
        if open.isEmpty { return refuse(status, words, context) }
        phase = .refusing(status, words)
    }

    private func refuse(_ status: HTTPResponseStatus, _ words: String, _ context: ChannelHandlerContext) {
        let body = ByteBuffer(bytes: JSON.object([("errors", [.string(words)])]).bytes)
        let headers: HTTPHeaders = [
            "Content-Type": "application/json; charset=UTF-8", "Content-Length": "\(body.readableBytes)", "Connection": "close", "Cache-Control": "no-store",
        ]
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let promise = context.eventLoop.makePromise(of: Void.self)
        written = promise.futureResult
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
        endWhenWritten(context)
    }

    /// What is closed before would be cut.
    private func endWhenWritten(_ context: ChannelHandlerContext) {
        guard let written else { return end(context) }
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        written.whenSuccess {
            let (connection, context) = loopBound.value
            connection.end(context)
        }
    }

    /// Not at once, for who is still sending would lose the last answer.
    private func end(_ context: ChannelHandlerContext) {
        if case .ended = phase { return }
        phase = .ended
        deadline?.cancel()
        deadline = close(context, in: .seconds(1))
        context.close(mode: .output, promise: nil)
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}
