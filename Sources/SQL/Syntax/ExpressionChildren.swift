extension ExpressionSyntax {
    init(_ kind: Kind, _ range: SourceRange) {
        self.kind = kind
        self.range = range
        height = 1 + max(kind.children.lazy.map(\.height).max() ?? 0, kind.queries.lazy.map(\.height).max() ?? 0)
    }

    /// The expressions directly below, in the order of the text; those inside queries are not among them.
    var children: [ExpressionSyntax] { kind.children }
}

extension ExpressionSyntax.Kind {
    fileprivate var children: [ExpressionSyntax] {
        switch self {
        case .literal, .name, .star, .symbol, .defaultValue, .exists, .scalarQuery: []
        case .unary(_, let operand), .isTest(let operand, _, _), .inQuery(let operand, _, _), .quantified(_, let operand, _, _),
            .cast(let operand, _, _), .field(let operand, _):
            [operand]
        case .binary(_, let left, let right), .isDistinct(let left, let right, _), .element(let left, let right), .atTimeZone(let left, let right):
            [left, right]
        case .and(let terms), .or(let terms), .array(let terms), .map(let terms), .row(let terms): terms
        case .between(let operand, let low, let high, _, _): [operand, low, high]
        case .inList(let operand, let items, _): [operand] + items
        case .like(let operand, let pattern, let escape, _, _): [operand, pattern] + (escape.map { [$0] } ?? [])
        case .caseWhen(let operand, let branches, let otherwise):
            (operand.map { [$0] } ?? []) + branches.flatMap { [$0.when, $0.then] } + (otherwise.map { [$0] } ?? [])
        case .call(let call): call.children
        }
    }

    fileprivate var queries: [QuerySyntax] {
        switch self {
        case .inQuery(_, let query, _), .exists(let query), .scalarQuery(let query), .quantified(_, _, _, let query): [query]
        case .call(let call):
            call.arguments.compactMap { argument in
                guard case .table(let table) = argument.value, case .query(let query, _) = table.input.kind else { return nil }
                return query
            }
        default: []
        }
    }
}

extension CallSyntax {
    fileprivate var children: [ExpressionSyntax] {
        var children: [ExpressionSyntax] = []
        for argument in arguments {
            switch argument.value {
            case .expression(let expression): children.append(expression)
            case .table(let table): children += table.partitionBy + table.orderBy.map(\.expression)
            case .descriptor: break
            }
        }
        children += clauses.compactMap(\.value) + withinGroup.map(\.expression)
        if let filter { children.append(filter) }
        if case .window(let window) = over {
            children += window.partitionBy + window.orderBy.map(\.expression)
            for bound in window.frame.map({ [$0.from, $0.to] }) ?? [] {
                switch bound {
                case .preceding(let distance), .following(let distance): children.append(distance)
                case .unboundedPreceding, .currentRow, .unboundedFollowing: break
                }
            }
        }
        return children
    }
}
