import Dataflow
import Hosts
import Hummingbird
import JobControl
import Wire

extension RESTService {
    func addJobRoutes(_ router: Router<BasicRequestContext>) {
        router.get("/jobs") { _, _ in
            let jobs = await jobManager.view().jobs
            return Response.json(["jobs": .array(jobs.map { ["id": .string($0.id.description), "status": .string($0.status.rawValue)] })])
        }
        router.get("/jobs/overview") { _, _ in
            let now = SystemClock.wallMilliseconds()
            return Response.json(["jobs": .array(await jobManager.view().jobs.map { JSON(overviewOf: $0, now: now) })])
        }
        router.get("/jobs/:job") { _, context in Response.json(JSON(detailsOf: try await job(context), now: SystemClock.wallMilliseconds())) }
        router.get("/jobs/:job/status") { _, context in Response.json(["status": .string(try await job(context).status.rawValue)]) }
        router.get("/jobs/:job/plan") { _, context in Response.json(["plan": JSON(planOf: try await job(context))]) }
        router.get("/jobs/:job/exceptions") { _, context in Response.json(JSON(exceptionsOf: try await job(context))) }
        router.get("/jobs/:job/accumulators") { _, context in
            _ = try await job(context)
            return Response.json(["job-accumulators": [], "user-task-accumulators": [], "serialized-user-task-accumulators": [:]])
        }
        router.get("/jobs/:job/vertices/:vertex") { _, context in
            let job = try await job(context)
            let vertex = job.vertices[try vertex(context, of: job)]
            return Response.json([
                "id": .string(vertex.id), "name": .string(vertex.name), "parallelism": .integer(Int64(vertex.parallelism)),
                "maxParallelism": .integer(Int64(vertex.maxParallelism)), "now": .integer(SystemClock.wallMilliseconds()),
                "subtasks": .array(vertex.subtasks.map(JSON.init(subtask:))),
            ])
        }
    }
}

extension JSON {
    private static func counts(_ states: [JobView.TaskState], _ name: (JobView.TaskState) -> String) -> [(String, JSON)] {
        JobView.TaskState.allCases.map { state in (name(state), .integer(Int64(states.count { $0 == state }))) }
    }

