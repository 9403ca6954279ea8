import Columnar
import Glibc

/// Mathematical functions. Doubles follow Java's Math; decimals and integers keep their type.
enum Mathematics {
    static func kernel(_ name: String, _ arguments: [DataType], _ result: DataType, _ constants: [Column?]) -> Kernel? {
        if let kernel = double(name, arguments.count) { return kernel }
        switch name {
        case "ABS": return absolute(arguments[0].kind)
        case "SIGN": return sign(arguments[0].kind)
        case "FLOOR", "CEIL": return arguments.count == 1 ? rounded(arguments[0].kind, up: name == "CEIL") : nil
        case "ROUND", "TRUNCATE": return digits(arguments, result.kind, constants, truncate: name == "TRUNCATE")
        case "RAND":
            return Kernel(
                body: { call in random(call, Double.self) { _, bits in Double(bits >> 11) * 0x1p-53 } }, isPerRow: true, isContextual: true)
        case "RAND_INTEGER":
            return Kernel(
                body: { call in
                    let bound = call.arguments[call.arguments.count - 1]
                    let from = bound.column.pointer(Int32.self)
                    return random(call, Int32.self) { row, bits in
                        Int32(truncatingIfNeeded: bits % UInt64(max(1, from[row * bound.stride])))
                    }
                }, isPerRow: true, isContextual: true)
        default: return nil
        }
    }

    private static func double(_ name: String, _ count: Int) -> Kernel? {
        switch (name, count) {
        case ("SQRT", _): return one { $0.squareRoot() }
        case ("CBRT", _): return one { cubeRoot($0) }
        case ("LN", _), ("LOG", 1): return one { log($0) }
        case ("LOG10", _): return one { log10($0) }
        case ("LOG2", _): return one { log($0) / log(2) }
        case ("EXP", _): return one { exp($0) }
        case ("SIN", _): return one { sin($0) }
        case ("COS", _): return one { cos($0) }
        case ("TAN", _): return one { tan($0) }
        case ("COT", _): return one { 1 / tan($0) }
        case ("ASIN", _): return one { asin($0) }
        case ("ACOS", _): return one { acos($0) }
        case ("ATAN", _): return one { atan($0) }
        case ("SINH", _): return one { sinh($0) }
        case ("COSH", _): return one { cosh($0) }
        case ("TANH", _): return one { tanh($0) }
        case ("DEGREES", _): return one { $0 * (180 / .pi) }
        case ("RADIANS", _): return one { $0 * (.pi / 180) }
        case ("PI", _): return constant(.pi)
        case ("E", _): return constant(M_E)
        case ("POWER", _): return Kernel { call in Maps.two(call, Double.self, Double.self) { pow($0, $1) } }
        case ("ATAN2", _): return Kernel { call in Maps.two(call, Double.self, Double.self) { atan2($0, $1) } }
        case ("LOG", 2): return Kernel { call in Maps.two(call, Double.self, Double.self) { log($1) / log($0) } }
        default: return nil
        }
    }

    /// The C library's answer, put right by what its cube lacks: CBRT(27) is 3, as Java's is.
    private static func cubeRoot(_ x: Double) -> Double {
        // Subnormal numbers have too few digits to tell what is lacking.
        if x.magnitude < 0x1p-900, x != 0 { return cubeRoot(x * 0x1p162) * 0x1p-54 }
        let root = cbrt(x)
        guard root.isFinite, root != 0 else { return root }
        let square = root * root, cube = square * root
        let lost = (-square).addingProduct(root, root) * root + (-cube).addingProduct(square, root)
        let better = root + ((x - cube) - lost) / (3 * square)
        return better.isFinite ? better : root
    }

    @inline(__always) private static func one(_ body: @escaping @Sendable (Double) -> Double) -> Kernel {
        Kernel { call in Maps.one(call, Double.self, body) }
    }

    private static func constant(_ value: Double) -> Kernel {
        Kernel { call in Column.constant(.double(value), type: call.type, count: call.rows) }
    }

    private static func absolute(_ kind: TypeKind) -> Kernel? {
        switch kind.physical {
        case .int8: Kernel { call in Maps.one(call, Int8.self) { $0 < 0 ? 0 &- $0 : $0 } }
        case .int16: Kernel { call in Maps.one(call, Int16.self) { $0 < 0 ? 0 &- $0 : $0 } }
        case .int32: Kernel { call in Maps.one(call, Int32.self) { $0 < 0 ? 0 &- $0 : $0 } }
        case .int64: Kernel { call in Maps.one(call, Int64.self) { $0 < 0 ? 0 &- $0 : $0 } }
        case .int128: Kernel { call in Maps.one(call, Int128.self) { $0 < 0 ? 0 &- $0 : $0 } }
        case .float32: Kernel { call in Maps.one(call, Float.self) { $0.magnitude } }
        case .float64: Kernel { call in Maps.one(call, Double.self) { $0.magnitude } }
        default: nil
        }
    }

    private static func sign(_ kind: TypeKind) -> Kernel? {
        switch kind {
        case .tinyint: return Kernel { call in Maps.one(call, Int8.self) { $0.signum() } }
        case .smallint: return Kernel { call in Maps.one(call, Int16.self) { $0.signum() } }
        case .integer: return Kernel { call in Maps.one(call, Int32.self) { $0.signum() } }
        case .bigint: return Kernel { call in Maps.one(call, Int64.self) { $0.signum() } }
        case .decimal(let precision, let scale):
            let unit = DecimalText.powers[scale], bound = DecimalText.powers[precision]
            // 1 at the type's scale; DECIMAL(2, 2) cannot hold it.
            return Kernel { call in
                Maps.oneOrNull(call, Int128.self) { value -> Int128? in value == 0 ? 0 : unit < bound ? value.signum() * unit : nil }
            }
        case .float: return Kernel { call in Maps.one(call, Float.self) { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 } }
        case .double: return Kernel { call in Maps.one(call, Double.self) { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 } }
        default: return nil
        }
    }

