import Columnar
import Dataflow

/// The operator that a spec describes. Sources and sinks are the connectors'.
package enum OperatorFactory {
    package static func make(_ spec: OperatorSpec, context: OperatorContext) throws(StreamError) -> any Operator {
        switch spec {
        case .localWindowAggregate(let spec):
            guard !spec.aggregates.contains(where: \.distinct) else {
                throw StreamError(.internal, retry: false, "an aggregate with DISTINCT has no partial results")
            }
            return LocalWindowAggregateOperator(spec, context: context)
        case .windowAggregate(let spec): return WindowAggregateOperator(spec, context: context)
        case .groupAggregate(let spec): return GroupAggregateOperator(spec, context: context)
        case .source, .sink, .calc: throw StreamError(.internal, retry: false, "sources and sinks are made by their connectors")
        }
    }
}
