import Columnar
import Dataflow
import Expressions

extension QueryBinder {
    /// `SELECT … FROM … WHERE … GROUP BY … HAVING …`
    mutating func bindSelect(_ select: SelectSyntax) throws(SQLError) -> Plan {
        if let window = select.windows.first { throw SQLError("OVER windows are not supported", at: window.name.range) }
        if let qualify = select.qualify { throw SQLError("QUALIFY is not supported", at: qualify.range) }
        var (input, scope) = (Plan.rows(1), Scope([]))
        if let from = select.from { (input, scope) = try bindFrom(from) }
        if let filter = select.filter {
            var binder = ExpressionBinder(scope: scope, place: "WHERE")
            do { input = input.filter(try binder.bindCondition(filter)) } catch { throw explain(error, select.items, place: "WHERE") }
        }
        let items = try expand(select.items, scope)
        let isGrouped = select.groupBy != nil || select.having != nil || items.contains(where: \.containsAggregate)
        let plan = isGrouped ? try bindGrouped(select, items, input, scope) : try bindPlain(items, input, scope)
        return select.distinct ? plan.distinct(at: firstRange(of: items)) : plan
    }

    /// One column of the result: a column of the input, or an expression.
    private enum Item {
        case column(Int, name: String, SourceRange)
        case expression(ExpressionSyntax, name: String?)

        var containsAggregate: Bool { if case .expression(let syntax, _) = self { syntax.containsAggregate } else { false } }
    }

    private func firstRange(of items: [Item]) -> SourceRange {
        switch items.first {
        case .column(_, _, let range): range
        case .expression(let syntax, _): syntax.range
        case nil: SourceRange(0, 0)
        }
    }

    private func expand(_ items: [SelectSyntax.Item], _ scope: Scope) throws(SQLError) -> [Item] {
        var expanded: [Item] = []
        for item in items {
            switch item {
            case .star(let table, let range):
                let positions = if let table { try scope.positions(ofTable: table) } else { Array(scope.entries.indices) }
                if positions.isEmpty { throw SQLError("'*' needs a FROM", at: range) }
                try ScriptLimits.checkColumns(expanded.count + positions.count, at: range)
                expanded += positions.map { .column($0, name: scope.entries[$0].column.name, range) }
            case .expression(let syntax, let alias):
                try ScriptLimits.checkColumns(expanded.count + 1, at: syntax.range)
                if let alias { expanded.append(.expression(syntax, name: alias.text)) } else if case .name(let name) = syntax.kind {
                    expanded.append(.expression(syntax, name: name.last.text))
                } else {
                    expanded.append(.expression(syntax, name: nil))
                }
            }
        }
        return expanded
    }

    /// Every column gets a name of its own: a second `a` is `a0`, an expression `EXPR$` and its position.
    private func names(of items: [Item]) -> [String] {
        var names: [String] = []
        var taken: Set<String> = []
        for (position, item) in items.enumerated() {
            let wanted = switch item {
            case .column(_, let name, _): name
            case .expression(_, let name): name ?? "EXPR$\(position)"
            }
            var name = wanted, suffix = 0
            while !taken.insert(name).inserted {
                name = "\(wanted)\(suffix)"
                suffix += 1
            }
            names.append(name)
        }
        return names
    }

    private func bindPlain(_ items: [Item], _ input: Plan, _ scope: Scope) throws(SQLError) -> Plan {
        var binder = ExpressionBinder(scope: scope, place: "SELECT")
        return input.calc(try bind(items, scope, &binder), names: names(of: items))
    }

    private func bind(_ items: [Item], _ scope: Scope, _ binder: inout ExpressionBinder) throws(SQLError) -> [Expression] {
        var bound: [Expression] = []
        for item in items {
            switch item {
            case .column(let position, let name, let range):
                var column = Expression.column(position, type: scope.entries[position].column.type)
                if let aggregation = binder.aggregation {
                    guard let key = aggregation.column(ofKey: column) else {
                        throw SQLError("column '\(name)' of '*' is neither in GROUP BY nor in an aggregate", at: range)
                    }
                    column = key
                }
                bound.append(column)
            case .expression(let syntax, _):
                bound.append(try binder.bind(syntax))
            }
        }
        return bound
    }

    // MARK: GROUP BY

