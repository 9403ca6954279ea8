import Testing
import Columnar
import Expressions

/// Vectorised results against a naive row-by-row evaluation, over random columns with nulls and constants on either side.
@Suite struct DifferentialTests {
    private let kinds: [TypeKind] = [.tinyint, .smallint, .integer, .bigint, .double]

    private func randomValue(_ kind: TypeKind, _ random: inout SplitMix) -> Value {
        if random.next() % 5 == 0 { return .null }
        if kind == .double { return .double(Double(Int64(random.next() % 41) - 20) / 4) }
        // Small numbers meet each other, borders overflow.
        let border: Int64 = kind == .tinyint ? 127 : kind == .smallint ? 32_767 : kind == .integer ? 2_147_483_647 : .max
        switch random.next() % 8 {
        case 0: return .integer(border)
        case 1: return .integer(-border - 1)
        default: return .integer(Int64(random.next() % 9) - 4)
        }
    }

    private func wrapped(_ value: Int64, _ kind: TypeKind) -> Value {
        switch kind {
        case .tinyint: .integer(Int64(Int8(truncatingIfNeeded: value)))
        case .smallint: .integer(Int64(Int16(truncatingIfNeeded: value)))
        case .integer: .integer(Int64(Int32(truncatingIfNeeded: value)))
        default: .integer(value)
        }
    }

    private func naive(_ sign: String, _ a: Value, _ b: Value, _ kind: TypeKind) -> Value {
        switch (a, b) {
        case (.integer(let x), .integer(let y)):
            switch sign {
            case "+": return wrapped(x &+ y, kind)
            case "-": return wrapped(x &- y, kind)
            case "*": return wrapped(x &* y, kind)
            case "=": return .boolean(x == y)
            case "<>": return .boolean(x != y)
            case "<": return .boolean(x < y)
            case ">=": return .boolean(x >= y)
            default: return .null
            }
        case (.double(let x), .double(let y)):
            switch sign {
            case "+": return .double(x + y)
            case "-": return .double(x - y)
            case "*": return .double(x * y)
            case "=": return .boolean(x == y)
            case "<>": return .boolean(x != y)
            case "<": return .boolean(x < y)
            case ">=": return .boolean(x >= y)
            default: return .null
            }
        default: return .null
        }
    }

    /// Row counts around the borders of validity words.
    @Test(arguments: [1, 63, 64, 65, 127, 128, 129, 1_000]) func arithmeticAndComparisons(rows: Int) throws {
        var random = SplitMix(seed: UInt64(rows))
        for kind in kinds {
            let type = DataType(kind)
            let cells = (0..<rows).map { _ in [randomValue(kind, &random), randomValue(kind, &random)] }
            let batch = Batch.of([type, type], cells)
            let fixed = Value.integer(3), constant: Value = kind == .double ? .double(3) : fixed
            for sign in ["+", "-", "*", "=", "<>", "<", ">="] {
                let result = ["+", "-", "*"].contains(sign) ? type : DataType(.boolean)
                let a = Expression.column(0, type: type), b = Expression.column(1, type: type), c = Expression.literal(constant, type: type)
                var evaluator = try Evaluator([
                    .call(sign, [a, b], type: result), .call(sign, [a, c], type: result), .call(sign, [c, b], type: result),
                ])
                let got = try evaluator.evaluate(batch, context: EvaluationContext(now: 0))
                for row in 0..<rows {
                    #expect(got[0].value(row) == naive(sign, cells[row][0], cells[row][1], kind))
                    #expect(got[1].value(row) == naive(sign, cells[row][0], constant, kind))
                    #expect(got[2].value(row) == naive(sign, constant, cells[row][1], kind))
                }
                // Null rows hold zeros, so that kernels after it need not look.
                let width = result.kind.physical.width
                for row in 0..<rows where got[0].isNull(row) {
                    for byte in 0..<width { #expect(got[0].values.pointer.load(fromByteOffset: row * width + byte, as: UInt8.self) == 0) }
                }
            }
        }
    }

    /// CASE, COALESCE and AND over parts that fail must equal what each row alone gives.
    @Test(arguments: [1, 64, 65, 500]) func branchesAgreeWithSingleRows(rows: Int) throws {
        var random = SplitMix(seed: 99 + UInt64(rows))
        let types = [DataType(.integer), DataType(.integer), DataType(.string)]
        let cells: [[Value]] = (0..<rows).map { _ in
            let text: Value = random.next() % 4 == 0 ? .null : .string(String(random.next() % 30))
            return [
                random.next() % 4 == 0 ? .null : .integer(Int64(random.next() % 5)), random.next() % 4 == 0 ? .null : .integer(Int64(random.next() % 5)),
                text,
            ]
        }
        let a = column(0, .integer), b = column(1, .integer), s = column(2, .string)
        let ratio = Expression.conditional(
            [.init(condition: call("=", b, int(0)), value: int(-1)), .init(condition: call("<", a, b), value: call("MOD", b, call("+", a, int(1))))],
            otherwise: call("/", a, b), type: DataType(.integer))
        let expressions = [
            ratio, call("COALESCE", call("NULLIF", a, int(2)), ratio, int(9)),
            call("AND", call("<>", b, int(0)), call(">", call("/", a, b), int(0))),
            Expression.conditional(
                [.init(condition: call("REGEXP", s, text("^1")), value: call("||", s, text("!"))), .init(condition: call("IS NULL", a), value: s)],
                otherwise: call("LPAD", s, int(4), text("0")), type: DataType(.string)),
            call("IN", s, text("7"), text("12"), s),
        ]
        var evaluator = try Evaluator(expressions)
        let whole = try evaluator.evaluate(Batch.of(types, cells), context: EvaluationContext(now: 0))
        for row in 0..<rows {
            let single = try evaluator.evaluate(Batch.of(types, [cells[row]]), context: EvaluationContext(now: 0))
            for index in expressions.indices { #expect(whole[index].value(row) == single[index].value(0), "expression \(index) of \(cells[row])") }
        }
    }
}
