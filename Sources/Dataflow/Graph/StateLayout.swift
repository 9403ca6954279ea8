import Columnar

/// What the keyed state of operators is made of, in words: state of another layout is refused by them, before a job starts and again
/// where it is read.
extension OperatorSpec {
    /// Nil for operators without keyed state.
    package var stateLayout: String? {
        switch self {
        case .windowAggregate(let spec): spec.stateLayout
        case .groupAggregate(let spec): spec.stateLayout
        case .source, .calc, .localWindowAggregate, .sink: nil
        }
    }
}

extension WindowAggregateSpec {
    /// `window slices of 5000 ms offset 0 by (VARCHAR): MAX(DOUBLE) DOUBLE`
    package var stateLayout: String {
        "window slices of \(window.slice) ms offset \(window.offset)\(zone.map { " on the clock of \($0)" } ?? "") by (\(input.keyTypes(keys))): "
            + AggregateCall.stateLayout(of: aggregates, input: input)
    }
}

extension GroupAggregateSpec {
    /// `groups by (VARCHAR): COUNT(*) BIGINT`
    package var stateLayout: String {
        "groups by (\(input.keyTypes(keys)))\(consumesRetractions ? " over a changelog" : ""): " + AggregateCall.stateLayout(of: aggregates, input: input)
    }
}

extension AggregateCall {
    fileprivate static func stateLayout(of calls: [AggregateCall], input: Schema) -> String {
        calls.map { call in
            let argument = call.argument.map { input.fields[$0].type.nullable(true).description } ?? "*"
            let name = call.function == .countStar ? "COUNT" : call.function.rawValue.uppercased()
            return "\(name)(\(call.distinct ? "DISTINCT " : "")\(argument))\(call.filter == nil ? "" : " FILTER") \(call.type.nullable(true))"
        }.joined(separator: ", ")
    }
}

extension Schema {
    fileprivate func keyTypes(_ keys: [Int]) -> String { keys.map { fields[$0].type.nullable(true).description }.joined(separator: ", ") }
}

extension JobVertex {
    /// Of its operators that keep keyed state, in the order of the chain.
    package var stateLayouts: [String] { chain.compactMap(\.spec.stateLayout) }
}
