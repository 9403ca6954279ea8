import Dataflow
import Expressions

/// What the clock on which windows lie shows when a watermark comes: of a zone, or the watermark's own.
struct WindowClock {
    private let zone: ZoneRules?

    init(_ spec: WindowAggregateSpec) {
        zone = spec.zone.map { name in
            guard let zone = ZoneRules(named: name) else { preconditionFailure("the factory refuses zones that do not exist") }
            return zone
        }
    }

    /// A window is over once this has reached its end − 1. Where clocks are set back, an hour is over only after its second time.
    /// Source: Flink 2.x, `TimeWindowUtil.toEpochMillsForTimer`.
    func reading(of watermark: Int64) -> Int64 {
        guard let zone, watermark.magnitude < UInt64(SliceGrid.limit) else { return watermark }
        return zone.settledLocal(watermark)
    }
}
