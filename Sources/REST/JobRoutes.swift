import Dataflow
import Hosts
import Hummingbird
import JobControl
import Wire

extension RESTService {
    func addJobRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/jobs") { _, _ in
            let jobs = await jobManager.recentView().jobs
            return Response.json(["jobs": .array(jobs.map { ["id": .string($0.id.description), "status": .string($0.status.rawValue)] })])
        }
        router.get("/jobs/overview") { _, _ in
            let now = SystemClock.wallMilliseconds()
            return Response.json(["jobs": .array(await jobManager.recentView().jobs.map { JSON(overviewOf: $0, now: now) })])
        }
        router.get("/jobs/:job") { _, context in Response.json(JSON(detailsOf: try await job(context), now: SystemClock.wallMilliseconds())) }
        router.get("/jobs/:job/status") { _, context in Response.json(["status": .string(try await job(context).status.rawValue)]) }
        router.get("/jobs/:job/plan") { _, context in Response.json(["plan": JSON(planOf: try await job(context))]) }
        router.get("/jobs/:job/exceptions") { request, context in
            let query = request.uri.queryParameters
            var most = 20
            if let text = query["maxExceptions"] {
                guard let number = Int(text), number >= 0 else { throw Refusal(.badRequest, "maxExceptions \(text) is no number from 0 on") }
                most = number
            }
            // No failure has labels: whoever filters by one finds none.
            return Response.json(JSON(exceptionsOf: try await job(context), most: query["failureLabelFilter"] == nil ? most : 0))
        }
        router.get("/jobs/:job/accumulators") { _, context in
            _ = try await job(context)
            return Response.json(["job-accumulators": [], "user-task-accumulators": [], "serialized-user-task-accumulators": [:]])
        }
    }
}

extension JSON {
    static func counts(_ states: [JobView.TaskState], _ name: (JobView.TaskState) -> String) -> [(String, JSON)] {
        var counts: [JobView.TaskState: Int64] = [:]
        for state in states { counts[state, default: 0] += 1 }
        return JobView.TaskState.allCases.map { (name($0), .integer(counts[$0] ?? 0)) }
    }

    static func duration(_ job: JobView, _ now: Int64) -> Int64 { (job.ended ?? now) - job.started }

    init(overviewOf job: JobView, now: Int64) {
        let states = job.vertices.flatMap(\.subtasks).map(\.state)
        self = [
            "jid": .string(job.id.description), "name": .string(job.name), "jobType": "STREAMING", "schedulerType": "Adaptive",
            "start-time": .integer(job.started), "end-time": .integer(job.ended ?? -1), "duration": .integer(JSON.duration(job, now)),
            "state": .string(job.status.rawValue), "last-modification": .integer(job.timestamps.values.max() ?? job.started),
            "tasks": .object([("total", .integer(Int64(states.count)))] + JSON.counts(states) { $0.rawValue.lowercased() }), "pending-operators": 0,
        ]
    }

    init(detailsOf job: JobView, now: Int64) {
        let states = job.vertices.flatMap(\.subtasks).map(\.state)
        self = [
            "jid": .string(job.id.description), "application-id": .string(job.id.description), "name": .string(job.name), "isStoppable": false,
            "state": .string(job.status.rawValue), "job-type": "STREAMING", "schedulerType": "Adaptive", "start-time": .integer(job.started),
            "end-time": .integer(job.ended ?? -1), "duration": .integer(JSON.duration(job, now)),
            "maxParallelism": .integer(Int64(job.graph.maxParallelism)), "now": .integer(now),
            "timestamps": .object(JobStatus.allCases.map { ($0.rawValue, .integer(job.timestamps[$0] ?? 0)) }),
            "vertices": .array(job.vertices.map { JSON(vertex: $0, of: job, now: now) }),
            "status-counts": .object(JSON.counts(states, \.rawValue)), "plan": JSON(planOf: job), "restarts": .integer(Int64(job.restarts)),
            "waits-for": job.waitsFor.map { .string($0) } ?? nil,
        ]
    }

    private init(vertex: JobView.Vertex, of job: JobView, now: Int64) {
        let states = vertex.subtasks.map(\.state)
        let status = JSON.summary(states)
        self = [
            "id": .string(vertex.id), "slotSharingGroupId": .string(job.id.description), "name": .string(vertex.name),
            "maxParallelism": .integer(Int64(vertex.maxParallelism)), "parallelism": .integer(Int64(vertex.parallelism)), "status": .string(status),
            "start-time": .integer(job.timestamps[.running] ?? -1), "end-time": .integer(job.ended ?? -1),
            "duration": .integer(job.timestamps[.running].map { (job.ended ?? now) - $0 } ?? -1), "tasks": .object(JSON.counts(states, \.rawValue)),
            "metrics": JSON(sumOf: vertex.subtasks, replaced: vertex.replaced),
            "splits": vertex.splits.map { splits in
                [
                    "known": .integer(Int64(splits.known)), "pending": .integer(Int64(splits.pending)),
                    "handed-out": .integer(Int64(splits.handedOut)),
                ]
            } ?? nil,
        ]
    }