    private static func duration(_ job: JobView, _ now: Int64) -> Int64 { (job.ended ?? now) - job.started }

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
            "jid": .string(job.id.description), "application-id": .string(job.id.description), "name": .string(job.name), "isStoppable": true,
            "state": .string(job.status.rawValue), "job-type": "STREAMING", "schedulerType": "Adaptive", "start-time": .integer(job.started),
            "end-time": .integer(job.ended ?? -1), "duration": .integer(JSON.duration(job, now)),
            "maxParallelism": .integer(Int64(job.graph.maxParallelism)), "now": .integer(now),
            "timestamps": .object(JobStatus.allCases.map { ($0.rawValue, .integer(job.timestamps[$0] ?? 0)) }),
            "vertices": .array(job.vertices.map { JSON(vertex: $0, of: job, now: now) }),
            "status-counts": .object(JSON.counts(states, \.rawValue)), "plan": JSON(planOf: job), "restarts": .integer(Int64(job.restarts)),
        ]
    }

    private init(vertex: JobView.Vertex, of job: JobView, now: Int64) {
        func sum(_ part: KeyPath<TaskMetrics, Int64>) -> JSON {
            .integer(vertex.subtasks.reduce(0) { $0 + ($1.metrics?[keyPath: part] ?? 0) })
        }
        let states = vertex.subtasks.map(\.state)
        let status = JSON.summary(states)
        self = [
            "id": .string(vertex.id), "slotSharingGroupId": .string(job.id.description), "name": .string(vertex.name),
            "maxParallelism": .integer(Int64(vertex.maxParallelism)), "parallelism": .integer(Int64(vertex.parallelism)), "status": .string(status),
            "start-time": .integer(job.timestamps[.running] ?? -1), "end-time": .integer(job.ended ?? -1),
            "duration": .integer(job.timestamps[.running].map { (job.ended ?? now) - $0 } ?? -1), "tasks": .object(JSON.counts(states, \.rawValue)),
            "metrics": [
                "read-bytes": sum(\.bytesIn), "read-bytes-complete": true, "write-bytes": sum(\.bytesOut), "write-bytes-complete": true,
                "read-records": sum(\.rowsIn), "read-records-complete": true, "write-records": sum(\.rowsOut), "write-records-complete": true,
                "accumulated-backpressured-time": sum(\.backpressuredMilliseconds), "accumulated-idle-time": sum(\.idleMilliseconds),
                "accumulated-busy-time": sum(\.busyMilliseconds), "late-records": sum(\.lateRows), "skipped-records": sum(\.skippedRows),
            ],
            "splits": vertex.splits.map { splits in
                [
                    "known": .integer(Int64(splits.known)), "pending": .integer(Int64(splits.pending)),
                    "handed-out": .integer(Int64(splits.handedOut)),
                ]
            } ?? nil,
        ]
    }

    /// One word for several subtasks: the one that holds the others back.
    private static func summary(_ states: [JobView.TaskState]) -> String {
        let order: [JobView.TaskState] = [.failed, .canceling, .canceled, .reconciling, .created, .scheduled, .deploying, .initializing, .running, .finished]
        return (order.first { states.contains($0) } ?? .created).rawValue
    }

    init(subtask: JobView.Subtask) {
        let metrics = subtask.metrics
        self = [
            "subtask": .integer(Int64(subtask.id.index)), "status": .string(subtask.state.rawValue), "attempt": .integer(Int64(subtask.attempt)),
            "endpoint": .string(subtask.host ?? "(unassigned)"), "taskmanager-id": .string(subtask.worker?.description ?? "(unassigned)"),
            "metrics": [
                "read-records": .integer(metrics?.rowsIn ?? 0), "write-records": .integer(metrics?.rowsOut ?? 0),
                "read-bytes": .integer(metrics?.bytesIn ?? 0), "write-bytes": .integer(metrics?.bytesOut ?? 0),
                "accumulated-backpressured-time": .integer(metrics?.backpressuredMilliseconds ?? 0),
                "accumulated-idle-time": .integer(metrics?.idleMilliseconds ?? 0), "accumulated-busy-time": .integer(metrics?.busyMilliseconds ?? 0),
                "state-bytes": .integer(metrics?.stateBytes ?? 0),
            ],
        ]
    }

    init(planOf job: JobView) {
        self = [
            "jid": .string(job.id.description), "name": .string(job.name), "type": "STREAMING",
            "nodes": .array(
                job.vertices.indices.map { index in
                    [
                        "id": .string(job.vertices[index].id), "parallelism": .integer(Int64(job.vertices[index].parallelism)), "operator": "",
                        "operator_strategy": "", "description": .string(job.vertices[index].name),
                        "inputs": .array(
                            job.graph.inputs(of: index).enumerated().map { number, edge in
                                [
                                    "num": .integer(Int64(number)), "id": .string(job.vertices[job.graph.edges[edge].source].id),
                                    "ship_strategy": .string(job.graph.edges[edge].partitioning.name), "exchange": "pipelined_bounded",
                                ]
                            }),
                        "optimizer_properties": [:],
                    ]
                }),
        ]
    }

    init(exceptionsOf job: JobView) {
        func entry(_ failure: JobFailure) -> [(String, JSON)] {
            [
                ("exceptionName", .string(failure.error.kind.rawValue)), ("stacktrace", .string(failure.error.description)),
                ("timestamp", .integer(failure.at)), ("failureLabels", [:]),
                ("taskName", failure.subtask.map { .string("\(job.vertices[$0.vertex].name) (\($0.index + 1)/\(job.vertices[$0.vertex].parallelism))") } ?? nil),
                ("endpoint", failure.worker.map { .string($0.description) } ?? nil),
                ("taskManagerId", failure.worker.map { .string($0.description) } ?? nil),
            ]
        }
        let last = job.failures.last
        self = [
            "root-exception": last.map { .string($0.error.description) } ?? nil, "timestamp": last.map { .integer($0.at) } ?? nil,
            "exceptionHistory": [
                "entries": .array(
                    job.failures.reversed().map { failure in
                        .object(entry(failure) + [("concurrentExceptions", .array(failure.concurrent.map { .object(entry($0)) }))])
                    }),
                "truncated": false,
            ],
        ]
    }
}

extension JobEdge.Partitioning {
    fileprivate var name: String {
        switch self {
        case .forward: "FORWARD"
        case .hash: "HASH"
        case .rebalance: "REBALANCE"
        case .single: "GLOBAL"
        }
    }
}
