extension Parser {
    /// What stands after FROM: tables with commas and joins between them.
    mutating func parseFrom() throws(SQLError) -> TableSyntax {
        var left = try parseJoins()
        while accept(",") {
            let right = try parseJoins()
            left = try join(left, right, .cross, .none)
        }
        return left
    }

    private mutating func parseJoins() throws(SQLError) -> TableSyntax {
        var left = try parseTable()
        while true {
            let natural = acceptRefused("NATURAL")
            guard let kind = acceptJoinKind() else {
                note("JOIN", isOffered: false)
                if natural { throw unexpected() }
                return left
            }
            if kind == .left || kind == .right || kind == .full { _ = accept("OUTER") }
            try expect("JOIN")
            let right = try parseTable()
            var condition = natural ? JoinSyntax.Condition.natural : .none
            if !natural, kind != .cross {
                if accept("USING") { condition = .using(try takeNames("a column's name")) } else {
                    try expect("ON")
                    condition = .on(try parseExpression())
                }
            }
            left = try join(left, right, kind, condition)
        }
    }

    private mutating func acceptJoinKind() -> JoinSyntax.Kind? {
        let kinds: [(String, JoinSyntax.Kind)] = [("CROSS", .cross), ("LEFT", .left), ("RIGHT", .right), ("FULL", .full), ("INNER", .inner)]
        for (word, kind) in kinds where acceptRefused(word) { return kind }
        return isAt("JOIN") ? .inner : nil
    }

    private mutating func join(
        _ left: TableSyntax, _ right: TableSyntax, _ kind: JoinSyntax.Kind, _ condition: JoinSyntax.Condition
    ) throws(SQLError) -> TableSyntax {
        let range = left.range.through(previousRange)
        try growByOne(at: range)
        return TableSyntax(kind: .join(JoinSyntax(kind: kind, left: left, right: right, condition: condition)), range: range)
    }

    private mutating func parseTable() throws(SQLError) -> TableSyntax {
        try enter()
        defer { leave() }
        let start = current.range
        var table = TableSyntax(kind: try parseTableKind(), range: start)
        if acceptRefused("FOR") {
            try expect("SYSTEM_TIME", "AS", "OF")
            table.asOf = try parseExpression()
        }
        if isAt("MATCH_RECOGNIZE") { throw SQLError("MATCH_RECOGNIZE is not supported", at: current.range) }
        if isAt("TABLESAMPLE") { throw SQLError("TABLESAMPLE is not supported", at: current.range) }
        table.range = start.through(previousRange)
        let name: NameSyntax? = accept("AS") ? try takeName("an alias") : takeBareAlias()
        if let name { table.alias = TableSyntax.Alias(name: name, columns: isAt("(") ? try takeNames("a column's name") : []) }
        if isAt("MATCH_RECOGNIZE") { throw SQLError("MATCH_RECOGNIZE is not supported", at: current.range) }
        return table
    }

    private mutating func parseTableKind() throws(SQLError) -> TableSyntax.Kind {
        let lateral = acceptRefused("LATERAL")
        if accept("TABLE") {
            try expect("(")
            let call = try parseTableFunction()
            try expect(")")
            return .function(call, lateral: lateral)
        }
        if acceptRefused("UNNEST") {
            try expect("(")
            var arrays: [ExpressionSyntax] = []
            repeat { arrays.append(try parseExpression()) } while accept(",")
            try expect(")")
            return .unnest(arrays, withOrdinality: accept("WITH", "ORDINALITY"))
        }
        if isAt("(") {
            if parenthesisHoldsQuery {
                advance()
                let query = try parseQuery()
                try expect(")")
                return .query(query, lateral: lateral)
            }
            advance()
            let inner = try parseFrom()
            try expect(")")
            return inner.alias == nil && inner.asOf == nil ? inner.kind : .query(selectAll(from: inner), lateral: false)
        }
        if lateral { throw unexpected() }
        let name = try takeObjectName("a table's name")
        if isAt("(") { return .function(try parseArguments(of: CallSyntax(name: name)), lateral: false) }
        return .named(name, hints: try parseHints())
    }

    /// `(t AS a)` as a query of its own, so that the outer alias has something to name.
    private func selectAll(from table: TableSyntax) -> QuerySyntax {
        var select = SelectSyntax()
        select.items = [.star(nil, table.range)]
        select.from = table
        return QuerySyntax(body: .select(select), range: table.range, height: 1)
    }

    private mutating func parseTableFunction() throws(SQLError) -> CallSyntax {
        let name = try takeObjectName("a table function")
        note("'('")
        guard isAt("(") else { throw unexpected() }
        return try parseArguments(of: CallSyntax(name: name))
    }

    /// `TABLE t [PARTITION BY …] [ORDER BY …]`, or the same with a query in parentheses; TABLE is taken already.
    mutating func parseTableArgument() throws(SQLError) -> TableArgumentSyntax {
        let start = current.range
        let kind: TableSyntax.Kind
        if isAt("("), parenthesisHoldsQuery {
            advance()
            kind = .query(try parseQuery(), lateral: false)
            try expect(")")
        } else if accept("(") {
            kind = .named(try takeObjectName("a table's name"), hints: [])
            try expect(")")
        } else {
            kind = .named(try takeObjectName("a table's name"), hints: try parseHints())
        }
        let input = TableSyntax(kind: kind, range: start.through(previousRange))
        var partitionBy: [ExpressionSyntax] = []
        if accept("PARTITION") {
            try expect("BY")
            // The comma that ends the argument looks like one between columns; in parentheses several columns are clear.
            let key = try parseExpression()
            if case .row(let keys) = key.kind { partitionBy = keys } else { partitionBy = [key] }
            while isAt(","), [.word, .quotedName].contains(ahead(1).kind), !["DESCRIPTOR", "INTERVAL", "TABLE"].contains(ahead(1).keyword),
                ahead(2).keyword != "=>"
            {
                advance()
                partitionBy.append(try parseExpression())
            }
        }
        let orderBy = isAt("ORDER") ? try parseOrderBy() : []
        return TableArgumentSyntax(input: input, partitionBy: partitionBy, orderBy: orderBy)
    }
}
