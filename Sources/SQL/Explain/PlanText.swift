import Columnar
import Dataflow
import Expressions

extension Plan {
    /// One operator as Flink's plans write it: `GroupAggregate(groupBy=[item], select=[item, COUNT(*) AS $agg0])`.
    var title: String {
        switch self {
        case .scan(let scan):
            "TableSourceScan(table=[[\(Catalog.name), \(Catalog.database), \(scan.table.name)]], fields=[\(scan.columns.map(\.name).joined(separator: ", "))]"
                + (scan.table.watermark == nil ? ")" : ", watermark=[\(scan.watermarkText)])")
        case .rows(let count): "Values(rows=[\(count)])"
        case .calc(let calc): calc.title
        case .window(let window):
            "WindowTableFunction(window=[\(window.spec.title(time: "time_col=[\(window.input.columns[window.timeColumn].name)]"))])"
        case .aggregate(let aggregate):
            "GroupAggregate(\(select(aggregate.keys, aggregate.calls, over: aggregate.input, columns: aggregate.columns)))"
        case .windowAggregate(let aggregate): title(of: aggregate)
        case .union(let inputs, let columns): "Union(all=[true], inputs=[\(inputs.count)], union=[\(columns.map(\.name).joined(separator: ", "))])"
        }
    }

    private func title(of aggregate: WindowAggregatePlan) -> String {
        let window = aggregate.spec.title(time: "time_col=[\(aggregate.input.columns[aggregate.timeColumn].name)]")
        let results = selected(aggregate.keys, aggregate.calls, over: aggregate.input, columns: aggregate.columns)
        return "WindowAggregate(\(groupBy(aggregate.keys, aggregate.input))window=[\(window)], select=[\(results.isEmpty ? "" : results + ", ")"
            + "window_start, window_end, window_time])"
    }

    private func groupBy(_ keys: [Int], _ input: Plan) -> String {
        keys.isEmpty ? "" : "groupBy=[\(keys.map { input.columns[$0].name }.joined(separator: ", "))], "
    }

    private func select(_ keys: [Int], _ calls: [AggregateCall], over input: Plan, columns: [PlanColumn]) -> String {
        groupBy(keys, input) + "select=[\(selected(keys, calls, over: input, columns: columns))]"
    }

    private func selected(_ keys: [Int], _ calls: [AggregateCall], over input: Plan, columns: [PlanColumn]) -> String {
        let names = keys.map { input.columns[$0].name }
        let aggregates = calls.enumerated().map { "\($1.text(over: input.columns.map(\.name))) AS \(columns[keys.count + $0].name)" }
        return (names + aggregates).joined(separator: ", ")
    }

    var inputs: [Plan] {
        switch self {
        case .scan, .rows: []
        case .calc(let calc): [calc.input]
        case .window(let window): [window.input]
        case .aggregate(let aggregate): [aggregate.input]
        case .windowAggregate(let aggregate): [aggregate.input]
        case .union(let inputs, _): inputs
        }
    }

    /// The tree with its root first, one operator a line, indented as Flink does.
    func tree() -> String { lines().joined(separator: "\n") }

    private func lines() -> [String] {
        var lines = [title]
        for (position, input) in inputs.enumerated() {
            let isLast = position == inputs.count - 1
            for (number, line) in input.lines().enumerated() {
                lines.append((number > 0 ? (isLast ? "   " : ":  ") : isLast ? "+- " : ":- ") + line)
            }
        }
        return lines
    }
}

extension CalcPlan {
    fileprivate var title: String {
        let names = input.columns.map(\.name)
        let items = zip(projections, columns).map { projection, column in
            let text = projection.text(over: names)
            return text == column.name ? text : "\(text) AS \(column.name)"
        }
        return "Calc(select=[\(items.joined(separator: ", "))]" + (condition.map { ", where=[\($0.text(over: names))])" } ?? ")")
    }
}

extension ScanPlan {
    fileprivate var watermarkText: String {
        table.watermark?.expression.text(over: table.columns.map(\.name)) ?? ""
    }
}

