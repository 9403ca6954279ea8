import Dataflow
import JobControl
import Wire

/// What a change of the layout did to a job's latency: how far its last operators' watermark was behind the clock, before and during it.
///
/// The watermarks are those of the TaskManagers' reports (twice a second), so what is shorter than that does not show.
package struct LayoutLatency: Sendable {
    package struct Cost: Hashable, Sendable {
        /// The usual lag in the minute before it, and the greatest one from its plan until some seconds after its end. Milliseconds.
        package var before: Int64
        package var during: Int64

        package init(before: Int64, during: Int64) { (self.before, self.during) = (before, during) }
    }

    private struct Sample {
        var at: Int64
        var lag: Int64
    }

    private struct Open {
        var layout: LayoutEpoch
        var started: Int64
        var before: Int64
        var most: Int64
        /// Nil while the change runs.
        var until: Int64?
    }

    private static let beforeMilliseconds: Int64 = 60_000
    private static let afterMilliseconds: Int64 = 5_000
    /// Event time that is so far away says nothing of latency: old rows are read.
    private static let mostMilliseconds: Int64 = 3_600_000
    private static let kept = 200

    private var samples: [JobID: [Sample]] = [:]
    private var watermarks: [JobID: Int64] = [:]
    private var open: [JobID: Open] = [:]
    private var costs: [(job: JobID, layout: LayoutEpoch, cost: Cost)] = []

    package init() {}

    package func cost(_ job: JobID, _ layout: LayoutEpoch) -> Cost? { costs.last { $0.job == job && $0.layout == layout }?.cost }

    /// One moment of a running job. `watermark`: the least of its last operators; nil when one of them has not said any.
    package mutating func note(_ job: JobID, watermark: Int64?, changing layout: LayoutEpoch?, at now: Int64) {
        // Tasks that begin have said nothing yet: time goes on for what the others have not told.
        if let watermark { watermarks[job] = watermark }
        guard let watermark = watermark ?? watermarks[job], now - watermark <= Self.mostMilliseconds, watermark <= now + Self.mostMilliseconds else { return }
        let lag = max(0, now - watermark)
        if let layout, open[job]?.layout != layout {
            close(job)
            let earlier = (samples[job] ?? []).map(\.lag).sorted()
            if !earlier.isEmpty { open[job] = Open(layout: layout, started: now, before: earlier[earlier.count / 2], most: lag) }
        }
        if var change = open[job] {
            change.most = max(change.most, lag)
            if layout == nil, change.until == nil { change.until = now + Self.afterMilliseconds }
            open[job] = change
            if let until = change.until, until <= now { close(job) }
        } else {
            samples[job, default: []].append(Sample(at: now, lag: lag))
            samples[job]?.removeAll { now - $0.at > Self.beforeMilliseconds }
        }
    }

    package mutating func keep(only jobs: Set<JobID>) {
        samples = samples.filter { jobs.contains($0.key) }
        watermarks = watermarks.filter { jobs.contains($0.key) }
        open = open.filter { jobs.contains($0.key) }
    }

    private mutating func close(_ job: JobID) {
        guard let change = open.removeValue(forKey: job) else { return }
        costs.append((job, change.layout, Cost(before: change.before, during: change.most)))
        if costs.count > Self.kept { costs.removeFirst() }
    }
}

extension LayoutLatency {
    mutating func note(_ view: ClusterView, at now: Int64) {
        let running = view.jobs.filter { $0.status == .running }
        keep(only: Set(running.map(\.id)))
        for job in running {
            let sources = Set(job.graph.edges.map(\.source))
            let last = job.vertices.indices.filter { !sources.contains($0) }.flatMap { job.vertices[$0].subtasks }.map { $0.metrics?.watermark ?? Watermark.minimum }
            let least = last.min().flatMap { $0 > Watermark.minimum && $0 < Int64.max ? $0 : nil }
            // Many a change is over between two looks.
            let changes = view.history.inProgress + view.history.changes.suffix(20).filter { $0.started + ($0.ended ?? 0) + 1100 >= now }
            note(job.id, watermark: least, changing: changes.first { $0.job == job.id && cost(job.id, $0.layout) == nil }?.layout, at: now)
        }
    }
}
