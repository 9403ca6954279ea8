import Glibc
import NIOCore
import NIOSSL

/// The last handler of a channel, on either side: greeting first, then frames.
final class FrameChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case greeting(ByteBuffer)
        case open(FrameConnection, FrameHandler)
        /// The stream cannot be read further; the channel is about to become inactive.
        case broken(FrameConnection, FrameHandler)
        case closed
    }

    enum Side {
        /// Logs in words what ended a connection before it was one.
        case server(log: @Sendable (String) -> Void)
        case client(EventLoopPromise<FrameConnection>)
    }

    private let side: Side
    private let role: UInt8
    private let options: TransportOptions
    private let accept: @Sendable (FrameConnection) -> FrameHandler
    private var state = State.greeting(ByteBuffer())
    private var decoder: FrameDecoder
    private var failure: (any Error)?
    private var timeout: Scheduled<Void>?

    init(side: Side, role: UInt8, options: TransportOptions, accept: @escaping @Sendable (FrameConnection) -> FrameHandler) {
        self.side = side
        self.role = role
        self.options = options
        self.accept = accept
        decoder = FrameDecoder(limitBytes: options.frameLimitBytes)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        let late = NIOLoopBound(self, eventLoop: context.eventLoop)
        timeout = context.eventLoop.scheduleTask(in: options.handshakeTimeout) {
            late.value.giveUp("no greeting within \(late.value.options.handshakeTimeout.nanoseconds / 1_000_000) ms", on: channel)
        }
        if context.channel.isActive { greet(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        greet(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch state {
        case .greeting(var before):
            before.writeBuffer(&bytes)
            state = .greeting(before)
            readGreeting(context)
        case .open:
            decoder.append(bytes)
            deliver(context)
        case .broken, .closed: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        switch state {
        case .greeting(let before):
            state = .closed
            // A port probe connects and closes: nothing was said, nothing is logged.
            if case .client(let promise) = side {
                promise.fail(TransportError.failed("\(describe(context.remoteAddress)): \(failure.map(words) ?? "closed the connection before greeting")"))
            } else if let failure, !isProbe(failure, before) {
                log("\(describe(context.remoteAddress)): \(words(failure))")
            } else if before.readableBytes > 0 {
                log("\(describe(context.remoteAddress)): connection ended inside the greeting")
            }
        case .open(let connection, let handler), .broken(let connection, let handler):
            state = .closed
            let reason = connection.closed(observedReason)
            handler.onClosed(reason)
            // Nobody above knows a peer that never said who it is.
            if case .brokenFrame(let words) = reason { log("\(connection.peer): \(words)") }
        case .closed: break
        }
        context.fireChannelInactive()
    }

    /// The channel may still become inactive by itself, or not: close it either way.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if failure == nil { failure = error }
        context.close(promise: nil)
    }

    private var observedReason: CloseReason {
        if let begun = decoder.begun {
            return .brokenFrame("the connection ended inside a frame, after \(begun.read) of \(begun.of.map(String.init) ?? "unknown") bytes")
        }
        guard let failure, (failure as? NIOSSLError) != .uncleanShutdown else { return .byPeer }
        return .failed(words(failure))
    }
}

// MARK: Greeting

extension FrameChannelHandler {
    private func greet(_ context: ChannelHandlerContext) {
        guard case .client = side else { return }
        context.writeAndFlush(wrapOutboundOut(Hello(version: options.version, role: role).bytes), promise: nil)
    }

    private func readGreeting(_ context: ChannelHandlerContext) {
        guard case .greeting(var bytes) = state else { return }
        let found = Hello.read(from: &bytes)
        let peer = describe(context.remoteAddress)
        switch (side, found) {
        case (_, .incomplete): break

        case (.server, .hello(let hello)) where hello.refusal == nil && hello.version == options.version:
            context.writeAndFlush(wrapOutboundOut(Hello(version: options.version, role: role).bytes), promise: nil)
            open(hello, bytes, context)
        case (.server, .hello(let hello)) where hello.refusal == nil:
            refuse("protocol version \(hello.version) is not spoken here, this process speaks version \(options.version)", context)
        case (.server, .hello), (.server, .foreign):
            refuse("this port speaks Swiftwater's protocol, version \(options.version); what came is something else", context)

        case (.client, .hello(let hello)):
            if let refusal = hello.refusal {
                fail(.refused(refusal, peer: peer), context)
            } else if hello.version != options.version {
                fail(.failed("\(peer) speaks protocol version \(hello.version), this process version \(options.version)"), context)
            } else {
                open(hello, bytes, context)
            }
        case (.client, .foreign):
            fail(.failed("\(peer) does not speak Swiftwater's protocol"), context)
        }
    }

    private func open(_ hello: Hello, _ rest: ByteBuffer, _ context: ChannelHandlerContext) {
        timeout?.cancel()
        let connection = FrameConnection(channel: context.channel, peerRole: hello.role, options: options)
        let handler = accept(connection)
        if case .client(let promise) = side { promise.succeed(connection) }
        state = .open(connection, handler)
        if rest.readableBytes > 0 { decoder.append(rest) }
        deliver(context)
    }

    private func refuse(_ words: String, _ context: ChannelHandlerContext) {
        log("\(describe(context.remoteAddress)): refused: \(words)")
        state = .closed
        timeout?.cancel()
        context.writeAndFlush(wrapOutboundOut(Hello(version: options.version, role: role, refusal: words).bytes), promise: nil)
        context.channel.closeAfterFlush(within: options.lingerTimeout)
    }

    private func fail(_ error: TransportError, _ context: ChannelHandlerContext) {
        state = .closed
        timeout?.cancel()
        if case .client(let promise) = side { promise.fail(error) }
        context.close(promise: nil)
    }

    private func giveUp(_ words: String, on channel: any Channel) {
        guard case .greeting = state else { return }
        failure = TransportError.failed(words)
        channel.close(promise: nil)
    }

    private func log(_ line: String) {
        if case .server(let log) = side { log(line) }
    }

    /// Also with TLS, where a probe looks like a handshake that broke off before the first byte.
    private func isProbe(_ failure: any Error, _ before: ByteBuffer) -> Bool {
        if before.readableBytes > 0 { return false }
        if let error = failure as? IOError { return error.errnoCode == ECONNRESET || error.errnoCode == EPIPE }
        return (failure as? NIOSSLError) == .uncleanShutdown
    }
}

// MARK: Frames

extension FrameChannelHandler {
    /// Every whole frame that is there, until a handler closes the connection: what followed an unreadable frame is not worth reading.
    private func deliver(_ context: ChannelHandlerContext) {
        do throws(FrameDecoder.Oversized) {
            while case .open(let connection, let handler) = state, !connection.isClosing, let frame = try decoder.next() { handler.onFrame(frame) }
        } catch {
            guard case .open(let connection, let handler) = state else { return }
            _ = connection.closed(.brokenFrame("a frame of \(error.length) bytes was announced, the limit is \(options.frameLimitBytes)"))
            state = .broken(connection, handler)
            context.close(promise: nil)
        }
    }
}
