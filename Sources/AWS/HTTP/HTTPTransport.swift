import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// The process's HTTP clients, one a lane: HTTP/1.1, and HTTP/2 where a TLS server offers it. They live as long as the process.
enum HTTPTransport {
    /// Nothing for so long while an answer is awaited, or between two pieces of it, breaks the request off.
    private static let silence = TimeAmount.seconds(60)

    /// By lane.
    private static let clients = Mutex<[HTTPClient]>([])

    private static func client(_ lane: Int) -> HTTPClient {
        clients.withLock { clients in
            while clients.count <= lane { clients.append(makeClient()) }
            return clients[lane]
        }
    }

    private static func makeClient() -> HTTPClient {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .seconds(5), read: silence)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        configuration.connectionPool.idleTimeout = .seconds(20)
        configuration.connectionPool.retryConnectionEstablishment = false  // `RetryPolicy` decides.
        configuration.httpVersion = .automatic
        configuration.tracing.tracer = nil  // Nobody collects its spans; describing each call for them is work.
        if getenv("AWS_CA_BUNDLE") != nil { configuration.tlsConfiguration = tlsConfiguration }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    static var tlsConfiguration: TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let bundle = getenv("AWS_CA_BUNDLE") { tls.trustRoots = .file(String(cString: bundle)) }
        return tls
    }

    static func open(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPAnswer {
        if let executor = request.executor, executor.isCurrent {
            let response = try await executor.lines.send(request)
            return HTTPAnswer(status: response.status, headers: response.headers, body: ByteChunks(whole: response.body))
        }
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers where name != "content-length" { outgoing.headers.add(name: name, value: value) }
        if request.body.readableBytes > 0 || request.method == "PUT" || request.method == "POST" { outgoing.body = .bytes(request.body) }
        do {
            let answer = try await client(request.lane).execute(outgoing, deadline: .now() + TimeAmount(request.timeout))
            return HTTPAnswer(
                status: Int(answer.status.code), headers: answer.headers.map { (name: $0.name.lowercased(), value: $0.value) }, body: chunks(answer.body))
        } catch {
            throw failure(error)
        }
    }

    private static func chunks(_ body: HTTPClientResponse.Body) -> ByteChunks {
        /// `ByteChunks` is read by one task at a time.
        final class Place: @unchecked Sendable {
            var iterator: HTTPClientResponse.Body.AsyncIterator
            init(_ iterator: HTTPClientResponse.Body.AsyncIterator) { self.iterator = iterator }
        }
        let place = Place(body.makeAsyncIterator())
        return ByteChunks { () async throws(HTTPFailure) -> ByteBuffer? in
            do { return try await place.iterator.next() } catch { throw failure(error) }
        }
    }

    static func failure(_ error: any Error) -> HTTPFailure {
        switch error {
        case let error as HTTPFailure: return error
        case is CancellationError: return HTTPFailure(.cancelled, "cancelled", mayHaveArrived: true)
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout:
                return HTTPFailure(.connect, "no connection in time", mayHaveArrived: false)
            case .deadlineExceeded, .readTimeout: return HTTPFailure(.timeout, "no answer in time", mayHaveArrived: true)
            case .cancelled: return HTTPFailure(.cancelled, "cancelled", mayHaveArrived: true)
            case .remoteConnectionClosed: return HTTPFailure(.broken, "the server closed the connection", mayHaveArrived: true)
            case .invalidURL, .emptyHost, .emptyScheme: return HTTPFailure(.connect, "not a URL", mayHaveArrived: false)
            default: return HTTPFailure(.broken, "\(error)", mayHaveArrived: true)
            }
        case let error as NIOConnectionError:
            if error.connectionErrors.isEmpty { return HTTPFailure(.unknownHost, "no address is known for \(error.host)", mayHaveArrived: false) }
            let words = error.connectionErrors.first.map { reason($0.error) } ?? "no address found"
            return HTTPFailure(.connect, "cannot connect to \(error.host):\(error.port): \(words)", mayHaveArrived: false)
        case let error as ChannelError:
            if case .connectTimeout = error { return HTTPFailure(.connect, "no connection in time", mayHaveArrived: false) }
            return HTTPFailure(.broken, "\(error)", mayHaveArrived: true)
        case let error as NIOSSLError:
            if case .handshakeFailed(let reason) = error {
                return HTTPFailure(.connect, "TLS handshake failed: \(reason)", mayHaveArrived: false)
            }
            return HTTPFailure(.broken, "\(error)", mayHaveArrived: true)
        case let error as NIOSSLExtraError: return HTTPFailure(.connect, "TLS: \(error)", mayHaveArrived: false)
        case let error as IOError where error.errnoCode == ECONNREFUSED || error.errnoCode == EHOSTUNREACH || error.errnoCode == ENETUNREACH:
            return HTTPFailure(.connect, reason(error), mayHaveArrived: false)
        case let error as IOError: return HTTPFailure(.broken, reason(error), mayHaveArrived: true)
        default: return HTTPFailure(.broken, "\(error)", mayHaveArrived: true)
        }
    }
    private static func reason(_ error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    }
}
