import AsyncHTTPClient
import Dataflow
import Hosts
import Hummingbird
import JobControl
import Settings

/// What took time and is over: a checkpoint, a recovery, a change of the layout.
struct Span: Hashable, Sendable {
    let name: String
    /// Milliseconds since the epoch.
    let start: Int64
    let end: Int64
    let failed: Bool
    let job: JobID
    let attributes: [String: String]
}

/// Finds what has ended since the last look at the view, each once.
struct SpanFinder {
    private var checkpoints: [JobID: Set<CheckpointID>] = [:]
    private var recovered: [JobID: Int64] = [:]
    private var changes = 0

    mutating func take(_ view: ClusterView) -> [Span] {
        var spans: [Span] = []
        let known = Set(view.jobs.map(\.id))
        checkpoints = checkpoints.filter { known.contains($0.key) }
        recovered = recovered.filter { known.contains($0.key) }
        for job in view.jobs {
            let over = job.checkpoints.history.filter { $0.status != .inProgress }
            for record in over where !checkpoints[job.id, default: []].contains(record.id) {
                let end = record.ended ?? record.triggered + record.durationMilliseconds
                var attributes = [
                    "checkpointId": "\(record.id)", "checkpointStatus": record.status.rawValue, "fullSize": "\(record.stateBytes)",
                    "checkpointType": record.kind.isSavepoint ? "Savepoint" : "Checkpoint",
                ]
                attributes["failureMessage"] = record.failure
                spans.append(
                    Span(name: "Checkpoint", start: record.triggered, end: end, failed: record.status == .failed, job: job.id, attributes: attributes))
            }
            // What left the history does not come back.
            checkpoints[job.id] = Set(over.map(\.id))
            if job.status == .running, let failure = job.failures.last, let running = job.timestamps[.running], running >= failure.at,
                recovered[job.id, default: 0] < running
            {
                recovered[job.id] = running
                var attributes = ["cause": failure.error.message, "restarts": "\(job.restarts)"]
                attributes["checkpointId"] = job.checkpoints.restored.map { "\($0.checkpoint)" }
                spans.append(Span(name: "JobInitialization", start: failure.at, end: running, failed: false, job: job.id, attributes: attributes))
            }
        }
        for entry in view.history.entries where entry.number > changes {
            changes = entry.number
            guard case .changed(let change) = entry.what, let took = change.ended else { continue }
            spans.append(
                Span(
                    name: "LayoutChange", start: entry.at, end: entry.at + took, failed: change.outcome != .completed, job: change.job,
                    attributes: [
                        "reason": change.reason, "layout": "\(change.layout)", "keyGroupsMoved": "\(change.movedGroups)", "stateBytesMoved": "\(change.movedBytes)", "tasksBegun": "\(change.begun)",
                        "tasksRetired": "\(change.retired)",
                    ]))
        }
        return spans
    }
}

extension RESTService {
    /// Where spans go: the endpoint of the first of `traces.reporters` that has one; nil: nowhere.
    static func tracesURL(_ configuration: Configuration) -> String? {
        for name in (configuration.get(RestOptions.traceReporters) ?? "").split(separator: ",").map({ $0.filter { $0 != " " } }) {
            guard var url = configuration.text("traces.reporter.\(name).exporter.endpoint") else { continue }
            while url.hasSuffix("/") { url.removeLast() }
            return url.hasSuffix("/v1/traces") ? url : url + "/v1/traces"
        }
        return nil
    }

    /// Sends spans as OpenTelemetry has them over HTTP, a second after they ended at the latest; runs as long as the server does. What a collector
    /// does not take is told once and dropped: traces never hold anything up.
    func exportTraces(to url: String) async {
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        var finder = SpanFinder()
        var isRefused = false
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let spans = finder.take(await jobManager.view())
            if !spans.isEmpty {
                var request = HTTPClientRequest(url: url)
                request.method = .POST
                request.headers.add(name: "Content-Type", value: "application/json")
                request.body = .bytes(ByteBuffer(string: JSON(spans: spans, using: &generator).text))
                var problem: String?
                do {
                    let answer = try await http.execute(request, timeout: .seconds(5))
                    _ = try await answer.body.collect(upTo: 1 << 20)
                    if answer.status.code >= 300 { problem = "it answered \(answer.status.code)" }
                } catch { problem = "\(error)" }
                if let problem, !isRefused { log(.warning, "Traces", "Spans are dropped: \(url) does not take them: \(problem)") }
                isRefused = problem != nil
            }
            try? await Task.sleep(for: .seconds(1))
        }
        try? await http.shutdown()
    }
}

extension JSON {
    /// An `ExportTraceServiceRequest`.
    init(spans: [Span], using generator: inout SystemRandomNumberGenerator) {
        func attributes(_ pairs: [(String, String)]) -> JSON { .array(pairs.map { ["key": .string($0.0), "value": ["stringValue": .string($0.1)]] }) }
        func hex(_ number: UInt64) -> String {
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        let all = spans.map { span -> JSON in
            [
                "traceId": .string(hex(.random(in: 1 ... .max, using: &generator)) + hex(.random(in: 1 ... .max, using: &generator))),
                "spanId": .string(hex(.random(in: 1 ... .max, using: &generator))), "name": .string(span.name), "kind": 1,
                "startTimeUnixNano": .string("\(span.start)000000"), "endTimeUnixNano": .string("\(max(span.end, span.start))000000"),
                "attributes": attributes([("jobId", span.job.description)] + span.attributes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }),
                "status": ["code": .integer(span.failed ? 2 : 1)],
            ]
        }
        self = [
            "resourceSpans": [[
                "resource": ["attributes": attributes([("service.name", "swiftwater"), ("service.version", Version.number)])],
                "scopeSpans": [["scope": ["name": "swiftwater"], "spans": .array(all)]],
            ]]
        ]
    }
}
