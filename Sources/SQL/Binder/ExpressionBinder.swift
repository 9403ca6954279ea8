import Columnar
import Dataflow
import Expressions

/// Finds what the names in an expression mean and what types its parts have, and writes every implicit cast down.
struct ExpressionBinder {
    let scope: Scope
    /// Set while a SELECT list or HAVING with GROUP BY is bound.
    var aggregation: Aggregation?
    /// Where the expression stands, for the words of errors: `WHERE`.
    let place: String

    init(scope: Scope, place: String, aggregation: Aggregation? = nil) {
        self.scope = scope
        self.place = place
        self.aggregation = aggregation
    }

    mutating func bind(_ syntax: ExpressionSyntax) throws(SQLError) -> Expression {
        if aggregation != nil, let key = try bindGroupKey(syntax) { return key }
        switch syntax.kind {
        case .literal(let literal): return try literal.bound(at: syntax.range)
        case .name(let name):
            let position = try scope.position(of: name)
            return .column(position, type: scope.entries[position].column.type)
        case .symbol(let word): return .literal(.string(word), type: DataType(.char(word.utf8.count), nullable: false))
        case .star: throw SQLError("'*' has no place here", at: syntax.range, hint: "COUNT(*) counts rows, SELECT * takes all columns")
        case .defaultValue: throw SQLError("DEFAULT is not supported", at: syntax.range)
        case .unary(let operation, let operand): return try bindUnary(operation, operand, syntax.range)
        case .binary(let operation, let left, let right): return try call(operation.rawValue, [left, right], syntax.range)
        case .and(let terms): return try call("AND", terms, syntax.range)
        case .or(let terms): return try call("OR", terms, syntax.range)
        case .isTest(_, let test, _) where test.hasPrefix("JSON"): throw SQLError("IS JSON is not supported", at: syntax.range)
        case .isTest(let operand, let test, let negated): return try call("IS \(negated ? "NOT " : "")\(test)", [operand], syntax.range)
        case .isDistinct(let left, let right, let negated):
            return try call("IS \(negated ? "NOT " : "")DISTINCT FROM", [left, right], syntax.range)
        case .between(let value, let low, let high, let symmetric, let negated):
            let bounds = try call("\(negated && !symmetric ? "NOT " : "")BETWEEN", [value, low, high], syntax.range)
            guard symmetric else { return bounds }
            let either = try resolve("OR", [bounds, try call("BETWEEN", [value, high, low], syntax.range)], syntax.range)
            return negated ? try resolve("NOT", [either], syntax.range) : either
        case .inList(let value, let items, let negated): return try call("\(negated ? "NOT " : "")IN", [value] + items, syntax.range)
        case .like(let value, let pattern, let escape, let similar, let negated):
            let name = (negated ? "NOT " : "") + (similar ? "SIMILAR TO" : "LIKE")
            return try call(name, [value, pattern] + (escape.map { [$0] } ?? []), syntax.range)
        case .caseWhen(let operand, let branches, let otherwise): return try bindCase(operand, branches, otherwise, syntax.range)
        case .cast(let operand, let type, let orNull): return try bindCast(operand, type, orNull, syntax.range)
        case .call(let called): return try bindCall(called, syntax.range)
        case .inQuery, .exists, .scalarQuery, .quantified: throw SQLError("a subquery in an expression is not supported", at: syntax.range)
        case .array, .map, .row: throw SQLError("ARRAY, MAP and ROW values are not supported", at: syntax.range)
        case .element: throw SQLError("elements of arrays and maps are not supported", at: syntax.range)
        case .field(_, let field): throw SQLError("field '\(field.text)' of what is no ROW", at: field.range)
        case .atTimeZone: throw SQLError("AT TIME ZONE is not supported", at: syntax.range, hint: "CONVERT_TZ converts text between zones")
        }
    }

    /// Binds and requires BOOLEAN.
    mutating func bindCondition(_ syntax: ExpressionSyntax) throws(SQLError) -> Expression {
        let bound = try bind(syntax)
        if bound.type.kind == .null { return bound.coerced(to: .boolean) }
        guard bound.type.kind == .boolean else { throw SQLError("\(place) needs a condition, this is \(bound.type.kind)", at: syntax.range) }
        return bound
    }

    /// In a grouped query: the key that the whole expression is, or nil when it is to be taken apart.
    private mutating func bindGroupKey(_ syntax: ExpressionSyntax) throws(SQLError) -> Expression? {
        guard let aggregation else { return nil }
        let isName = if case .name = syntax.kind { true } else { false }
        let simpleKeys = aggregation.keys.allSatisfy { if case .column = $0 { true } else { false } }
        guard isName || (!simpleKeys && !syntax.containsAggregate) else { return nil }
        var plain = ExpressionBinder(scope: scope, place: place)
        // What cannot be bound as a whole will say so when its parts are bound.
        guard let bound = isName ? try plain.bind(syntax) : try? plain.bind(syntax) else { return nil }
        if let key = aggregation.column(ofKey: bound) { return key }
        guard isName else { return nil }
        throw SQLError(
            "column '\(syntax)' is neither in GROUP BY nor in an aggregate", at: syntax.range,
            hint: "group by it, or take for example MAX(\(syntax))")
    }

