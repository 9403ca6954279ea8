import Dataflow
import Hosts
import Hummingbird
import JobControl
import Meters
import Wire

extension RESTService {
    func addMetricRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/jobmanager/metrics") { request, _ in
            let wanted = request.uri.queryParameters["get"].map { $0.split(separator: ",").map(String.init) }
            return Response.json(chosen(jobManagerFigures(await jobManager.recentView(), wanted: wanted).map { ($0.name, text($0.value)) }, request))
        }
        router.get("/taskmanagers/metrics") { request, _ in
            let wanted = try MetricFilters.names(request.uri.queryParameters[values: "taskmanagers"], of: "taskmanagers")
            let workers = await jobManager.recentView().workers.filter { wanted?.contains($0.id.description) ?? true }
            return Response.json(try aggregated(await figures(of: workers).map { figures in figures.map { ($0.name, $0.value) } }, request))
        }
        router.get("/taskmanagers/:worker/metrics") { request, context in
            guard case .figures(let figures) = try await ask(.figures, of: .worker(try await worker(context))) else {
                throw Refusal(.internalServerError, "the answer is of another kind than the question")
            }
            return Response.json(chosen(figures.map { ($0.name, text($0.value)) }, request))
        }
        router.get("/jobs/metrics") { request, _ in
            let now = SystemClock.wallMilliseconds()
            let wanted = try MetricFilters.names(request.uri.queryParameters[values: "jobs"], of: "jobs")
            if let stranger = wanted?.sorted().first(where: { JobID($0) == nil }) { throw Refusal(.badRequest, "jobs=\(stranger): a job id is 32 hex digits") }
            let ids = wanted.map { Set($0.compactMap { JobID($0) }) }
            let jobs = await jobManager.recentView().jobs.filter { ids?.contains($0.id) ?? true }
            return Response.json(try aggregated(jobs.map { figures(of: $0, now: now).numbers }, request))
        }
        router.get("/jobs/:job/metrics") { request, context in
            Response.json(chosen(figures(of: try await job(context), now: SystemClock.wallMilliseconds()).texts, request))
        }
        router.get("/jobs/:job/vertices/:vertex/metrics") { request, context in
            let (job, vertex) = try await place(context)
            let wanted = wanted(request, of: vertex, in: job)
            return Response.json(chosen(vertex.subtasks.flatMap { subtask in
                history.figures(job, subtask, wanted).map { ("\(subtask.id.index).\($0.name)", text($0.value)) }
            }, request))
        }
        router.get("/jobs/:job/vertices/:vertex/subtasks/metrics") { request, context in
            let (job, vertex) = try await place(context)
            let ranges = try MetricFilters.subtasks(request.uri.queryParameters[values: "subtasks"])
            let subtasks = vertex.subtasks.filter { subtask in ranges?.contains { $0.contains(subtask.id.index) } ?? true }
            guard let first = subtasks.first else { return Response.json(try aggregated(columns: [], request)) }
            if let wanted = wanted(request, of: vertex, in: job) {
                return Response.json(try aggregated(columns: history.columns(job, vertex: first.id.vertex, subtasks, wanted), request))
            }
            return Response.json(try aggregated(history.figures(job, vertex: first.id.vertex, subtasks, nil), request))
        }
        router.get("/jobs/:job/vertices/:vertex/subtasks/:subtask/metrics") { request, context in
            let (job, vertex) = try await place(context)
            let subtask = try subtask(context, of: vertex)
            return Response.json(chosen(history.figures(job, subtask, wanted(request, of: vertex, in: job)).map { ($0.name, text($0.value)) }, request))
        }
        router.get("/jobs/:job/vertices/:vertex/jm-operator-metrics") { _, context in
            _ = try await place(context)
            return Response.json([])
        }
    }

    private func place(_ context: BasicRequestContext) async throws -> (JobView, JobView.Vertex) {
        let job = try await job(context)
        return (job, job.vertices[try vertex(context, of: job)])
    }

    /// Of those that answer; some at a time.
    private func figures(of workers: [ClusterView.Worker]) async -> [[Figure]] {
        var all: [[Figure]] = []
        for start in stride(from: 0, to: workers.count, by: 16) {
            all += await withTaskGroup(of: [Figure]?.self) { group in
                for worker in workers[start..<min(start + 16, workers.count)] {
                    group.addTask {
                        guard case .figures(let figures)? = try? await ask(.figures, of: .worker(worker), within: .seconds(2)) else { return nil }
                        return figures
                    }
                }
                return await group.reduce(into: []) { all, figures in if let figures { all.append(figures) } }
            }
        }
        return all
    }

    /// Nil: all of them.
    private func wanted(_ request: Request, of vertex: JobView.Vertex, in job: JobView) -> WantedFigures? {
        guard let names = request.uri.queryParameters["get"], let place = job.graph.vertices.first(where: { $0.id == vertex.id }) else { return nil }
        return WantedFigures(names.split(separator: ","), of: place)
    }

    /// Without `get` the names there are; with it the values of those that it names.
    private func chosen(_ figures: [(name: String, value: String)], _ request: Request) -> JSON {
        guard let wanted = request.uri.queryParameters["get"] else { return .array(figures.map { ["id": .string($0.name)] }) }
        let names = Set(wanted.split(separator: ",").map(String.init))
        return .array(figures.filter { names.contains($0.name) }.map { ["id": .string($0.name), "value": .string($0.value)] })
    }

    /// One column for each name there is.
    private func aggregated(_ all: [[(name: String, value: Double)]], _ request: Request) throws -> JSON {
        var columns: [(name: String, numbers: [Double])] = []
        var places: [String: Int] = [:]
        for figures in all {
            for (position, figure) in figures.enumerated() {
                // Most lists have the names of the first, in its order.
                if position < columns.count, columns[position].name == figure.name {
                    columns[position].numbers.append(figure.value)
                } else if let place = places[figure.name] {
                    columns[place].numbers.append(figure.value)
                } else {
                    places[figure.name] = columns.count
                    columns.append((figure.name, [figure.value]))
                }
            }
        }
        return try aggregated(columns: columns, request)
    }

    /// The same over several: least, greatest, mean, sum, and skew (how far from the mean they are on average, in per cent of it).
    private func aggregated(columns: [(name: String, numbers: [Double])], _ request: Request) throws -> JSON {
        let known = ["min", "max", "avg", "sum", "skew"]
        let kinds = request.uri.queryParameters["agg"].map { Set($0.split(separator: ",").map(String.init)) }
        if let stranger = kinds?.subtracting(known).sorted().first {
            throw Refusal(.badRequest, "agg \(stranger) is not known; there are: \(known.joined(separator: ", "))")
        }
        let wanted = request.uri.queryParameters["get"].map { Set($0.split(separator: ",").map(String.init)) }
        guard let wanted else { return .array(columns.map { ["id": .string($0.name)] }) }
        return .array(columns.filter { wanted.contains($0.name) }.map { name, numbers in
            let sum = numbers.reduce(0, +)
            let mean = sum / Double(numbers.count)
            let spread = numbers.reduce(0) { $0 + abs($1 - mean) } / Double(numbers.count)
            let all: [(String, Double)] = [
                ("min", numbers.min() ?? 0), ("max", numbers.max() ?? 0), ("avg", mean), ("sum", sum), ("skew", mean == 0 ? 0 : spread / mean * 100),
            ]
            return .object([("id", .string(name))] + all.filter { kinds?.contains($0.0) ?? true }.map { ($0.0, .number($0.1)) })
        })
    }

    private func text(_ number: Double) -> String { Int64(exactly: number).map { "\($0)" } ?? "\(number)" }
}

