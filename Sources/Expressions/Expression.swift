import Columnar

/// A bound scalar expression: every name resolved, every type known, every implicit cast written down by the binder.
///
/// A value, so it travels inside the job graph. `Evaluator` turns it into columns.
package indirect enum Expression: Hashable, Codable, Sendable {
    /// Column `index` of the input batch.
    case column(Int, type: DataType)
    case literal(Value, type: DataType)
    /// A function of the catalogue by its name there (`FunctionCatalogue`); operators are functions too (`+`, `=`, `AND`, …).
    case call(String, [Expression], type: DataType)
    /// `CAST`; with `safe` it is `TRY_CAST`: NULL instead of a failed row.
    case cast(Expression, to: DataType, safe: Bool)
    /// `CASE WHEN condition THEN value … ELSE otherwise END`; all values have the type `type`.
    case conditional([Branch], otherwise: Expression, type: DataType)

    /// A function of plans, which SQL has no name for: its first argument, which must not be NULL, for the column named by its second.
    package static let notNull = "NOT NULL"

    package struct Branch: Hashable, Codable, Sendable {
        package var condition: Expression
        package var value: Expression

        package init(condition: Expression, value: Expression) {
            self.condition = condition
            self.value = value
        }
    }

    package var type: DataType {
        switch self {
        case .column(_, let type), .literal(_, let type), .call(_, _, let type), .conditional(_, _, let type): type
        case .cast(_, let type, _): type
        }
    }

    /// Direct parts, in order.
    package var children: [Expression] {
        switch self {
        case .column, .literal: []
        case .call(_, let arguments, _): arguments
        case .cast(let inner, _, _): [inner]
        case .conditional(let branches, let otherwise, _): branches.flatMap { [$0.condition, $0.value] } + [otherwise]
        }
    }

    /// The same expression with every column index mapped; for push-downs and re-ordered inputs.
    package func mappingColumns(_ map: (Int) -> Int) -> Expression {
        switch self {
        case .column(let index, let type): .column(map(index), type: type)
        case .literal: self
        case .call(let name, let arguments, let type): .call(name, arguments.map { $0.mappingColumns(map) }, type: type)
        case .cast(let inner, let type, let safe): .cast(inner.mappingColumns(map), to: type, safe: safe)
        case .conditional(let branches, let otherwise, let type):
            .conditional(
                branches.map { Branch(condition: $0.condition.mappingColumns(map), value: $0.value.mappingColumns(map)) },
                otherwise: otherwise.mappingColumns(map), type: type)
        }
    }

    /// Indices of the input columns that it reads.
    package var columns: Set<Int> {
        if case .column(let index, _) = self { return [index] }
        return children.reduce(into: []) { $0.formUnion($1.columns) }
    }
}
