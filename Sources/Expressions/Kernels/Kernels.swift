import Columnar

/// Finds the kernel of a function of the catalogue.
enum Kernels {
    /// `constants` holds the arguments that are known when compiling, as columns of one row.
    static func kernel(
        _ name: String, _ arguments: [DataType], _ result: DataType, _ constants: [Column?]
    ) throws(EvaluationError) -> Kernel? {
        switch name {
        case "=", "<>", "<", "<=", ">", ">=": return Comparison.kernel(name, arguments)
        case "+", "-", "*", "/", "%", "MOD":
            let sign = name == "MOD" ? "%" : name
            if arguments.contains(where: { !$0.kind.isNumeric }) { return TimeArithmetic.kernel(sign, arguments, result) }
            guard let kernel = Arithmetic.kernel(sign, arguments, result: result) else { return nil }
            guard let first = arguments.first, first.kind != result.kind, !result.kind.isDecimal else { return kernel }
            return kernel.narrowed(from: first, to: result)
        default: break
        }
        if let kernel = Logic.kernel(name, arguments) { return kernel }
        if let kernel = Mathematics.kernel(name, arguments, result, constants) { return kernel }
        if let kernel = try TimeFunctions.kernel(name, arguments, result, constants) { return kernel }
        return try TextFunctions.kernel(name, arguments, result, constants)
    }

    static func readsLocalFields(_ name: String, _ arguments: [Expression]) -> Bool {
        switch name {
        case "EXTRACT":
            // EPOCH is of the instant itself.
            if case .literal(.bytes(let unit), _) = arguments[0] { return String(decoding: unit, as: UTF8.self).uppercased() != "EPOCH" }
            return true
        case "YEAR", "QUARTER", "MONTH", "WEEK", "DAYOFMONTH", "DAYOFWEEK", "DAYOFYEAR", "HOUR", "MINUTE", "SECOND", "DATE_FORMAT",
            "FLOOR", "CEIL":
            return true
        default: return false
        }
    }
}

extension Kernel {
    /// The same, its result cast: MOD of a BIGINT by an INT is an INT.
    func narrowed(from: DataType, to: DataType) -> Kernel? {
        guard let cast = Cast.kernel(from: from, to: to, safe: false) else { return nil }
        let inner = body
        return Kernel(
            body: { call throws(EvaluationError) in
                let wide = try inner(Call(arguments: call.arguments, rows: call.rows, type: from, validity: call.validity, context: call.context))
                return try cast.body(Call(arguments: [Operand(wide)], rows: call.rows, type: call.type, validity: call.validity, context: call.context))
            }, canFail: canFail)
    }
}
