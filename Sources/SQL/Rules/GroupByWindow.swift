import Columnar
import Dataflow
import Expressions

extension Optimizer {
    /// `GROUP BY window_start, window_end, …` over TUMBLE or HOP becomes one aggregate over the input itself, which shares slices
    /// between overlapping windows instead of copying rows into each.
    ///
    /// Where the window columns come from an aggregate below (windows over windows), each row already belongs to one window: rows
    /// are then grouped by the end of theirs.
    static func groupByWindow(_ plan: Plan, localTimeZone: String) throws(SQLError) -> Plan {
        let plan = try plan.mappingInputs { (input) throws(SQLError) in try groupByWindow(input, localTimeZone: localTimeZone) }
        guard case .aggregate(let aggregate) = plan, let window = aggregate.windowKey else { return plan }
        guard aggregate.hasKey(.start, of: window.origin), aggregate.hasKey(.end, of: window.origin) else {
            throw SQLError("GROUP BY needs both window_start and window_end of a window function", at: aggregate.range)
        }
        guard !aggregate.input.isUpdating else {
            throw SQLError("a windowed GROUP BY cannot take rows back, and its input changes rows it has given", at: aggregate.range)
        }
        var reading = try aggregate.input.withoutWindow(window.origin, at: aggregate.range) ?? aggregate.input.byWindowEnd(of: window.origin)
        // Windows over TIMESTAMP_LTZ lie on the clock of the session's zone. In UTC it shows the instants themselves.
        let zone = window.isZoned && !["UTC", "GMT", "Etc/UTC", "Z"].contains(localTimeZone) ? localTimeZone : nil
        if zone != nil { reading.readLocalClock() }

        let keys = aggregate.keys.filter { aggregate.input.columns[$0].window?.origin != window.origin }
        func position(_ old: Int) throws(SQLError) -> Int {
            if let position = reading.positions[old] { return position }
            throw SQLError("an aggregate of window bounds is not supported", at: aggregate.range)
        }
        var calls: [AggregateCall] = []
        for var call in aggregate.calls {
            if let argument = call.argument { call.argument = try position(argument) }
            if let filter = call.filter { call.filter = try position(filter) }
            calls.append(call)
        }
        var keyPositions: [Int] = []
        for key in keys { keyPositions.append(try position(key)) }
        let named = zip(keys, keyPositions).map { old, new in
            var column = reading.plan.columns[new]
            column.name = aggregate.input.columns[old].name
            column.isRowtime = false
            return column
        }
        let results = calls.indices.map { PlanColumn(name: aggregate.columns[aggregate.keys.count + $0].name, type: calls[$0].type) }
        let time = reading.plan.columns[reading.timeColumn].type
        var bounds = WindowPlan.bounds(of: window.spec, origin: window.origin, time: time)
        // The operator gives all bounds as points of the time column's kind; the calc above shows them as TIMESTAMP(3).
        let point = if case .timestampLTZ = time.kind { DataType(.timestampLTZ(3), nullable: false) } else { DataType(.timestamp(3), nullable: false) }
        for index in bounds.indices { bounds[index].type = point }
        let grouped = Plan.windowAggregate(
            WindowAggregatePlan(
                input: reading.plan, keys: keyPositions, calls: calls, spec: reading.spec, timeColumn: reading.timeColumn, zone: zone,
                columns: named + results + bounds))
        return grouped.restoringColumns(of: aggregate, window, keyCount: keys.count, startBeforeEnd: reading.spec == window.spec ? nil : window.spec.size)
    }
}

/// What a windowed aggregate reads instead of the window function's output.
private struct WindowReading {
    var plan: Plan
    /// For each column of the old input its position in `plan`; nil for window bounds.
    var positions: [Int?]
    var timeColumn: Int
    var spec: WindowSpec

    /// Reads a TIMESTAMP_LTZ time as TIMESTAMP of the session's clock.
    mutating func readLocalClock() {
        let time = plan.columns[timeColumn]
        guard case .timestampLTZ(let precision) = time.type.kind else { return }
        let local = Expression.cast(plan.references[timeColumn], to: DataType(.timestamp(precision), nullable: time.type.isNullable), safe: false)
        timeColumn = plan.columns.count
        plan = plan.calc(plan.references + [local], names: plan.columns.map(\.name) + ["$local"])
    }
}

extension AggregatePlan {
    /// The window that the keys belong to, if any.
    fileprivate var windowKey: WindowColumn? { keys.lazy.compactMap { input.columns[$0].window }.first }

    fileprivate func hasKey(_ bound: WindowColumn.Bound, of origin: Int) -> Bool {
        keys.contains { input.columns[$0].window?.origin == origin && input.columns[$0].window?.bound == bound }
    }
}

