import Dataflow
import Hosts
import Hummingbird
import JobControl
import Wire

extension RESTService {
    func addVertexRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        let routes = router.group("/jobs/:job/vertices/:vertex")
        routes.get("") { _, context in
            let (job, vertex, now) = try await find(context)
            return Response.json(
                JSON(header: vertex, now, [
                    ("parallelism", .integer(Int64(vertex.parallelism))), ("maxParallelism", .integer(Int64(vertex.maxParallelism))),
                    ("aggregated", [:]), ("subtasks", .array(vertex.subtasks.map { JSON(subtask: $0, of: job, now: now) })),
                ]))
        }
        routes.get("/subtasks/:subtask") { _, context in
            let (job, vertex, now) = try await find(context)
            return Response.json(JSON(subtask: try subtask(context, of: vertex), of: job, now: now))
        }
        routes.get("/subtasks/:subtask/attempts/:attempt") { _, context in
            let (job, vertex, now) = try await find(context)
            return Response.json(JSON(subtask: try attempt(context, of: try subtask(context, of: vertex)), of: job, now: now))
        }
        routes.get("/subtasks/:subtask/attempts/:attempt/accumulators") { _, context in
            let (job, vertex, _) = try await find(context)
            let subtask = try attempt(context, of: try subtask(context, of: vertex))
            return Response.json([
                "subtask": .integer(Int64(subtask.id.index)), "attempt": .integer(Int64(subtask.attempt)),
                "id": .string(TaskID(job: job.id, subtask: subtask.id, attempt: subtask.attempt).description), "user-accumulators": [],
            ])
        }
        routes.get("/subtasktimes") { _, context in
            let (job, vertex, now) = try await find(context)
            return Response.json(
                JSON(header: vertex, now, [
                    ("subtasks", .array(vertex.subtasks.map { subtask in
                        [
                            "subtask": .integer(Int64(subtask.id.index)), "endpoint": .string(subtask.host ?? "(unassigned)"),
                            "duration": .integer(JSON.running(job, now)),
                            "timestamps": .object(JobView.TaskState.allCases.map { state in
                                (state.rawValue, .integer(JobStatus(rawValue: state.rawValue).flatMap { job.timestamps[$0] } ?? 0))
                            }),
                        ]
                    })),
                ]))
        }
        routes.get("/taskmanagers") { _, context in
            let (job, vertex, now) = try await find(context)
            let placed = Dictionary(grouping: vertex.subtasks) { $0.worker?.description ?? "(unassigned)" }
            return Response.json(
                JSON(header: vertex, now, [
                    ("taskmanagers", .array(placed.sorted { $0.key < $1.key }.map { worker, subtasks in
                        let states = subtasks.map(\.state)
                        return [
                            "taskmanager-id": .string(worker), "endpoint": .string(subtasks[0].host ?? "(unassigned)"),
                            "status": .string(JSON.summary(states)), "start-time": .integer(job.timestamps[.running] ?? -1),
                            "end-time": .integer(job.ended ?? -1), "duration": .integer(JSON.running(job, now)), "metrics": JSON(sumOf: subtasks),
                            "status-counts": .object(JSON.counts(states, \.rawValue)),
                        ]
                    })),
                ]))
        }
        routes.get("/accumulators") { _, context in
            let (_, vertex, _) = try await find(context)
            return Response.json(["id": .string(vertex.id), "user-accumulators": []])
        }
        routes.get("/watermarks") { _, context in
            let (_, vertex, _) = try await find(context)
            return Response.json(.array(vertex.subtasks.compactMap { subtask in
                guard let watermark = subtask.metrics?.watermark, watermark > Watermark.minimum else { return nil }
                return ["id": .string("\(subtask.id.index).currentInputWatermark"), "value": .string("\(watermark)")]
            }))
        }
        routes.get("/backpressure") { _, context in
            let (job, vertex, now) = try await find(context)
            if let ended = job.ended { return Response.json(JSON.loadsOfEnded(at: ended)) }
            let loads = history.loads(job.id, vertex: context.parameters.get("vertex") ?? "")
            let subtasks = vertex.subtasks.indices.map { index in loads.indices.contains(index) ? loads[index] : nil }
            func level(_ share: Double) -> JSON { share <= 0.1 ? "ok" : share <= 0.5 ? "low" : "high" }
            let worst = subtasks.compactMap { $0?.backpressured }.max() ?? 0
            return Response.json([
                "status": loads.contains { $0 != nil } ? "ok" : "deprecated", "backpressureLevel": level(worst), "backpressure-level": level(worst), "end-timestamp": .integer(now),
                "subtasks": .array(subtasks.enumerated().map { index, load in
                    [
                        "subtask": .integer(Int64(index)), "backpressureLevel": level(load?.backpressured ?? 0),
                        "backpressure-level": level(load?.backpressured ?? 0), "ratio": .number(load?.backpressured ?? 0),
                        "idleRatio": .number(load?.idle ?? 0), "busyRatio": .number(load?.busy ?? 0),
                    ]
                }),
            ])
        }
    }

    private func subtask(_ context: BasicRequestContext, of vertex: JobView.Vertex) throws -> JobView.Subtask {
        let text = context.parameters.get("subtask") ?? ""
        guard let index = Int(text), vertex.subtasks.indices.contains(index) else {
            throw Refusal(.notFound, "Subtask \(text) not found in vertex \(vertex.id), which has \(vertex.parallelism)")
        }
        return vertex.subtasks[index]
    }

    /// Only the newest attempt is known.
    private func attempt(_ context: BasicRequestContext, of subtask: JobView.Subtask) throws -> JobView.Subtask {
        let text = context.parameters.get("attempt") ?? ""
        guard let number = UInt32(text) else { throw Refusal(.badRequest, "attempt \(text) is no number") }
        guard number == subtask.attempt else { throw Refusal(.notFound, "Attempt \(number) of subtask \(subtask.id) is not known; the newest is \(subtask.attempt)") }
        return subtask
    }

    private func find(_ context: BasicRequestContext) async throws -> (JobView, JobView.Vertex, Int64) {
        let job = try await job(context)
        return (job, job.vertices[try vertex(context, of: job)], SystemClock.wallMilliseconds())
    }
}