    /// One word for several subtasks: the one that holds the others back.
    static func summary(_ states: [JobView.TaskState]) -> String {
        let order: [JobView.TaskState] = [.failed, .canceling, .canceled, .reconciling, .created, .scheduled, .deploying, .initializing, .running, .finished]
        return (order.first { states.contains($0) } ?? .created).rawValue
    }

    init(planOf job: JobView) {
        self = [
            "jid": .string(job.id.description), "name": .string(job.name), "type": "STREAMING",
            "nodes": JSON(nodesOf: job.graph) { job.vertices[$0].parallelism },
        ]
    }

    /// The vertices with what flows into each.
    init(nodesOf graph: JobGraph, parallelism: (Int) -> Int) {
        self = .array(
            graph.vertices.indices.map { index in
                [
                    "id": .string(graph.vertices[index].id), "parallelism": .integer(Int64(parallelism(index))), "operator": "",
                    "operator_strategy": "", "description": .string(graph.vertices[index].name),
                    "inputs": .array(
                        graph.inputs(of: index).enumerated().map { number, edge in
                            [
                                "num": .integer(Int64(number)), "id": .string(graph.vertices[graph.edges[edge].source].id),
                                "ship_strategy": .string(graph.edges[edge].partitioning.name), "exchange": "pipelined_bounded",
                            ]
                        }),
                    "optimizer_properties": [:],
                ]
            })
    }

    init(exceptionsOf job: JobView, most: Int = 20) {
        var endpoints: [WorkerID: String] = [:]
        if !job.failures.isEmpty { for subtask in job.vertices.flatMap(\.subtasks) { if let worker = subtask.worker { endpoints[worker] = subtask.endpoint } } }
        func entry(_ failure: JobFailure) -> [(String, JSON)] {
            let place = failure.place
            return [
                ("exceptionName", .string(failure.error.kind.className)), ("kind", .string(failure.error.kind.rawValue)), ("stacktrace", .string(failure.error.description)),
                ("timestamp", .integer(failure.at)), ("failureLabels", [:]),
                ("taskName", failure.subtask.map { .string("\(job.vertices[$0.vertex].name) (\($0.index + 1)/\(job.vertices[$0.vertex].parallelism))") } ?? nil),
                ("endpoint", place.map { .string(endpoints[$0] ?? $0.description) } ?? nil), ("taskManagerId", place.map { .string($0.description) } ?? nil),
            ]
        }
        let last = job.failures.last
        self = [
            "root-exception": (job.waitsFor ?? last?.error.description).map { .string($0) } ?? nil, "timestamp": last.map { .integer($0.at) } ?? nil,
            "exceptionHistory": [
                "entries": .array(
                    job.failures.reversed().prefix(most).map { failure in
                        .object(entry(failure) + [("concurrentExceptions", .array(failure.concurrent.map { .object(entry($0)) }))])
                    }),
                "truncated": .bool(job.failures.count > most),
            ],
        ]
    }
}

extension JobFailure {
    /// The TaskManager that failed. Its peers often notice first that it is gone: who says so is not who failed.
    fileprivate var place: WorkerID? {
        guard error.kind == .connection, subtask != nil else { return worker }
        return concurrent.first { $0.subtask == nil && $0.error.kind == .connection && $0.worker != nil }?.worker ?? worker
    }
}

extension StreamError.Kind {
    /// The class that Flink most often names for the like: alerts and scripts group by it.
    package var className: String {
        switch self {
        case .user: "org.apache.flink.table.api.TableRuntimeException"
        case .externalSystem: "java.io.IOException"
        case .connection: "org.apache.flink.runtime.io.network.netty.exception.RemoteTransportException"
        case .memory: "java.lang.OutOfMemoryError"
        case .internal: "java.lang.IllegalStateException"
        }
    }
}

extension JobEdge.Partitioning {
    var name: String {
        switch self {
        case .forward: "FORWARD"
        case .hash: "HASH"
        case .rebalance: "REBALANCE"
        case .single: "GLOBAL"
        }
    }
}
