import Columnar

/// Between times and text by patterns. A constant pattern is read once; others once for each change of it.
enum TimeFormats {
    static func kernel(_ name: String, _ arguments: [DataType], _ constants: [Column?]) throws(EvaluationError) -> Kernel? {
        switch name {
        case "DATE_FORMAT": return formatted(arguments[0].kind, try patterns(constants, 1))
        case "FROM_UNIXTIME": return unixTimes(try patterns(constants, 1))
        case "UNIX_TIMESTAMP":
            if arguments.isEmpty {
                return Kernel(
                    body: { call in
                        Column.constant(.integer(TimestampText.floorDivide(call.context.now, 1_000).0), type: call.type, count: call.rows)
                    }, isContextual: true)
            }
            return unixTime(arguments.count == 2 ? try patterns(constants, 1) : nil)
        case "TO_DATE":
            guard arguments.count == 2 else { return Kernel { call throws(EvaluationError) in
                try Maps.fromText(call, Int32.self) { text throws(EvaluationError) -> Int32? in LenientTime.date(text).map { Int32($0) } }
            } }
            return parsed(try patterns(constants, 1)) { day, _ in Int32(truncatingIfNeeded: day) }
        case "TO_TIMESTAMP":
            guard arguments.count == 2 else { return Kernel { call throws(EvaluationError) in
                try Maps.fromText(call, Int64.self) { text throws(EvaluationError) -> Int64? in LenientTime.timestamp(text, precision: 3) }
            } }
            return parsed(try patterns(constants, 1)) { day, rest in Int64(day) * 86_400_000 + rest / 1_000_000 }
        case "TO_TIMESTAMP_LTZ": return try instants(arguments, constants)
        case "CONVERT_TZ": return converted
        default: return nil
        }
    }

    /// Patterns of the rows of one argument.
    struct Patterns: Sendable {
        fileprivate let index: Int
        fileprivate let fixed: DatePattern?
    }

    private static func patterns(_ constants: [Column?], _ index: Int) throws(EvaluationError) -> Patterns {
        guard index < constants.count else { return Patterns(index: index, fixed: try DatePattern("yyyy-MM-dd HH:mm:ss".utf8)) }
        guard let constant = constants[index], !constant.isNull(0) else { return Patterns(index: index, fixed: nil) }
        return Patterns(index: index, fixed: try DatePattern(constant.slice(0)))
    }

    /// The pattern of the current row, read again only when its text changes.
    private struct Current {
        private var text: [UInt8] = []
        private var pattern: DatePattern?

        mutating func of(_ row: Int, _ patterns: Patterns, _ call: Call) throws(EvaluationError) -> DatePattern {
            if let fixed = patterns.fixed { return fixed }
            let slice = call.arguments[patterns.index].slice(row)
            if let pattern, slice.elementsEqual(text) { return pattern }
            text = Array(slice)
            let read = try DatePattern(slice)
            pattern = read
            return read
        }
    }

    private static func formatted(_ kind: TypeKind, _ patterns: Patterns) -> Kernel? {
        let second = kind.timeUnit?.ticksPerSecond
        guard second != nil || kind == .date else { return nil }
        return Kernel { call throws(EvaluationError) in
            let time = call.arguments[0], stride = time.stride
            return try written(call, patterns) { row in
                guard let second else { return (Int(time.column.pointer(Int32.self)[row * stride]), 0) }
                let (days, rest) = TimestampText.floorDivide(time.column.pointer(Int64.self)[row * stride], second * 86_400)
                return (Int(days), rest * (1_000_000_000 / second))
            }
        }
    }

    private static func unixTimes(_ patterns: Patterns) -> Kernel {
        Kernel(
            body: { call throws(EvaluationError) in
                let zone = call.context.zone, seconds = call.arguments[0]
                return try written(call, patterns) { row in
                    let instant = seconds.column.pointer(Int64.self)[row * seconds.stride]
                    let (days, rest) = TimestampText.floorDivide(zone.local(instant, perSecond: 1), 86_400)
                    return (Int(days), rest * 1_000_000_000)
                }
            }, isContextual: true)
    }

    @inline(__always)
    private static func written(
        _ call: Call, _ patterns: Patterns, _ body: (Int) -> (days: Int, nanoseconds: Int64)
    ) throws(EvaluationError) -> Column {
        var builder = TextBuilder(type: call.type, rows: call.rows, bytes: call.rows * 20)
        var current = Current()
        // Rows of the same day under a pattern of days repeat the bytes of the one before.
        var lastDay = Int.min, lastStart = 0, lastCount = 0
        let repeats = patterns.fixed?.isOfDay ?? false
        for row in 0..<call.rows {
            if call.isNull(row) { builder.endRow(); continue }
            let (days, nanoseconds) = body(row)
            if repeats, days == lastDay {
                let room = builder.room(lastCount)
                room.update(from: room - (builder.used - lastStart), count: lastCount)
                lastStart = builder.used
                builder.advance(lastCount)
                builder.endRow()
                continue
            }
            let pattern = try current.of(row, patterns, call)
            let room = builder.room(pattern.maximumLength)
            lastStart = builder.used
            lastCount = pattern.write(days: days, nanoseconds: nanoseconds, into: room)
            lastDay = days
            builder.advance(lastCount)
            builder.endRow()
        }
        return builder.finish(validity: call.validity)
    }

