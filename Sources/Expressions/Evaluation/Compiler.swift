import Columnar

/// Turns expressions into a program: finds kernels, shares equal parts, folds constants.
struct Compiler {
    var program = Program()
    private var known: [Expression: Int] = [:]

    mutating func compile(_ expression: Expression) throws(EvaluationError) -> Int {
        if let index = known[expression] { return index }
        let index: Int
        switch expression {
        case .column(let column, let type):
            index = add(.column(column), type, expression)
        case .literal(let value, let type):
            index = add(.constant(Column.of(type, [value])), type, expression)
        case .cast(let inner, let type, let safe):
            let input = try compile(inner)
            guard let kernel = Cast.kernel(from: inner.type, to: type, safe: safe) else {
                throw EvaluationError("no cast from \(inner.type.kind) to \(type.kind)", expression: expression.description)
            }
            index = call(kernel, [input], type, expression)
        case .conditional(let branches, let otherwise, let type):
            var parts: [(condition: Int, value: Int)] = []
            for branch in branches {
                let condition = try compile(branch.condition)
                parts.append((condition, try compile(branch.value, as: type)))
            }
            let rest = try compile(otherwise, as: type)
            index = add(.conditional(parts, otherwise: rest), type, expression)
        case .call(let name, let arguments, let type):
            index = try compileCall(name, arguments, type, expression)
        }
        if expression.isDeterministic { known[expression] = index }
        return index
    }

    /// A bare NULL takes the type that is wanted.
    private mutating func compile(_ expression: Expression, as type: DataType) throws(EvaluationError) -> Int {
        guard expression.type.kind == .null, type.kind != .null else { return try compile(expression) }
        return try compile(.literal(.null, type: type.nullable(true)))
    }

    private mutating func compileCall(
        _ name: String, _ arguments: [Expression], _ type: DataType, _ expression: Expression
    ) throws(EvaluationError) -> Int {
        func negated(_ positive: String) -> Expression { .call("NOT", [.call(positive, arguments, type: type)], type: type) }
        switch name {
        case "AND", "OR":
            return add(.logical(and: name == "AND", try compileAll(arguments, as: DataType(.boolean))), type, expression)
        case "COALESCE", "IFNULL":
            return add(.firstPresent(try compileAll(arguments, as: type)), type, expression)
        case "IF":
            let branch = Expression.Branch(condition: arguments[0], value: arguments[1])
            return try compile(.conditional([branch], otherwise: arguments[2], type: type))
        case "NULLIF":
            let equal = Expression.call("=", arguments, type: DataType(.boolean))
            return call(Logic.nullIf, [try compile(arguments[0]), try compile(equal)], type, expression)
        case "IS DISTINCT FROM", "IS NOT DISTINCT FROM":
            let wanted = arguments[0].type.kind == .null ? arguments[1].type : arguments[0].type
            let a = try compile(arguments[0], as: wanted), b = try compile(arguments[1], as: wanted)
            let equal = try compile(.call("=", arguments, type: DataType(.boolean)))
            return call(Logic.distinct(name == "IS DISTINCT FROM"), [a, b, equal], type, expression)
        case "BETWEEN":
            let boolean = DataType(.boolean)
            return try compile(.call("AND", [
                .call(">=", [arguments[0], arguments[1]], type: boolean), .call("<=", [arguments[0], arguments[2]], type: boolean),
            ], type: type))
        case "NOT BETWEEN", "NOT IN", "NOT LIKE", "NOT SIMILAR TO":
            return try compile(negated(String(name.dropFirst(4))))
        case "IN":
            return try compileIn(arguments, type, expression)
        case "GREATEST", "LEAST":
            guard let kernel = Comparison.extreme(type.kind, greatest: name == "GREATEST") else { break }
            let inputs = try compileAll(arguments, as: type)
            var result = inputs[0]
            for input in inputs.dropFirst() { result = call(kernel, [result, input], type, expression) }
            return result
        default: break
        }
        var inputs: [Int] = [], types: [DataType] = []
        for argument in arguments {
            // Fields of an instant are those of the session's clock.
            if Kernels.readsLocalFields(name, arguments), case .timestampLTZ(let precision) = argument.type.kind {
                let local = DataType(.timestamp(precision), nullable: argument.type.isNullable)
                inputs.append(try compile(.cast(argument, to: local, safe: false)))
                types.append(local)
            } else {
                inputs.append(try compile(argument))
                types.append(argument.type)
            }
        }
        let constants = inputs.map { input in
            if case .constant(let column) = program.nodes[input].form { column } else { Optional<Column>.none }
        }
        if case .timestampLTZ(let precision) = type.kind, name == "FLOOR" || name == "CEIL" {
            let local = DataType(.timestamp(precision), nullable: type.isNullable)
            guard let kernel = try Kernels.kernel(name, types, local, constants) else { throw missing(expression) }
            let rounded = call(kernel, inputs, local, expression)
            guard let back = Cast.kernel(from: local, to: type, safe: false) else { throw missing(expression) }
            return call(back, [rounded], type, expression)
        }
        guard let kernel = try Kernels.kernel(name, types, type, constants) else { throw missing(expression) }
        return call(kernel, inputs, type, expression)
    }

