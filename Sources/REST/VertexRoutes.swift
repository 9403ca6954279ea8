import Dataflow
import Hosts
import Hummingbird
import JobControl
import Wire

extension RESTService {
    func addVertexRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        let routes = router.group("/jobs/:job/vertices/:vertex")
        routes.get("") { _, context in
            let (vertex, times) = try await find(context)
            return Response.json(
                JSON(header: vertex, times.now, [
                    ("parallelism", .integer(Int64(vertex.parallelism))), ("maxParallelism", .integer(Int64(vertex.maxParallelism))),
                    ("aggregated", [:]), ("subtasks", JSON(subtasks: vertex.subtasks, times)),
                ]))
        }
        routes.get("/subtasks/:subtask") { _, context in
            let (vertex, times) = try await find(context)
            return Response.json(JSON(subtask: try subtask(context, of: vertex), times))
        }
        routes.get("/subtasks/:subtask/attempts/:attempt") { _, context in
            let (vertex, times) = try await find(context)
            return Response.json(JSON(subtask: try attempt(context, of: try subtask(context, of: vertex)), times))
        }
        routes.get("/subtasks/:subtask/attempts/:attempt/accumulators") { _, context in
            let (vertex, times) = try await find(context)
            let subtask = try attempt(context, of: try subtask(context, of: vertex))
            return Response.json([
                "subtask": .integer(Int64(subtask.id.index)), "attempt": .integer(Int64(subtask.attempt)),
                "id": .string(TaskID(job: times.job.id, subtask: subtask.id, attempt: subtask.attempt).description), "user-accumulators": [],
            ])
        }
        routes.get("/subtasktimes") { _, context in
            let (vertex, times) = try await find(context)
            return Response.json(
                JSON(header: vertex, times.now, [
                    ("subtasks", .array(vertex.subtasks.map { subtask in
                        [
                            "subtask": .integer(Int64(subtask.id.index)), "endpoint": .string(subtask.endpoint ?? "(unassigned)"),
                            "duration": .integer(times.duration(of: subtask)),
                            "timestamps": .object(JobView.TaskState.allCases.map { ($0.rawValue, .integer(times.reached($0, by: subtask))) }),
                        ]
                    })),
                ]))
        }
        routes.get("/taskmanagers") { _, context in
            let (vertex, times) = try await find(context)
            let placed = Dictionary(grouping: vertex.subtasks) { $0.worker?.description ?? "(unassigned)" }
            return Response.json(
                JSON(header: vertex, times.now, [
                    ("taskmanagers", .array(placed.sorted { $0.key < $1.key }.map { worker, subtasks in
                        let states = subtasks.map(\.state)
                        let first = subtasks.min { times.start(of: $0) < times.start(of: $1) } ?? subtasks[0]
                        return [
                            "taskmanager-id": .string(worker), "endpoint": .string(subtasks[0].endpoint ?? "(unassigned)"),
                            "status": .string(JSON.summary(states)), "start-time": .integer(times.start(of: first)),
                            "end-time": .integer(times.job.ended ?? -1), "duration": .integer(times.duration(of: first)), "metrics": JSON(sumOf: subtasks),
                            "status-counts": .object(JSON.counts(states, \.rawValue)),
                        ]
                    })),
                ]))
        }
        routes.get("/accumulators") { _, context in
            let vertex = try await find(context).vertex
            return Response.json(["id": .string(vertex.id), "user-accumulators": []])
        }
        routes.get("/watermarks") { _, context in
            let vertex = try await find(context).vertex
            return Response.json(.array(vertex.subtasks.compactMap { subtask in
                guard let watermark = subtask.metrics?.watermark, watermark > Watermark.minimum else { return nil }
                return ["id": .string("\(subtask.id.index).currentInputWatermark"), "value": .string("\(watermark)")]
            }))
        }
        routes.get("/backpressure") { _, context in
            let (vertex, times) = try await find(context)
            if let ended = times.job.ended { return Response.json(JSON.loadsOfEnded(at: ended)) }
            let loads = history.loads(times.job.id, vertex)
            func level(_ share: Double) -> JSON { share <= 0.1 ? "ok" : share <= 0.5 ? "low" : "high" }
            let worst = loads.compactMap { $0?.backpressured }.max() ?? 0
            return Response.json([
                "status": loads.contains { $0 != nil } ? "ok" : "deprecated", "backpressureLevel": level(worst), "backpressure-level": level(worst), "end-timestamp": .integer(times.now),
                "subtasks": .array(zip(vertex.subtasks, loads).map { subtask, load in
                    [
                        "subtask": .integer(Int64(subtask.id.index)), "backpressureLevel": level(load?.backpressured ?? 0),
                        "backpressure-level": level(load?.backpressured ?? 0), "ratio": .number(load?.backpressured ?? 0),
                        "idleRatio": .number(load?.idle ?? 0), "busyRatio": .number(load?.busy ?? 0),
                    ]
                }),
            ])
        }
    }

    /// By its number: planned changes leave gaps, so that who stays keeps his.
    func subtask(_ context: BasicRequestContext, of vertex: JobView.Vertex) throws -> JobView.Subtask {
        try subtask(context.parameters.get("subtask") ?? "", of: vertex)
    }

    func subtask(_ text: String, of vertex: JobView.Vertex) throws -> JobView.Subtask {
        guard let index = Int(text), let subtask = vertex.subtasks.first(where: { $0.id.index == index }) else {
            throw Refusal(.notFound, "Subtask \(text) not found in vertex \(vertex.id), which has \(vertex.subtasks.map { "\($0.id.index)" }.joined(separator: ", "))")
        }
        return subtask
    }

    /// Only the newest attempt is known.
    private func attempt(_ context: BasicRequestContext, of subtask: JobView.Subtask) throws -> JobView.Subtask {
        let text = context.parameters.get("attempt") ?? ""
        guard let number = UInt32(text) else { throw Refusal(.badRequest, "attempt \(text) is no number") }
        guard number == subtask.attempt else { throw Refusal(.notFound, "Attempt \(number) of subtask \(subtask.id) is not known; the newest is \(subtask.attempt)") }
        return subtask
    }

    private func find(_ context: BasicRequestContext) async throws -> (vertex: JobView.Vertex, times: SubtaskTimes) {
        let job = try await job(context)
        let vertex = job.vertices[try vertex(context, of: job)]
        return (vertex, history.times(job, await jobManager.recentView().history, now: SystemClock.wallMilliseconds()))
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

    fileprivate init(subtasks: [JobView.Subtask], _ times: SubtaskTimes) {
        var out = JSONWriter(capacity: subtasks.count * 640)
        out.array(subtasks) { JSON.write($1, times, to: &$0) }
        self = .written(out.bytes)
    }

    fileprivate init(subtask: JobView.Subtask, _ times: SubtaskTimes) {
        var out = JSONWriter(capacity: 640)
        out.object { JSON.write(subtask, times, to: &$0) }
        self = .written(out.bytes)
    }

    private static func write(_ subtask: JobView.Subtask, _ times: SubtaskTimes, to out: inout JSONWriter) {
        let start = times.start(of: subtask)
        out.member("subtask", Int64(subtask.id.index))
        out.member("status", subtask.state.rawValue)
        out.member("attempt", Int64(subtask.attempt))
        out.member("endpoint", subtask.endpoint ?? "(unassigned)")
        out.member("start-time", start)
        out.member("start_time", start)
        out.member("end-time", times.job.ended ?? -1)
        out.member("duration", times.duration(of: subtask))
        out.member("metrics") { out in
            var sum = WorkSum()
            if let metrics = subtask.metrics { sum.add(metrics) }
            sum.write(to: &out)
        }
        out.member("taskmanager-id", subtask.worker?.description ?? "(unassigned)")
        out.member("status-duration") { _ in }
    }

    /// What subtasks have read, written and waited for, together.
    init(sumOf subtasks: [JobView.Subtask], replaced: TaskMetrics? = nil) {
        var sum = WorkSum()
        if let replaced { sum.add(replaced) }
        for subtask in subtasks { if let metrics = subtask.metrics { sum.add(metrics) } }
        var out = JSONWriter(capacity: 512)
        out.object { sum.write(to: &$0) }
        self = .written(out.bytes)
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
    func write(to out: inout JSONWriter) {
        out.member("read-bytes", bytesIn)
        out.member("write-bytes", bytesOut)
        out.member("read-records", rowsIn)
        out.member("write-records", rowsOut)
        out.member("accumulated-backpressured-time", backpressured)
        out.member("accumulated-idle-time", idle)
        out.member("accumulated-busy-time", busy)
        out.member("late-records", lateRows)
        out.member("skipped-records", skippedRows)
        out.member("state-bytes", stateBytes)
        out.member("read-bytes-complete", true)
        out.member("write-bytes-complete", true)
        out.member("read-records-complete", true)
        out.member("write-records-complete", true)
    }
}
