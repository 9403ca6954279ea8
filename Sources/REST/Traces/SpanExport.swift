import AsyncHTTPClient
import Hosts
import Hummingbird
import JobControl
import Settings

/// Which words about a collector that takes no spans go to the log: one line for a time in which it takes none, and at most one a minute.
package struct CollectorComplaints {
    /// Of the bad time that lasts.
    private var isTold = false
    private var line = RareLine()

    package init() {}

    /// After each batch. `problem`: nil when the spans were taken. Whether it is to be told.
    package mutating func isToBeTold(_ problem: String?, at now: ContinuousClock.Instant) -> Bool {
        guard problem != nil else {
            isTold = false
            return false
        }
        guard !isTold, line.take(at: now) != nil else { return false }
        isTold = true
        return true
    }
}

extension RESTService {
    /// From the start of a connection to the end of the answer's body.
    private static let exchangeSeconds = 10
    /// Of an answer's body nothing is of use; so much is read, for the sake of the connection.
    private static let answerLimitBytes = 64 << 10

    /// Sends spans as OpenTelemetry has them over HTTP, a second after they ended at the latest; runs as long as the server does. What a collector
    /// does not take is told once and dropped: traces never hold anything up. `shownURL`: without secrets.
    func exportTraces(to url: String, shownURL: String) async {
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        var finder = SpanFinder()
        var complaints = CollectorComplaints()
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let spans = finder.take(await jobManager.view())
            if !spans.isEmpty {
                var request = HTTPClientRequest(url: url)
                request.method = .POST
                request.headers.add(name: "Content-Type", value: "application/json")
                request.body = .bytes(ByteBuffer(string: JSON(spans: spans, using: &generator).text))
                let problem = await RESTService.problem(sending: request, http)
                if Task.isCancelled { break }
                if complaints.isToBeTold(problem, at: .now), let problem {
                    log(.warning, "Traces", "Spans are dropped: \(shownURL) does not take them: \(problem)")
                }
            }
            try? await Task.sleep(for: .seconds(1))
        }
        try? await http.shutdown()
    }

    /// The whole exchange is bounded: a collector may answer with a head and never send the body. Ending it closes its connection.
    private static func problem(sending request: HTTPClientRequest, _ http: HTTPClient) async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask {
                do {
                    let answer = try await http.execute(request, timeout: .seconds(Int64(exchangeSeconds)))
                    var left = answerLimitBytes
                    for try await part in answer.body {
                        left -= part.readableBytes
                        // Leaving ends the exchange.
                        if left < 0 { break }
                    }
                    return (200..<300).contains(answer.status.code) ? nil : "it answered \(answer.status.code)"
                } catch let error as HTTPClientError where error == .deadlineExceeded {
                    return "no answer within \(exchangeSeconds) s"
                } catch { return "\(error)" }
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(exchangeSeconds))
                return "no whole answer within \(exchangeSeconds) s"
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
