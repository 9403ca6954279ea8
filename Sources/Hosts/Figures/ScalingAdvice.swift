import Dataflow
import Wire

/// How many subtasks a job would need for what comes in: DS2's answer from the time that tasks were really busy, not from the machine's CPU.
///
/// A task's *true rate* is its rows by its busy time. A source should read what comes in now, what the backlog grows by, and the backlog itself
/// within `catchUp`; every vertex behind it gets the same share more. What a vertex should take over what one subtask can is its load in busy
/// threads. Slots are threads that a job's vertices share: the job's load is the sum.
/// Source: Kalavri et al., "Three steps is all you need" (OSDI 2018); the Flink Kubernetes Operator's autoscaler for backlog and utilization.
package struct ScalingAdvice: Hashable, Sendable {
    package struct Options: Hashable, Sendable {
        /// Share of time in which tasks should be busy, above 0 and at most 1.
        package var utilization = 0.7
        /// How long working off the backlog may take.
        package var catchUp = Duration.seconds(60)

        package init() {}
    }

    /// What one subtask did between two reports.
    package struct Work: Hashable, Sendable {
        package var subtask: SubtaskID
        /// A planned change has ended the task; its rows go on elsewhere.
        package var hasEnded: Bool
        package var rowsIn: Double
        package var rowsOut: Double
        /// Seconds; together the time between the reports.
        package var busy: Double
        package var idle: Double
        package var backpressured: Double
        /// At the second report; nil: not known.
        package var pendingRows: Int64?
        package var lagMilliseconds: Int64?
        /// By how much the rows that wait became more.
        package var pendingGrowth: Double

        package var seconds: Double { busy + idle + backpressured }
        /// Rows a second of busy time; nil: it was not busy for as much as a millisecond.
        package var trueRate: Double? { busy >= 0.001 && rowsIn > 0 ? rowsIn / busy : nil }

        /// Nil when the reports are of different attempts, or no time lies between them.
        package init?(from first: TaskMetrics, to last: TaskMetrics, hasEnded: Bool = false) {
            guard first.task == last.task else { return nil }
            self.hasEnded = hasEnded
            func rise(_ part: KeyPath<TaskMetrics, Int64>) -> Double { Double(max(0, last[keyPath: part] - first[keyPath: part])) }
            subtask = last.task.subtask
            (rowsIn, rowsOut) = (rise(\.rowsIn), rise(\.rowsOut))
            (busy, idle, backpressured) = (
                rise(\.busyMilliseconds) / 1000, rise(\.idleMilliseconds) / 1000, rise(\.backpressuredMilliseconds) / 1000
            )
            // Of ended tasks others tell.
            pendingRows = last.pendingRows < 0 || hasEnded ? nil : last.pendingRows
            lagMilliseconds = last.lagMilliseconds < 0 || hasEnded ? nil : last.lagMilliseconds
            pendingGrowth = first.pendingRows < 0 || last.pendingRows < 0 ? 0 : Double(last.pendingRows - first.pendingRows)
            guard seconds > 0 else { return nil }
        }
    }

    package struct Vertex: Hashable, Sendable {
        /// By subtask; those of which there are no two reports are left out.
        package var work: [Work]
        /// Rows a second.
        package var rate: Double
        /// Of one subtask that is always busy; nil: not known.
        package var trueRate: Double?
        /// Rows a second that should come in.
        package var target: Double
        /// Busy threads that the target needs; nil: not known.
        package var load: Double?
        package var parallelism: Int
    }

    package let vertices: [Vertex]
    /// Slots that the job needs; nil when nothing was measured.
    package let parallelism: Int?
    /// Rows that wait at sources, and the greatest lag; nil: no source knows.
    package let pendingRows: Int64?
    package let lagMilliseconds: Int64?

    /// `current`: subtasks of each vertex.
    package init(graph: JobGraph, current: [Int], work: [Work], options: Options) {
        let byVertex = Dictionary(grouping: work, by: \.subtask.vertex)
        var vertices: [Vertex] = []
        // A vertex's inputs stand before it.
        var more = [Double](repeating: 1, count: graph.vertices.count)
        for vertex in graph.vertices.indices {
            let work = (byVertex[vertex] ?? []).sorted { $0.subtask < $1.subtask }
            let span = ScalingAdvice.seconds(work)
            let rate = work.isEmpty ? 0 : work.reduce(0) { $0 + $1.rowsIn } / span
            if graph.vertices[vertex].source != nil {
                more[vertex] = rate > 0 ? ScalingAdvice.sourceTarget(work, rate, span, options) / rate : 1
            } else {
                let inputs = graph.inputs(of: vertex).map { graph.edges[$0].source }
                let weights = inputs.map { input in max(1e-9, (byVertex[input] ?? []).reduce(0) { $0 + $1.rowsOut }) }
                let all = weights.reduce(0, +)
                more[vertex] = inputs.isEmpty ? 1 : zip(inputs, weights).reduce(0) { $0 + more[$1.0] * $1.1 / all }
            }
            let busy = work.reduce(0) { $0 + ($1.rowsIn > 0 ? $1.busy : 0) }
            let trueRate = busy >= 0.001 ? work.reduce(0) { $0 + $1.rowsIn } / busy : nil
            let target = rate * more[vertex]
            let load = trueRate.map { target / $0 }
            let needed = load.map { min(Int(($0 / options.utilization - 1e-9).rounded(.up)), graph.maxParallelism) } ?? 1
            vertices.append(
                Vertex(work: work, rate: rate, trueRate: trueRate, target: target, load: load, parallelism: work.isEmpty ? current[vertex] : max(1, needed)))
        }
        self.vertices = vertices
        let loads = vertices.compactMap(\.load)
        parallelism =
            work.isEmpty ? nil : max(1, min(Int((loads.reduce(0, +) / options.utilization - 1e-9).rounded(.up)), graph.maxParallelism))
        let pending = work.compactMap(\.pendingRows)
        pendingRows = pending.isEmpty ? nil : pending.reduce(0, +)
        lagMilliseconds = work.compactMap(\.lagMilliseconds).max()
    }

    /// Without a known backlog a source that is held back would read more: as much as it does in the time in which it is not.
    private static func sourceTarget(_ work: [Work], _ rate: Double, _ span: Double, _ options: Options) -> Double {
        let pending = work.compactMap(\.pendingRows)
        if !pending.isEmpty {
            let growth = work.reduce(0) { $0 + $1.pendingGrowth } / span
            return max(0, rate + growth) + Double(pending.reduce(0, +)) / max(1, Double(options.catchUp.milliseconds) / 1000)
        }
        return work.reduce(0) { $0 + $1.rowsIn / (1 - min(0.95, $1.backpressured / $1.seconds)) } / span
    }

    /// Between the first report and the last. A planned change gives a subtask another task: their times follow each other.
    private static func seconds(_ work: [Work]) -> Double {
        Dictionary(work.map { ($0.subtask, $0.seconds) }) { $0 + $1 }.values.max() ?? 0
    }
}
