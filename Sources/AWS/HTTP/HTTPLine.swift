import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A connection that is kept for calls which follow each other on one event loop, without a general client's pool between them: for small calls that
/// was most of their cost. HTTP/1.1; one call at a time. Used on its loop only.
final class HTTPLine: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private struct Call {
        let limitBytes: Int
        /// What has come of it: nothing yet while the status is 0.
        var answer = HTTPResponse(status: 0)
        /// The connection carries no other.
        var isLast = false
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
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
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
        call = Call(limitBytes: request.answerLimitBytes, resume: resume, timer: timer)
        var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.path)
        let query = request.encodedQuery
        if !query.isEmpty { head.uri += "?" + query }
        for (name, value) in request.headers where name != "content-length" { head.headers.add(name: name, value: value) }
        head.headers.add(name: "content-length", value: String(request.body.readableBytes))
        let pipeline = channel.pipeline.syncOperations
        pipeline.write(NIOAny(OutboundOut.head(head)), promise: nil)
        if request.body.readableBytes > 0 { pipeline.write(NIOAny(OutboundOut.body(.byteBuffer(request.body))), promise: nil) }
        pipeline.writeAndFlush(NIOAny(OutboundOut.end(nil)), promise: nil)
    }

    // MARK: What the connection says

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard call != nil else { return close() }  // Nobody has asked.
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head)
        case .body(let bytes):
            guard let limit = call?.limitBytes, (call?.answer.body.count ?? 0) + bytes.readableBytes <= limit else { return fail(HTTPLine.tooLarge) }
            call?.answer.body.append(contentsOf: bytes.readableBytesView)
        case .end:
            guard let call else { return }
            answers += 1
            finish(.success(call.answer))
            if call.isLast { close() }
        }
    }

    private func begin(_ head: HTTPResponseHead) {
        guard head.status.code >= 200 else { return fail(HTTPFailure(.broken, "the server speaks another protocol from here on", mayHaveArrived: true)) }
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        guard let call, length <= call.limitBytes else { return fail(HTTPLine.tooLarge) }
        self.call?.answer = HTTPResponse(status: Int(head.status.code), headers: head.headers.map { (name: $0.name.lowercased(), value: $0.value) })
        self.call?.answer.body.reserveCapacity(length)
        self.call?.isLast = !head.isKeepAlive
    }

    private static let tooLarge = HTTPFailure(.tooLarge, "the answer is larger than is taken", mayHaveArrived: true)

    /// A server that ends a connection at rest has not seen what was sent just then.
    private var isStale: Bool { answers > 0 && call?.answer.status == 0 }

    func channelInactive(context: ChannelHandlerContext) {
        isOpen = false
        finish(.failure(HTTPFailure(.broken, "the server closed the connection", mayHaveArrived: !isStale)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        var failure = HTTPTransport.failure(error)
        switch error {
        case let error as HTTPParserError where error != .invalidEOFState: failure.message = "the server's answer is not HTTP/1.1"
        case is HTTPParserError: failure.message = "the server closed the connection"
        case is IOError: if isStale { failure.mayHaveArrived = false }
        default: break
        }
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
