/// The rules in their order; each is a file of this folder.
enum Optimizer {
    /// The same rows by less work. Throws where a window function stands without the grouping that makes it runnable.
    static func optimize(_ plan: Plan, localTimeZone: String) throws(SQLError) -> Plan {
        var plan = mergeCalcs(pushFiltersDown(mergeCalcs(plan)))
        plan = try groupByWindow(plan, localTimeZone: localTimeZone)
        plan = pruneColumns(plan)
        return foldConstants(mergeCalcs(plan))
    }
}

extension Plan {
    /// The plan with `change` applied to each of its direct inputs.
    func mappingInputs(_ change: (Plan) throws(SQLError) -> Plan) throws(SQLError) -> Plan {
        switch self {
        case .scan, .rows: return self
        case .calc(var calc):
            calc.input = try change(calc.input)
            return .calc(calc)
        case .window(var window):
            window.input = try change(window.input)
            return .window(window)
        case .aggregate(var aggregate):
            aggregate.input = try change(aggregate.input)
            return .aggregate(aggregate)
        case .windowAggregate(var aggregate):
            aggregate.input = try change(aggregate.input)
            return .windowAggregate(aggregate)
        case .union(let inputs, let columns):
            var changed: [Plan] = []
            for input in inputs { changed.append(try change(input)) }
            return .union(changed, columns: columns)
        }
    }

    /// For changes that cannot fail.
    func mapInputs(_ change: (Plan) -> Plan) -> Plan {
        do { return try mappingInputs { (input) throws(SQLError) in change(input) } } catch { return self }
    }
}
