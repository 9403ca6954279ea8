import Dataflow
import Hosts
import JobControl

/// What took time and is over: a checkpoint, a recovery, a change of the layout.
package struct Span: Hashable, Sendable {
    let name: String
    /// Milliseconds since the epoch.
    let start: Int64
    let end: Int64
    let failed: Bool
    /// Why it failed, where that is known.
    let cause: String?
    let job: JobID
    /// Nil when the job is forgotten already.
    let jobName: String?
    let attributes: [String: String]

    package init(
        name: String, start: Int64, end: Int64, failed: Bool = false, cause: String? = nil, job: JobID, jobName: String?, attributes: [String: String] = [:]
    ) {
        self.name = name
        (self.start, self.end) = (start, end)
        (self.failed, self.cause) = (failed, cause)
        (self.job, self.jobName) = (job, jobName)
        self.attributes = attributes
    }
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
                    Span(
                        name: "Checkpoint", start: record.triggered, end: end, failed: record.status == .failed, cause: record.failure, job: job.id,
                        jobName: job.name, attributes: attributes))
            }
            // What left the history does not come back.
            checkpoints[job.id] = Set(over.map(\.id))
            if job.status == .running, let failure = job.failures.last, let running = job.timestamps[.running], running >= failure.at,
                recovered[job.id, default: 0] < running
            {
                recovered[job.id] = running
                var attributes = ["cause": failure.error.message, "restarts": "\(job.restarts)"]
                attributes["checkpointId"] = job.checkpoints.restored.map { "\($0.checkpoint)" }
                spans.append(Span(name: "JobInitialization", start: failure.at, end: running, job: job.id, jobName: job.name, attributes: attributes))
            }
        }
        for entry in view.history.entries where entry.number > changes {
            changes = entry.number
            guard case .changed(let change) = entry.what, let took = change.ended else { continue }
            let job = view.job(change.job)
            let cause: String? =
                switch change.outcome {
                case .running, .completed: nil
                case .withdrawn: "it was withdrawn before its barrier, nothing had changed"
                case .recovered: job?.failures.last { $0.at >= entry.at }?.error.message ?? "the job recovered from its newest checkpoint meanwhile"
                }
            spans.append(
                Span(
                    name: "LayoutChange", start: entry.at, end: entry.at + took, failed: change.outcome != .completed, cause: cause, job: change.job,
                    jobName: job?.name,
                    attributes: [
                        "reason": change.reason, "layout": "\(change.layout)", "keyGroupsMoved": "\(change.movedGroups)", "stateBytesMoved": "\(change.movedBytes)", "tasksBegun": "\(change.begun)",
                        "tasksRetired": "\(change.retired)",
                    ]))
        }
        return spans
    }
}

extension JSON {
    /// An `ExportTraceServiceRequest`.
    package init(spans: [Span], using generator: inout SystemRandomNumberGenerator) {
        func attributes(_ pairs: [(String, String)]) -> JSON { .array(pairs.map { ["key": .string($0.0), "value": ["stringValue": .string($0.1)]] }) }
        func hex(_ number: UInt64) -> String {
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        let all = spans.map { span -> JSON in
            let about = [("jobId", span.job.description)] + (span.jobName.map { [("jobName", $0)] } ?? [])
            var status: [(String, JSON)] = [("code", .integer(span.failed ? 2 : 1))]
            if span.failed, let cause = span.cause { status.append(("message", .string(cause))) }
            return [
                "traceId": .string(hex(.random(in: 1 ... .max, using: &generator)) + hex(.random(in: 1 ... .max, using: &generator))),
                "spanId": .string(hex(.random(in: 1 ... .max, using: &generator))), "name": .string(span.name), "kind": 1,
                "startTimeUnixNano": .string("\(span.start)000000"), "endTimeUnixNano": .string("\(max(span.end, span.start))000000"),
                "attributes": attributes(about + span.attributes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }),
                "status": .object(status),
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