extension Plan {
    /// The plan with the window function taken out, or nil when it is not right below.
    fileprivate func withoutWindow(_ origin: Int, at range: SourceRange) throws(SQLError) -> WindowReading? {
        switch self {
        case .window(let window):
            guard window.origin == origin else { return nil }
            let width = window.input.columns.count
            return WindowReading(
                plan: window.input, positions: Array(0..<width) + [nil, nil, nil], timeColumn: window.timeColumn, spec: window.spec)
        case .calc(let calc):
            guard let below = try calc.input.withoutWindow(origin, at: range) else { return nil }
            func isReadable(_ expression: Expression) -> Bool { expression.columns.allSatisfy { below.positions[$0] != nil } }
            func moved(_ expression: Expression) -> Expression { expression.mappingColumns { below.positions[$0]! } }
            if let condition = calc.condition, !isReadable(condition) {
                throw SQLError("conditions on window bounds before GROUP BY are not supported", at: range, hint: "put them into HAVING")
            }
            var projections: [Expression] = [], names: [String] = [], positions: [Int?] = []
            for (projection, column) in zip(calc.projections, calc.columns) {
                guard isReadable(projection) else {
                    guard column.window != nil else { throw SQLError("computing with window bounds before GROUP BY is not supported", at: range) }
                    positions.append(nil)
                    continue
                }
                positions.append(projections.count)
                projections.append(moved(projection))
                names.append(column.name)
            }
            let time = Expression.column(below.timeColumn, type: below.plan.columns[below.timeColumn].type)
            let timeColumn = projections.firstIndex(of: time) ?? projections.count
            if timeColumn == projections.count {
                projections.append(time)
                names.append(below.plan.columns[below.timeColumn].name)
            }
            return WindowReading(
                plan: below.plan.calc(condition: calc.condition.map(moved), projections, names: names), positions: positions, timeColumn: timeColumn,
                spec: below.spec)
        case .scan, .rows, .aggregate, .windowAggregate, .union: return nil
        }
    }

    /// The plan with the time of each row's window, 1 ms before its end, as event time. Windows that end `slide` apart become
    /// windows of that length side by side.
    fileprivate func byWindowEnd(of origin: Int) -> WindowReading {
        let end = columns.firstIndex { $0.window?.origin == origin && $0.window?.bound == .end }!
        let spec = columns[end].window!.spec
        let tumble = WindowSpec.tumble(size: spec.slide, offset: ((spec.offset + spec.size) % spec.slide + spec.slide) % spec.slide)
        var projections = references
        var names = columns.map(\.name)
        let timeColumn: Int
        if let time = columns.firstIndex(where: { $0.window?.origin == origin && $0.window?.bound == .time }) {
            timeColumn = time
        } else {
            timeColumn = projections.count
            let millisecond = Expression.literal(.integer(1), type: DataType(.intervalDayTime, nullable: false))
            projections.append(.call("-", [projections[end], millisecond], type: columns[end].type))
            names.append("$time")
        }
        return WindowReading(
            plan: calc(projections, names: names), positions: columns.indices.map { columns[$0].window?.origin == origin ? nil : $0 },
            timeColumn: timeColumn, spec: tumble)
    }

    /// Puts the columns of a windowed aggregate into the order that the plain one had. `startBeforeEnd`: the window's size, where the
    /// operator's own window is only its last slide.
    fileprivate func restoringColumns(of aggregate: AggregatePlan, _ window: WindowColumn, keyCount: Int, startBeforeEnd size: Int64?) -> Plan {
        let timestamp = DataType(.timestamp(3), nullable: false)
        let bounds = keyCount + aggregate.calls.count
        var nextKey = 0
        var projections: [Expression] = []
        for position in aggregate.keys {
            let key = aggregate.input.columns[position]
            guard let column = key.window, column.origin == window.origin else {
                projections.append(references[nextKey])
                nextKey += 1
                continue
            }
            switch column.bound {
            case .start:
                var start = references[bounds]
                if let size {
                    let length = Expression.literal(.integer(size), type: DataType(.intervalDayTime, nullable: false))
                    start = .call("-", [references[bounds + 1], length], type: references[bounds + 1].type)
                }
                projections.append(start.shown(as: timestamp))
            case .end: projections.append(references[bounds + 1].shown(as: timestamp))
            case .time:
                let time = references[bounds + 2]
                projections.append(time.type == key.type ? time : .cast(time, to: key.type, safe: false))
            }
        }
        projections += aggregate.calls.indices.map { references[keyCount + $0] }
        var restored = CalcPlan(input: self, condition: nil, projections: projections, columns: aggregate.columns)
        for index in restored.columns.indices { restored.columns[index].type = projections[index].type }
        return .calc(restored)
    }
}

extension Expression {
    /// TIMESTAMP_LTZ as TIMESTAMP of the session's zone; a TIMESTAMP as it is.
    fileprivate func shown(as timestamp: DataType) -> Expression {
        if case .timestampLTZ = type.kind { .cast(self, to: timestamp, safe: false) } else { self }
    }
}
