import Columnar
import Expressions

extension Optimizer {
    /// Conditions that do not read window bounds move below the window function; conditions on the keys of a GROUP BY move below it;
    /// conditions over a UNION ALL move into its inputs.
    static func pushFiltersDown(_ plan: Plan) -> Plan {
        let plan = plan.mapInputs(pushFiltersDown)
        guard case .calc(var calc) = plan, let condition = calc.condition else { return plan }
        let terms = condition.conjuncts
        switch calc.input {
        case .window(var window):
            let width = window.input.columns.count
            let below = terms.filter { $0.isDeterministic && $0.columns.allSatisfy { $0 < width } }
            guard let pushed = Expression.all(below) else { return plan }
            window.input = pushFiltersDown(mergeCalcs(window.input.filter(pushed)))
            calc.condition = .all(terms.filter { !below.contains($0) })
            calc.input = .window(window)
        case .aggregate(var aggregate):
            // Without keys there is one row even for no input, which a condition below would not remove.
            let below = terms.filter { $0.isDeterministic && !$0.columns.isEmpty && $0.columns.allSatisfy { $0 < aggregate.keys.count } }
            guard let pushed = Expression.all(below) else { return plan }
            let keys = aggregate.keys
            aggregate.input = pushFiltersDown(mergeCalcs(aggregate.input.filter(pushed.mappingColumns { keys[$0] })))
            calc.condition = .all(terms.filter { !below.contains($0) })
            calc.input = .aggregate(aggregate)
        case .union(let inputs, let columns):
            guard condition.isDeterministic else { return plan }
            calc.condition = nil
            calc.input = .union(inputs.map { pushFiltersDown(mergeCalcs($0.filter(condition))) }, columns: columns)
        case .scan, .rows, .calc, .windowAggregate: return plan
        }
        return .calc(calc)
    }
}
