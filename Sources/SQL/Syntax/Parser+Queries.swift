extension Parser {
    func isQueryKeyword(_ keyword: String) -> Bool { ["SELECT", "WITH", "VALUES"].contains(keyword) }

    var queryStartsHere: Bool {
        if isQueryKeyword(current.keyword) { return true }
        return isAt("(") && parenthesisHoldsQuery
    }

    /// Whether the parenthesis here encloses a query, not a joined table or an expression that begins with a subquery.
    var parenthesisHoldsQuery: Bool {
        var open = 0
        while ahead(open).keyword == "(" { open += 1 }
        guard isQueryKeyword(ahead(open).keyword) else { return false }
        // `((SELECT …) UNION …)` holds a query, `((SELECT …) AS a JOIN b)` a table: what follows the inner parenthesis decides.
        return open == 1 || ["UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH", ")"].contains(keywordAfterParenthesis(openedAt: 1))
    }

    mutating func parseQuery() throws(SQLError) -> QuerySyntax {
        try enter()
        defer { leave() }
        let outside = beginQuery()
        let start = current.range
        var commonTables: [QuerySyntax.CommonTable] = []
        if accept("WITH") {
            repeat {
                let name = try takeName("the name of a common table")
                let columns = isAt("(") ? try takeNames("a column's name") : []
                try expect("AS", "(")
                commonTables.append(QuerySyntax.CommonTable(name: name, columns: columns, query: try parseQuery()))
                try expect(")")
            } while accept(",")
        }
        var query = try parseSetOperations()
        if !commonTables.isEmpty {
            if !query.commonTables.isEmpty { query = QuerySyntax(body: .query(query), range: query.range, height: 0) }
            query.commonTables = commonTables
        }
        try parseTail(of: &query)
        query.range = start.through(previousRange)
        query.height = endQuery(outside: outside)
        return query
    }

    private mutating func parseTail(of query: inout QuerySyntax) throws(SQLError) {
        let hasTail = !query.orderBy.isEmpty || query.limit != nil || query.offset != nil
        if hasTail, ["ORDER", "LIMIT", "OFFSET", "FETCH"].contains(current.keyword) {  // `(… LIMIT 5) LIMIT 3`
            query = QuerySyntax(body: .query(query), range: query.range, height: query.height)
        }
        if isAt("ORDER") { query.orderBy = try parseOrderBy() }
        if acceptRefused("LIMIT") {
            if !accept("ALL") { query.limit = try parseExpression() }
        }
        if acceptRefused("OFFSET") {
            query.offset = try parseExpression()
            _ = accept("ROW") || accept("ROWS")
        }
        if query.limit == nil, acceptRefused("FETCH") {
            if !accept("FIRST") { try expect("NEXT") }
            query.limit = try parseExpression()
            if !accept("ROW") { try expect("ROWS") }
            try expect("ONLY")
        }
    }

    /// UNION and EXCEPT from left to right; INTERSECT binds tighter.
    private mutating func parseSetOperations() throws(SQLError) -> QuerySyntax {
        var left = try parseIntersections()
        while true {
            let operation: QuerySyntax.SetOperation
            if accept("UNION") { operation = .union } else if acceptRefused("EXCEPT") { operation = .except } else { return left }
            left = try combine(left, operation, all: parseAll(), with: try parseIntersections())
        }
    }

    private mutating func parseIntersections() throws(SQLError) -> QuerySyntax {
        var left = try parseQueryTerm()
        while acceptRefused("INTERSECT") { left = try combine(left, .intersect, all: parseAll(), with: try parseQueryTerm()) }
        return left
    }

    private mutating func parseAll() -> Bool {
        if accept("ALL") { return true }
        _ = accept("DISTINCT")
        return false
    }

    private mutating func combine(
        _ left: QuerySyntax, _ operation: QuerySyntax.SetOperation, all: Bool, with right: QuerySyntax
    ) throws(SQLError) -> QuerySyntax {
        let range = left.range.through(right.range)
        try growByOne(at: range)
        return QuerySyntax(body: .setOperation(operation, all: all, left, right), range: range, height: max(left.height, right.height) + 1)
    }

    private mutating func parseQueryTerm() throws(SQLError) -> QuerySyntax {
        let start = current.range
        let body: QuerySyntax.Body
        if accept("(") {
            let query = try parseQuery()
            try expect(")")
            return query
        } else if isAt("SELECT") {
            body = .select(try parseSelect())
        } else if accept("VALUES") {
            body = .values(try parseRows())
        } else {
            throw unexpected()
        }
        return QuerySyntax(body: body, range: start.through(previousRange), height: 0)
    }

    private mutating func parseRows() throws(SQLError) -> [[ExpressionSyntax]] {
        var rows: [[ExpressionSyntax]] = []
        repeat {
            let row = try parseExpression()
            if case .row(let values) = row.kind { rows.append(values) } else { rows.append([row]) }
            if rows[rows.count - 1].count != rows[0].count {
                throw SQLError("this row has \(rows[rows.count - 1].count) values, the first has \(rows[0].count)", at: row.range)
            }
        } while accept(",")
        return rows
    }

    private mutating func parseSelect() throws(SQLError) -> SelectSyntax {
        try expect("SELECT")
        var select = SelectSyntax()
        select.hints = try parseHints()
        select.distinct = accept("DISTINCT")
        if !select.distinct { _ = accept("ALL") }
        repeat { select.items.append(try parseSelectItem()) } while accept(",")
        if accept("FROM") {
            select.from = try parseFrom()
            if accept("WHERE") { select.filter = try parseExpression() }
            if accept("GROUP") {
                let start = previousRange
                try expect("BY")
                _ = accept("DISTINCT") || accept("ALL")
                var grouping: [SelectSyntax.Grouping] = []
                repeat { grouping.append(try parseGrouping()) } while accept(",")
                select.groupBy = grouping
                select.groupByRange = start.through(previousRange)
            }
            if accept("HAVING") { select.having = try parseExpression() }
            if acceptRefused("WINDOW") {
                repeat {
                    let name = try takeName("the window's name")
                    try expect("AS")
                    select.windows.append((name, try parseWindow()))
                } while accept(",")
            }
            if acceptRefused("QUALIFY") { select.qualify = try parseExpression() }
        }
        return select
    }

    private mutating func parseSelectItem() throws(SQLError) -> SelectSyntax.Item {
        let start = current.range
        if accept("*") { return .star(nil, start) }
        if let table = try parseQualifiedStar() { return .star(table, start.through(previousRange)) }
        let expression = try parseExpression()
        if accept("AS") { return .expression(expression, alias: try takeName("a column's name")) }
        return .expression(expression, alias: takeBareAlias())
    }

    /// `t.*`, or nil with nothing taken.
    private mutating func parseQualifiedStar() throws(SQLError) -> ObjectNameSyntax? {
        var distance = 0
        while [.word, .quotedName].contains(ahead(distance).kind), ahead(distance + 1).keyword == "." {
            distance += 2
            guard ahead(distance).keyword == "*" else { continue }
            var parts = [try takeName("a table's name")]
            while parts.count < distance / 2 {
                advance()
                parts.append(try takeName("a table's name"))
            }
            advance()
            advance()
            return ObjectNameSyntax(parts: parts)
        }
        return nil
    }

    private mutating func parseGrouping() throws(SQLError) -> SelectSyntax.Grouping {
        try enter()
        defer { leave() }
        if isAt("GROUPING", "SETS") {
            advance()
            advance()
            return .sets(try parseGroupings())
        }
        if acceptRefused("ROLLUP") { return .rollup(try parseGroupings()) }
        if acceptRefused("CUBE") { return .cube(try parseGroupings()) }
        if isAt("(", ")") {
            advance()
            advance()
            return .list([])
        }
        let expression = try parseExpression()
        if case .row(let parts) = expression.kind { return .list(parts) }
        return .expression(expression)
    }

    private mutating func parseGroupings() throws(SQLError) -> [SelectSyntax.Grouping] {
        try expect("(")
        var groupings: [SelectSyntax.Grouping] = []
        repeat { groupings.append(try parseGrouping()) } while accept(",")
        try expect(")")
        return groupings
    }

    mutating func parseOrderBy() throws(SQLError) -> [OrderItemSyntax] {
        try expect("ORDER", "BY")
        var items: [OrderItemSyntax] = []
        repeat {
            let expression = try parseExpression()
            let descending = accept("DESC")
            if !descending { _ = accept("ASC") }
            var nullsFirst: Bool?
            if accept("NULLS") {
                nullsFirst = accept("FIRST")
                if nullsFirst == false { try expect("LAST") }
            }
            items.append(OrderItemSyntax(expression: expression, descending: descending, nullsFirst: nullsFirst))
        } while accept(",")
        return items
    }
}
