import Columnar
import Dataflow
import Expressions

/// Turns queries into plans: finds tables and columns, types every expression, and refuses in words what cannot be run.
struct QueryBinder {
    let catalog: Catalog
    let connectors: ConnectorCatalogue
    /// WITH tables in reach, innermost last.
    private var commonTables: [(name: String, plan: Plan)] = []

    init(catalog: Catalog, connectors: ConnectorCatalogue) {
        self.catalog = catalog
        self.connectors = connectors
    }

    mutating func bind(_ query: QuerySyntax) throws(SQLError) -> Plan {
        let outer = commonTables.count
        defer { commonTables.removeLast(commonTables.count - outer) }
        for table in query.commonTables {
            let plan = try bind(table.query)
            commonTables.append((table.name.text, try rename(plan, to: table.columns, of: table.name)))
        }
        let plan: Plan
        switch query.body {
        case .select(let select): plan = try bindSelect(select)
        case .values(let rows): plan = try bindValues(rows)
        case .query(let inner): plan = try bind(inner)
        case .setOperation(let operation, let all, let left, let right): plan = try bindSetOperation(operation, all: all, left, right)
        }
        try refuseOrder(of: query, over: plan)
        // Views of views grow by doubling.
        guard plan.steps <= ScriptLimits.steps else { throw SQLError("a query of more than \(ScriptLimits.steps) steps, its views counted", at: query.range) }
        return plan
    }

    private func refuseOrder(of query: QuerySyntax, over plan: Plan) throws(SQLError) {
        if let item = query.orderBy.first, query.limit == nil {
            var binder = ExpressionBinder(scope: Scope(plan.columns, table: nil), place: "ORDER BY")
            if case .column(let position, _)? = try? binder.bind(item.expression), plan.columns[position].isRowtime {
                throw SQLError("ORDER BY is not supported", at: item.expression.range)
            }
            throw SQLError("Sort on a non-time-attribute field is not supported.", at: item.expression.range, hint: "a stream has no end to sort before")
        }
        if let limit = query.limit ?? query.offset { throw SQLError("LIMIT, OFFSET and FETCH are not supported", at: limit.range) }
    }

    /// The same rows under other names; none given leaves all.
    func rename(_ plan: Plan, to names: [NameSyntax], of table: NameSyntax) throws(SQLError) -> Plan {
        guard !names.isEmpty else { return plan }
        guard names.count == plan.columns.count else {
            let range = names[0].range.through(names[names.count - 1].range)
            throw SQLError("'\(table.text)' has \(plan.columns.count) columns, \(names.count) names are given", at: range)
        }
        return plan.calc(plan.references, names: names.map(\.text))
    }

    // MARK: FROM

    mutating func bindFrom(_ table: TableSyntax) throws(SQLError) -> (Plan, Scope) {
        if let asOf = table.asOf { throw SQLError("FOR SYSTEM_TIME AS OF is not supported", at: asOf.range) }
        var plan: Plan
        var name: String?
        switch table.kind {
        case .named(let object, let hints):
            plan = try bindNamed(object, hints)
            name = object.last.text
        case .query(let query, lateral: false): plan = try bind(query)
        case .function(let call, lateral: false): plan = try bindWindow(call)
        case .query(_, lateral: true), .function(_, lateral: true): throw SQLError("LATERAL is not supported", at: table.range)
        case .unnest: throw SQLError("UNNEST is not supported", at: table.range)
        case .join(let join): throw SQLError("joins are not supported", at: join.right.range)
        }
        if let alias = table.alias {
            plan = try rename(plan, to: alias.columns, of: alias.name)
            name = alias.name.text
        }
        return (plan, Scope(plan.columns, table: name))
    }

    private func bindNamed(_ name: ObjectNameSyntax, _ hints: [HintSyntax]) throws(SQLError) -> Plan {
        if name.parts.count == 1, let common = commonTables.last(where: { $0.name == name.last.text }) { return common.plan }
        if name.parts.count == 1, !catalog.names.contains(name.last.text), let near = nearName(to: name.last.text, among: commonTables.map(\.name)) {
            throw SQLError("table '\(name.text)' not found", at: name.range, hint: "did you mean '\(near)'?")
        }
        switch try catalog.expectEntry(name) {
        case .view(let plan): return plan
        case .table(let table):
            guard table.connector.canRead else {
                throw SQLError("connector '\(table.connector.name)' of table '\(table.name)' cannot be read from", at: name.range)
            }
            var options = table.options
            for hint in hints where hint.name.text.uppercased() == "OPTIONS" {
                let all = options.map { OptionSyntax(key: $0, value: $1, keyRange: hint.name.range, valueRange: hint.name.range) }
                let kept = all.filter { old in !hint.options.contains { $0.key == old.key } }.sorted { $0.key < $1.key }
                let physical = table.columns.filter { $0.kind == .physical }.map(\.name)
                _ = try connectors.check(kept + hint.options, columns: physical, at: hint.name.range)
                for option in hint.options { options[option.key] = option.value }
            }
            return .scan(ScanPlan(table: table, selected: Array(table.columns.indices), options: options))
        }
    }

    // MARK: Windowing table functions

