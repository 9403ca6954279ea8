import Columnar
import Dataflow
import Expressions

/// Filter, then project, row by row; kinds stay with their rows. No state.
package final class CalcOperator: Operator {
    private var condition: Evaluator?
    private var projections: Evaluator
    private let uid: String
    private let context: () -> EvaluationContext

    /// - Parameter evaluation: asked once a batch: the time and the session's zone.
    package init(_ spec: CalcSpec, uid: String, evaluation: @escaping () -> EvaluationContext) throws(StreamError) {
        self.uid = uid
        context = evaluation
        do throws(EvaluationError) {
            condition = try spec.condition.map { (condition) throws(EvaluationError) in try Evaluator([condition]) }
            projections = try Evaluator(spec.projections)
        } catch { throw StreamError(.user, retry: false, error.description).during("operator \(uid)") }
    }

    package func process(_ batch: Batch, to output: any Output) throws(StreamError) {
        let result: Batch
        do throws(EvaluationError) { result = try evaluate(batch) } catch {
            throw StreamError(.user, retry: false, error.description).during("operator \(uid)")
        }
        if result.count > 0 { try output.emit(result) }
    }

    package func snapshot() throws(StreamError) -> OperatorSnapshot { OperatorSnapshot(uid: uid) }

    package func restore(_ state: TaskRestore.OperatorState) throws(StreamError) {
        guard state.segments.isEmpty, state.units.isEmpty else {
            throw StreamError(.user, retry: false, "operator \(uid) keeps no state, but the checkpoint has some for it")
        }
    }

    private func evaluate(_ batch: Batch) throws(EvaluationError) -> Batch {
        let context = self.context()
        var rows = batch
        if let selection = try condition?.select(batch, context: context), selection.count < batch.count {
            guard selection.count > 0 else { return Batch(count: 0, columns: []) }
            rows = batch.gather(selection.indices)
        }
        return Batch(count: rows.count, columns: try projections.evaluate(rows, context: context), kinds: rows.kinds)
    }
}
