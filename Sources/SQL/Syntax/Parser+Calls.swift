extension Parser {
    /// The parenthesis of a call and what is in it; functions with a spelling of their own are told apart by name.
    mutating func parseArguments(of call: CallSyntax) throws(SQLError) -> CallSyntax {
        try enter()
        defer { leave() }
        var call = call
        try expect("(")
        switch call.function {
        case "EXTRACT" where TimeUnitSyntax(keyword: current.keyword) != nil && ahead(1).keyword == "FROM":
            append(&call, try parseTimeUnit())
            try expect("FROM")
            append(&call, try parseExpression())
        case "TIMESTAMPADD", "TIMESTAMPDIFF":
            append(&call, try parseTimeUnit())
            try expect(",")
            try parseList(into: &call)
        case "TRIM": try parseTrim(into: &call)
        case "SUBSTRING": try parseList(into: &call, separators: ["FROM", "FOR"])
        case "OVERLAY": try parseList(into: &call, separators: ["PLACING", "FROM", "FOR"])
        case "POSITION": try parsePosition(into: &call)
        case "CEIL", "CEILING", "FLOOR":
            append(&call, try parseExpression())
            if accept("TO") { append(&call, try parseTimeUnit()) } else if accept(",") { try parseList(into: &call) }
        case "JSON_OBJECT", "JSON_OBJECTAGG": try parseJSONPairs(into: &call)
        case let name where name.hasPrefix("JSON_"):
            if !isAt(")") { try parseList(into: &call) }
            try parseJSONClauses(into: &call)
        default:
            if isAt(")") { break }
            call.distinct = accept("DISTINCT")
            if !call.distinct { _ = accept("ALL") }
            repeat { call.arguments.append(try parseArgument()) } while accept(",")
        }
        try expect(")")
        return call
    }

    private func append(_ call: inout CallSyntax, _ expression: ExpressionSyntax) {
        call.arguments.append(ArgumentSyntax(name: nil, value: .expression(expression), range: expression.range))
    }

    private mutating func parseArgument() throws(SQLError) -> ArgumentSyntax {
        let start = current.range
        var name: NameSyntax?
        if ahead(1).keyword == "=>" {
            name = try takeName("an argument's name")
            advance()
        }
        let value: ArgumentSyntax.Value
        if isAt("*") {
            value = .expression(try make(.star, take().range))
        } else if isAt("TABLE") {
            advance()
            value = .table(try parseTableArgument())
        } else if isAt("DESCRIPTOR", "(") {
            advance()
            value = .descriptor(try takeNames("a column's name"))
        } else if isQueryKeyword(current.keyword) {
            throw SQLError("a query as an argument stands in parentheses", at: current.range)
        } else {
            value = .expression(try parseExpression())
        }
        return ArgumentSyntax(name: name, value: value, range: start.through(previousRange))
    }

    private mutating func parseTimeUnit() throws(SQLError) -> ExpressionSyntax {
        note("a time unit")
        for unit in TimeUnitSyntax.allCases { note(unit.rawValue) }
        guard current.kind == .word, let unit = TimeUnitSyntax(keyword: current.keyword) else { throw unexpected() }
        return try make(.symbol(unit.rawValue), take().range)
    }

    /// Expressions between commas, or between these words in this order.
    private mutating func parseList(into call: inout CallSyntax, separators: [String] = []) throws(SQLError) {
        append(&call, try parseExpression())
        var rest = separators[...]
        while true {
            if accept(",") { append(&call, try parseExpression()) } else if let found = rest.firstIndex(where: { isAt($0) }) {
                advance()
                rest = rest[(found + 1)...]
                append(&call, try parseExpression())
            } else {
                for word in rest.prefix(1) { note(word) }
                return
            }
        }
    }

    /// `TRIM(s)`, `TRIM([BOTH|LEADING|TRAILING] [letters] FROM s)`; becomes (words, letters, s) with BOTH and ' ' filled in.
    private mutating func parseTrim(into call: inout CallSyntax) throws(SQLError) {
        let start = current.range
        var side = try make(.symbol("BOTH"), SourceRange(start.start, start.start))
        var explicit = false
        if ["BOTH", "LEADING", "TRAILING"].contains(current.keyword), ahead(1).keyword != ")", ahead(1).keyword != "." {
            side = try make(.symbol(current.keyword), take().range)
            explicit = true
        }
        var letters = try make(.literal(.string(" ")), side.range)
        if !accept("FROM") {
            let first = try parseExpression()
            guard accept("FROM") else {
                if explicit { throw unexpected() }
                for part in [side, letters, first] { append(&call, part) }
                return
            }
            letters = first
        }
        for part in [side, letters, try parseExpression()] { append(&call, part) }
    }

    /// `POSITION(a IN b)`: the IN is no membership test, so the first operand stops before it.
    private mutating func parsePosition(into call: inout CallSyntax) throws(SQLError) {
        let first = try parseExpressionBeforeIn()
        append(&call, first)
        if !accept(",") { try expect("IN") }
        append(&call, try parseExpression())
        if accept("FROM") { append(&call, try parseExpression()) }
    }

    private mutating func parseJSONPairs(into call: inout CallSyntax) throws(SQLError) {
        while !isAt(")"), !isAt("NULL", "ON"), !isAt("ABSENT", "ON") {
            if isAt("KEY"), ahead(1).keyword != "VALUE", ahead(1).keyword != ":" { advance() }
            append(&call, try parseExpression())
            if !accept("VALUE"), !accept(":") { throw unexpected() }
            append(&call, try parseExpression())
            guard accept(",") else { break }
        }
        try parseJSONClauses(into: &call)
    }

    private mutating func parseJSONClauses(into call: inout CallSyntax) throws(SQLError) {
        while !isAt(")"), current.kind == .word {
            if accept("RETURNING") {
                call.clauses.append(ClauseSyntax(words: "RETURNING", type: try parseType()))
            } else if accept("DEFAULT") {
                let value = try parseExpression()
                try expect("ON")
                call.clauses.append(ClauseSyntax(words: "DEFAULT ON \(take().keyword)", value: value))
            } else {
                var words: [String] = []
                while current.kind == .word, words.count < 5 {
                    words.append(take().keyword)
                    if words.last == "WRAPPER" || words.dropLast().last == "ON" { break }
                }
                guard words.last == "WRAPPER" || words.dropLast().last == "ON" else {
                    for word in ["RETURNING", "DEFAULT", "NULL ON EMPTY", "WITH WRAPPER"] { note(word) }
                    throw unexpected()
                }
                call.clauses.append(ClauseSyntax(words: words.joined(separator: " ")))
            }
        }
    }

    /// WITHIN GROUP, IGNORE NULLS, FILTER and OVER.
    mutating func parseCallTail(of call: inout CallSyntax) throws(SQLError) {
        if isAt("WITHIN", "GROUP") {
            advance()
            advance()
            try expect("(")
            call.withinGroup = try parseOrderBy()
            try expect(")")
        }
        if isAt("IGNORE", "NULLS") || isAt("RESPECT", "NULLS") {
            call.ignoreNulls = take().keyword == "IGNORE"
            advance()
        }
        if isAt("FILTER", "(") {
            advance()
            try expect("(", "WHERE")
            call.filter = try parseExpression()
            try expect(")")
        }
        if acceptRefused("OVER") {
            if isAt("(") { call.over = .window(try parseWindow()) } else { call.over = .named(try takeName("a window's name")) }
        }
    }

    /// `( [name] [PARTITION BY …] [ORDER BY …] [frame] )`.
    mutating func parseWindow() throws(SQLError) -> WindowSyntax {
        let start = current.range
        try expect("(")
        var base: NameSyntax?
        if current.kind == .quotedName || (current.kind == .word && !["PARTITION", "ORDER", "ROWS", "RANGE"].contains(current.keyword)) {
            base = try takeName("a window's name")
        }
        var partitionBy: [ExpressionSyntax] = []
        if accept("PARTITION") {
            try expect("BY")
            partitionBy = try parseExpressions()
        }
        let orderBy = isAt("ORDER") ? try parseOrderBy() : []
        var frame: WindowSyntax.Frame?
        if isAt("ROWS") || isAt("RANGE") {
            let rows = take().keyword == "ROWS"
            if accept("BETWEEN") {
                let from = try parseBound()
                try expect("AND")
                frame = WindowSyntax.Frame(rows: rows, from: from, to: try parseBound())
            } else {
                frame = WindowSyntax.Frame(rows: rows, from: try parseBound(), to: .currentRow)
            }
        }
        try expect(")")
        return WindowSyntax(base: base, partitionBy: partitionBy, orderBy: orderBy, frame: frame, range: start.through(previousRange))
    }

    private mutating func parseBound() throws(SQLError) -> WindowSyntax.Bound {
        if accept("CURRENT") {
            try expect("ROW")
            return .currentRow
        }
        if accept("UNBOUNDED") {
            if accept("PRECEDING") { return .unboundedPreceding }
            try expect("FOLLOWING")
            return .unboundedFollowing
        }
        let distance = try parseExpression()
        if accept("PRECEDING") { return .preceding(distance) }
        try expect("FOLLOWING")
        return .following(distance)
    }
}
