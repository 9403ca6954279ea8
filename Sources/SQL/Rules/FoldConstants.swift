import Columnar
import Expressions

extension Optimizer {
    /// Computes what does not depend on the row: casts of constants, and conditions that are known.
    static func foldConstants(_ plan: Plan) -> Plan {
        let plan = plan.mapInputs(foldConstants)
        guard case .calc(var calc) = plan else { return plan }
        calc.projections = calc.projections.map(\.folded)
        calc.condition = Expression.all(calc.condition?.folded.conjuncts.filter { $0 != .true } ?? [])
        return .calc(calc)
    }
}

extension Expression {
    fileprivate static let `true` = Expression.literal(.boolean(true), type: DataType(.boolean, nullable: false))

    /// The same expression with its constant parts computed; its type stays.
    var folded: Expression {
        switch self {
        case .column, .literal: return self
        case .call(let name, let arguments, let type):
            return Expression.call(name, arguments.map(\.folded), type: type).evaluated
        case .cast(let inner, let type, let safe):
            let inner = inner.folded
            if case .literal(let value, let from) = inner, let converted = value.converted(from: from.kind, to: type.kind) {
                return .literal(converted, type: type)
            }
            // Into the branches, so that each constant is converted alone, and one that cannot be is named by itself.
            if case .conditional(let branches, let otherwise, _) = inner, (branches.map(\.value) + [otherwise]).allSatisfy(\.isLiteral) {
                func cast(_ value: Expression) -> Expression { Expression.cast(value, to: type, safe: safe).folded }
                return .conditional(branches.map { Branch(condition: $0.condition, value: cast($0.value)) }, otherwise: cast(otherwise), type: type)
            }
            return Expression.cast(inner, to: type, safe: safe).evaluated
        case .conditional(let branches, let otherwise, let type):
            var kept: [Branch] = []
            for branch in branches {
                let condition = branch.condition.folded
                if case .literal(let value, _) = condition {
                    // A branch that is always taken ends the list; one that never is, vanishes.
                    guard value == .boolean(true) else { continue }
                    return kept.isEmpty ? branch.value.folded : .conditional(kept, otherwise: branch.value.folded, type: type)
                }
                kept.append(Branch(condition: condition, value: branch.value.folded))
            }
            return kept.isEmpty ? otherwise.folded : .conditional(kept, otherwise: otherwise.folded, type: type)
        }
    }
    /// The constant that it is, or itself: what depends on the clock, the session's zone or chance is left for the run, and so is what
    /// fails, since perhaps no row gets there.
    private var evaluated: Expression {
        guard children.allSatisfy(\.isLiteral), isDeterministic, !dependsOnZone, var evaluator = try? Evaluator([self]) else { return self }
        let row = Batch(count: 1, columns: [])
        guard let column = try? evaluator.evaluate(row, context: EvaluationContext(now: 0)).first else { return self }
        let value = column.value(0)
        // A long text travels better as the call that makes it.
        if case .bytes(let bytes) = value, bytes.count > 1 << 16 { return self }
        return .literal(value, type: type)
    }

    private var isLiteral: Bool { if case .literal = self { true } else { false } }

    private var dependsOnZone: Bool {
        if case .timestampLTZ = type.kind { return true }
        if case .call(let name, _, _) = self, ["FROM_UNIXTIME", "UNIX_TIMESTAMP", "CONVERT_TZ"].contains(name) { return true }
        return children.contains(where: \.dependsOnZone)
    }
}
