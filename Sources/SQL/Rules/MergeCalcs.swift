import Columnar
import Expressions

extension Optimizer {
    /// Two calcs on top of each other become one, which brings filters and projections next to the source.
    ///
    /// An expression that is read twice above is not inlined, so nothing is computed twice; a condition that may fail (a division
    /// after `WHERE x <> 0`) stays behind the filter below it.
    static func mergeCalcs(_ plan: Plan) -> Plan {
        let plan = plan.mapInputs(mergeCalcs)
        guard case .calc(let outer) = plan else { return plan }
        if outer.isIdentity { return outer.input }
        guard case .calc(let inner) = outer.input, canMerge(outer, into: inner) else { return plan }
        let condition = outer.condition?.substituting(inner.projections)
        return mergeCalcs(
            .calc(
                CalcPlan(
                    input: inner.input, condition: .all([inner.condition, condition].compactMap(\.self)),
                    projections: outer.projections.map { $0.substituting(inner.projections) }, columns: outer.columns)))
    }

    private static func canMerge(_ outer: CalcPlan, into inner: CalcPlan) -> Bool {
        if inner.condition != nil, let condition = outer.condition, condition.substituting(inner.projections).canFail { return false }
        for (index, projection) in inner.projections.enumerated() where !projection.isTrivial {
            let uses = outer.projections.reduce(outer.condition?.uses(of: index) ?? 0) { $0 + $1.uses(of: index) }
            if uses > 1 || (uses == 1 && outer.condition != nil && !projection.isDeterministic) { return false }
        }
        return true
    }
}

extension CalcPlan {
    /// Passes its input on unchanged, names included.
    var isIdentity: Bool { condition == nil && projections == input.references && columns == input.columns }
}

extension Expression {
    /// Conditions that must all hold, as one; nil for none.
    static func all(_ conditions: [Expression]) -> Expression? {
        let terms = conditions.flatMap(\.conjuncts)
        guard terms.count > 1 else { return terms.first }
        return .call("AND", terms, type: DataType(.boolean, nullable: terms.contains { $0.type.isNullable }))
    }

    /// The terms of an AND, or the expression alone.
    var conjuncts: [Expression] {
        if case .call("AND", let terms, _) = self { terms.flatMap(\.conjuncts) } else { [self] }
    }

    /// Whether some row's values could make it fail rather than give a value.
    var canFail: Bool {
        switch self {
        case .column, .literal: false
        case .call(let name, let arguments, _): ["/", "%", "MOD"].contains(name) || arguments.contains(where: \.canFail)
        case .cast(let inner, let type, let safe): (!safe && inner.type.kind.physical != type.kind.physical) || inner.canFail
        case .conditional: children.contains(where: \.canFail)
        }
    }
}
