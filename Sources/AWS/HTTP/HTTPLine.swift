import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// A connection that is kept for calls which follow each other on one event loop: a request is written as it is, and its answer taken from the bytes
/// that come, which costs a small call a third of what a general client needs. HTTP/1.1; one call at a time. Used on its loop only.
final class HTTPLine: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Call {
        var parser: AnswerParser
        let resume: UnsafeContinuation<Result<HTTPResponse, HTTPFailure>, Never>
        let timer: Scheduled<Void>
    }

    private var channel: (any Channel)?
    private var call: Call?
    /// Calls that it has answered.
    private var answers = 0
    private(set) var isOpen = true

    /// Throws when there is no connection in five seconds.
    static func open(_ endpoint: Endpoint, on loop: any EventLoop) async throws(HTTPFailure) -> HTTPLine {
        let line = HTTPLine()
        let host = endpoint.host.hasPrefix("[") ? String(endpoint.host.dropFirst().dropLast()) : endpoint.host
        do {
            let tls = endpoint.isTLS ? try HTTPLine.tls.get() : nil
            let bootstrap = ClientBootstrap(group: loop).connectTimeout(.seconds(5)).channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
                            try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host))
                        }
                        try channel.pipeline.syncOperations.addHandler(line)
                    }
                }
            line.channel = try await bootstrap.connect(host: host, port: endpoint.port ?? (endpoint.isTLS ? 443 : 80)).get()
        } catch { throw HTTPTransport.failure(error) }
        return line
    }

    private static let tls = Result { try NIOSSLContext(configuration: HTTPTransport.tlsConfiguration) }

    /// Throws `.broken` with `mayHaveArrived` false when the server had ended the connection before.
    func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { begin(request, $0) }
        } onCancel: {
            // Later: what cancels may be on any thread.
            channel?.eventLoop.execute { self.fail(HTTPFailure(.cancelled, "cancelled", mayHaveArrived: true)) }
        }
        return try result.get()
    }

    private func begin(_ request: HTTPRequest, _ resume: UnsafeContinuation<Result<HTTPResponse, HTTPFailure>, Never>) {
        guard isOpen, call == nil, let channel else {
            return resume.resume(returning: .failure(HTTPFailure(.broken, "the server closed the connection", mayHaveArrived: false)))
        }
        if Task.isCancelled { return resume.resume(returning: .failure(HTTPFailure(.cancelled, "cancelled", mayHaveArrived: false))) }
        let timer = channel.eventLoop.scheduleTask(in: TimeAmount(request.timeout)) {
            self.fail(HTTPFailure(.timeout, "no answer in time", mayHaveArrived: true))
        }
        call = Call(parser: AnswerParser(limitBytes: request.answerLimitBytes), resume: resume, timer: timer)
        channel.writeAndFlush(HTTPLine.bytes(of: request, channel.allocator), promise: nil)
    }

    /// What is sent.
    static func bytes(of request: HTTPRequest, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        let query = request.encodedQuery
        var bytes = allocator.buffer(capacity: 1_024 + request.body.readableBytes)
        bytes.writeString(request.method)
        bytes.writeStaticString(" ")
        bytes.writeString(request.path)
        if !query.isEmpty {
            bytes.writeStaticString("?")
            bytes.writeString(query)
        }
        bytes.writeStaticString(" HTTP/1.1\r\n")
        for (name, value) in request.headers where name != "content-length" {
            bytes.writeString(name)
            bytes.writeStaticString(": ")
            bytes.writeString(value)
            bytes.writeStaticString("\r\n")
        }
        bytes.writeStaticString("content-length: ")
        bytes.writeString(String(request.body.readableBytes))
        bytes.writeStaticString("\r\n\r\n")
        bytes.writeImmutableBuffer(request.body)
        return bytes
    }

    // MARK: What the connection says

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard let step = bytes.withUnsafeReadableBytes({ call?.parser.take($0) }) else { return close() }  // Nobody has asked.
        switch step {
        case .more: break
        case .whole(let response, let isLast):
            answers += 1
            finish(.success(response))
            if isLast { close() }
        case .malformed: fail(HTTPFailure(.broken, "the server's answer is not HTTP/1.1", mayHaveArrived: true))
        case .tooLarge: fail(HTTPFailure(.tooLarge, "the answer is larger than is taken", mayHaveArrived: true))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        isOpen = false
        if let response = call?.parser.ended() { return finish(.success(response)) }
        // A server that ends a connection at rest has not seen what was sent just then.
        let isStale = answers > 0 && !(call?.parser.hasBegun ?? true)
        finish(.failure(HTTPFailure(.broken, "the server closed the connection", mayHaveArrived: !isStale)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isStale = answers > 0 && !(call?.parser.hasBegun ?? true) && error is IOError
        var failure = HTTPTransport.failure(error)
        if isStale { failure.mayHaveArrived = false }
        fail(failure)
    }

    /// Closing makes the channel inactive at once: the reason is said before.
    private func fail(_ failure: HTTPFailure) {
        finish(.failure(failure))
        close()
    }

    /// Nothing else is sent.
    func close() {
        guard isOpen else { return }
        isOpen = false
        channel?.close(promise: nil)
    }

    private func finish(_ result: Result<HTTPResponse, HTTPFailure>) {
        guard let call else { return }
        self.call = nil
        call.timer.cancel()
        call.resume.resume(returning: result)
    }
}
