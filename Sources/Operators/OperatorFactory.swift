import Columnar
import Dataflow
import Expressions

/// The operator that a spec describes. Sources and sinks are the connectors'.
package enum OperatorFactory {
    /// - Parameter evaluation: asked once a batch by operators that compute expressions: the time and the session's zone.
    package static func make(
        _ spec: OperatorSpec, context: OperatorContext, evaluation: @escaping () -> EvaluationContext
    ) throws(StreamError) -> any Operator {
        switch spec {
        case .localWindowAggregate(let spec):
            guard !spec.aggregates.contains(where: \.distinct) else {
                throw StreamError(.internal, retry: false, "an aggregate with DISTINCT has no partial results")
            }
            try checkZone(of: spec)
            return LocalWindowAggregateOperator(spec, context: context)
        case .windowAggregate(let spec):
            try checkZone(of: spec)
            return WindowAggregateOperator(spec, context: context)
        case .groupAggregate(let spec): return GroupAggregateOperator(spec, context: context)
        case .calc(let spec): return try CalcOperator(spec, uid: context.uid, evaluation: evaluation)
        case .source, .sink: throw StreamError(.internal, retry: false, "sources and sinks are made by their connectors")
        }
    }

    private static func checkZone(of spec: WindowAggregateSpec) throws(StreamError) {
        guard let name = spec.zone, ZoneRules(named: name) == nil else { return }
        throw StreamError(.user, retry: false, "table.local-time-zone: there is no zone \(name)")
    }
}
