import Dataflow
import Hosts
import JobControl
import Wire

/// The last hour of every process of the cluster, a point every ten seconds: what the charts of a JobManager or TaskManager are drawn from.
///
/// Some 30 KB a process, of at most `mostProcesses`; one that has left is kept until its hour is over.
package struct ProcessHistory: Sendable {
    package struct Point: Hashable, Sendable {
        /// Milliseconds since the epoch.
        package var at: Int64
        /// Processors that were busy with it since the point before. Nil, as all that follow: it did not tell.
        package var processors: Double?
        /// Memory of its own, and all that is resident, in bytes.
        package var usedBytes: Double?
        package var residentBytes: Double?
        package var threads: Double?
        package var openFiles: Double?
        /// Of the tasks that run there, a second.
        package var rowsIn: Double?
        package var rowsOut: Double?
        package var bytesIn: Double?
        package var bytesOut: Double?

        package init(at: Int64) { self.at = at }
    }

    private struct Series: Sendable {
        var points: [Point] = []
        /// Nanoseconds of processor time, and when they were told.
        var last: (cpu: Double, at: Int64)?
    }

    package static let interval = Duration.seconds(10)
    package static let kept = 360
    package static let mostProcesses = 200

    /// The JobManager has no id.
    private var series: [WorkerID?: Series] = [:]
    private var tasks: [TaskID: (worker: WorkerID, metrics: TaskMetrics)] = [:]
    private var lastNote: Int64?

    package init() {}

    package func points(_ process: WorkerID?) -> [Point] { series[process]?.points ?? [] }

    /// Begins a point of each process that is there; `found` adds what it tells of itself.
    package mutating func note(_ workers: [WorkerID], _ running: [(worker: WorkerID, metrics: TaskMetrics)], at now: Int64) {
        var rises: [WorkerID: Point] = [:]
        let seconds = lastNote.map { Double(now - $0) / 1000 } ?? 0
        for (worker, metrics) in running where seconds > 0 {
            // A task that was not there before began in between.
            let before = tasks[metrics.task]?.metrics ?? TaskMetrics(task: metrics.task)
            func add(_ sum: WritableKeyPath<Point, Double?>, _ part: KeyPath<TaskMetrics, Int64>) {
                let rise = Double(max(0, metrics[keyPath: part] - before[keyPath: part])) / seconds
                rises[worker, default: Point(at: now)][keyPath: sum] = (rises[worker]?[keyPath: sum] ?? 0) + rise
            }
            add(\.rowsIn, \.rowsIn)
            add(\.rowsOut, \.rowsOut)
            add(\.bytesIn, \.bytesIn)
            add(\.bytesOut, \.bytesOut)
        }
        tasks = Dictionary(running.map { ($0.metrics.task, $0) }) { first, _ in first }
        lastNote = now
        for process in [nil] + workers.map(Optional.init) {
            var point = process.flatMap { rises[$0] } ?? Point(at: now)
            if process != nil, seconds > 0, point.rowsIn == nil { (point.rowsIn, point.rowsOut, point.bytesIn, point.bytesOut) = (0, 0, 0, 0) }
            series[process, default: Series()].points.append(point)
        }
        let horizon = now - ProcessHistory.interval.milliseconds * Int64(ProcessHistory.kept)
        for (process, one) in series {
            let old = one.points.firstIndex { $0.at > horizon } ?? one.points.count
            if old == one.points.count { series[process] = nil } else if old > 0 { series[process]?.points.removeFirst(old) }
        }
        if series.count > ProcessHistory.mostProcesses + 1 {
            // Those that have been silent for longest go first.
            let order = series.compactMap { key, one in key.map { ($0, one.points.last?.at ?? 0) } }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
            for (worker, _) in order.prefix(series.count - ProcessHistory.mostProcesses - 1) { series[worker] = nil }
        }
    }

    /// What a process tells of itself, by Flink's names; it belongs to the point of that moment.
    package mutating func found(_ process: WorkerID?, _ figures: [String: Double], at now: Int64) {
        guard let index = series[process]?.points.lastIndex(where: { $0.at == now }) else { return }
        func take(_ part: WritableKeyPath<Point, Double?>, _ name: String) { series[process]?.points[index][keyPath: part] = figures[name] }
        take(\.usedBytes, "Status.JVM.Memory.Heap.Used")
        take(\.residentBytes, "Status.JVM.Memory.Heap.Committed")
        take(\.threads, "Status.JVM.Threads.Count")
        take(\.openFiles, "Status.JVM.FileDescriptor.Open")
        guard let cpu = figures["Status.JVM.CPU.Time"] else { return }
        if let last = series[process]?.last, now > last.at, cpu >= last.cpu {
            series[process]?.points[index].processors = (cpu - last.cpu) / Double(now - last.at) / 1_000_000
        }
        series[process]?.last = (cpu, now)
    }
}

extension ProcessHistory {
    static let columns: [(name: String, part: KeyPath<Point, Double?> & Sendable)] = [
        ("processors", \.processors), ("memory-used", \.usedBytes), ("memory-resident", \.residentBytes), ("threads", \.threads), ("open-files", \.openFiles),
        ("records-in-per-second", \.rowsIn), ("records-out-per-second", \.rowsOut), ("bytes-in-per-second", \.bytesIn), ("bytes-out-per-second", \.bytesOut),
    ]

    /// Columns of the points after `since`.
    func json(_ process: WorkerID?, since: Int64, now: Int64) -> JSON {
        let points = points(process).filter { $0.at > since }
        return .object(
            [
                ("now", .integer(now)), ("interval", .integer(ProcessHistory.interval.milliseconds)), ("timestamps", .array(points.map { .integer($0.at) })),
            ]
                + ProcessHistory.columns.map { column in
                    (column.name, .array(points.map { $0[keyPath: column.part].map { .number(($0 * 1000).rounded() / 1000) } ?? nil }))
                })
    }
}
