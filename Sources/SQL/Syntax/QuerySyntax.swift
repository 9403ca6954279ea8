/// A whole query: `[WITH …] body [ORDER BY …] [LIMIT …]`.
struct QuerySyntax {
    struct CommonTable {
        let name: NameSyntax
        let columns: [NameSyntax]
        let query: QuerySyntax
    }

    indirect enum Body {
        case select(SelectSyntax)
        case values([[ExpressionSyntax]])
        case setOperation(SetOperation, all: Bool, QuerySyntax, QuerySyntax)
        case query(QuerySyntax)
    }

    enum SetOperation: String {
        case union = "UNION", intersect = "INTERSECT", except = "EXCEPT"
    }

    var commonTables: [CommonTable] = []
    var body: Body
    var orderBy: [OrderItemSyntax] = []
    var limit: ExpressionSyntax?
    var offset: ExpressionSyntax?
    var range: SourceRange
    /// See ExpressionSyntax.height.
    var height: Int
}

struct SelectSyntax {
    enum Item {
        /// `*` or `t.*`.
        case star(ObjectNameSyntax?, SourceRange)
        case expression(ExpressionSyntax, alias: NameSyntax?)
    }

    indirect enum Grouping {
        case expression(ExpressionSyntax)
        /// `()` and `(a, b)`.
        case list([ExpressionSyntax])
        case rollup([Grouping])
        case cube([Grouping])
        case sets([Grouping])
    }

    var hints: [HintSyntax] = []
    var distinct = false
    var items: [Item] = []
    /// Nil for a SELECT without FROM, which gives one row. Tables separated by commas are cross joins.
    var from: TableSyntax?
    var filter: ExpressionSyntax?
    /// Nil without GROUP BY.
    var groupBy: [Grouping]?
    var groupByRange = SourceRange(0, 0)
    var having: ExpressionSyntax?
    var windows: [(name: NameSyntax, window: WindowSyntax)] = []
    var qualify: ExpressionSyntax?
}

/// Something in FROM.
struct TableSyntax {
    indirect enum Kind {
        case named(ObjectNameSyntax, hints: [HintSyntax])
        case query(QuerySyntax, lateral: Bool)
        /// `TABLE(f(…))`, `LATERAL TABLE(f(…))`.
        case function(CallSyntax, lateral: Bool)
        case unnest([ExpressionSyntax], withOrdinality: Bool)
        case join(JoinSyntax)
    }

    struct Alias {
        let name: NameSyntax
        let columns: [NameSyntax]
    }

    var kind: Kind
    /// FOR SYSTEM_TIME AS OF.
    var asOf: ExpressionSyntax?
    var alias: Alias?
    var range: SourceRange
}

struct JoinSyntax {
    enum Kind: String {
        case inner = "INNER", left = "LEFT", right = "RIGHT", full = "FULL", cross = "CROSS"
    }

    enum Condition {
        case none
        case on(ExpressionSyntax)
        case using([NameSyntax])
        case natural
    }

    let kind: Kind
    let left: TableSyntax
    let right: TableSyntax
    let condition: Condition
}

/// One entry of `/*+ OPTIONS('k' = 'v'), BROADCAST(t) */`.
struct HintSyntax {
    let name: NameSyntax
    /// Key and value of OPTIONS; for other hints the arguments as values with empty keys.
    let options: [OptionSyntax]
}

/// `'key' = 'value'` with where each stands.
struct OptionSyntax {
    let key: String
    let value: String
    let keyRange: SourceRange
    let valueRange: SourceRange
}
