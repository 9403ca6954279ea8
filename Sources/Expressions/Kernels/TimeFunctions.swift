import Columnar

/// EXTRACT and its short forms, FLOOR and CEIL to units, TIMESTAMPADD and -DIFF, the clock. Formats are in `TimeFormats`.
enum TimeFunctions {
    static func kernel(
        _ name: String, _ arguments: [DataType], _ result: DataType, _ constants: [Column?]
    ) throws(EvaluationError) -> Kernel? {
        func unit(_ index: Int) throws(EvaluationError) -> TimeField {
            guard let field = TimeField(constants[index]) else { throw EvaluationError("no such unit of time") }
            return field
        }
        switch name {
        case "YEAR": return field(.year, arguments[0].kind, argument: 0)
        case "QUARTER": return field(.quarter, arguments[0].kind, argument: 0)
        case "MONTH": return field(.month, arguments[0].kind, argument: 0)
        case "WEEK": return field(.week, arguments[0].kind, argument: 0)
        case "DAYOFMONTH": return field(.day, arguments[0].kind, argument: 0)
        case "DAYOFWEEK": return field(.dow, arguments[0].kind, argument: 0)
        case "DAYOFYEAR": return field(.doy, arguments[0].kind, argument: 0)
        case "HOUR": return field(.hour, arguments[0].kind, argument: 0)
        case "MINUTE": return field(.minute, arguments[0].kind, argument: 0)
        case "SECOND": return field(.second, arguments[0].kind, argument: 0)
        case "EXTRACT": return field(try unit(0), arguments[1].kind, argument: 1)
        case "FLOOR", "CEIL": return rounded(try unit(1), arguments[0].kind, up: name == "CEIL")
        case "TIMESTAMPADD": return added(try unit(0), arguments[2].kind)
        case "TIMESTAMPDIFF": return difference(try unit(0), arguments[1].kind)
        case "NOW", "CURRENT_TIMESTAMP", "CURRENT_ROW_TIMESTAMP", "PROCTIME": return clock { now, _ in .integer(now) }
        case "LOCALTIMESTAMP": return clock { now, zone in .integer(zone.local(now, perSecond: 1_000)) }
        case "CURRENT_DATE":
            return clock { now, zone in .integer(TimestampText.floorDivide(zone.local(now, perSecond: 1_000), 86_400_000).0) }
        case "CURRENT_TIME", "LOCALTIME":
            return clock { now, zone in
                .integer(TimestampText.floorDivide(zone.local(now, perSecond: 1_000), 86_400_000).1 / 1_000 * 1_000)
            }
        default: return try TimeFormats.kernel(name, arguments, constants)
        }
    }

    private static func clock(_ body: @escaping @Sendable (Int64, ZoneRules) -> Value) -> Kernel {
        Kernel(
            body: { call in Column.constant(body(call.context.now, call.context.zone), type: call.type, count: call.rows) }, isContextual: true)
    }

    /// The kernel sees its time argument first, whichever place it has.
    private static func onArgument(_ index: Int, _ body: @escaping @Sendable (Call) -> Column) -> Kernel {
        Kernel { call in
            body(Call(arguments: [call.arguments[index]], rows: call.rows, type: call.type, validity: call.validity, context: call.context))
        }
    }

    private static func field(_ field: TimeField, _ kind: TypeKind, argument: Int) -> Kernel? {
        switch kind {
        case .date:
            if field == .epoch { return onArgument(argument) { call in Maps.one(call, Int32.self) { Int64($0) &* 86_400 } } }
            return onArgument(argument) { call in Maps.one(call, Int32.self) { field.ofDay(Int($0)) ?? 0 } }
        case .time:
            return onArgument(argument) { call in Maps.one(call, Int32.self) { field.ofClock(Int64($0), perSecond: 1_000) } }
        case .timestamp, .timestampLTZ:
            guard let second = kind.timeUnit?.ticksPerSecond else { return nil }
            if field == .epoch {
                return onArgument(argument) { call in Maps.one(call, Int64.self) { TimestampText.floorDivide($0, second).0 } }
            }
            let day = second * 86_400
            if field.isOfDay {
                return onArgument(argument) { call in
                    Maps.one(call, Int64.self) { field.ofDay(Int(TimestampText.floorDivide($0, day).0)) ?? 0 }
                }
            }
            return onArgument(argument) { call in
                Maps.one(call, Int64.self) { field.ofClock(TimestampText.floorDivide($0, day).1, perSecond: second) }
            }
        case .intervalDayTime:
            if field == .day || field == .epoch {
                let unit: Int64 = field == .day ? 86_400_000 : 1_000
                return onArgument(argument) { call in Maps.one(call, Int64.self) { $0 / unit } }
            }
            return onArgument(argument) { call in Maps.one(call, Int64.self) { field.ofClock($0 % 86_400_000, perSecond: 1_000) } }
        case .intervalYearMonth:
            let year = field == .year
            return onArgument(argument) { call in Maps.one(call, Int32.self) { Int64(year ? $0 / 12 : $0 % 12) } }
        default: return nil
        }
    }