extension JSON {
    fileprivate init(header vertex: JobView.Vertex, _ now: Int64, _ more: [(String, JSON)]) {
        self = .object([("id", .string(vertex.id)), ("name", .string(vertex.name)), ("now", .integer(now))] + more)
    }

    /// How busy an ended job's vertex is: nothing is measured any more. Flink's word for figures that are not there.
    package static func loadsOfEnded(at time: Int64) -> JSON {
        ["status": "deprecated", "backpressureLevel": "ok", "backpressure-level": "ok", "end-timestamp": .integer(time), "subtasks": []]
    }

    fileprivate static func running(_ job: JobView, _ now: Int64) -> Int64 { job.timestamps[.running].map { (job.ended ?? now) - $0 } ?? -1 }

    fileprivate init(subtask: JobView.Subtask, of job: JobView, now: Int64) {
        let started = JSON.integer(job.timestamps[.running] ?? -1)
        self = [
            "subtask": .integer(Int64(subtask.id.index)), "status": .string(subtask.state.rawValue), "attempt": .integer(Int64(subtask.attempt)),
            "endpoint": .string(subtask.host ?? "(unassigned)"), "start-time": started, "start_time": started, "end-time": .integer(job.ended ?? -1),
            "duration": .integer(JSON.running(job, now)), "metrics": JSON(sumOf: [subtask]),
            "taskmanager-id": .string(subtask.worker?.description ?? "(unassigned)"), "status-duration": [:],
        ]
    }

    /// What subtasks have read, written and waited for, together.
    init(sumOf subtasks: [JobView.Subtask], replaced: TaskMetrics? = nil) {
        var sum = WorkSum()
        if let replaced { sum.add(replaced) }
        for subtask in subtasks { if let metrics = subtask.metrics { sum.add(metrics) } }
        let numbers: [(StaticString, Int64)] = [
            ("read-bytes", sum.bytesIn), ("write-bytes", sum.bytesOut), ("read-records", sum.rowsIn), ("write-records", sum.rowsOut),
            ("accumulated-backpressured-time", sum.backpressured), ("accumulated-idle-time", sum.idle), ("accumulated-busy-time", sum.busy),
            ("late-records", sum.lateRows), ("skipped-records", sum.skippedRows), ("state-bytes", sum.stateBytes),
        ]
        let flags: [(StaticString, Bool)] = [
            ("read-bytes-complete", true), ("write-bytes-complete", true), ("read-records-complete", true), ("write-records-complete", true),
        ]
        self = JSON.object(ofNumbers: numbers, and: flags)
    }
}

/// Added up in one pass: nearly every answer has it, over all of a job's subtasks. Times in milliseconds.
private struct WorkSum {
    var bytesIn: Int64 = 0, bytesOut: Int64 = 0, rowsIn: Int64 = 0, rowsOut: Int64 = 0, lateRows: Int64 = 0, skippedRows: Int64 = 0
    var backpressured: Int64 = 0, idle: Int64 = 0, busy: Int64 = 0
    var stateBytes: Int64 = 0

    mutating func add(_ metrics: TaskMetrics) {
        bytesIn += metrics.bytesIn
        bytesOut += metrics.bytesOut
        rowsIn += metrics.rowsIn
        rowsOut += metrics.rowsOut
        lateRows += metrics.lateRows
        skippedRows += metrics.skippedRows
        backpressured += metrics.backpressuredMilliseconds
        idle += metrics.idleMilliseconds
        busy += metrics.busyMilliseconds
        stateBytes += metrics.stateBytes
    }
}