extension AggregateCall {
    /// `COUNT(DISTINCT a) FILTER b`.
    func text(over names: [String]) -> String {
        let inside = argument.map { (distinct ? "DISTINCT " : "") + names[$0] } ?? "*"
        let name = function == .countStar ? "COUNT" : function.rawValue.uppercased()
        return "\(name)(\(inside))" + (filter.map { " FILTER \(names[$0])" } ?? "")
    }
}

extension WindowSpec {
    fileprivate func title(time: String) -> String {
        let offsetText = offset == 0 ? "" : ", offset=[\(duration(offset))]"
        return switch self {
        case .tumble(let size, _): "TUMBLE(\(time), size=[\(duration(size))]\(offsetText))"
        case .hop(let size, let slide, _): "HOP(\(time), size=[\(duration(size))], slide=[\(duration(slide))]\(offsetText))"
        }
    }
}

/// In the largest unit that leaves a whole number: `10 s`, `1 min`.
private func duration(_ milliseconds: Int64) -> String {
    for (length, unit): (Int64, String) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")] where milliseconds.isMultiple(of: length) {
        return "\(milliseconds / length) \(unit)"
    }
    return "\(milliseconds) ms"
}

extension Expression {
    /// SQL over the named columns, for plans.
    func text(over names: [String]) -> String {
        switch self {
        case .column(let index, _): return names[index]
        case .literal(let value, let type): return value.text(as: type.kind)
        case .cast(let inner, let type, let safe): return "\(safe ? "TRY_CAST" : "CAST")(\(inner.text(over: names)) AS \(type.kind))"
        case .conditional(let branches, let otherwise, _):
            return "CASE" + branches.map { " WHEN \($0.condition.text(over: names)) THEN \($0.value.text(over: names))" }.joined()
                + " ELSE \(otherwise.text(over: names)) END"
        case .call(let name, let arguments, _):
            let parts = arguments.map { $0.text(over: names) }
            if name.first?.isLetter == true && !name.contains(" ") && !["AND", "OR", "IN", "LIKE", "NOT", "BETWEEN"].contains(name) {
                return "\(name)(\(parts.joined(separator: ", ")))"
            }
            switch (name, parts.count) {
            case ("NOT", 1), ("-", 1): return "(\(name) \(parts[0]))"
            case (_, 1): return "(\(parts[0]) \(name))"
            case ("IN", _), ("NOT IN", _): return "(\(parts[0]) \(name) (\(parts.dropFirst().joined(separator: ", "))))"
            case ("BETWEEN", 3), ("NOT BETWEEN", 3): return "(\(parts[0]) \(name) \(parts[1]) AND \(parts[2]))"
            case ("LIKE", 3), ("NOT LIKE", 3), ("SIMILAR TO", 3), ("NOT SIMILAR TO", 3): return "(\(parts[0]) \(name) \(parts[1]) ESCAPE \(parts[2]))"
            default: return "(" + parts.joined(separator: " \(name) ") + ")"
            }
        }
    }
}

extension Value {
    fileprivate func text(as kind: TypeKind) -> String {
        switch self {
        case .null: return "NULL"
        case .boolean(let value): return value ? "TRUE" : "FALSE"
        case .double(let number): return "\(number)"
        case .decimal(let unscaled):
            guard case .decimal(_, let scale) = kind, scale > 0 else { return "\(unscaled)" }
            var digits = String(unscaled.magnitude)
            if digits.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.count) + digits }
            return (unscaled < 0 ? "-" : "") + digits.dropLast(scale) + "." + digits.suffix(scale)
        case .bytes(let bytes):
            guard kind.isBinary else { return quoted(String(decoding: bytes, as: UTF8.self)) }
            return "X'" + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "'"
        case .integer(let number):
            switch kind {
            case .intervalDayTime: return "\(number):INTERVAL MILLISECOND"
            case .intervalYearMonth: return "\(number):INTERVAL MONTH"
            case .date, .time, .timestamp, .timestampLTZ: return "\(number):\(kind)"
            default: return "\(number)"
            }
        }
    }
}
