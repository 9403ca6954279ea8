import Columnar
import Expressions

/// The arguments of a windowing table function by parameter, whether given in order or by name.
struct WindowArguments {
    private var given: [String: ArgumentSyntax] = [:]
    private let call: CallSyntax

    /// `parameters` in order; only OFFSET may be missing.
    init(_ call: CallSyntax, _ parameters: [String]) throws(SQLError) {
        self.call = call
        for (position, argument) in call.arguments.enumerated() {
            let parameter: String
            if let name = argument.name {
                parameter = name.text.uppercased()
                guard parameters.contains(parameter) else {
                    throw SQLError("\(call.function) has no argument '\(name.text)'", at: name.range, expected: parameters)
                }
            } else {
                guard position < parameters.count else { throw SQLError("\(call.function) takes at most \(parameters.count) arguments", at: argument.range) }
                parameter = parameters[position]
            }
            guard given.updateValue(argument, forKey: parameter) == nil else {
                throw SQLError("argument \(parameter) of \(call.function) is given twice", at: argument.range)
            }
        }
        for parameter in parameters where given[parameter] == nil && parameter != "OFFSET" {
            throw SQLError(
                "\(call.function) needs its argument \(parameter)", at: call.name.range,
                hint: "\(call.function)(\(parameters.joined(separator: ", ")))")
        }
    }

    subscript(_ parameter: String) -> ArgumentSyntax? { given[parameter] }

    /// The length of a constant day-time interval.
    func milliseconds(_ parameter: String, positive: Bool = true) throws(SQLError) -> Int64 {
        guard let argument = given[parameter] else { return 0 }
        guard let syntax = argument.expression, case .literal(.interval) = syntax.kind else {
            throw SQLError("\(parameter) of \(call.function) is an interval", at: argument.range, expected: ["INTERVAL '10' SECOND"])
        }
        var binder = ExpressionBinder(scope: Scope([]), place: call.function)
        guard case .literal(.integer(let milliseconds), let type) = try binder.bind(syntax), type.kind == .intervalDayTime else {
            throw SQLError("\(parameter) of \(call.function) counts days or less: months have no fixed length", at: argument.range)
        }
        if positive, milliseconds <= 0 { throw SQLError("\(parameter) of \(call.function) must be greater than zero", at: argument.range) }
        return milliseconds
    }
}

extension Plan {
    /// Whether the column is PROCTIME(): the time at which a row is looked at.
    func isProcessingTime(_ column: Int) -> Bool {
        func isCall(_ expression: Expression) -> Bool { if case .call("PROCTIME", _, _) = expression { true } else { false } }
        switch self {
        case .scan(let scan):
            if case .computed(let expression) = scan.table.columns[scan.selected[column]].kind { return isCall(expression) }
            return false
        case .calc(let calc):
            if case .column(let position, _) = calc.projections[column] { return calc.input.isProcessingTime(position) }
            return isCall(calc.projections[column])
        case .window(let window): return column < window.input.columns.count && window.input.isProcessingTime(column)
        case .rows, .aggregate, .windowAggregate, .union: return false
        }
    }

    static func processingTimeWindows(at range: SourceRange) -> SQLError {
        SQLError(
            "windows over processing time are not supported", at: range,
            hint: "windows follow event time: a column of the rows, for which the table has a WATERMARK FOR")
    }
}
