import Dataflow
import Wire

/// A task's last report beside the one before it.
package struct TaskReading: Sendable {
    package let metrics: TaskMetrics
    /// Of the same attempt; nil: there is none.
    package let before: TaskMetrics?
    let seconds: Double

    package init(_ metrics: TaskMetrics, before: TaskMetrics?, elapsed: Duration) {
        self.metrics = metrics
        self.before = before
        seconds = Double(elapsed.milliseconds) / 1000
    }

    /// Of a task without a report before this one. Counters begin with the task, and it is busy, idle or held back all of its time: rates are those of its whole life.
    package init(sinceItsStart metrics: TaskMetrics) {
        var start = TaskMetrics(task: metrics.task)
        start.operators = metrics.operators.map { _ in OperatorMetrics(rowsIn: 0, rowsOut: 0) }
        self.init(metrics, before: start, elapsed: .milliseconds(metrics.busyMilliseconds + metrics.idleMilliseconds + metrics.backpressuredMilliseconds))
    }

    /// A second, over the time between the two; 0 without it.
    func rate(_ part: (TaskMetrics) -> Int64) -> Double {
        guard let before, seconds > 0 else { return 0 }
        return Double(max(0, part(metrics) - part(before))) / seconds
    }
}

extension TaskFigures {
    /// Flink's names of a task's figures; nil: it has no such figure.
    private static let catalogue: [(name: String, value: @Sendable (TaskReading) -> Double?)] = [
        ("numRecordsIn", { Double($0.metrics.rowsIn) }), ("numRecordsInPerSecond", { $0.rate(\.rowsIn) }),
        ("numRecordsOut", { Double($0.metrics.rowsOut) }), ("numRecordsOutPerSecond", { $0.rate(\.rowsOut) }),
        ("numBytesIn", { Double($0.metrics.bytesIn) }), ("numBytesInPerSecond", { $0.rate(\.bytesIn) }),
        ("numBytesOut", { Double($0.metrics.bytesOut) }), ("numBytesOutPerSecond", { $0.rate(\.bytesOut) }),
        ("numBuffersOut", { Double($0.metrics.batchesOut) }), ("numBuffersOutPerSecond", { $0.rate(\.batchesOut) }),
        ("busyTimeMsPerSecond", { min(1000, $0.rate(\.busyMilliseconds)) }), ("idleTimeMsPerSecond", { min(1000, $0.rate(\.idleMilliseconds)) }),
        ("backPressuredTimeMsPerSecond", { min(1000, $0.rate(\.backpressuredMilliseconds)) }),
        ("accumulateBusyTimeMs", { Double($0.metrics.busyMilliseconds) }), ("accumulateIdleTimeMs", { Double($0.metrics.idleMilliseconds) }),
        ("accumulateBackPressuredTimeMs", { Double($0.metrics.backpressuredMilliseconds) }),
        ("isBackPressured", { $0.rate(\.backpressuredMilliseconds) > 500 ? 1 : 0 }), ("numLateRecordsDropped", { Double($0.metrics.lateRows) }),
        ("numRecordsSkipped", { Double($0.metrics.skippedRows) }), ("stateSizeBytes", { Double($0.metrics.stateBytes) }),
        ("currentInputWatermark", { $0.metrics.watermark > Watermark.minimum ? Double($0.metrics.watermark) : nil }),
        (SourceGauge.pendingRows, { $0.metrics.pendingRows >= 0 ? Double($0.metrics.pendingRows) : nil }),
        (SourceGauge.lagMilliseconds, { $0.metrics.lagMilliseconds >= 0 ? Double($0.metrics.lagMilliseconds) : nil }),
        ("keyGroupSkew", { skew($0.metrics.keyGroups) }),
    ]
    private static let byName = Dictionary(catalogue.map { ($0.name, $0.value) }) { first, _ in first }

    /// The fullest key group's rows by the mean of all the subtask's: 1 is even, and as many as it has is one hot key. Nobody can share out what is in one key group,
    /// so empty ones count: the work of `n` key groups finds room on `n` divided by this many subtasks at most.
    private static func skew(_ groups: [KeyGroupLoad]) -> Double? {
        if groups.isEmpty { return nil }
        let (most, all) = (groups.map(\.rows).max() ?? 0, groups.reduce(0) { $0 + $1.rows })
        return all > 0 ? Double(most) * Double(groups.count) / Double(all) : 1
    }

    /// All of one task's figures by Flink's names, then the source's own.
    package static func named(_ reading: TaskReading) -> [(name: String, value: Double)] {
        catalogue.compactMap { figure in figure.value(reading).map { (figure.name, $0) } }
            + reading.metrics.gauges.sorted { $0.key < $1.key }.map { ($0.key, Double($0.value)) }
    }

    package static func value(of name: String, _ reading: TaskReading) -> Double? {
        figure(name)(reading)
    }

    /// What reads the figure of that name, of any number of tasks.
    package static func figure(_ name: String) -> (TaskReading) -> Double? {
        byName[name] ?? { $0.metrics.gauges[name].map { Double($0) } }
    }
}