    /// Text by a pattern; NULL when it does not follow it.
    @inline(__always)
    private static func parsed<R: AdditiveArithmetic & SendableMetatype>(
        _ patterns: Patterns, _ body: @escaping @Sendable (Int, Int64) -> R
    ) -> Kernel {
        Kernel { call throws(EvaluationError) in
            var current = Current(), row = -1
            let values = Buffer(capacity: call.rows * MemoryLayout<R>.stride), to = values.typed(R.self)
            var nulls = NullMarks(call)
            row = 0
            while row < call.rows {
                to[row] = .zero
                if !call.isNull(row) {
                    if let (day, rest) = try current.of(row, patterns, call).parse(call.arguments[0].slice(row)) { to[row] = body(day, rest) } else {
                        nulls.set(row)
                    }
                }
                row += 1
            }
            return Column(type: call.type, count: call.rows, values: values, validity: nulls.buffer)
        }
    }

    /// Seconds since the epoch of text on the session's clock. What cannot be read is Java's smallest long, as in Flink.
    private static func unixTime(_ patterns: Patterns?) -> Kernel {
        Kernel(
            body: { call throws(EvaluationError) in
                let zone = call.context.zone
                var current = Current()
                let values = Buffer(capacity: call.rows * 8), to = values.typed(Int64.self)
                for row in 0..<call.rows {
                    to[row] = 0
                    if call.isNull(row) { continue }
                    let text = call.arguments[0].slice(row)
                    var local: Int64?
                    if let patterns {
                        local = try current.of(row, patterns, call).parse(text).map { Int64($0) * 86_400 + $1 / 1_000_000_000 }
                    } else {
                        local = LenientTime.timestamp(text, precision: 3).map { TimestampText.floorDivide($0, 1_000).0 }
                    }
                    to[row] = local.map { zone.instant(ofLocal: $0, perSecond: 1) } ?? .min
                }
                return call.result(values)
            }, isContextual: true)
    }

    /// TO_TIMESTAMP_LTZ: a number of seconds (precision 0) or milliseconds (3), or text of UTC or of a named zone.
    private static func instants(_ arguments: [DataType], _ constants: [Column?]) throws(EvaluationError) -> Kernel? {
        switch arguments[0].kind {
        case .bigint, .double:
            let isDouble = arguments[0].kind == .double
            return Kernel { call throws(EvaluationError) in
                let number = call.arguments[0], precision = call.arguments.count > 1 ? call.arguments[1] : nil
                let values = Buffer(capacity: call.rows * 8), to = values.typed(Int64.self)
                var nulls = NullMarks(call)
                for row in 0..<call.rows {
                    let at = row * number.stride
                    let places = precision.map { $0.column.pointer(Int32.self)[row * $0.stride] } ?? 3
                    guard call.isNull(row) || places == 0 || places == 3 else {
                        throw EvaluationError("TO_TIMESTAMP_LTZ takes a precision of 0 or 3, not \(places)")
                    }
                    // Outside years 0000 to 9999 there is none. (Source: Flink 2.x, `DateTimeUtils.toTimestampData`)
                    let scale: Int64 = places == 0 ? 1_000 : 1
                    let isKnown: Bool
                    if isDouble {
                        let value = number.column.pointer(Double.self)[at]
                        isKnown = value >= -62_167_219_200_000 / Double(scale) && value <= Double(253_402_300_799_999 / scale)
                        to[row] = isKnown ? CastNumbers.integer(value * Double(scale), Int64.self) : 0
                    } else {
                        let value = number.column.pointer(Int64.self)[at]
                        isKnown = value >= -62_167_219_200_000 / scale && value <= 253_402_300_799_999 / scale
                        to[row] = isKnown ? value * scale : 0
                    }
                    if !isKnown { nulls.set(row) }
                }
                return Column(type: call.type, count: call.rows, values: values, validity: nulls.buffer)
            }.failing
        default:
            guard arguments.count > 1 else {
                return Kernel { call throws(EvaluationError) in
                    try Maps.fromText(call, Int64.self) { text throws(EvaluationError) -> Int64? in LenientTime.timestamp(text, precision: 3) }
                }
            }
            var zone = ZoneRules.utc
            if arguments.count == 3 {
                guard let constant = constants[2], let named = ZoneRules(named: String(decoding: constant.slice(0), as: UTF8.self)) else {
                    throw EvaluationError("TO_TIMESTAMP_LTZ takes the name of a time zone")
                }
                zone = named
            }
            let rules = zone
            return parsed(try patterns(constants, 1)) { day, rest in
                rules.instant(ofLocal: Int64(day) * 86_400_000 + rest / 1_000_000, perSecond: 1_000)
            }
        }
    }

    private static let converted = Kernel { call in
        var builder = TextBuilder(type: call.type, rows: call.rows, bytes: call.rows * 20)
        var nulls = NullMarks(call)
        var zones: [String: ZoneRules] = [:]
        func zone(_ text: Text.Slice) -> ZoneRules? {
            let name = String(decoding: text, as: UTF8.self)
            if let known = zones[name] { return known }
            let rules = ZoneRules(named: name)
            zones[name] = rules
            return rules
        }
        for row in 0..<call.rows {
            if !call.isNull(row) {
                if let local = LenientTime.timestamp(call.arguments[0].slice(row), precision: 0), let from = zone(call.arguments[1].slice(row)),
                    let to = zone(call.arguments[2].slice(row)) {
                    let instant = from.instant(ofLocal: local, perSecond: 1_000)
                    let room = builder.room(TimestampText.maximumLength)
                    builder.advance(TimestampText.write(to.local(instant, perSecond: 1_000), precision: 0, into: room))
                } else { nulls.set(row) }
            }
            builder.endRow()
        }
        return builder.finish(validity: nulls.buffer)
    }
}

extension Kernel {
    /// The same, known to fail for some values.
    var failing: Kernel {
        var kernel = self
        kernel.canFail = true
        return kernel
    }

    /// The same, worth keeping rows away from.
    var costly: Kernel {
        var kernel = self
        kernel.isCostly = true
        return kernel
    }
}
