import NIOCore
import Synchronization

/// The beginning of an answer, and its body as it comes in.
package struct HTTPAnswer: Sendable {
    package let status: Int
    /// Names in lower case.
    package let headers: [(name: String, value: String)]
    package let body: ByteChunks

    package init(status: Int, headers: [(name: String, value: String)], body: ByteChunks) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }

    /// The whole answer. Throws `.tooLarge` beyond the limit.
    package func collected(limitBytes: Int) async throws(HTTPFailure) -> HTTPResponse {
        func tooLarge() -> HTTPFailure { HTTPFailure(.tooLarge, "the answer has more than \(limitBytes) bytes", mayHaveArrived: true) }
        if let whole = body.whole {
            if whole.count > limitBytes { throw tooLarge() }
            return HTTPResponse(status: status, headers: headers, body: whole)
        }
        let announced = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(max(0, announced), limitBytes))
        while let chunk = try await body.nextBuffer() {
            if bytes.count + chunk.readableBytes > limitBytes { throw tooLarge() }
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        return HTTPResponse(status: status, headers: headers, body: bytes)
    }
}

/// The bytes of a body in order, in pieces without meaning. One task reads it, once. Dropping it ends the transfer.
package struct ByteChunks: Sendable {
    private let take: @Sendable () async throws(HTTPFailure) -> ByteBuffer?
    /// All of it, when it has come already.
    let whole: [UInt8]?

    package init(_ take: @escaping @Sendable () async throws(HTTPFailure) -> ByteBuffer?) { (self.take, whole) = (take, nil) }

    init(whole: [UInt8]) {
        self.whole = whole
        let rest = Mutex<ByteBuffer?>(whole.isEmpty ? nil : ByteBuffer(bytes: whole))
        take = { () async throws(HTTPFailure) in rest.withLock { $0.take() } }
    }

    /// Nil at the end.
    package func nextBuffer() async throws(HTTPFailure) -> ByteBuffer? { try await take() }

    /// Nil at the end.
    package func next() async throws(HTTPFailure) -> [UInt8]? {
        try await take().map { [UInt8]($0.readableBytesView) }
    }
}