    private mutating func bindWindow(_ call: CallSyntax) throws(SQLError) -> Plan {
        let parameters: [String]
        switch call.function {
        case "TUMBLE": parameters = ["DATA", "TIMECOL", "SIZE", "OFFSET"]
        case "HOP": parameters = ["DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"]
        case "CUMULATE", "SESSION": throw SQLError("window function \(call.function) is not supported", at: call.name.range, hint: "there are TUMBLE and HOP")
        default: throw SQLError("unknown table function '\(call.name.text)'", at: call.name.range, hint: nearNameHint(call.function, among: ["TUMBLE", "HOP"]))
        }
        let arguments = try WindowArguments(call, parameters)
        guard case .table(let table)? = arguments["DATA"]?.value else {
            throw SQLError("\(call.function) takes a table first", at: arguments["DATA"]?.range ?? call.name.range, expected: ["TABLE t"])
        }
        if let key = table.partitionBy.first { throw SQLError("PARTITION BY has no place in \(call.function)", at: key.range) }
        let input: Plan = try bindFrom(table.input).0
        guard case .descriptor(let names)? = arguments["TIMECOL"]?.value, names.count == 1 else {
            throw SQLError("\(call.function) takes the time column second", at: arguments["TIMECOL"]?.range ?? call.name.range, expected: ["DESCRIPTOR(ts)"])
        }
        let time = try Scope(input.columns, table: nil).position(of: ObjectNameSyntax(parts: names))
        guard input.columns[time].isRowtime else {
            if input.isProcessingTime(time) { throw Plan.processingTimeWindows(at: names[0].range) }
            throw SQLError(
                "The window function requires the timecol is a time attribute type, but is \(input.columns[time].type.kind).", at: names[0].range,
                hint: "give the table a WATERMARK FOR \(names[0].text), and pass the column on as it is")
        }
        let size = try arguments.milliseconds("SIZE"), offset = arguments["OFFSET"] == nil ? 0 : try arguments.milliseconds("OFFSET", positive: false)
        let spec: WindowSpec = call.function == "TUMBLE"
            ? .tumble(size: size, offset: offset) : .hop(size: size, slide: try arguments.milliseconds("SLIDE"), offset: offset)
        guard size.isMultiple(of: spec.slide) else {
            throw SQLError(
                "HOP table function based aggregate requires size must be an integral multiple of slide, but got size \(size) ms and slide \(spec.slide) ms",
                at: arguments["SLIDE"]?.range ?? call.name.range)
        }
        return .window(WindowPlan(input: input, spec: spec, timeColumn: time, origin: call.name.range.start, range: call.name.range))
    }

    // MARK: VALUES and set operations

    private mutating func bindValues(_ rows: [[ExpressionSyntax]]) throws(SQLError) -> Plan {
        var binder = ExpressionBinder(scope: Scope([]), place: "VALUES")
        var columns: [[Expression]] = rows[0].map { _ in [] }
        for row in rows {
            for (position, value) in row.enumerated() { columns[position].append(try binder.bind(value)) }
        }
        let source = Plan.rows(rows.count)
        var projections: [Expression] = []
        for (position, values) in columns.enumerated() {
            guard let type = FunctionCatalogue.leastRestrictive(values.map(\.type)) else {
                throw SQLError("the values of column \(position + 1) have no common type", at: rows[0][position].range)
            }
            let cast = values.map { $0.coerced(to: type.kind) }
            // Each row of the source has its number; a column is the value for that number.
            let branches = cast.dropLast().enumerated().map { number, value in
                Expression.Branch(
                    condition: .call(
                        "=", [source.references[0], .literal(.integer(Int64(number)), type: source.columns[0].type)],
                        type: DataType(.boolean, nullable: false)),
                    value: value)
            }
            projections.append(branches.isEmpty ? cast[0] : .conditional(branches, otherwise: cast[cast.count - 1], type: type))
        }
        return source.calc(projections, names: projections.indices.map { "EXPR$\($0)" })
    }

    private mutating func bindSetOperation(
        _ operation: QuerySyntax.SetOperation, all: Bool, _ left: QuerySyntax, _ right: QuerySyntax
    ) throws(SQLError) -> Plan {
        guard operation == .union else { throw SQLError("\(operation.rawValue) is not supported", at: left.range.through(right.range)) }
        let inputs = [try bind(left), try bind(right)]
        guard inputs[0].columns.count == inputs[1].columns.count else {
            throw SQLError("UNION of \(inputs[0].columns.count) columns with \(inputs[1].columns.count)", at: right.range)
        }
        var columns: [PlanColumn] = []
        for (a, b) in zip(inputs[0].columns, inputs[1].columns) {
            guard let type = FunctionCatalogue.leastRestrictive([a.type, b.type]) else {
                throw SQLError("column '\(a.name)' of UNION is \(a.type.kind) on one side and \(b.type.kind) on the other", at: right.range)
            }
            columns.append(PlanColumn(name: a.name, type: type, isRowtime: a.isRowtime && b.isRowtime))
        }
        let cast = inputs.map { input in
            let projections = zip(input.references, columns).map { $0.coerced(to: $1.type.kind) }
            return projections == input.references ? input : input.calc(projections, names: columns.map(\.name))
        }
        let union = Plan.union(cast, columns: columns)
        return all ? union : union.distinct(at: left.range.through(right.range))
    }
}

extension Plan {
    /// Each different row once.
    func distinct(at range: SourceRange) -> Plan {
        let keys = columns.map { PlanColumn(name: $0.name, type: $0.type, window: $0.window) }
        return .aggregate(AggregatePlan(input: self, keys: Array(keys.indices), calls: [], columns: keys, range: range))
    }
}
