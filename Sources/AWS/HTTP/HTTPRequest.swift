import NIOCore

/// One request, not yet signed or sent.
package struct HTTPRequest: Sendable {
    package var method: String
    package var endpoint: Endpoint
    /// Percent-encoded, as it is sent; begins with a slash.
    package var path: String
    /// Not encoded yet.
    package var query: [(name: String, value: String)]
    /// Names in lower case. `host` is added when it is signed or sent.
    package var headers: [(name: String, value: String)]
    package var body: ByteBuffer
    /// How long until the answer begins.
    package var timeout: Duration = .seconds(30)
    /// The largest answer that is taken.
    package var answerLimitBytes = 64 << 20
    /// Which of the process's HTTP clients carries it: answers without an end would keep others from beginning.
    package var lane = 0
    /// Where the task runs that makes the call: then it goes over a connection that is kept there, without a general client.
    package var executor: LoopExecutor?

    package init(
        _ method: String, _ endpoint: Endpoint, path: String = "/", query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [], body: ByteBuffer = ByteBuffer()
    ) {
        (self.method, self.endpoint, self.path, self.query, self.headers, self.body) = (method, endpoint, path, query, headers, body)
    }

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    package mutating func set(_ name: String, _ value: String?) {
        headers.removeAll { $0.name == name }
        if let value { headers.append((name, value)) }
    }

    /// `a=b&c=`, encoded and sorted as signatures want it; sent in the same form.
    package var encodedQuery: String {
        query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    package var url: String {
        let query = encodedQuery
        return (endpoint.isTLS ? "https://" : "http://") + endpoint.authority + path + (query.isEmpty ? "" : "?" + query)
    }
}

/// A whole answer.
package struct HTTPResponse: Sendable {
    package var status: Int
    /// Names in lower case.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    package var isSuccess: Bool { (200..<300).contains(status) }
}

/// There was no whole answer.
package struct HTTPFailure: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// No address is known for the host's name.
        case unknownHost
        case connect, timeout, broken, tooLarge, cancelled
    }

    package var kind: Kind
    package var message: String
    /// False when the request cannot have reached the server.
    package var mayHaveArrived: Bool

    package init(_ kind: Kind, _ message: String, mayHaveArrived: Bool) {
        (self.kind, self.message, self.mayHaveArrived) = (kind, message, mayHaveArrived)
    }
}
