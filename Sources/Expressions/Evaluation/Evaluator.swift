import Columnar

/// Computes expressions over batches: compiled once, then columns in and columns out.
///
/// CASE, COALESCE, AND and OR keep rows that do not need a part away from it when it may fail or is dear.
package struct Evaluator: Sendable {
    private let program: Program

    /// Throws when an expression calls what there is no kernel for, or holds a malformed constant (a regular expression, a pattern).
    package init(_ expressions: [Expression]) throws(EvaluationError) {
        var compiler = Compiler()
        for expression in expressions { compiler.program.roots.append(try compiler.compile(expression)) }
        program = compiler.program
    }

    /// One column for each expression, as long as the batch. Columns that are passed through share the batch's memory.
    package mutating func evaluate(_ batch: Batch, context: EvaluationContext) throws(EvaluationError) -> [Column] {
        let frame = Frame(batch, nodes: program.nodes.count, context: context)
        var columns: [Column] = []
        columns.reserveCapacity(program.roots.count)
        for root in program.roots {
            if batch.count == 0 { columns.append(Column.of(program.nodes[root].type, [])); continue }
            let operand = try program.value(root, frame)
            columns.append(operand.isConstant ? operand.column.repeated(batch.count) : operand.column)
        }
        return columns
    }

    /// The rows where the first expression, a BOOLEAN, is true.
    package mutating func select(_ batch: Batch, context: EvaluationContext) throws(EvaluationError) -> Selection {
        if batch.count == 0 { return Selection(capacity: 0) }
        let operand = try program.value(program.roots[0], Frame(batch, nodes: program.nodes.count, context: context))
        return Selection(whereTrue: operand.isConstant ? operand.column.repeated(batch.count) : operand.column)
    }
}