    private mutating func bindUnary(_ operation: UnaryOperator, _ operand: ExpressionSyntax, _ range: SourceRange) throws(SQLError) -> Expression {
        switch operation {
        case .not: return try call("NOT", [operand], range)
        case .plus:
            let bound = try bind(operand)
            guard bound.type.kind.isNumeric else { throw SQLError("'+' needs a number, this is \(bound.type.kind)", at: range) }
            return bound
        case .minus:
            // Before binding: -2147483648 is an INT although 2147483648 is not, and -9223372036854775808 a BIGINT.
            if case .literal(.exact(let digits)) = operand.kind { return try LiteralSyntax.exact("-" + digits).bound(at: range) }
            let bound = try bind(operand)
            if case .literal(.double(let number), let type) = bound { return .literal(.double(-number), type: type) }
            return try resolve("-", [bound], range)
        }
    }

    private mutating func bindCase(
        _ operand: ExpressionSyntax?, _ branches: [ExpressionSyntax.Branch], _ otherwise: ExpressionSyntax?, _ range: SourceRange
    ) throws(SQLError) -> Expression {
        var conditions: [Expression] = [], values: [Expression] = []
        let boundOperand: Expression? = if let operand { try bind(operand) } else { nil }
        for branch in branches {
            if let boundOperand {
                conditions.append(try resolve("=", [boundOperand, try bind(branch.when)], branch.when.range))
            } else {
                let condition = try bind(branch.when)
                guard condition.type.kind == .boolean || condition.type.kind == .null else {
                    throw SQLError("WHEN needs a condition, this is \(condition.type.kind)", at: branch.when.range)
                }
                conditions.append(condition.coerced(to: .boolean))
            }
            values.append(try bind(branch.then))
        }
        let last: Expression = if let otherwise { try bind(otherwise) } else { .literal(.null, type: DataType(.null)) }
        values.append(last)
        guard let type = FunctionCatalogue.leastRestrictive(values.map(\.type)) else {
            throw SQLError("the values of this CASE have no common type: " + values.map { "\($0.type.kind)" }.joined(separator: ", "), at: range)
        }
        guard type.kind != .null else { throw SQLError("at least one value of a CASE must not be NULL", at: range) }
        let cast = values.map { $0.coerced(to: type.kind) }
        let bound = zip(conditions, cast).map { Expression.Branch(condition: $0, value: $1) }
        return .conditional(bound, otherwise: cast[cast.count - 1], type: type)
    }

    private mutating func bindCast(_ operand: ExpressionSyntax, _ type: TypeSyntax, _ orNull: Bool, _ range: SourceRange) throws(SQLError) -> Expression {
        let bound = try bind(operand), target = try type.bound()
        guard FunctionCatalogue.castSupported(from: bound.type.kind, to: target.kind) else {
            throw SQLError("\(bound.type.kind) cannot be cast to \(target.kind)", at: range)
        }
        if bound.type.kind == .null { return .literal(.null, type: DataType(target.kind)) }
        if bound.type.kind == target.kind { return orNull ? .cast(bound, to: target.nullable(true), safe: true) : bound }
        return .cast(bound, to: target.nullable(orNull || bound.type.isNullable), safe: orNull)
    }

    // MARK: Calls

    private mutating func call(_ name: String, _ arguments: [ExpressionSyntax], _ range: SourceRange) throws(SQLError) -> Expression {
        var bound: [Expression] = []
        for argument in arguments { bound.append(try bind(argument)) }
        let call = try resolve(name, bound, range)
        if bound.count > 1, bound[1].isText, ExpressionBinder.readPatterns.contains(name) {
            // Its grammar is read when the expression is compiled.
            do { _ = try Evaluator([call]) } catch { throw SQLError(error.reason, at: arguments[1].range) }
        }
        return call
    }

    /// Functions whose second argument has a grammar of its own.
    private static let readPatterns: Set<String> = [
        "DATE_FORMAT", "TO_DATE", "TO_TIMESTAMP", "FROM_UNIXTIME", "UNIX_TIMESTAMP", "REGEXP", "REGEXP_EXTRACT", "REGEXP_REPLACE", "SIMILAR TO", "NOT SIMILAR TO",
        "LIKE", "NOT LIKE",
    ]

    private func resolve(_ name: String, _ arguments: [Expression], _ range: SourceRange) throws(SQLError) -> Expression {
        let literals = arguments.map { argument -> Value? in
            if case .literal(let value, _) = argument { value } else { nil }
        }
        do {
            let resolution = try FunctionCatalogue.resolve(name: name, arguments: arguments.map(\.type), literals: literals)
            let cast = zip(arguments, resolution.arguments).map { $0.coerced(to: $1.kind) }
            return .call(resolution.name, cast, type: resolution.result)
        } catch {
            switch error {
            case .wrongArguments(let words): throw SQLError(words, at: range)
            case .unknown(let name, _) where UnsupportedFunctions.names.contains(name): throw SQLError("function \(name) is not supported", at: range)
            case .unknown(let name, let names):
                let callable = names.filter { $0.first?.isLetter == true && !$0.contains(" ") } + ["COUNT", "SUM", "MIN", "MAX", "AVG"]
                throw SQLError("unknown function '\(name)'", at: range, hint: nearNameHint(name, among: callable))
            }
        }
    }

