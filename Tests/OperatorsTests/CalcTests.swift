import Columnar
import Dataflow
import Expressions
import Operators
import Testing

@Suite struct CalcTests {
    private static let number = Expression.column(0, type: DataType(.bigint))

    private static func make(_ spec: CalcSpec) throws -> any Operator {
        try OperatorFactory.make(.calc(spec), context: context()) { EvaluationContext(now: 0) }
    }

    @Test func keepsRowsThatPassWithTheirKinds() throws {
        let condition = Expression.call(">", [Self.number, .literal(.integer(1), type: DataType(.bigint))], type: DataType(.boolean))
        let calc = try Self.make(CalcSpec(condition: condition, projections: [Self.number, .literal(.string("x"), type: DataType(.string))]))
        let output = Recorder()
        let rows: [[Value]] = [[.integer(1)], [.integer(2)], [.null], [.integer(3)]]
        try calc.process(Batch.of([DataType(.bigint)], rows, kinds: [.insert, .updateBefore, .insert, .delete]), to: output)
        #expect(output.rows == [[.integer(2), .string("x")], [.integer(3), .string("x")]])
        #expect(output.kinds == [.updateBefore, .delete])
    }

    @Test func emitsNothingWhenNoRowPasses() throws {
        let calc = try Self.make(CalcSpec(condition: .literal(.boolean(false), type: DataType(.boolean)), projections: [Self.number]))
        let output = Recorder()
        try calc.process(Batch.of([DataType(.bigint)], [[.integer(1)]]), to: output)
        try calc.advance(to: 7, to: output)
        #expect(output.rows.isEmpty)
        #expect(output.watermarks == [7])
    }
}