extension RESTService {
    /// The JobManager's own figures, by Flink's names. `wanted`: only these need be right; nil: all of them.
    func jobManagerFigures(_ view: ClusterView, wanted: [String]? = nil) -> [(name: String, value: Double)] {
        let process = ProcessFigures.now(maximumBytes: memoryBytes, wanted: wanted)
        return process.named(load: load.take(process)) + [
            ("numRegisteredTaskManagers", Double(view.workers.count)), ("numRunningJobs", Double(view.jobs.count { $0.status == .running })),
            ("taskSlotsAvailable", Double(view.freeSlots)), ("taskSlotsTotal", Double(view.totalSlots)),
            ("numTaskManagerNotices", Double(view.history.counts.notices)), ("numTaskManagersLost", Double(view.history.counts.losses)),
            ("numLayoutChanges", Double(view.history.counts.changes)), ("layoutChangeTimeMs", Double(view.history.counts.changeMilliseconds)),
            ("numKeyGroupsMoved", Double(view.history.counts.movedGroups)), ("stateBytesMoved", Double(view.history.counts.movedBytes)),
        ]
    }

    /// One job's figures, by Flink's names; those that are no numbers are among the texts alone.
    func figures(of job: JobView, now: Int64) -> (numbers: [(name: String, value: Double)], texts: [(name: String, value: String)]) {
        let counts = job.checkpoints.counts
        let last = job.checkpoints.newest(.checkpoint)
        func time(_ statuses: JobStatus...) -> Int64 {
            guard statuses.contains(job.status), let since = job.timestamps[job.status] else { return 0 }
            return now - since
        }
        let running = time(.running)
        let numbers: [(String, Int64)] = [
            ("numRestarts", Int64(job.restarts)), ("numRescales", Int64(job.layoutChanges)), ("uptime", running), ("runningTime", running), ("downtime", time(.restarting, .failing)),
            ("restartingTime", time(.restarting)), ("createdTime", time(.created)), ("initializingTime", time(.initializing)),
            ("failingTime", time(.failing)), ("cancellingTime", time(.cancelling)), ("deployingTime", 0),
            ("numberOfCompletedCheckpoints", Int64(counts.completed)), ("numberOfFailedCheckpoints", Int64(counts.failed)),
            ("numberOfInProgressCheckpoints", Int64(counts.inProgress)), ("totalNumberOfCheckpoints", Int64(counts.total)),
            ("lastCompletedCheckpointId", last.map { Int64($0.id) } ?? -1), ("lastCheckpointDuration", last?.durationMilliseconds ?? -1),
            ("lastCheckpointSize", last?.stateBytes ?? -1), ("lastCheckpointFullSize", last?.stateBytes ?? -1),
            ("lastCheckpointCompletedTimestamp", last?.ended ?? -1), ("lastCheckpointRestoreTimestamp", job.checkpoints.restored?.at ?? -1),
            ("uncommittedFiles", Int64(job.uncommitted)),
        ]
        return (
            numbers.map { ($0.0, Double($0.1)) },
            numbers.map { ($0.0, "\($0.1)") } + [("lastCheckpointExternalPath", (last?.path).map(SavepointPath.location) ?? "n/a")]
        )
    }
}

extension RESTService {
    /// Everything that the JobManager knows, with the labels of Flink's Prometheus reporter.
    func snapshot(host: String) async -> MetricSnapshot {
        let view = await jobManager.view()
        var snapshot = MetricSnapshot()
        for (name, value) in jobManagerFigures(view) { snapshot.record("flink_jobmanager_" + name, [("host", host)], .gauge(value)) }
        let now = SystemClock.wallMilliseconds()
        for job in view.jobs where !job.status.isTerminal {
            let labels = [("host", host), ("job_id", job.id.description), ("job_name", job.name)]
            for (name, value) in figures(of: job, now: now).numbers { snapshot.record("flink_jobmanager_job_" + name, labels, .gauge(value)) }
            recordScaling(of: job, labels, into: &snapshot, now: now)
        }
        return snapshot
    }
}