    private static func rounded(_ kind: TypeKind, up: Bool) -> Kernel? {
        switch kind {
        case .float: return Kernel { call in Maps.one(call, Float.self) { $0.rounded(up ? .up : .down) } }
        case .double: return Kernel { call in Maps.one(call, Double.self) { $0.rounded(up ? .up : .down) } }
        case .decimal(_, let scale):
            let unit = DecimalText.powers[scale]
            return Kernel { call in
                Maps.one(call, Int128.self) { value -> Int128 in
                    let (whole, rest) = value.quotientAndRemainder(dividingBy: unit)
                    return up ? (rest > 0 ? whole + 1 : whole) : (rest < 0 ? whole - 1 : whole)
                }
            }
        case _ where kind.isInteger: return Cast.retyped
        default: return nil
        }
    }

    /// ROUND (half away from zero) and TRUNCATE to a number of decimals, negative ones for tens and hundreds.
    private static func digits(_ arguments: [DataType], _ result: TypeKind, _ constants: [Column?], truncate: Bool) -> Kernel? {
        switch arguments[0].kind {
        case .decimal(_, let scale):
            guard case .decimal(let precision, let to) = result else { return nil }
            return Kernel { call throws(EvaluationError) in
                let places = Places(call)
                return decimals(call, places, from: scale, to: to, precision: precision, truncate: truncate)
            }
        case .tinyint: return integers(Int8.self, truncate)
        case .smallint: return integers(Int16.self, truncate)
        case .integer: return integers(Int32.self, truncate)
        case .bigint: return integers(Int64.self, truncate)
        case .float: return floats(Float.self, truncate)
        case .double: return floats(Double.self, truncate)
        default: return nil
        }
    }

    /// The second argument, 0 when it is missing.
    private struct Places {
        private let operand: Operand?

        init(_ call: Call) { operand = call.arguments.count > 1 ? call.arguments[1] : nil }

        @inline(__always) func of(_ row: Int) -> Int {
            guard let operand else { return 0 }
            return Int(operand.column.pointer(Int32.self)[row * operand.stride])
        }
    }

    private static func decimals(_ call: Call, _ places: Places, from: Int, to: Int, precision: Int, truncate: Bool) -> Column {
        let value = call.arguments[0], source = value.column.pointer(Int128.self)
        let values = Buffer(capacity: call.rows * 16), target = values.typed(Int128.self)
        var nulls = NullMarks(call)
        for row in 0..<call.rows {
            let number = round(source[row * value.stride], drop: from - min(places.of(row), from), truncate)
            if let moved = DecimalText.rescale(number, from: from, to: to, precision: precision) { target[row] = moved } else {
                target[row] = 0
                nulls.set(row)
            }
        }
        return Column(type: call.type, count: call.rows, values: values, validity: nulls.buffer)
    }

    /// Without its last `drop` digits, which become zeros.
    private static func round(_ value: Int128, drop: Int, _ truncate: Bool) -> Int128 {
        guard drop > 0 else { return value }
        guard drop <= 38 else { return 0 }
        let unit = DecimalText.powers[drop]
        return (truncate ? value / unit : DecimalText.dividedByPower(value, drop)) &* unit
    }

    @inline(__always)
    private static func integers<T: FixedWidthInteger & Sendable>(_: T.Type, _ truncate: Bool) -> Kernel {
        Kernel { call in
            let places = Places(call), value = call.arguments[0], from = value.column.pointer(T.self)
            let values = Buffer(capacity: call.rows * MemoryLayout<T>.stride), to = values.typed(T.self)
            for row in 0..<call.rows {
                to[row] = T(truncatingIfNeeded: round(Int128(from[row * value.stride]), drop: -places.of(row), truncate))
            }
            return call.result(values)
        }
    }

    /// Through the number's decimal text, as Flink does: 1.005 to two decimals is 1.01.
    @inline(__always)
    private static func floats<T: BinaryFloatingPoint & Sendable>(_: T.Type, _ truncate: Bool) -> Kernel {
        Kernel { call in
            let places = Places(call), value = call.arguments[0], from = value.column.pointer(T.self)
            let values = Buffer(capacity: call.rows * MemoryLayout<T>.stride), to = values.typed(T.self)
            for row in 0..<call.rows {
                let number = from[row * value.stride]
                let wanted = max(-18, min(places.of(row), 18))
                // 20 decimals hold what matters of a double that has less than 18 whole digits; others have no decimals to round.
                guard number.magnitude < 1e17, let exact = CastNumbers.decimal(Double(number), 38, 20) else { to[row] = number; continue }
                to[row] = T(CastNumbers.double(round(exact, drop: 20 - wanted, truncate), scale: 20))
            }
            return call.result(values)
        }
    }

    /// Numbers counted on from the batch's chance.
    @inline(__always)
    private static func random<R>(_ call: Call, _: R.Type, _ body: (Int, UInt64) -> R) -> Column {
        let values = Buffer(capacity: call.rows * MemoryLayout<R>.stride), to = values.typed(R.self)
        for row in 0..<call.rows { to[row] = body(row, KeyHash.of(call.context.chance &+ UInt64(row) &* 0x9E37_79B9_7F4A_7C15)) }
        return call.result(values)
    }
}
