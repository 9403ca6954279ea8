/// A row that cannot be computed: the job fails with it, as in Flink.
package struct EvaluationError: Error, Equatable, CustomStringConvertible {
    /// What is wrong: `/ by zero`, `'abc' is no INT`.
    package let reason: String
    /// The expression that failed, as SQL; the innermost one. Empty where the reason says it all.
    package var expression: String?

    package init(_ reason: String, expression: String? = nil) {
        self.reason = reason
        self.expression = expression
    }

    package var description: String { expression.flatMap { $0.isEmpty ? nil : "\(reason) in \($0)" } ?? reason }
}
