import AsyncHTTPClient
import Hosts
import NIOCore
import NIOSSL
import REST

/// Talks to a JobManager's REST API.
struct JobManagerClient {
    let url: String
    private let token: String?
    private let showsCertificate: Bool
    /// Who vouches for servers, in words.
    private let truster: String
    private let http: HTTPClient

    /// `tls` is for URLs of HTTPS.
    init(url: String, token: String?, tls: TLSConfiguration?) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.token = token
        var configuration = HTTPClient.Configuration()
        // Connecting is tried once: whoever waits for a cluster to come up can call again, everybody else wants to know.
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tlsConfiguration = tls
        showsCertificate = tls?.certificateChain.isEmpty == false
        truster = if case .certificates? = tls?.trustRoots { "what security.ssl.rest.ca or truststore holds" } else { "this system's authorities" }
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        // For as long as the process lives: a client that goes away wants to be shut down first.
        _ = Unmanaged.passRetained(http)
    }

    func get(_ path: String) async throws -> JSON { try await send(.GET, path, body: nil) }
    func post(_ path: String, _ body: JSON) async throws -> JSON { try await send(.POST, path, body: body) }
    func put(_ path: String, _ body: JSON) async throws { _ = try await send(.PUT, path, body: body) }
    func patch(_ path: String) async throws { _ = try await send(.PATCH, path, body: nil) }

    private func send(_ method: HTTPMethod, _ path: String, body: JSON?) async throws -> JSON {
        var request = HTTPClientRequest(url: url + path)
        request.method = .init(rawValue: method.rawValue)
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body.text))
        }
        let response: HTTPClientResponse
        let bytes: ByteBuffer
        do {
            response = try await http.execute(request, timeout: .seconds(60))
            bytes = try await response.body.collect(upTo: 64 << 20)
        } catch {
            throw CommandError(explain(error, method, path), code: 1)
        }
        let answer = JSON.parse(Array(bytes.readableBytesView)) ?? .null
        guard (200..<300).contains(response.status.code) else {
            let words = answer["errors"].array.compactMap(\.string)
            // What the user can mend (SQL, settings, a wrong id) is a usage error.
            throw CommandError(
                words.isEmpty ? "\(url)\(path) answered \(response.status.code)" : words.joined(separator: "\n"),
                code: (400..<500).contains(response.status.code) ? 2 : 1)
        }
        return answer
    }

    private func explain(_ error: any Error, _ method: HTTPMethod, _ path: String) -> String {
        // The types of these errors belong to packages below the client's, which do not name them to us; their words are stable.
        let words = "\(error)"
        let kind = String(reflecting: type(of: error))
        if kind.contains("HTTPParserError") {
            return "what answers at \(url) is not a REST API; jobmanager.rpc.port (6123) is for TaskManagers, clients use rest.port (8081)"
        }
        if let problem = tlsProblem(words, showsCertificate: showsCertificate, truster: truster) { return "no TLS with \(url): \(problem)" }
        if words.contains("deadlineExceeded") {
            return "the JobManager at \(url) took the request, but did not answer within a minute\(consequence(of: method, path))"
        }
        if ["remoteConnectionClosed", "Connection reset", "uncleanShutdown"].contains(where: words.contains) {
            return "what listens at \(url) closed the connection before it answered\(consequence(of: method, path))"
                + (url.hasPrefix("http://") ? "; one that speaks TLS is named as https://" : "")
        }
        let cause =
            if words.contains("Connection refused") { "connection refused" }
            else if words.contains("DNS error") { "unknown host" }
            else if words.contains("connectTimeout") { "the host does not answer" }
            else if words.contains("tlsHandshakeTimeout") { "connected, but its TLS does not answer" }
            else if words.contains("invalidURL") || words.contains("unsupportedScheme") || words.contains("emptyHost") { "not a URL such as http://host:8081" }
            else { words }
        return "no JobManager answers at \(url) (\(cause)); start one with scripts/local-cluster start, or name it with --jobmanager"
    }

    /// What may have happened although nobody said so.
    private func consequence(of method: HTTPMethod, _ path: String) -> String {
        if method == .GET { return "" }
        return path == "/jobs" ? "; the job may have been submitted: `swiftwater list` shows it" : "; what was asked for may happen all the same: `swiftwater list` shows the jobs"
    }

    private enum HTTPMethod: String { case GET, POST, PUT, PATCH }
}

/// Ends the command with words on standard error and an exit code: 1 the job or the cluster, 2 usage, SQL or configuration.
struct CommandError: Error, CustomStringConvertible {
    let description: String
    let code: Int32

    init(_ description: String, code: Int32) {
        self.description = description
        self.code = code
    }
}