    private func bindGrouped(_ select: SelectSyntax, _ items: [Item], _ input: Plan, _ scope: Scope) throws(SQLError) -> Plan {
        let (input, window) = try GroupWindow.bind(select.groupBy ?? [], input, scope).map { ($0, Optional($1)) } ?? (input, nil)
        let keys = try bindKeys(select.groupBy ?? [], select.items, scope) + (window?.bounds ?? [])
        var binder = ExpressionBinder(scope: scope, place: "SELECT", aggregation: Aggregation(keys: keys, window: window))
        let projections = try bind(items, scope, &binder)
        var having = ExpressionBinder(scope: scope, place: "HAVING", aggregation: binder.aggregation)
        let condition: Expression? = if let syntax = select.having { try having.bindCondition(syntax) } else { nil }
        let calls = having.aggregation?.calls ?? []

        // What the aggregate reads: the keys, then each argument and filter once.
        var columns = keys
        func position(of expression: Expression) -> Int {
            if let known = columns.firstIndex(of: expression) { return known }
            columns.append(expression)
            return columns.count - 1
        }
        let bound = calls.map { call in
            AggregateCall(
                function: call.function, argument: call.argument.map(position), filter: call.filter.map(position), distinct: call.distinct, type: call.type)
        }
        let before = input.calc(columns, names: columns.enumerated().map { nameOfInput($0, $1, input) })
        var outputs = keys.indices.map { position in
            let key = before.columns[position]
            return PlanColumn(name: key.name, type: key.type, isRowtime: key.window?.bound == .time, window: key.window)
        }
        outputs += calls.indices.map { PlanColumn(name: "$agg\($0)", type: calls[$0].type) }
        let range = select.groupBy == nil ? firstRange(of: items) : select.groupByRange
        let aggregate = AggregatePlan(input: before, keys: Array(keys.indices), calls: bound, columns: outputs, range: range)
        return Plan.aggregate(aggregate).calc(condition: condition, projections, names: names(of: items))
    }

    private func nameOfInput(_ position: Int, _ expression: Expression, _ input: Plan) -> String {
        if case .column(let index, _) = expression { input.columns[index].name } else { "$f\(position)" }
    }

    private func bindKeys(_ groupBy: [SelectSyntax.Grouping], _ items: [SelectSyntax.Item], _ scope: Scope) throws(SQLError) -> [Expression] {
        var keys: [Expression] = []
        for grouping in groupBy {
            let parts: [ExpressionSyntax]
            switch grouping {
            case .expression(let syntax): parts = [syntax]
            case .list(let list): parts = list
            case .rollup, .cube, .sets: throw SQLError("GROUPING SETS, ROLLUP and CUBE are not supported", at: groupingRange(grouping))
            }
            for syntax in parts where !GroupWindow.isCall(syntax) {
                if syntax.containsAggregate { throw SQLError("GROUP BY takes no aggregates", at: syntax.range) }
                let key = try bindKey(syntax, items, scope)
                if !keys.contains(key) { keys.append(key) }
                try ScriptLimits.checkColumns(keys.count, at: syntax.range)
            }
        }
        return keys
    }

    private func bindKey(_ syntax: ExpressionSyntax, _ items: [SelectSyntax.Item], _ scope: Scope) throws(SQLError) -> Expression {
        if case .literal(.exact(let position)) = syntax.kind {
            throw SQLError("GROUP BY takes columns and expressions, not positions", at: syntax.range, hint: "\(position) would be the same for every row")
        }
        var binder = ExpressionBinder(scope: scope, place: "GROUP BY")
        do { return try binder.bind(syntax) } catch { throw explain(error, items, place: "GROUP BY") }
    }

    /// A name that is not found may be one that SELECT gives only afterwards.
    private func explain(_ error: SQLError, _ items: [SelectSyntax.Item], place: String) -> SQLError {
        for case .expression(let item, let alias?) in items where error.message == "column '\(alias.text)' not found" {
            return SQLError(
                error.message, at: error.range, hint: "\(place) does not see names given in SELECT; repeat what '\(alias.text)' stands for: \(item)")
        }
        return error
    }

    private func groupingRange(_ grouping: SelectSyntax.Grouping) -> SourceRange {
        switch grouping {
        case .expression(let syntax): return syntax.range
        case .list(let parts): return parts.first?.range ?? SourceRange(0, 0)
        case .rollup(let parts), .cube(let parts), .sets(let parts): return parts.first.map(groupingRange) ?? SourceRange(0, 0)
        }
    }
}
