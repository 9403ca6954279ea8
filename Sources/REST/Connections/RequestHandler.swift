import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Answers one connection's requests, one after the other, each in a task on the connection's event loop: what needs no waiting is answered by the time its last
/// byte is taken, without another thread and without queues between them. What takes long must go elsewhere (`OffTheEventLoop`).
///
/// Stands behind a `ConnectionGuard`, which minds the deadlines and the protocol.
package final class RequestHandler<Routes: HTTPResponder>: ChannelDuplexHandler where Routes.Context == BasicRequestContext {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias OutboundIn = HTTPServerResponsePart
    package typealias OutboundOut = HTTPServerResponsePart

    private static var mostInATurn: Int { 16 }

    private let routes: Routes
    private let isSecure: Bool
    private let logger: Logger
    private let executor: EventLoopExecutor
    private var context: ChannelHandlerContext?

    /// Parts that have come and are not taken yet: they belong to requests behind the one that is being answered.
    private var waiting: CircularBuffer<HTTPServerRequestPart> = []
    private var isTaking = false
    /// A request without a body, whose end has not come.
    private var head: HTTPRequestHead?
    /// A request's head has been taken, its end not.
    private var isIncomplete = false
    /// From the start of a request's task to the end of its answer.
    private var isAnswering = false
    private var task: Task<Void, Never>?
    /// Of the request that is being answered.
    private var body: RequestBodyFeed?
    /// The newest request's body is no HTTP, or breaks off.
    private var flaw: (any Error)?
    private var answersInTurn = 0
    /// Others of this event loop have their turn.
    private var isYielding = false
    /// Somebody wanted to read, and must wait.
    private var isReadHeld = false
    /// Of an answer that goes out faster than the client takes it.
    private var drained: CheckedContinuation<Void, any Error>?

    package init(_ routes: Routes, isSecure: Bool, logger: Logger, on loop: any EventLoop) {
        self.routes = routes
        self.isSecure = isSecure
        self.logger = logger
        executor = EventLoopExecutor(loop)
    }

    package func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    package func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    package func channelInactive(context: ChannelHandlerContext) {
        waiting.removeAll()
        body?.fail(ChannelError.inputClosed)
        resume(.failure(ChannelError.ioOnClosedChannel))
        task?.cancel()
        context.fireChannelInactive()
    }

    // MARK: Requests

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        waiting.append(unwrapInboundIn(data))
        take()
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        if !isYielding { answersInTurn = 0 }
        context.fireChannelReadComplete()
    }

    /// Answers that need no waiting are complete when their request's last part is taken, so this calls itself: then the outer call goes on.
    private func take() {
        if isTaking { return }
        isTaking = true
        while !isYielding, isIncomplete || !isAnswering && isWritable, let part = waiting.popFirst() {
            switch part {
            case .head(let head): begin(head)
            case .body(let bytes): body?.put(bytes)
            case .end:
                isIncomplete = false
                body?.end()
                if let head {
                    self.head = nil
                    answer(head, RequestBody(buffer: ByteBuffer()))
                }
                answersInTurn += 1
                if answersInTurn == Self.mostInATurn { yield() }
            }
        }
        isTaking = false
        if let flaw, waiting.isEmpty, isIncomplete {
            isIncomplete = false
            body?.fail(flaw)
        }
        readOn()
    }

    /// Who sends many requests at once shall not keep the others of this event loop from being answered. What is only put off would be done before they are looked at.
    private func yield() {
        isYielding = true
        let handler = NIOLoopBound(self, eventLoop: executor.loop)
        executor.loop.scheduleTask(in: .microseconds(100)) {
            handler.value.answersInTurn = 0
            handler.value.isYielding = false
            handler.value.take()
        }
    }

    /// Answers that nobody takes would pile up.
    private var isWritable: Bool { context?.channel.isWritable == true }

    private func begin(_ head: HTTPRequestHead) {
        isIncomplete = true
        let length = head.headers[canonicalForm: "content-length"].first
        guard length != nil && length != "0" || head.headers.contains(name: "transfer-encoding") else {
            self.head = head
            return
        }
        let (feed, body) = RequestBodyFeed.make(on: executor.loop) { [handler = NIOLoopBound(self, eventLoop: executor.loop)] in handler.value.readOn() }
        self.body = feed
        answer(head, body)
    }

    package func read(context: ChannelHandlerContext) {
        isReadHeld = true
        readOn()
    }

    /// No more is read than one piece beyond what can be taken.
    private func readOn() {
        guard isReadHeld, waiting.isEmpty, body?.isFull != true else { return }
        isReadHeld = false
        context?.read()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError {
            // Whoever reads the body answers in words, when it is its turn; the guard ends the connection behind that.
            flaw = error
            take()
        } else {
            body?.fail(error)
            context.close(promise: nil)
        }
    }

    // MARK: Answers

    private func answer(_ head: HTTPRequestHead, _ body: RequestBody) {
        isAnswering = true
        let handler = NIOLoopBound(self, eventLoop: executor.loop)
        task = Task.immediate(executorPreference: executor) { await handler.value.answered(head, body) }
    }

    private func answered(_ head: HTTPRequestHead, _ body: RequestBody) async {
        guard let channel = context?.channel else { return }
        let response = await response(to: head, body, BasicRequestContext(source: ApplicationRequestContextSource(channel: channel, logger: logger)))
        guard let context else { return }
        var parts = HTTPResponseHead(response.head)
        parts.headers.add(name: "Date", value: HTTPDate.now())
        context.write(wrapOutboundOut(.head(parts)), promise: nil)
        do {
            try await response.body.write(Writer(handler: NIOLoopBound(self, eventLoop: executor.loop)))
        } catch {
            // A part of the answer is there: that it is not whole can only be told by an end of the connection.
            self.context?.close(promise: nil)
        }
    }

    private func response(to head: HTTPRequestHead, _ body: RequestBody, _ context: BasicRequestContext) async -> Response {
        do {
            return try await routes.respond(to: Request(head: try HTTPRequest(head, secure: isSecure, splitCookie: false), body: body), context: context)
        } catch let error as HTTP1TypeConversionError {
            return refusal(.badRequest, "the request's first line is no HTTP: \(error)", of: head)
        } catch {
            logger.error("\(head.method) \(head.uri.prefix(200)): \(error)")
            return refusal(.internalServerError, "the JobManager could not answer; its log says why", of: head)
        }
    }

    private func refusal(_ status: HTTPResponse.Status, _ words: String, of head: HTTPRequestHead) -> Response {
        let response = Response.json(["errors": [.string(words)]], status: status)
        return head.method == .HEAD ? response.createHeadResponse() : response
    }

    private struct Writer: ResponseBodyWriter {
        let handler: NIOLoopBound<RequestHandler>

        func write(_ buffer: ByteBuffer) async throws { try await handler.value.write(buffer) }
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws { handler.value.finish() }
    }

    /// Returns when the client has taken enough.
    private func write(_ buffer: ByteBuffer) async throws {
        guard let context, context.channel.isActive else { throw ChannelError.ioOnClosedChannel }
        context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        // A small answer goes with its end.
        if context.channel.isWritable { return }
        context.flush()
        if context.channel.isWritable { return }
        try await withCheckedThrowingContinuation { drained = $0 }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            resume(.success(()))
            take()
        }
        context.fireChannelWritabilityChanged()
    }

    private func resume(_ result: Result<Void, any Error>) {
        let drained = drained
        self.drained = nil
        drained?.resume(with: result)
    }

    private func finish() {
        context?.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        isAnswering = false
        body = nil
        take()
    }
}