    private static func rounded(_ field: TimeField, _ kind: TypeKind, up: Bool) -> Kernel? {
        switch kind {
        case .date:
            // Finer units change nothing about a day.
            if field.months == nil, field != .week { return Cast.retyped }
            return Kernel { call in Maps.one(call, Int32.self) { Int32(truncatingIfNeeded: field.rounded(Int($0), up: up)) } }
        case .time:
            guard let step = field.milliseconds, step <= 3_600_000 else { return nil }
            return Kernel { call in Maps.one(call, Int32.self) { Int32(truncatingIfNeeded: Self.step(Int64($0), step, up)) } }
        case .timestamp, .timestampLTZ:
            guard let unit = kind.timeUnit else { return nil }
            if field == .microsecond { return Cast.retyped }
            if let length = field.milliseconds, field != .week {
                let step = length * unit.ticksPerMillisecond
                return Kernel { call in Maps.one(call, Int64.self) { Self.step($0, step, up) } }
            }
            let day = unit.ticksPerSecond * 86_400
            return Kernel { call in
                Maps.one(call, Int64.self) { ticks in
                    let (days, rest) = TimestampText.floorDivide(ticks, day)
                    // Any part of a day leads past it.
                    return Int64(field.rounded(Int(days) + (up && rest > 0 ? 1 : 0), up: up)) &* day
                }
            }
        default: return nil
        }
    }

    @inline(__always) private static func step(_ ticks: Int64, _ step: Int64, _ up: Bool) -> Int64 {
        TimestampText.floorDivide(up ? ticks &+ step &- 1 : ticks, step).0 &* step
    }

    private static func added(_ field: TimeField, _ kind: TypeKind) -> Kernel? {
        func shift<T: FixedWidthInteger & Sendable>(_: T.Type, _ step: Int64) -> Kernel {
            Kernel { call in
                Maps.two(reordered(call), T.self, Int64.self) { T(truncatingIfNeeded: Int64($0) &+ $1 &* step) }
            }
        }
        switch kind {
        case .date:
            if let months = field.months {
                return Kernel { call in
                    Maps.two(reordered(call), Int32.self, Int64.self) {
                        Int32(truncatingIfNeeded: TimeArithmetic.addMonths(Int($0), Int($1) &* months))
                    }
                }
            }
            guard let length = field.milliseconds, length >= 86_400_000 else { return nil }
            return shift(Int32.self, length / 86_400_000)
        case .time:
            guard let length = field.milliseconds else { return nil }
            return Kernel { call in
                Maps.two(reordered(call), Int32.self, Int64.self) {
                    Int32(truncatingIfNeeded: TimestampText.floorDivide(Int64($0) &+ $1 &* length, 86_400_000).1)
                }
            }
        case .timestamp, .timestampLTZ:
            guard let unit = kind.timeUnit else { return nil }
            if let months = field.months {
                let day = unit.ticksPerSecond * 86_400
                return Kernel { call in
                    Maps.two(reordered(call), Int64.self, Int64.self) {
                        TimeArithmetic.addMonths($0, Int($1) &* months, ticksPerDay: day)
                    }
                }
            }
            if field == .microsecond {
                let perSecond = unit.ticksPerSecond
                return Kernel { call in
                    Maps.two(reordered(call), Int64.self, Int64.self) {
                        perSecond >= 1_000_000 ? $0 &+ $1 &* (perSecond / 1_000_000) : $0 &+ $1 / 1_000
                    }
                }
            }
            guard let length = field.milliseconds else { return nil }
            return shift(Int64.self, length * unit.ticksPerMillisecond)
        default: return nil
        }
    }

    /// TIMESTAMPADD(unit, count, point) as (point, count).
    private static func reordered(_ call: Call) -> Call {
        Call(
            arguments: [call.arguments[2], call.arguments[1]], rows: call.rows, type: call.type, validity: call.validity, context: call.context)
    }

    /// Whole units from the first to the second, cut towards zero.
    private static func difference(_ field: TimeField, _ kind: TypeKind) -> Kernel? {
        guard let unit = kind.timeUnit else { return nil }
        func make(_ body: @escaping @Sendable (Int64, Int64) -> Int64) -> Kernel {
            Kernel { call in
                Maps.two(
                    Call(arguments: Array(call.arguments[1...]), rows: call.rows, type: call.type, validity: call.validity, context: call.context),
                    Int64.self, Int64.self) { Int32(truncatingIfNeeded: body($0, $1)) }
            }
        }
        if let length = field.milliseconds {
            let step = length * unit.ticksPerMillisecond
            return make { ($1 &- $0) / step }
        }
        if field == .microsecond {
            let perSecond = unit.ticksPerSecond
            return make { perSecond >= 1_000_000 ? ($1 &- $0) / (perSecond / 1_000_000) : ($1 &- $0) &* 1_000 }
        }
        guard let months = field.months else { return nil }
        let day = unit.ticksPerSecond * 86_400
        return make { Self.months(from: $0, to: $1, ticksPerDay: day) / Int64(months) }
    }

    /// Full months: the day and clock of the month must be reached.
    private static func months(from: Int64, to: Int64, ticksPerDay: Int64) -> Int64 {
        let (fromDays, fromRest) = TimestampText.floorDivide(from, ticksPerDay), (toDays, toRest) = TimestampText.floorDivide(to, ticksPerDay)
        let a = CivilDate(days: Int(fromDays)), b = CivilDate(days: Int(toDays))
        var months = (b.year - a.year) * 12 + b.month - a.month
        let reached = (b.day, toRest), wanted = (a.day, fromRest)
        if months > 0, reached < wanted { months -= 1 }
        if months < 0, reached > wanted { months += 1 }
        return Int64(months)
    }
}