    private func missing(_ expression: Expression) -> EvaluationError {
        EvaluationError("there is no such function over these types", expression: expression.description)
    }

    /// A list of constants is searched; anything else is compared one by one.
    private mutating func compileIn(_ arguments: [Expression], _ type: DataType, _ expression: Expression) throws(EvaluationError) -> Int {
        let value = try compile(arguments[0])
        let list = try compileAll(Array(arguments.dropFirst()), as: arguments[0].type)
        var constants: [Column] = []
        for item in list { if case .constant(let column) = program.nodes[item].form { constants.append(column) } }
        if constants.count == list.count, let kernel = Membership.kernel(arguments[0].type, constants) {
            return call(kernel, [value], type, expression)
        }
        let equalities = arguments.dropFirst().map { Expression.call("=", [arguments[0], $0], type: DataType(.boolean)) }
        return equalities.count == 1 ? try compile(equalities[0]) : try compile(.call("OR", equalities, type: type))
    }

    private mutating func compileAll(_ expressions: [Expression], as type: DataType) throws(EvaluationError) -> [Int] {
        var inputs: [Int] = []
        for expression in expressions { inputs.append(try compile(expression, as: type)) }
        return inputs
    }

    private mutating func add(_ form: Program.Form, _ type: DataType, _ expression: Expression) -> Int {
        let inputs: [Int] = switch form {
        case .column, .constant: []
        case .call(_, let inputs), .logical(_, let inputs), .firstPresent(let inputs): inputs
        case .conditional(let branches, let otherwise): branches.flatMap { [$0.condition, $0.value] } + [otherwise]
        }
        var canFail = inputs.contains { program.nodes[$0].canFail }
        var isCostly = inputs.contains { program.nodes[$0].isCostly }
        if case .call(let kernel, _) = form {
            canFail = canFail || kernel.canFail
            isCostly = isCostly || kernel.isCostly
        }
        program.nodes.append(Program.Node(type: type, form: form, expression: expression, canFail: canFail, isCostly: isCostly))
        return program.nodes.count - 1
    }

    /// A call node, or a constant when it is one: same arguments for ever, no context, no failure.
    private mutating func call(_ kernel: Kernel, _ inputs: [Int], _ type: DataType, _ expression: Expression) -> Int {
        var constants: [Operand] = []
        for input in inputs {
            if case .constant(let column) = program.nodes[input].form { constants.append(Operand(column, isConstant: true)) }
        }
        guard constants.count == inputs.count, !kernel.isContextual, !kernel.isPerRow else {
            return add(.call(kernel, inputs), type, expression)
        }
        if kernel.isStrict, constants.contains(where: \.isNullConstant) {
            return add(.constant(Column.nulls(type, rows: 1)), type, expression)
        }
        let call = Call(arguments: constants, rows: 1, type: type, validity: nil, context: EvaluationContext(now: 0))
        do throws(EvaluationError) {
            return add(.constant(try kernel.body(call).emptyingNulls()), type, expression)
        } catch {
            // The row that meets it fails, not the start of the job.
            return add(.call(kernel, inputs), type, expression)
        }
    }
}

extension Expression {
    /// Whether it gives the same for the same row.
    package var isDeterministic: Bool {
        if case .call(let name, _, _) = self, !FunctionCatalogue.isDeterministic(name) { return false }
        return children.allSatisfy(\.isDeterministic)
    }
}
