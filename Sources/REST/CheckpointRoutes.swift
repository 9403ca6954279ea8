import Dataflow
import Hosts
import Hummingbird
import JobControl

extension RESTService {
    func addCheckpointRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/jobs/:job/checkpoints") { _, context in Response.json(JSON(checkpointsOf: try await job(context), now: SystemClock.wallMilliseconds())) }
        router.get("/jobs/:job/checkpoints/config") { _, context in
            let options = try await job(context).options
            return Response.json([
                "mode": "exactly_once", "interval": .integer(options.checkpointInterval?.milliseconds ?? Int64.max),
                "timeout": .integer(options.checkpointTimeout.milliseconds), "min_pause": .integer(options.minimumPause.milliseconds),
                "max_concurrent": 1, "externalization": ["enabled": .bool(options.retainsOnCancellation), "delete_on_cancellation": .bool(!options.retainsOnCancellation)],
                "unaligned_checkpoints": false, "tolerable_failed_checkpoints": .integer(Int64(options.tolerableFailedCheckpoints)),
                "checkpoints_after_tasks_finish": true, "state_backend": "HashMapStateBackend",
                "checkpoint_storage": options.checkpointDirectory == nil ? "JobManagerCheckpointStorage" : "FileSystemCheckpointStorage",
                "state_changelog_enabled": false,
            ])
        }
        router.get("/jobs/:job/checkpoints/details/:checkpoint") { _, context in
            let job = try await job(context)
            return Response.json(JSON(checkpoint: try checkpoint(context, of: job), of: job, withTasks: true, now: SystemClock.wallMilliseconds()))
        }
        router.get("/jobs/:job/checkpoints/details/:checkpoint/subtasks/:vertex") { _, context in
            let job = try await job(context)
            return Response.json(JSON(subtasksOf: try checkpoint(context, of: job), vertex: try vertex(context, of: job), parallelism: job.vertices))
        }
    }

    private func checkpoint(_ context: BasicRequestContext, of job: JobView) throws -> CheckpointRecord {
        let text = context.parameters.get("checkpoint") ?? ""
        if UInt64(text) == nil { throw Refusal(.badRequest, "Cannot resolve path parameter (checkpointid) from value \"\(text)\": a checkpoint id is a number.") }
        guard let record = (job.checkpoints.older + job.checkpoints.history).first(where: { "\($0.id)" == text }) else {
            throw Refusal(.notFound, "Could not find checkpointing statistics for checkpoint \(text).")
        }
        return record
    }
}

extension JSON {
    fileprivate init(checkpointsOf job: JobView, now: Int64) {
        let checkpoints = job.checkpoints
        let completed = checkpoints.history.filter { $0.status == .completed }
        func newest(_ ending: CheckpointRecord.Ending) -> JSON { checkpoints.newest(ending).map { JSON(checkpoint: $0, of: job, now: now) } ?? nil }
        let sizes = JSON.spread(completed.map(\.stateBytes))
        self = [
            "counts": [
                "restored": .integer(Int64(checkpoints.counts.restored)), "total": .integer(Int64(checkpoints.counts.total)),
                "in_progress": .integer(Int64(checkpoints.counts.inProgress)), "completed": .integer(Int64(checkpoints.counts.completed)),
                "failed": .integer(Int64(checkpoints.counts.failed)),
            ],
            "summary": [
                "checkpointed_size": sizes, "state_size": sizes, "end_to_end_duration": JSON.spread(completed.map(\.durationMilliseconds)),
                "alignment_buffered": JSON.spread([]), "processed_data": JSON.spread([]), "persisted_data": JSON.spread([]),
            ],
            "latest": [
                "completed": newest(.checkpoint), "savepoint": newest(.savepoint), "failed": newest(.failed),
                "restored": checkpoints.restored.map {
                    [
                        "id": .integer(Int64($0.checkpoint)), "restore_timestamp": .integer($0.at), "is_savepoint": .bool($0.kind.isSavepoint),
                        "external_path": .string(SavepointPath.location($0.path)),
                    ]
                } ?? nil,
            ],
            "history": .array(checkpoints.history.reversed().map { JSON(checkpoint: $0, of: job, now: now) }),
        ]
    }

