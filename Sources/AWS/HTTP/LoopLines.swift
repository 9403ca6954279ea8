import NIOCore

/// The connections of one event loop that are kept for its tasks' calls (`HTTPLine`): as many as there are calls at once. Used on that loop only.
final class LoopLines: @unchecked Sendable {
    /// One that was not needed for so long is closed.
    private static let rest = TimeAmount.seconds(20)

    private let loop: any EventLoop
    /// Those at rest, by where they lead, in the order of coming to rest.
    private var idle: [Endpoint: [(line: HTTPLine, since: NIODeadline)]] = [:]
    private var isSweeping = false

    init(_ loop: any EventLoop) { self.loop = loop }

    func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        if let line = take(request.endpoint) {
            do throws(HTTPFailure) { return try await send(request, line) } catch {
                // The server had ended it, as servers do.
                guard error.kind == .broken, !error.mayHaveArrived else { throw error }
            }
        }
        return try await send(request, try await HTTPLine.open(request.endpoint, on: loop))
    }

    private func send(_ request: HTTPRequest, _ line: HTTPLine) async throws(HTTPFailure) -> HTTPResponse {
        let response = try await line.send(request)
        if line.isOpen {
            idle[request.endpoint, default: []].append((line, .now()))
            sweepLater()
        }
        return response
    }

    private func take(_ endpoint: Endpoint) -> HTTPLine? {
        while let (line, _) = idle[endpoint]?.popLast() { if line.isOpen { return line } }
        return nil
    }

    private func sweepLater() {
        guard !isSweeping else { return }
        isSweeping = true
        loop.scheduleTask(in: LoopLines.rest) { self.sweep() }
    }

    private func sweep() {
        isSweeping = false
        let before = NIODeadline.now() - LoopLines.rest
        for (endpoint, lines) in idle {
            for (line, since) in lines where since <= before { line.close() }
            let kept = lines.filter { $0.line.isOpen }
            idle[endpoint] = kept.isEmpty ? nil : kept
        }
        if !idle.isEmpty { sweepLater() }
    }
}