    private mutating func bindCall(_ called: CallSyntax, _ range: SourceRange) throws(SQLError) -> Expression {
        let name = called.function
        if called.over != nil || Aggregation.rankings.contains(name) { throw SQLError("OVER windows are not supported", at: range) }
        if Aggregation.functions.contains(name) { return try bindAggregate(called, range) }
        if let bound = try aggregation?.window?.key(for: called, at: range), case .column(let position, let type)? = aggregation?.column(ofKey: bound) {
            return .column(position, type: type.nullable(type.isNullable || name.hasSuffix("_ROWTIME")))  // As Flink types it.
        }
        if ["TUMBLE", "HOP", "SESSION"].contains(String(name.prefix { $0 != "_" })) {
            throw SQLError(
                "\(name) belongs to a window in GROUP BY", at: range,
                hint: "GROUP BY TUMBLE(ts, INTERVAL …), or FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL …))")
        }
        guard called.name.parts.count == 1 else { throw SQLError("unknown function '\(called.name.text)'", at: called.name.range) }
        if called.distinct || called.filter != nil || !called.withinGroup.isEmpty || called.ignoreNulls != nil {
            throw SQLError("'\(name)' is no aggregate: DISTINCT, FILTER and WITHIN GROUP have no place here", at: range)
        }
        var arguments: [ExpressionSyntax] = []
        for argument in called.arguments {
            guard argument.name == nil, let expression = argument.expression else { throw SQLError("'\(name)' takes plain values", at: argument.range) }
            arguments.append(expression)
        }
        if name == "TYPEOF" { return try bindTypeOf(arguments, range) }
        // Options such as RETURNING belong to functions that the catalogue does not have; their name is the better error.
        let nameRange = FunctionCatalogue.names.contains(name) ? range : called.name.range
        return try call(name, arguments, nameRange)
    }

    /// The argument's type in words, known before any row is.
    private mutating func bindTypeOf(_ arguments: [ExpressionSyntax], _ range: SourceRange) throws(SQLError) -> Expression {
        guard let argument = arguments.first, arguments.count <= 2 else {
            throw SQLError("Cannot apply 'TYPEOF' to \(arguments.count) arguments. Supported form(s): 'TYPEOF(<ANY>)', 'TYPEOF(<ANY>, <BOOLEAN>)'", at: range)
        }
        return .literal(.string(try bind(argument).type.description), type: DataType(.string, nullable: false))
    }

    private mutating func bindAggregate(_ called: CallSyntax, _ range: SourceRange) throws(SQLError) -> Expression {
        let name = called.function
        guard let aggregation else {
            let hint = place == "WHERE" ? "conditions on aggregates stand in HAVING" : nil
            throw SQLError("aggregate \(name) has no place in \(place)", at: range, hint: hint)
        }
        guard var function = AggregateCall.Function(rawValue: name.lowercased()), called.withinGroup.isEmpty, called.ignoreNulls == nil else {
            throw SQLError("aggregate \(name) is not supported", at: called.name.range, hint: "there are COUNT, SUM, MIN, MAX and AVG")
        }
        guard called.arguments.count == 1, let syntax = called.arguments[0].expression, called.arguments[0].name == nil else {
            throw SQLError("\(name) takes one argument", at: range, hint: name == "COUNT" ? "COUNT(*) counts all rows" : nil)
        }
        // Arguments see the rows before grouping.
        var inner = ExpressionBinder(scope: scope, place: "an aggregate")
        var argument: Expression?
        if case .star = syntax.kind {
            guard function == .count, !called.distinct else { throw SQLError("only COUNT takes '*'", at: syntax.range) }
            function = .countStar
        } else {
            argument = try inner.bind(syntax)
        }
        let filter: Expression? = if let condition = called.filter { try inner.bindCondition(condition) } else { nil }
        guard let kind = Aggregation.resultKind(function, argument?.type.kind) else {
            let type = argument?.type.kind ?? .null
            let forms = function == .sum || function == .avg ? "<NUMERIC>" : "<COMPARABLE_TYPE>"
            throw SQLError("Cannot apply '\(name)' to arguments of type '\(name)(<\(type)>)'. Supported form(s): '\(name)(\(forms))'", at: range)
        }
        let counts = function == .count || function == .countStar
        let nullable = !counts && (argument?.type.isNullable ?? false || filter != nil || aggregation.keys.isEmpty)
        let distinct = called.distinct && function != .min && function != .max
        let call = Aggregation.Call(
            function: function, argument: argument, filter: filter, distinct: distinct, type: DataType(kind, nullable: nullable))
        try ScriptLimits.checkColumns(self.aggregation!.calls.count + 1, at: range)
        return self.aggregation!.column(of: call)
    }
}

extension Expression {
    fileprivate var isText: Bool { if case .literal(.bytes, _) = self { true } else { false } }
}
