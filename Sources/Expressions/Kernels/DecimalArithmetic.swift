import Columnar

/// Arithmetic over unscaled 128-bit integers. A result of more digits than its type has is NULL, as in Flink.
enum DecimalArithmetic {
    static func kernel(_ sign: String, _ a: TypeKind, _ b: TypeKind, _ result: TypeKind) -> Kernel? {
        guard case .decimal(_, let scaleA) = a, case .decimal(_, let scaleB) = b, case .decimal(let precision, let scale) = result
        else { return nil }
        let bound = DecimalText.powers[precision].magnitude
        let common = max(scaleA, scaleB)
        // Both sides brought to one scale, then the result to its own.
        let raiseA = DecimalText.powers[common - scaleA], raiseB = DecimalText.powers[common - scaleB]
        @Sendable func fitting(_ value: Int128, _ from: Int) -> Int128? {
            if from == scale { return value.magnitude < bound ? value : nil }
            return DecimalText.rescale(value, from: from, to: scale, precision: precision)
        }
        switch sign {
        case "+", "-":
            let subtract = sign == "-"
            return Kernel { call throws(EvaluationError) in
                try Maps.twoOrNull(call, Int128.self, Int128.self) { x, y throws(EvaluationError) -> Int128? in
                    let (left, over) = x.multipliedReportingOverflow(by: raiseA)
                    let (right, farther) = y.multipliedReportingOverflow(by: raiseB)
                    let (sum, farthest) = subtract ? left.subtractingReportingOverflow(right) : left.addingReportingOverflow(right)
                    return over || farther || farthest ? nil : fitting(sum, common)
                }
            }
        case "*":
            let exact = scaleA + scaleB
            return Kernel { call throws(EvaluationError) in
                try Maps.twoOrNull(call, Int128.self, Int128.self) { x, y throws(EvaluationError) -> Int128? in
                    let (product, over) = x.multipliedReportingOverflow(by: y)
                    if !over { return fitting(product, exact) }
                    guard let size = scaled(x.magnitude, times: y.magnitude, over: UInt128(DecimalText.powers[min(38, exact - scale)])),
                        size < bound
                    else { return nil }
                    return (x < 0) != (y < 0) ? -Int128(size) : Int128(size)
                }
            }
        case "/":
            let shift = scale - scaleA + scaleB
            return Kernel(
                body: { call throws(EvaluationError) in
                    try Maps.twoOrNull(call, Int128.self, Int128.self) { x, y throws(EvaluationError) -> Int128? in
                        guard y != 0 else { throw EvaluationError("/ by zero") }
                        guard shift >= 0, shift <= 38,
                            let size = scaled(x.magnitude, times: UInt128(DecimalText.powers[shift]), over: y.magnitude), size < bound
                        else { return x == 0 ? 0 : nil }
                        return (x < 0) != (y < 0) ? -Int128(size) : Int128(size)
                    }
                }, canFail: true)
        case "%":
            return Kernel(
                body: { call throws(EvaluationError) in
                    try Maps.twoOrNull(call, Int128.self, Int128.self) { x, y throws(EvaluationError) -> Int128? in
                        guard y != 0 else { throw EvaluationError("/ by zero") }
                        let (left, over) = x.multipliedReportingOverflow(by: raiseA)
                        let (right, farther) = y.multipliedReportingOverflow(by: raiseB)
                        return over || farther ? nil : fitting(left % right, common)
                    }
                }, canFail: true)
        default: return nil
        }
    }

    /// `a * b / divisor`, rounded half up, over 256 bits in between. Nil when the quotient leaves 127 bits.
    private static func scaled(_ a: UInt128, times b: UInt128, over divisor: UInt128) -> UInt128? {
        let quotient: UInt128, rest: UInt128
        let (product, over) = a.multipliedReportingOverflow(by: b)
        if over {
            let full = a.multipliedFullWidth(by: b)
            guard full.high < divisor else { return nil }
            (quotient, rest) = divisor.dividingFullWidth(full)
        } else {
            (quotient, rest) = product.quotientAndRemainder(dividingBy: divisor)
        }
        let rounded = rest >= divisor - rest ? quotient + 1 : quotient
        return rounded >> 127 == 0 ? rounded : nil
    }
}