    /// Flink's spread of a list of numbers; of none it is all zeros.
    static func spread(_ numbers: [Int64]) -> JSON {
        let sorted = numbers.sorted()
        func quantile(_ share: Double) -> JSON {
            sorted.isEmpty ? 0.0 : .number(Double(sorted[min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.down)))]))
        }
        return [
            "min": .integer(sorted.first ?? 0), "max": .integer(sorted.last ?? 0),
            "avg": .integer(sorted.isEmpty ? 0 : sorted.reduce(0, +) / Int64(sorted.count)), "p50": quantile(0.5), "p90": quantile(0.9),
            "p95": quantile(0.95), "p99": quantile(0.99), "p999": quantile(0.999),
        ]
    }

    /// Lists have no `tasks`, as in Flink.
    fileprivate init(checkpoint record: CheckpointRecord, of job: JobView, withTasks: Bool = false, now: Int64) {
        var members: [(String, JSON)] = [
            ("className", .string(record.status == .inProgress ? "in_progress" : record.status.rawValue.lowercased())),
            ("id", .integer(Int64(record.id))), ("status", .string(record.status.rawValue)), ("is_savepoint", .bool(record.kind.isSavepoint)),
            ("savepointFormat", record.kind.isSavepoint ? "CANONICAL" : nil), ("trigger_timestamp", .integer(record.triggered)),
            ("latest_ack_timestamp", .integer(record.tasks.map(\.acknowledged).max() ?? -1)), ("checkpointed_size", .integer(record.stateBytes)),
            ("state_size", .integer(record.stateBytes)), ("end_to_end_duration", .integer(record.duration(at: now))), ("alignment_buffered", 0),
            ("processed_data", 0), ("persisted_data", 0), ("num_subtasks", .integer(Int64(record.subtasks))),
            ("num_acknowledged_subtasks", .integer(Int64(record.tasks.count))),
            ("checkpoint_type", .string(record.kind.isSavepoint ? record.kind == .savepoint ? "SAVEPOINT" : "SYNC_SAVEPOINT" : "CHECKPOINT")),
            ("tasks", withTasks ? JSON.tasks(of: record, job) : [:]),
        ]
        if let path = record.path { members.append(("external_path", .string(SavepointPath.location(path)))) }
        if record.status == .completed { members.append(("discarded", .bool(record.isDiscarded))) }
        if let failure = record.failure {
            members += [("failure_timestamp", .integer(record.ended ?? record.triggered)), ("failure_message", .string(failure))]
        }
        self = .object(members)
    }

    /// One vertex's subtasks of a checkpoint, with the spread of what they report.
    fileprivate init(subtasksOf record: CheckpointRecord, vertex: Int, parallelism vertices: [JobView.Vertex]) {
        let tasks = record.tasks.filter { $0.subtask.vertex == vertex }.sorted { $0.subtask.index < $1.subtask.index }
        // One object a TaskManager: its subtasks are acknowledged together, and which of them was late is told by what came before.
        let durations = tasks.map { max(0, $0.acknowledged - record.triggered) }
        let synchronous = tasks.map { $0.synchronousNanoseconds / 1_000_000 }
        let nothing = JSON.spread([])
        let acknowledged = tasks.map(\.acknowledged).max() ?? -1
        let bytes = tasks.reduce(0) { $0 + $1.stateBytes }
        self = [
            "id": .integer(Int64(record.id)), "status": .string(record.status.rawValue), "latest_ack_timestamp": .integer(acknowledged),
            "checkpointed_size": .integer(bytes), "state_size": .integer(bytes), "end_to_end_duration": .integer(durations.max() ?? 0),
            "alignment_buffered": 0, "processed_data": 0, "persisted_data": 0, "num_subtasks": .integer(Int64(vertices[vertex].parallelism)),
            "num_acknowledged_subtasks": .integer(Int64(tasks.count)),
            "summary": [
                "checkpointed_size": JSON.spread(tasks.map(\.stateBytes)), "state_size": JSON.spread(tasks.map(\.stateBytes)),
                "end_to_end_duration": JSON.spread(durations),
                "checkpoint_duration": ["sync": JSON.spread(synchronous), "async": JSON.spread(tasks.map(\.asynchronousMilliseconds))],
                "alignment": [
                    "buffered": nothing, "processed": nothing, "persisted": nothing, "duration": JSON.spread(tasks.map(\.alignmentMilliseconds)),
                ],
                "start_delay": JSON.spread(tasks.map(\.startDelayMilliseconds)),
            ],
            "subtasks": .array(zip(tasks, durations).map { task, duration in
                [
                    "className": "completed", "index": .integer(Int64(task.subtask.index)), "ack_timestamp": .integer(task.acknowledged),
                    "end_to_end_duration": .integer(duration), "checkpointed_size": .integer(task.stateBytes), "state_size": .integer(task.stateBytes),
                    "checkpoint": ["sync": .integer(task.synchronousNanoseconds / 1_000_000), "async": .integer(task.asynchronousMilliseconds)],
                    "alignment": ["buffered": 0, "processed": 0, "persisted": 0, "duration": .integer(task.alignmentMilliseconds)],
                    "start_delay": .integer(task.startDelayMilliseconds), "unaligned_checkpoint": false, "aborted": false, "status": "completed",
                ]
            }),
        ]
    }

    private static func tasks(of record: CheckpointRecord, _ job: JobView) -> JSON {
        .object(
            job.vertices.indices.map { index in
                let tasks = record.tasks.filter { $0.subtask.vertex == index }
                let acknowledged = tasks.map(\.acknowledged).max() ?? -1
                let bytes = JSON.integer(tasks.reduce(0) { $0 + $1.stateBytes })
                return (
                    job.vertices[index].id,
                    [
                        "id": .integer(Int64(record.id)), "status": .string(record.status.rawValue), "latest_ack_timestamp": .integer(acknowledged),
                        "checkpointed_size": bytes, "state_size": bytes, "end_to_end_duration": .integer(max(0, acknowledged - record.triggered)),
                        "alignment_buffered": 0, "processed_data": 0, "persisted_data": 0,
                        "num_subtasks": .integer(Int64(job.vertices[index].parallelism)), "num_acknowledged_subtasks": .integer(Int64(tasks.count)),
                    ]
                )
            })
    }
}
