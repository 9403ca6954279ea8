/// How tightly operators bind, loosest first; the numbers are Calcite's (SqlStdOperatorTable).
private enum Binding {
    static let or = 22, and = 24, not = 26, isTest = 28, comparison = 30, membership = 32, sum = 40, product = 60, sign = 80
}

extension Parser {
    mutating func parseExpression() throws(SQLError) -> ExpressionSyntax {
        try enter()
        defer { leave() }
        return try parseExpression(binding: Binding.or)
    }

    /// For POSITION(a IN b).
    mutating func parseExpressionBeforeIn() throws(SQLError) -> ExpressionSyntax { try parseExpression(binding: Binding.sum) }

    /// Precedence climbing: takes operators that bind at least as tightly as `minimum`.
    private mutating func parseExpression(binding minimum: Int) throws(SQLError) -> ExpressionSyntax {
        var left = try parsePrefix()
        while let binding = bindingHere(), binding >= minimum {
            switch binding {
            case Binding.or: left = try parseChain("OR", left, above: binding)
            case Binding.and: left = try parseChain("AND", left, above: binding)
            case Binding.isTest: left = try parseIs(left)
            case Binding.membership: left = try parseMembership(left)
            default: left = try parseBinary(left, binding)
            }
        }
        return left
    }

    private func bindingHere() -> Int? {
        switch current.keyword {
        case "OR": Binding.or
        case "AND": Binding.and
        case "IS": Binding.isTest
        case "=", "<>", "!=", "<", "<=", ">", ">=": Binding.comparison
        case "BETWEEN", "IN", "LIKE", "SIMILAR": Binding.membership
        case "NOT": ["BETWEEN", "IN", "LIKE", "SIMILAR"].contains(ahead(1).keyword) ? Binding.membership : nil
        case "+", "-": Binding.sum
        case "*", "/", "%", "||": Binding.product
        default: nil
        }
    }

    /// AND and OR are kept as flat lists: conditions may have thousands of terms.
    private mutating func parseChain(_ word: String, _ first: ExpressionSyntax, above binding: Int) throws(SQLError) -> ExpressionSyntax {
        var terms = [first]
        while isAt(word) {
            advance()
            terms.append(try parseExpression(binding: binding + 1))
        }
        let range = first.range.through(previousRange)
        return try make(word == "OR" ? .or(terms) : .and(terms), range)
    }

    private mutating func parseBinary(_ left: ExpressionSyntax, _ binding: Int) throws(SQLError) -> ExpressionSyntax {
        let symbol = take().keyword
        guard let operation = BinaryOperator(rawValue: symbol == "!=" ? "<>" : symbol) else { throw unexpected() }
        if binding == Binding.comparison, ["ALL", "ANY", "SOME"].contains(current.keyword), ahead(1).keyword == "(", isQueryKeyword(ahead(2).keyword) {
            let word = take().keyword
            advance()
            let query = try parseQuery()
            try expect(")")
            return try make(.quantified(operation, left, word, query), left.range.through(previousRange))
        }
        let right = try parseExpression(binding: binding + 1)
        return try make(.binary(operation, left, right), left.range.through(previousRange))
    }

    private mutating func parseIs(_ operand: ExpressionSyntax) throws(SQLError) -> ExpressionSyntax {
        try expect("IS")
        let negated = accept("NOT")
        if accept("DISTINCT") {
            try expect("FROM")
            let other = try parseExpression(binding: Binding.membership)
            return try make(.isDistinct(operand, other, negated: negated), operand.range.through(previousRange))
        }
        for test in ["NULL", "TRUE", "FALSE", "UNKNOWN"] where accept(test) {
            return try make(.isTest(operand, test, negated: negated), operand.range.through(previousRange))
        }
        guard acceptRefused("JSON") else { throw unexpected() }
        var test = "JSON"
        for kind in ["VALUE", "OBJECT", "ARRAY", "SCALAR"] where isAt(kind) {
            advance()
            test += " " + kind
            break
        }
        return try make(.isTest(operand, test, negated: negated), operand.range.through(previousRange))
    }

    /// BETWEEN, IN, LIKE, SIMILAR TO.
    private mutating func parseMembership(_ operand: ExpressionSyntax) throws(SQLError) -> ExpressionSyntax {
        let negated = accept("NOT")
        if accept("BETWEEN") {
            let symmetric = accept("SYMMETRIC")
            if !symmetric { _ = accept("ASYMMETRIC") }
            let low = try parseExpression(binding: Binding.sum)
            try expect("AND")
            let high = try parseExpression(binding: Binding.sum)
            return try make(.between(operand, low, high, symmetric: symmetric, negated: negated), operand.range.through(previousRange))
        }
        if accept("IN") {
            try expect("(")
            if isQueryKeyword(current.keyword) {
                let query = try parseQuery()
                try expect(")")
                return try make(.inQuery(operand, query, negated: negated), operand.range.through(previousRange))
            }
            let items = try parseExpressions()
            try expect(")")
            return try make(.inList(operand, items, negated: negated), operand.range.through(previousRange))
        }
        let similar = !accept("LIKE")
        if similar { try expect("SIMILAR", "TO") }
        let pattern = try parseExpression(binding: Binding.sum)
        let escape: ExpressionSyntax? = accept("ESCAPE") ? try parseExpression(binding: Binding.sum) : nil
        return try make(.like(operand, pattern, escape: escape, similar: similar, negated: negated), operand.range.through(previousRange))
    }

    private mutating func parsePrefix() throws(SQLError) -> ExpressionSyntax {
        let start = current.range
        let operation: UnaryOperator
        switch current.keyword {
        case "NOT": operation = .not
        case "-": operation = .minus
        case "+": operation = .plus
        default: return try parsePostfix()
        }
        try enter()
        defer { leave() }
        advance()
        let operand = try parseExpression(binding: operation == .not ? Binding.not : Binding.sign)
        return try make(.unary(operation, operand), start.through(previousRange))
    }

    /// A primary with `[index]`, `.field` and AT TIME ZONE after it.
    private mutating func parsePostfix() throws(SQLError) -> ExpressionSyntax {
        var operand = try parsePrimary()
        while true {
            if isAt("[") {
                advance()
                let index = try parseExpression()
                try expect("]")
                operand = try make(.element(operand, index), operand.range.through(previousRange))
            } else if isAt(".") {
                advance()
                let field = try takeName("a field's name")
                operand = try make(.field(operand, field), operand.range.through(previousRange))
            } else if isAt("AT", "TIME", "ZONE") {
                for _ in 0..<3 { advance() }
                let zone = try parsePrimary()
                operand = try make(.atTimeZone(operand, zone), operand.range.through(previousRange))
            } else {
                return operand
            }
        }
    }

    /// One or more, separated by commas.
    mutating func parseExpressions() throws(SQLError) -> [ExpressionSyntax] {
        var expressions = [try parseExpression()]
        while accept(",") { expressions.append(try parseExpression()) }
        return expressions
    }
}
