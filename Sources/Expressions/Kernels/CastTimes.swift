import Columnar

/// Between dates, times and timestamps. TIMESTAMP_LTZ is read on the session's clock.
enum CastTimes {
    static func kernel(_ source: TypeKind, _ target: TypeKind) -> Kernel? {
        switch (source, target) {
        case (.date, .date): return Cast.retyped
        case (.time, .time(let precision)):
            let step = Int32(power(3 - min(precision, 3)))
            return Kernel { call in Maps.one(call, Int32.self) { $0 / step * step } }
        case (.date, .timestamp(let precision)):
            let day = TimeUnit.of(precision: precision).ticksPerSecond * 86_400
            return Kernel { call in Maps.one(call, Int32.self) { Int64($0) &* day } }
        case (.date, .timestampLTZ(let precision)):
            let second = TimeUnit.of(precision: precision).ticksPerSecond
            return zoned { call, zone in
                Maps.one(call, Int32.self) { zone.instant(ofLocal: Int64($0) &* 86_400 &* second, perSecond: second) }
            }
        case (.time, .timestamp(let precision)), (.time, .timestampLTZ(let precision)):
            // A time alone is one of 1970-01-01.
            let scale = TimeUnit.of(precision: precision).ticksPerMillisecond
            return Kernel { call in Maps.one(call, Int32.self) { Int64($0) &* scale } }
        case (.timestamp(let from), .timestamp(let to)), (.timestampLTZ(let from), .timestampLTZ(let to)):
            let rescale = Ticks(from: from, to: to)
            return rescale.isIdentity ? Cast.retyped : Kernel { call in Maps.one(call, Int64.self) { rescale($0) } }
        case (.timestampLTZ(let from), .timestamp(let to)):
            let second = TimeUnit.of(precision: from).ticksPerSecond, rescale = Ticks(from: from, to: to)
            return zoned { call, zone in Maps.one(call, Int64.self) { rescale(zone.local($0, perSecond: second)) } }
        case (.timestamp(let from), .timestampLTZ(let to)):
            let second = TimeUnit.of(precision: from).ticksPerSecond, rescale = Ticks(from: from, to: to)
            return zoned { call, zone in Maps.one(call, Int64.self) { rescale(zone.instant(ofLocal: $0, perSecond: second)) } }
        case (.timestamp(let precision), .date):
            let day = TimeUnit.of(precision: precision).ticksPerSecond * 86_400
            return Kernel { call in Maps.one(call, Int64.self) { Int32(truncatingIfNeeded: TimestampText.floorDivide($0, day).0) } }
        case (.timestampLTZ(let precision), .date):
            let second = TimeUnit.of(precision: precision).ticksPerSecond
            return zoned { call, zone in
                Maps.one(call, Int64.self) {
                    Int32(truncatingIfNeeded: TimestampText.floorDivide(zone.local($0, perSecond: second), second * 86_400).0)
                }
            }
        case (.timestamp(let precision), .time(let to)):
            let clock = Clock(precision: precision, to: to)
            return Kernel { call in Maps.one(call, Int64.self) { clock($0) } }
        case (.timestampLTZ(let precision), .time(let to)):
            let clock = Clock(precision: precision, to: to), second = TimeUnit.of(precision: precision).ticksPerSecond
            return zoned { call, zone in Maps.one(call, Int64.self) { clock(zone.local($0, perSecond: second)) } }
        default: return nil
        }
    }

    @inline(__always)
    private static func zoned(_ body: @escaping @Sendable (Call, ZoneRules) -> Column) -> Kernel {
        Kernel(body: { call in body(call, call.context.zone) }, isContextual: true)
    }

    static func power(_ n: Int) -> Int64 {
        var value: Int64 = 1
        for _ in 0..<max(n, 0) { value *= 10 }
        return value
    }

    /// Ticks of one precision as those of another, decimals beyond it cut off.
    struct Ticks: Sendable {
        private let multiply: Int64
        private let divide: Int64
        private let step: Int64
        let isIdentity: Bool

        init(from: Int, to: Int) {
            let a = TimeUnit.of(precision: from).ticksPerSecond, b = TimeUnit.of(precision: to).ticksPerSecond
            multiply = max(1, b / a)
            divide = max(1, a / b)
            step = Ticks.step(to)
            isIdentity = a == b && to >= from
        }

        /// Ticks of the smallest decimal that a precision shows.
        static func step(_ precision: Int) -> Int64 {
            TimeUnit.of(precision: precision).ticksPerSecond / CastTimes.power(min(precision, 9))
        }

        @inline(__always) func callAsFunction(_ ticks: Int64) -> Int64 {
            let value = TimestampText.floorDivide(ticks, divide).0 &* multiply
            return step == 1 ? value : TimestampText.floorDivide(value, step).0 &* step
        }
    }

    /// Milliseconds of the day.
    struct Clock: Sendable {
        private let day: Int64
        private let millisecond: Int64
        private let step: Int64

        init(precision: Int, to: Int) {
            let unit = TimeUnit.of(precision: precision)
            day = unit.ticksPerSecond * 86_400
            millisecond = unit.ticksPerMillisecond
            step = CastTimes.power(3 - min(to, 3))
        }

        @inline(__always) func callAsFunction(_ ticks: Int64) -> Int32 {
            let milliseconds = TimestampText.floorDivide(ticks, day).1 / millisecond
            return Int32(truncatingIfNeeded: milliseconds / step * step)
        }
    }
}
