import Columnar

/// Points in time and intervals under `+ - * /`. Months keep the day, or take the month's last.
enum TimeArithmetic {
    static func kernel(_ sign: String, _ arguments: [DataType], _ result: DataType) -> Kernel? {
        let a = arguments[0].kind
        if arguments.count == 1 { return sign == "-" ? Arithmetic.kernel("-", [DataType(a.isInterval ? integer(a) : a)], result: result) : nil }
        let b = arguments[1].kind
        switch (sign, a.family, b.family) {
        case ("+", .interval, .date), ("+", .interval, .timestamp), ("+", .interval, .time):
            guard let kernel = shift(b, a, 1) else { return nil }
            return Kernel { call throws(EvaluationError) in
                try kernel.body(Call(arguments: [call.arguments[1], call.arguments[0]], rows: call.rows, type: call.type, validity: call.validity, context: call.context))
            }
        case (_, .date, .interval), (_, .timestamp, .interval), (_, .time, .interval):
            return shift(a, b, sign == "-" ? -1 : 1)
        case (_, .interval, .interval):
            return Arithmetic.kernel(sign, [DataType(integer(a)), DataType(integer(b))], result: DataType(integer(a)))
        case ("-", .timestamp, .timestamp):
            let scale = a.timeUnit?.ticksPerMillisecond ?? 1
            return Kernel { call in Maps.two(call, Int64.self, Int64.self) { TimestampText.floorDivide($0 &- $1, scale).0 } }
        case ("*", .interval, .number), ("/", .interval, .number): return scaled(a, b, sign)
        case ("*", .number, .interval):
            guard let kernel = scaled(b, a, sign) else { return nil }
            return Kernel { call throws(EvaluationError) in
                try kernel.body(Call(arguments: [call.arguments[1], call.arguments[0]], rows: call.rows, type: call.type, validity: call.validity, context: call.context))
            }
        default: return nil
        }
    }

    private static func integer(_ interval: TypeKind) -> TypeKind { interval == .intervalYearMonth ? .integer : .bigint }

    private static func shift(_ point: TypeKind, _ interval: TypeKind, _ sign: Int64) -> Kernel? {
        switch (point, interval) {
        case (.date, .intervalYearMonth):
            return Kernel { call in
                Maps.two(call, Int32.self, Int32.self) { Int32(truncatingIfNeeded: addMonths(Int($0), Int(sign) * Int($1))) }
            }
        case (.date, .intervalDayTime):
            return Kernel { call in
                Maps.two(call, Int32.self, Int64.self) { $0 &+ Int32(truncatingIfNeeded: sign &* $1 / 86_400_000) }
            }
        case (.time, .intervalDayTime):
            return Kernel { call in
                Maps.two(call, Int32.self, Int64.self) {
                    Int32(truncatingIfNeeded: TimestampText.floorDivide(Int64($0) &+ sign &* $1, 86_400_000).1)
                }
            }
        case (_, .intervalDayTime) where point.isTimestamp:
            let scale = (point.timeUnit?.ticksPerMillisecond ?? 1) * sign
            return Kernel { call in Maps.two(call, Int64.self, Int64.self) { $0 &+ $1 &* scale } }
        case (_, .intervalYearMonth) where point.isTimestamp:
            let day = (point.timeUnit?.ticksPerSecond ?? 1) * 86_400
            return Kernel { call in
                Maps.two(call, Int64.self, Int32.self) { ticks, months in addMonths(ticks, Int(sign) * Int(months), ticksPerDay: day) }
            }
        default: return nil
        }
    }

    static func addMonths(_ days: Int, _ months: Int) -> Int { CivilDate(days: days).adding(months: months).days }

    static func addMonths(_ ticks: Int64, _ months: Int, ticksPerDay: Int64) -> Int64 {
        let (days, rest) = TimestampText.floorDivide(ticks, ticksPerDay)
        return Int64(addMonths(Int(days), months)) &* ticksPerDay &+ rest
    }

    /// An interval times or by a number: BIGINT or DOUBLE.
    private static func scaled(_ interval: TypeKind, _ number: TypeKind, _ sign: String) -> Kernel? {
        let divide = sign == "/"
        func make<T: FixedWidthInteger & Sendable>(_: T.Type) -> Kernel {
            if number == .double {
                return Kernel { call in
                    Maps.two(call, T.self, Double.self) { CastNumbers.integer(divide ? Double($0) / $1 : Double($0) * $1, T.self) }
                }
            }
            guard divide else { return Kernel { call in Maps.two(call, T.self, Int64.self) { T(truncatingIfNeeded: Int64($0) &* $1) } } }
            return Kernel(
                body: { call throws(EvaluationError) in
                    try Maps.twoOrNull(call, T.self, Int64.self) { value, by throws(EvaluationError) -> T? in
                        guard by != 0 else { throw EvaluationError("/ by zero") }
                        return T(truncatingIfNeeded: Int64(value).dividedReportingOverflow(by: by).partialValue)
                    }
                }, canFail: true)
        }
        return interval == .intervalYearMonth ? make(Int32.self) : make(Int64.self)
    }
}
