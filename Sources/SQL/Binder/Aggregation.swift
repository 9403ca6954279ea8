import Columnar
import Dataflow
import Expressions

/// GROUP BY while the SELECT list is bound: the keys, and the aggregates met so far.
///
/// Expressions bound in it read the aggregate's output: keys first, then one column per aggregate.
struct Aggregation {
    /// One aggregate with its argument and filter still as expressions over the input.
    struct Call: Equatable {
        var function: AggregateCall.Function
        var argument: Expression?
        var filter: Expression?
        var distinct: Bool
        var type: DataType
    }

    /// Over the input, each once.
    let keys: [Expression]
    /// Its bounds are among the keys.
    let window: GroupWindow?
    private(set) var calls: [Call] = []

    init(keys: [Expression], window: GroupWindow? = nil) {
        self.keys = keys
        self.window = window
    }

    /// The aggregate's output column; equal aggregates share one.
    mutating func column(of call: Call) -> Expression {
        let position: Int
        if let known = calls.firstIndex(of: call) { position = known } else {
            position = calls.count
            calls.append(call)
        }
        return .column(keys.count + position, type: call.type)
    }

    func column(ofKey key: Expression) -> Expression? {
        keys.firstIndex(of: key).map { .column($0, type: key.type) }
    }

    /// Aggregates that Flink has, supported or not.
    static let functions: Set<String> = [
        "COUNT", "SUM", "MIN", "MAX", "AVG", "SUM0", "STDDEV_POP", "STDDEV_SAMP", "STDDEV", "VAR_POP", "VAR_SAMP", "VARIANCE", "COLLECT",
        "LISTAGG", "FIRST_VALUE", "LAST_VALUE", "ARRAY_AGG", "APPROX_COUNT_DISTINCT", "JSON_OBJECTAGG", "JSON_ARRAYAGG", "SINGLE_VALUE",
        "PERCENTILE", "GROUPING", "GROUPING_ID",
    ]

    static let rankings: Set<String> = [
        "ROW_NUMBER", "RANK", "DENSE_RANK", "LAG", "LEAD", "NTILE", "PERCENT_RANK", "CUME_DIST",
    ]

    /// Checks the argument's type and finds the result's, before nullability.
    static func resultKind(_ function: AggregateCall.Function, _ argument: TypeKind?) -> TypeKind? {
        guard let argument else { return .bigint }
        switch function {
        case .countStar, .count: return .bigint
        case .min, .max: return argument.isBinary || argument == .null ? nil : argument
        case .sum:
            guard argument.isNumeric else { return nil }
            if case .decimal(_, let scale) = argument { return .decimal(precision: 38, scale: scale) }
            return argument
        case .avg:
            guard argument.isNumeric else { return nil }
            if case .decimal(_, let scale) = argument { return .decimal(precision: 38, scale: max(6, scale)) }
            return argument
        }
    }
}

extension ExpressionSyntax {
    /// Whether an aggregate is called in it, not counting OVER and what is inside subqueries.
    var containsAggregate: Bool {
        if case .call(let call) = kind, Aggregation.functions.contains(call.function), call.over == nil { return true }
        return children.contains(where: \.containsAggregate)
    }
}
