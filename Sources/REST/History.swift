import Dataflow
import Hosts
import Hummingbird
import JobControl
import Synchronization
import Wire

/// The last hour of each job, a point every few seconds: what the dashboard's charts and rates come from.
///
/// Costs one look at the view a point; nothing is asked of TaskManagers for it.
package final class History: Sendable {
    /// Shares of a subtask's time, 0 to 1.
    package struct Load: Hashable, Sendable {
        package var busy: Double
        package var backpressured: Double
        package var idle: Double

        /// Since an earlier report of the same task; nil: since the task began. Nil when no time has passed.
        package init?(_ metrics: TaskMetrics, since earlier: TaskMetrics?) {
            func rise(_ part: KeyPath<TaskMetrics, Int64>) -> Double { Double(max(0, metrics[keyPath: part] - (earlier?[keyPath: part] ?? 0))) }
            let (busy, held, idle) = (rise(\.busyMilliseconds), rise(\.backpressuredMilliseconds), rise(\.idleMilliseconds))
            let all = busy + held + idle
            guard all > 0 else { return nil }
            (self.busy, backpressured, self.idle) = (busy / all, held / all, idle / all)
        }
    }

    /// What the key groups of one subtask had got at some moment.
    package struct KeyGroups: Sendable {
        package var task: TaskID
        package var loads: [KeyGroupLoad]

        package init(task: TaskID, loads: [KeyGroupLoad]) { (self.task, self.loads) = (task, loads) }
    }

    static let interval = Duration.seconds(5)
    fileprivate static let points = 720
    /// Key groups are noted this often, and so many times: the oldest note is about a minute old.
    fileprivate static let keyGroupsInterval: Int64 = 15_000
    fileprivate static let keyGroupNotes = 5
    fileprivate static let mostCheckpoints = 1200

    fileprivate struct Checkpoint {
        var id: CheckpointID
        var isSavepoint: Bool
        /// Milliseconds since the epoch.
        var triggered: Int64
        var ended: Int64
        var durationMilliseconds: Int64
        var stateBytes: Int64

        init(_ record: CheckpointRecord, ended: Int64) {
            id = record.id
            isSavepoint = record.kind.isSavepoint
            triggered = record.triggered
            self.ended = ended
            durationMilliseconds = record.durationMilliseconds
            stateBytes = record.stateBytes
        }
    }

    fileprivate struct Series {
        var recordsIn: [Double?] = []
        var recordsOut: [Double?] = []
        var bytesIn: [Double?] = []
        var bytesOut: [Double?] = []
        var busy: [Double?] = []
        var backpressured: [Double?] = []
        var idle: [Double?] = []
        var watermark: [Int64?] = []
        /// By the number of the subtask, at the last point.
        var loads: [Int: Load] = [:]

        static let columns: [WritableKeyPath<Series, [Double?]> & Sendable] = [
            \.recordsIn, \.recordsOut, \.bytesIn, \.bytesOut, \.busy, \.backpressured, \.idle,
        ]

        mutating func drop(_ count: Int) {
            for column in Series.columns { self[keyPath: column].removeFirst(count) }
            watermark.removeFirst(count)
        }
    }

    fileprivate struct Past {
        var timestamps: [Int64] = []
        var vertices: [String: Series] = [:]
        var last: [SubtaskID: TaskMetrics] = [:]
        var before: [SubtaskID: TaskMetrics] = [:]
        /// Completed checkpoints of the last hour, oldest first: the job's own history may hold ten.
        var checkpoints: [History.Checkpoint] = []
        /// Oldest first.
        var keyGroups: [(at: Int64, of: [SubtaskID: KeyGroups])] = []
    }

    private let jobs = Mutex<[JobID: Past]>([:])
    private let starts = Mutex(TaskStarts())

    /// Takes the points of one moment. Jobs that are gone from the view are forgotten.
    func note(_ view: ClusterView, at now: Int64) {
        jobs.withLock { jobs in
            let known = Set(view.jobs.map(\.id))
            jobs = jobs.filter { known.contains($0.key) }
            for job in view.jobs where !job.status.isTerminal { jobs[job.id, default: Past()].note(job, at: now) }
        }
    }

    /// Looks at what runs, more often than points are taken.
    func noteStarts(_ view: ClusterView, at now: Int64) {
        starts.withLock { starts in
            starts.keep(only: Set(view.jobs.map(\.id)))
            for job in view.jobs { starts.note(job, view.history, at: now) }
        }
    }

    /// `changes`: as old as `job`.
    func times(_ job: JobView, _ changes: ClusterHistory, now: Int64) -> SubtaskTimes {
        let young = starts.withLock { starts in
            starts.note(job, changes, at: now)
            return starts.young(in: job.id)
        }
        return SubtaskTimes(job: job, young: young, now: now)
    }

    /// Of each subtask between the last two points; of a task that is younger, since it began. Nil before its first report.
    func loads(_ job: JobID, _ vertex: JobView.Vertex) -> [Load?] {
        jobs.withLock { jobs in
            let past = jobs[job]
            let loads = past?.vertices[vertex.id]?.loads ?? [:]
            return vertex.subtasks.map { subtask in
                if past?.last[subtask.id]?.task.attempt == subtask.attempt, let load = loads[subtask.id.index] { return load }
                return subtask.metrics.flatMap { Load($0, since: nil) }
            }
        }
    }

    /// What the key groups of a vertex had got about a minute ago, or when the job began.
    func keyGroups(_ job: JobID, vertex: Int) -> [SubtaskID: KeyGroups] {
        jobs.withLock { $0[job]?.keyGroups.first?.of.filter { $0.key.vertex == vertex } ?? [:] }
    }

    /// A subtask's figures at the last point, by Flink's names, then those of its operators (`Calc[2].numRecordsIn`); empty before the first. `wanted`: nil for all.
    func figures(_ job: JobView, _ subtask: JobView.Subtask, _ wanted: WantedFigures?) -> [(name: String, value: Double)] {
        reading(job.id, subtask).map { figures(of: job.graph.vertices[subtask.id.vertex], $0, wanted) } ?? []
    }

    /// The same of several subtasks of one vertex, one list each.
    func figures(_ job: JobView, vertex: Int, _ subtasks: [JobView.Subtask], _ wanted: WantedFigures?) -> [[(name: String, value: Double)]] {
        let vertex = job.graph.vertices[vertex]
        return readings(job.id, subtasks).map { $0.map { figures(of: vertex, $0, wanted) } ?? [] }
    }

    /// The same, a list for each name.
    func columns(_ job: JobView, vertex: Int, _ subtasks: [JobView.Subtask], _ wanted: WantedFigures) -> [(name: String, numbers: [Double])] {
        wanted.columns(of: job.graph.vertices[vertex], readings(job.id, subtasks).compactMap { $0 })
    }

    private func figures(of vertex: JobVertex, _ reading: TaskReading, _ wanted: WantedFigures?) -> [(name: String, value: Double)] {
        if let wanted { return wanted.figures(of: vertex, reading) }
        return TaskFigures.named(reading)
            + OperatorFigures.all(of: vertex, reading).flatMap { part in
                let prefix = part.queryName + "."
                return part.figures.map { (prefix + $0.name, $0.value) }
            }
    }

    /// A subtask's report at the last point beside that of the point before; of a task that is younger, all since it began. Nil before its first report.
    func reading(_ job: JobID, _ subtask: JobView.Subtask) -> TaskReading? { readings(job, [subtask])[0] }

    /// One for each subtask.
    private func readings(_ job: JobID, _ subtasks: [JobView.Subtask]) -> [TaskReading?] {
        jobs.withLock { jobs in
            let past = jobs[job]
            let points = past?.timestamps.suffix(2) ?? []
            let elapsed = (points.last ?? 0) - (points.first ?? 0)
            return subtasks.map { subtask in
                guard let last = past?.last[subtask.id], last.task.attempt == subtask.attempt else { return subtask.metrics.map { TaskReading(sinceItsStart: $0) } }
                guard let before = past?.before[subtask.id], before.task == last.task else { return TaskReading(sinceItsStart: last) }
                return TaskReading(last, before: before, elapsed: .milliseconds(elapsed))
            }
        }
    }

    func json(_ job: JobView, since: Int64, now: Int64) -> JSON {
        let past = jobs.withLock { $0[job.id] } ?? Past()
        let first = past.timestamps.firstIndex { $0 > since } ?? past.timestamps.count
        func numbers(_ values: [Double?]) -> JSON { .array(values[first...].map { $0.map { .number(rounded($0)) } ?? nil }) }
        return [
            "now": .integer(now), "interval": .integer(History.interval.milliseconds), "timestamps": .array(past.timestamps[first...].map { .integer($0) }),
            "vertices": .object(job.vertices.compactMap { vertex in
                guard let series = past.vertices[vertex.id] else { return nil }
                return (
                    vertex.id,
                    [
                        "records-in-per-second": numbers(series.recordsIn), "records-out-per-second": numbers(series.recordsOut),
                        "bytes-in-per-second": numbers(series.bytesIn), "bytes-out-per-second": numbers(series.bytesOut), "busy": numbers(series.busy),
                        "backpressured": numbers(series.backpressured), "idle": numbers(series.idle),
                        "watermark": .array(series.watermark[first...].map { $0.map { .integer($0) } ?? nil }),
                    ]
                )
            }),
            "checkpoints": .array(past.checkpoints(since: since).map { record in
                [
                    "id": .integer(Int64(record.id)), "trigger_timestamp": .integer(record.triggered), "is_savepoint": .bool(record.isSavepoint),
                    "end_to_end_duration": .integer(record.durationMilliseconds), "state_size": .integer(record.stateBytes),
                ]
            }),
            "course": .array(job.course.map { ["state": .string($0.status.rawValue), "at": .integer($0.at)] }),
            "events": .array(events(of: job).filter { $0.at > since }.map { ["at": .integer($0.at), "kind": .string($0.kind), "text": .string($0.text)] }),
        ]
    }

    private func rounded(_ number: Double) -> Double { (number * 1000).rounded() / 1000 }

    private func events(of job: JobView) -> [(at: Int64, kind: String, text: String)] {
        var events = job.failures.map { (at: $0.at, kind: "failure", text: $0.error.message) }
        if let restored = job.checkpoints.restored {
            events.append((restored.at, "restore", "restored from checkpoint \(restored.checkpoint)"))
        }
        for record in job.checkpoints.history where record.kind.isSavepoint && record.status == .completed {
            events.append((record.ended ?? record.triggered, "savepoint", "savepoint \(record.id)"))
        }
        return events.sorted { $0.at < $1.at }
    }
}

