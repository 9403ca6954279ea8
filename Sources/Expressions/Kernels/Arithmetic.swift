import Columnar

/// `+ - * / %` and unary minus over numbers. Integers wrap as in Java; a whole number by zero fails the row.
enum Arithmetic {
    static func kernel(_ sign: String, _ arguments: [DataType], result: DataType) -> Kernel? {
        guard let kind = arguments.first?.kind, kind.isNumeric else { return nil }
        if arguments.count == 1 { return negation(kind) }
        switch kind.physical {
        case .int8: return integers(sign, Int8.self)
        case .int16: return integers(sign, Int16.self)
        case .int32: return integers(sign, Int32.self)
        case .int64: return integers(sign, Int64.self)
        case .float32: return floats(sign, Float.self)
        case .float64: return floats(sign, Double.self)
        case .int128: return DecimalArithmetic.kernel(sign, kind, arguments[1].kind, result.kind)
        default: return nil
        }
    }

    @inline(__always)
    private static func integers<T: FixedWidthInteger & SignedInteger & Sendable>(_ sign: String, _: T.Type) -> Kernel? {
        switch sign {
        case "+": Kernel { call in Maps.two(call, T.self, T.self) { $0 &+ $1 } }
        case "-": Kernel { call in Maps.two(call, T.self, T.self) { $0 &- $1 } }
        case "*": Kernel { call in Maps.two(call, T.self, T.self) { $0 &* $1 } }
        case "/": Kernel(body: { call throws(EvaluationError) in try divided(call, T.self) { $0.dividedReportingOverflow(by: $1).partialValue } }, canFail: true)
        case "%":
            Kernel(
                body: { call throws(EvaluationError) in
                    try divided(call, T.self) { a, b in b == -1 ? 0 : a % b }
                }, canFail: true)
        default: nil
        }
    }

    @inline(__always)
    private static func divided<T: FixedWidthInteger>(_ call: Call, _: T.Type, _ body: (T, T) -> T) throws(EvaluationError) -> Column {
        let rows = call.rows, values = Buffer(capacity: rows * MemoryLayout<T>.stride)
        let to = values.typed(T.self), left = call.arguments[0], right = call.arguments[1]
        let a = left.column.pointer(T.self), b = right.column.pointer(T.self), stride = left.stride
        if right.isConstant, b[0] != 0 {
            let divisor = b[0]
            for row in 0..<rows { to[row] = body(a[row * stride], divisor) }
            return call.result(values)
        }
        for row in 0..<rows {
            let divisor = b[row * right.stride]
            guard divisor != 0 else {
                guard call.isNull(row) else { throw EvaluationError("/ by zero") }
                to[row] = 0
                continue
            }
            to[row] = body(a[row * stride], divisor)
        }
        return call.result(values)
    }

    @inline(__always)
    private static func floats<T: BinaryFloatingPoint & Sendable>(_ sign: String, _: T.Type) -> Kernel? {
        switch sign {
        case "+": Kernel { call in Maps.two(call, T.self, T.self) { $0 + $1 } }
        case "-": Kernel { call in Maps.two(call, T.self, T.self) { $0 - $1 } }
        case "*": Kernel { call in Maps.two(call, T.self, T.self) { $0 * $1 } }
        case "/": Kernel { call in Maps.two(call, T.self, T.self) { $0 / $1 } }
        case "%": Kernel { call in Maps.two(call, T.self, T.self) { $0.truncatingRemainder(dividingBy: $1) } }
        default: nil
        }
    }

    private static func negation(_ kind: TypeKind) -> Kernel? {
        switch kind.physical {
        case .int8: Kernel { call in Maps.one(call, Int8.self) { 0 &- $0 } }
        case .int16: Kernel { call in Maps.one(call, Int16.self) { 0 &- $0 } }
        case .int32: Kernel { call in Maps.one(call, Int32.self) { 0 &- $0 } }
        case .int64: Kernel { call in Maps.one(call, Int64.self) { 0 &- $0 } }
        case .int128: Kernel { call in Maps.one(call, Int128.self) { 0 &- $0 } }
        case .float32: Kernel { call in Maps.one(call, Float.self) { -$0 } }
        case .float64: Kernel { call in Maps.one(call, Double.self) { -$0 } }
        default: nil
        }
    }
}
