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

    /// The fullest key group by the mean of those that have rows: where there are fewer keys than key groups most of these are empty, and say nothing.
    private static func skew(_ groups: [KeyGroupLoad]) -> Double? {
        if groups.isEmpty { return nil }
        let rows = groups.map(\.rows).filter { $0 > 0 }
        return Double(rows.max() ?? 1) * Double(max(1, rows.count)) / Double(max(1, rows.reduce(0, +)))
    }

    /// All of one task's figures by Flink's names, then the source's own.
    package static func named(_ reading: TaskReading) -> [(name: String, value: Double)] {
        catalogue.compactMap { figure in figure.value(reading).map { (figure.name, $0) } }
            + reading.metrics.gauges.sorted { $0.key < $1.key }.map { ($0.key, Double($0.value)) }
    }

    package static func value(of name: String, _ reading: TaskReading) -> Double? {
        if let value = byName[name] { return value(reading) }
        return reading.metrics.gauges[name].map { Double($0) }
    }
}
