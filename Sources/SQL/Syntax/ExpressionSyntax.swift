/// An expression as written. Forms that SQL spells specially (`EXTRACT(DAY FROM t)`, `TRIM(BOTH 'x' FROM s)`) are calls here,
/// their words being `.symbol` arguments.
struct ExpressionSyntax {
    indirect enum Kind {
        case literal(LiteralSyntax)
        /// `a`, `t.a`, `db.t.a`, `t.row.field`: which part is what, the binder finds out.
        case name(ObjectNameSyntax)
        /// The `*` of COUNT(*).
        case star
        /// A keyword as an argument: a time unit, BOTH, LEADING, …
        case symbol(String)
        /// `DEFAULT` as an argument or value.
        case defaultValue
        case unary(UnaryOperator, ExpressionSyntax)
        case binary(BinaryOperator, ExpressionSyntax, ExpressionSyntax)
        /// Two or more operands, in order.
        case and([ExpressionSyntax])
        case or([ExpressionSyntax])
        /// `x IS [NOT] NULL`, `TRUE`, `JSON OBJECT`, …
        case isTest(ExpressionSyntax, String, negated: Bool)
        case isDistinct(ExpressionSyntax, ExpressionSyntax, negated: Bool)
        case between(ExpressionSyntax, ExpressionSyntax, ExpressionSyntax, symmetric: Bool, negated: Bool)
        case inList(ExpressionSyntax, [ExpressionSyntax], negated: Bool)
        case inQuery(ExpressionSyntax, QuerySyntax, negated: Bool)
        /// `similar` for SIMILAR TO.
        case like(ExpressionSyntax, ExpressionSyntax, escape: ExpressionSyntax?, similar: Bool, negated: Bool)
        case exists(QuerySyntax)
        case scalarQuery(QuerySyntax)
        /// `x > ALL (SELECT …)`; the word is ALL, ANY or SOME.
        case quantified(BinaryOperator, ExpressionSyntax, String, QuerySyntax)
        case caseWhen(operand: ExpressionSyntax?, branches: [Branch], otherwise: ExpressionSyntax?)
        case cast(ExpressionSyntax, TypeSyntax, orNull: Bool)
        case call(CallSyntax)
        case array([ExpressionSyntax])
        /// Keys and values in turn.
        case map([ExpressionSyntax])
        /// `ROW(a, b)` or `(a, b)`.
        case row([ExpressionSyntax])
        case element(ExpressionSyntax, ExpressionSyntax)
        case field(ExpressionSyntax, NameSyntax)
        case atTimeZone(ExpressionSyntax, ExpressionSyntax)
    }

    struct Branch {
        let when: ExpressionSyntax
        let then: ExpressionSyntax
    }

    let kind: Kind
    let range: SourceRange
    /// Levels of expressions (and of queries within) below and including this one; bounded by the parser, so that everything that
    /// walks the tree may recurse.
    let height: Int
}

enum UnaryOperator: String {
    case minus = "-", plus = "+", not = "NOT"
}

enum BinaryOperator: String {
    case add = "+", subtract = "-", multiply = "*", divide = "/", remainder = "%", concat = "||"
    case equal = "=", notEqual = "<>", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
}

/// A constant as written, checked for form but not yet for value: `DATE '2026-13-01'` is found by the binder.
enum LiteralSyntax {
    /// Digits with or without a point: exact.
    case exact(String)
    /// With an exponent: approximate.
    case approximate(String)
    case string(String)
    /// Hexadecimal digits.
    case binary(String)
    case boolean(Bool)
    case null
    case date(String)
    case time(String)
    case timestamp(String)
    case interval(String, negative: Bool, IntervalUnitsSyntax)
}

/// `COUNT(DISTINCT x) FILTER (WHERE …) OVER (…)` with whatever of it is there.
struct CallSyntax {
    let name: ObjectNameSyntax
    var distinct = false
    var arguments: [ArgumentSyntax] = []
    /// Behaviour words inside the parentheses: `RETURNING INT`, `DEFAULT 0 ON EMPTY`, `NULL ON NULL`.
    var clauses: [ClauseSyntax] = []
    var withinGroup: [OrderItemSyntax] = []
    /// IGNORE NULLS true, RESPECT NULLS false.
    var ignoreNulls: Bool?
    var filter: ExpressionSyntax?
    var over: OverSyntax?

    /// The function's name in upper case when it has one part.
    var function: String { name.parts.count == 1 ? name.last.text.uppercased() : name.text }
}

struct ArgumentSyntax {
    enum Value {
        case expression(ExpressionSyntax)
        case table(TableArgumentSyntax)
        case descriptor([NameSyntax])
    }

    /// Before `=>`.
    let name: NameSyntax?
    let value: Value
    let range: SourceRange

    var expression: ExpressionSyntax? {
        if case .expression(let expression) = value { expression } else { nil }
    }
}

/// `TABLE t PARTITION BY k ORDER BY ts`.
struct TableArgumentSyntax {
    let input: TableSyntax
    let partitionBy: [ExpressionSyntax]
    let orderBy: [OrderItemSyntax]
}

struct ClauseSyntax {
    /// In upper case: `RETURNING`, `DEFAULT ON EMPTY`, `NULL ON ERROR`, `WITH WRAPPER`.
    let words: String
    var type: TypeSyntax?
    var value: ExpressionSyntax?
}

enum OverSyntax {
    case named(NameSyntax)
    case window(WindowSyntax)
}

/// The inside of OVER (…) or of a WINDOW definition.
struct WindowSyntax {
    struct Frame {
        /// ROWS or RANGE.
        let rows: Bool
        let from: Bound
        let to: Bound
    }

    enum Bound {
        case unboundedPreceding, currentRow, unboundedFollowing
        case preceding(ExpressionSyntax)
        case following(ExpressionSyntax)
    }

    var base: NameSyntax?
    var partitionBy: [ExpressionSyntax] = []
    var orderBy: [OrderItemSyntax] = []
    var frame: Frame?
    let range: SourceRange
}

struct OrderItemSyntax {
    let expression: ExpressionSyntax
    let descending: Bool
    /// Nil when not written: then Flink's default (nulls are the smallest) holds.
    let nullsFirst: Bool?
}
