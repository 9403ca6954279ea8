extension Parser {
    /// Literals, names, calls, CASE, CAST, constructors and everything in parentheses.
    mutating func parsePrimary() throws(SQLError) -> ExpressionSyntax {
        let start = current.range
        switch current.kind {
        case .number:
            let text = take().text
            return try make(.literal(text.contains { $0 == "e" || $0 == "E" } ? .approximate(text) : .exact(text)), start)
        case .string:
            var text = take().text
            // Strings one after the other are one string, as in the standard.
            while current.kind == .string { text += take().text }
            return try make(.literal(.string(text)), start.through(previousRange))
        case .hexString: return try make(.literal(.binary(take().text)), start)
        case .quotedName: return try parseNameOrCall()
        case .symbol: return try parseParenthesis()
        case .word: return try parseWord()
        case .hintStart, .hintEnd, .end:
            note("an expression")
            throw unexpected()
        }
    }

    private mutating func parseParenthesis() throws(SQLError) -> ExpressionSyntax {
        let start = current.range
        note("an expression")
        guard isAt("(") else { throw unexpected() }
        if parenthesisHoldsQuery {
            advance()
            let query = try parseQuery()
            try expect(")")
            return try make(.scalarQuery(query), start.through(previousRange))
        }
        advance()
        let parts = try parseExpressions()
        try expect(")")
        let range = start.through(previousRange)
        return parts.count == 1 ? ExpressionSyntax(parts[0].kind, range) : try make(.row(parts), range)
    }

    private mutating func parseWord() throws(SQLError) -> ExpressionSyntax {
        let start = current.range
        let next = ahead(1)
        switch current.keyword {
        case "TRUE", "FALSE": return try make(.literal(.boolean(take().keyword == "TRUE")), start)
        case "NULL":
            advance()
            return try make(.literal(.null), start)
        case "DEFAULT" where next.keyword != "(" && next.keyword != ".":
            advance()
            return try make(.defaultValue, start)
        case "DATE" where next.kind == .string, "TIME" where next.kind == .string, "TIMESTAMP" where next.kind == .string:
            let word = take().keyword
            let text = take().text
            return try make(.literal(word == "DATE" ? .date(text) : word == "TIME" ? .time(text) : .timestamp(text)), start.through(previousRange))
        case "INTERVAL": return try parseInterval()
        case "CASE": return try parseCase()
        case "EXISTS":
            advance()
            try expect("(")
            let query = try parseQuery()
            try expect(")")
            return try make(.exists(query), start.through(previousRange))
        case "CAST" where next.keyword == "(", "TRY_CAST" where next.keyword == "(": return try parseCast()
        case "ARRAY" where next.keyword == "[", "MAP" where next.keyword == "[":
            let word = take().keyword
            advance()
            let items = isAt("]") ? [] : try parseExpressions()
            try expect("]")
            let range = start.through(previousRange)
            if word == "MAP", !items.count.isMultiple(of: 2) { throw SQLError("MAP[…] takes keys and values in turn", at: range) }
            return try make(word == "ARRAY" ? .array(items) : .map(items), range)
        case "ROW" where next.keyword == "(":
            advance()
            advance()
            let parts = isAt(")") ? [] : try parseExpressions()
            try expect(")")
            return try make(.row(parts), start.through(previousRange))
        case let word where Self.callsWithoutParentheses.contains(word) && next.keyword != "." && next.keyword != "(":
            let name = take()
            return try make(.call(CallSyntax(name: ObjectNameSyntax(parts: [NameSyntax(text: name.text, range: name.range)]))), start)
        default: return try parseNameOrCall()
        }
    }

    private static let callsWithoutParentheses: Set<String> = [
        "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "CURRENT_USER", "SESSION_USER", "USER",
        "CURRENT_CATALOG",
    ]

    private mutating func parseInterval() throws(SQLError) -> ExpressionSyntax {
        let start = current.range
        try expect("INTERVAL")
        let negative = accept("-")
        if !negative { _ = accept("+") }
        let text = try takeString("a number in quotes").text
        let units = try parseIntervalUnits()
        return try make(.literal(.interval(text, negative: negative, units)), start.through(previousRange))
    }

    private mutating func parseCase() throws(SQLError) -> ExpressionSyntax {
        let start = current.range
        try expect("CASE")
        let operand: ExpressionSyntax? = isAt("WHEN") ? nil : try parseExpression()
        var branches: [ExpressionSyntax.Branch] = []
        try expect("WHEN")
        repeat {
            let when = try parseExpression()
            try expect("THEN")
            branches.append(ExpressionSyntax.Branch(when: when, then: try parseExpression()))
        } while accept("WHEN")
        let otherwise: ExpressionSyntax? = accept("ELSE") ? try parseExpression() : nil
        try expect("END")
        return try make(.caseWhen(operand: operand, branches: branches, otherwise: otherwise), start.through(previousRange))
    }

    private mutating func parseCast() throws(SQLError) -> ExpressionSyntax {
        let start = current.range
        let orNull = take().keyword == "TRY_CAST"
        try expect("(")
        let operand = try parseExpression()
        try expect("AS")
        let type = try parseType()
        try expect(")")
        return try make(.cast(operand, type, orNull: orNull), start.through(previousRange))
    }

    private mutating func parseNameOrCall() throws(SQLError) -> ExpressionSyntax {
        let start = current.range
        let name: ObjectNameSyntax
        if current.kind == .word, Token.reservedFunctions.contains(current.keyword), ahead(1).keyword == "(" {
            let token = take()
            name = ObjectNameSyntax(parts: [NameSyntax(text: token.text, range: token.range)])
        } else {
            note("an expression")
            if current.kind == .word, Token.reserved.contains(current.keyword) { throw unexpected() }
            name = try takeObjectName("a name")
        }
        guard isAt("(") else { return try make(.name(name), start.through(previousRange)) }
        var call = try parseArguments(of: CallSyntax(name: name))
        try parseCallTail(of: &call)
        return try make(.call(call), start.through(previousRange))
    }
}