extension History.Past {
    /// Those that ended after `since`.
    fileprivate func checkpoints(since: Int64) -> ArraySlice<History.Checkpoint> {
        checkpoints[(checkpoints.firstIndex { $0.ended > since } ?? checkpoints.count)...]
    }

    private mutating func noteCheckpoints(_ job: JobView, at now: Int64) {
        let last = checkpoints.last?.id ?? 0
        for record in job.checkpoints.history where record.status == .completed && record.id > last {
            checkpoints.append(History.Checkpoint(record, ended: record.ended ?? now))
        }
        let horizon = now - History.interval.milliseconds * Int64(History.points)
        checkpoints.removeAll { $0.ended < horizon }
        if checkpoints.count > History.mostCheckpoints { checkpoints.removeFirst(checkpoints.count - History.mostCheckpoints) }
    }

    fileprivate mutating func note(_ job: JobView, at now: Int64) {
        noteCheckpoints(job, at: now)
        let seconds = timestamps.last.map { Double(now - $0) / 1000 }
        before = last
        let full = timestamps.count == History.points
        timestamps.append(now)
        if full { timestamps.removeFirst() }
        for vertex in job.vertices {
            var series = vertices[vertex.id] ?? History.Series()
            // A vertex is there from the start; a gap would shift its columns.
            if full { series.drop(1) }
            let olds = vertex.subtasks.map { last[$0.id] }
            /// How much a counter rose; nil when it is not known, and after a restart, when it begins again.
            func rise(_ index: Int, _ part: KeyPath<TaskMetrics, Int64>) -> Double? {
                guard let metrics = vertex.subtasks[index].metrics, let old = olds[index], old.task == metrics.task else { return nil }
                return Double(max(0, metrics[keyPath: part] - old[keyPath: part]))
            }
            func rate(_ part: KeyPath<TaskMetrics, Int64>) -> Double? {
                let rises = vertex.subtasks.indices.compactMap { rise($0, part) }
                guard let seconds, seconds > 0, rises.count == vertex.subtasks.count else { return nil }
                return rises.reduce(0, +) / seconds
            }
            series.loads = [:]
            for (subtask, old) in zip(vertex.subtasks, olds) {
                guard let metrics = subtask.metrics else { continue }
                series.loads[subtask.id.index] = History.Load(metrics, since: old?.task == metrics.task ? old : nil)
            }
            // As in Flink's graph the fullest subtask speaks for all: with a hot key the others have nothing to do.
            let fullest = series.loads.values.min { $0.idle < $1.idle }
            series.recordsIn.append(rate(\.rowsIn))
            series.recordsOut.append(rate(\.rowsOut))
            series.bytesIn.append(rate(\.bytesIn))
            series.bytesOut.append(rate(\.bytesOut))
            series.busy.append(fullest?.busy)
            series.backpressured.append(fullest?.backpressured)
            series.idle.append(fullest?.idle)
            let watermarks = vertex.subtasks.map { $0.metrics?.watermark ?? Watermark.minimum }
            series.watermark.append(watermarks.min().flatMap { $0 > Watermark.minimum && $0 < Int64.max ? $0 : nil })
            for subtask in vertex.subtasks { last[subtask.id] = subtask.metrics }
            vertices[vertex.id] = series
        }
        guard now - (keyGroups.last?.at ?? 0) >= History.keyGroupsInterval else { return }
        keyGroups.append((now, last.compactMapValues { $0.keyGroups.isEmpty ? nil : History.KeyGroups(task: $0.task, loads: $0.keyGroups) }))
        if keyGroups.count > History.keyGroupNotes { keyGroups.removeFirst() }
    }
}

extension RESTService {
    func addHistoryRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/jobs/:job/history") { request, context in
            let since = request.uri.queryParameters["since"].flatMap { Int64($0) } ?? 0
            return Response.json(history.json(try await job(context), since: since, now: SystemClock.wallMilliseconds()))
        }
    }

    /// A change of the layout is over in a second or two: what it does to latency is looked at more often than points are taken.
    private static let looksAPoint = 5
    private static let looksAProcessPoint = 10

    /// Runs as long as the server does.
    func keepHistory() async {
        var turn = 0
        while !Task.isCancelled {
            let (view, now) = (await jobManager.view(), SystemClock.wallMilliseconds())
            latencies.note(view, at: now)
            history.noteStarts(view, at: now)
            if turn % RESTService.looksAPoint == 0 {
                history.note(view, at: now)
                loads.note(view, at: now)
                noteMachines(view, at: now)
            }
            if turn % RESTService.looksAProcessPoint == 0 { noteProcesses(view, at: now) }
            turn += 1
            try? await Task.sleep(for: History.interval / RESTService.looksAPoint)
        }
    }
}
