import Columnar
import Dataflow
import Expressions

/// The older way to group by windows: `GROUP BY TUMBLE(ts, INTERVAL '10' SECOND)`, whose bounds are asked for by
/// `TUMBLE_START(ts, INTERVAL '10' SECOND)`, `TUMBLE_END` and `TUMBLE_ROWTIME`; HOP likewise.
///
/// It means the same as the table function, so it becomes one, and its bounds become keys.
struct GroupWindow {
    /// TUMBLE or HOP.
    let function: String
    /// As written, for finding the same window in SELECT.
    let arguments: String
    /// window_start, window_end and window_time over the windowed input.
    let bounds: [Expression]

    static func isCall(_ syntax: ExpressionSyntax) -> Bool {
        if case .call(let call) = syntax.kind { ["TUMBLE", "HOP", "SESSION"].contains(call.function) } else { false }
    }

    /// The key that `TUMBLE_START(…)` and its kin stand for; nil for other calls.
    func key(for call: CallSyntax, at range: SourceRange) throws(SQLError) -> Expression? {
        guard let bound = ["_START", "_END", "_ROWTIME"].firstIndex(where: { call.function == function + $0 }) else { return nil }
        guard commaList(call.arguments) == arguments else {
            throw SQLError("\(call.function) must name the window of GROUP BY", at: range, expected: ["\(call.function)(\(arguments))"])
        }
        return bounds[bound]
    }

    /// The windowed input and the window, if GROUP BY has one. `scope` is the input's.
    static func bind(_ groupBy: [SelectSyntax.Grouping], _ input: Plan, _ scope: Scope) throws(SQLError) -> (Plan, GroupWindow)? {
        var found: (Plan, GroupWindow)?
        for case .expression(let syntax) in groupBy where isCall(syntax) {
            guard case .call(let call) = syntax.kind else { continue }
            if found != nil { throw SQLError("GROUP BY takes one window", at: syntax.range) }
            found = try bind(call, syntax.range, input, scope)
        }
        return found
    }

    private static func bind(_ call: CallSyntax, _ range: SourceRange, _ input: Plan, _ scope: Scope) throws(SQLError) -> (Plan, GroupWindow) {
        let parameters = call.function == "HOP" ? ["TIMECOL", "SLIDE", "SIZE"] : ["TIMECOL", "SIZE"]
        guard call.function != "SESSION" else { throw SQLError("group window SESSION is not supported", at: range, hint: "there are TUMBLE and HOP") }
        let arguments = try WindowArguments(call, parameters)
        guard let time = arguments["TIMECOL"]?.expression, case .name(let name) = time.kind else {
            throw SQLError("\(call.function) takes the time column first", at: range)
        }
        let column = try scope.position(of: name)
        guard input.columns[column].isRowtime else {
            if input.isProcessingTime(column) { throw Plan.processingTimeWindows(at: name.range) }
            throw SQLError(
                "Window aggregate can only be defined over a time attribute column, but \(input.columns[column].type.kind) encountered.", at: name.range)
        }
        let size = try arguments.milliseconds("SIZE")
        let spec: WindowSpec = call.function == "TUMBLE"
            ? .tumble(size: size, offset: 0) : .hop(size: size, slide: try arguments.milliseconds("SLIDE"), offset: 0)
        let windowed = Plan.window(WindowPlan(input: input, spec: spec, timeColumn: column, origin: range.start, range: range))
        return (windowed, GroupWindow(function: call.function, arguments: commaList(call.arguments), bounds: Array(windowed.references.suffix(3))))
    }
}
