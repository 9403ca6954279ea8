import AsyncHTTPClient
import NIOCore
import REST

/// Talks to a JobManager's REST API.
struct JobManagerClient {
    let url: String

    init(url: String) { self.url = url.hasSuffix("/") ? String(url.dropLast()) : url }

    func get(_ path: String) async throws -> JSON { try await send(.GET, path, body: nil) }
    func post(_ path: String, _ body: JSON) async throws -> JSON { try await send(.POST, path, body: body) }
    func patch(_ path: String) async throws { _ = try await send(.PATCH, path, body: nil) }

    private func send(_ method: HTTPMethod, _ path: String, body: JSON?) async throws -> JSON {
        var request = HTTPClientRequest(url: url + path)
        request.method = .init(rawValue: method.rawValue)
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body.text))
        }
        let response: HTTPClientResponse
        let bytes: ByteBuffer
        do {
            response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
            bytes = try await response.body.collect(upTo: 64 << 20)
        } catch {
            throw CommandError("no JobManager answers at \(url): \(error)", code: 1)
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

    private enum HTTPMethod: String { case GET, POST, PATCH }
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
