import Dataflow
import Glibc
import Hosts
import Hummingbird
import JobControl
import Settings

extension RESTService {
    /// What a job and the process were told, and what Flink's clients ask for before anything else.
    func addSettingRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/jobs/:job/config") { _, context in
            let job = try await job(context)
            return Response.json([
                "jid": .string(job.id.description), "name": .string(job.name),
                "execution-config": [
                    "restart-strategy": .string(job.options.restart.words), "job-parallelism": .integer(Int64(job.options.parallelism)),
                    "object-reuse-mode": true,
                    "user-config": .object(
                        JobSettings.own(job.settings, in: configuration.values).map { ($0.key, .string(Secrets.masked($0.value, of: $0.key))) }),
                ],
            ])
        }
        router.get("/jobs/:job/execution-result") { _, context in
            let job = try await job(context)
            guard job.status.isTerminal else { return Response.json(["status": ["id": "IN_PROGRESS"]]) }
            let result: JSON = [
                "id": .string(job.id.description), "application-id": .string(job.id.description), "name": .string(job.name),
                "start-time": .integer(job.started), "end-time": .integer(job.ended ?? -1), "application-status": .string(job.status == .finished ? "SUCCEEDED" : job.status.rawValue),
                "accumulator-results": [:], "net-runtime": .integer((job.ended ?? job.started) - job.started),
                "failure-cause": job.status == .failed ? job.failure.map { ["class": "StreamError", "stack-trace": .string($0)] } ?? nil : nil,
            ]
            return Response.json(["status": ["id": "COMPLETED"], "job-execution-result": result])
        }
        for path in ["/jobmanager/environment", "/jobs/:job/jobmanager/environment"] as [RouterPath] {
            router.get(path) { _, _ in
                Response.json([
                    "jvm": ["version": .string("none: swiftwater \(Version.text)"), "arch": .string(machine()), "options": []], "classpath": [],
                ])
            }
        }
        router.get("/jobs/:job/jobmanager/config") { _, context in
            _ = try await job(context)
            return Response.json(.array(configuration.masked.map { ["key": .string($0.name), "value": .string($0.value)] }))
        }
        router.get("/datasets") { _, _ in Response.json(["dataSets": []]) }
        router.get("/jobs/:job/vertices/:vertex/subtasks/accumulators") { _, context in
            let job = try await job(context)
            let vertex = job.vertices[try vertex(context, of: job)]
            return Response.json([
                "id": .string(vertex.id), "parallelism": .integer(Int64(vertex.parallelism)),
                "subtasks": .array(vertex.subtasks.map { [
                    "subtask": .integer(Int64($0.id.index)), "attempt": .integer(Int64($0.attempt)), "endpoint": .string($0.endpoint ?? "(unassigned)"),
                    "user-accumulators": [],
                ] }),
            ])
        }
    }
}

package enum JobSettings {
    /// What the job was given itself, by name: not what holds for the whole cluster, which every job gets as well.
    package static func own(_ settings: [String: String], in cluster: [String: String]) -> [(key: String, value: String)] {
        settings.filter { cluster[$0.key] != $0.value }.sorted { $0.key < $1.key }
    }
}

private func machine() -> String {
    var name = utsname()
    uname(&name)
    return withUnsafeBytes(of: &name.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

extension JobOptions.RestartStrategy {
    /// For people.
    var words: String {
        switch self {
        case .none: "Restart deactivated."
        case .fixedDelay(let attempts, let delay): "Restart with fixed delay (\(delay.milliseconds) ms). #\(attempts) restart attempts."
        case .exponentialDelay(let initial, let maximum, let multiplier, _, _, _):
            "Restart with exponential delay: starting at \(initial.milliseconds) ms, times \(multiplier), with maximum \(maximum.milliseconds) ms."
        case .failureRate(let maximum, let interval, let delay):
            "Failure rate restart with maximum of \(maximum) failures within \(interval.milliseconds) ms and fixed delay \(delay.milliseconds) ms."
        }
    }
}
