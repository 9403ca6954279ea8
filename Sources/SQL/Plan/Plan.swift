import Columnar
import Dataflow
import Expressions

/// A bound query: relational operations, each with its inputs inside. Expressions refer to the input's columns by position.
///
/// The binder makes it, the rules rewrite it, `JobGraphBuilder` turns it into operators.
indirect enum Plan: Equatable {
    case scan(ScanPlan)
    /// So many rows with their number from 0: what SELECT without FROM and VALUES read from.
    case rows(Int)
    case calc(CalcPlan)
    /// A windowing table function: the input's columns, then window_start, window_end and window_time.
    case window(WindowPlan)
    case aggregate(AggregatePlan)
    case windowAggregate(WindowAggregatePlan)
    /// UNION ALL; all inputs have the same types.
    case union([Plan], columns: [PlanColumn])

    /// What its rows consist of, in order.
    var columns: [PlanColumn] {
        switch self {
        case .scan(let scan): scan.columns
        case .rows: [PlanColumn(name: "$row", type: DataType(.bigint, nullable: false))]
        case .calc(let calc): calc.columns
        case .window(let window): window.columns
        case .aggregate(let aggregate): aggregate.columns
        case .windowAggregate(let aggregate): aggregate.columns
        case .union(_, let columns): columns
        }
    }

    var schema: Schema { Schema(columns.map { Schema.Field($0.name, $0.type) }) }

    /// Whether rows may be taken back (−U, −D), so that a sink must understand changes.
    var isUpdating: Bool {
        switch self {
        case .scan, .rows, .windowAggregate: false
        case .calc(let calc): calc.input.isUpdating
        case .window(let window): window.input.isUpdating
        case .aggregate: true
        case .union(let inputs, _): inputs.contains(where: \.isUpdating)
        }
    }
}

struct PlanColumn: Equatable {
    var name: String
    var type: DataType
    /// It is the table's event time: a watermark follows it.
    var isRowtime = false
    /// It is a bound of the window that the row belongs to.
    var window: WindowColumn?
}

/// Which bound of which window a column holds; kept through projections so that later steps can group by it.
struct WindowColumn: Equatable {
    enum Bound { case start, end, time }

    var bound: Bound
    /// Where the table function stands in the script, so that windows of two functions are not mistaken for each other.
    var origin: Int
    var spec: WindowSpec
    /// Over TIMESTAMP_LTZ: the window lies on the clock of the session's zone.
    var isZoned: Bool
}

/// Reads some columns of a table.
struct ScanPlan: Equatable {
    var table: TableDefinition
    /// Positions in `table.columns`, rising.
    var selected: [Int]
    /// Options of the statement's hint, over the table's.
    var options: [String: String]

    var columns: [PlanColumn] {
        selected.map { position in
            let column = table.columns[position]
            return PlanColumn(name: column.name, type: column.type, isRowtime: table.watermark?.column == position)
        }
    }
}

/// Keeps rows, then computes columns.
struct CalcPlan: Equatable {
    var input: Plan
    /// Over the input; nil keeps all rows.
    var condition: Expression?
    /// Over the input.
    var projections: [Expression]
    var columns: [PlanColumn]
}

struct WindowPlan: Equatable {
    var input: Plan
    var spec: WindowSpec
    /// The event-time column of the input.
    var timeColumn: Int
    var origin: Int
    /// Where the function stands in the script, for errors found after binding.
    var range: SourceRange

    var columns: [PlanColumn] { input.columns + WindowPlan.bounds(of: spec, origin: origin, time: input.columns[timeColumn].type) }

    /// window_start, window_end and window_time, which is a new event time of the same type as the old.
    static func bounds(of spec: WindowSpec, origin: Int, time: DataType) -> [PlanColumn] {
        let timestamp = DataType(.timestamp(3), nullable: false)
        let isZoned = if case .timestampLTZ = time.kind { true } else { false }
        func window(_ bound: WindowColumn.Bound) -> WindowColumn { WindowColumn(bound: bound, origin: origin, spec: spec, isZoned: isZoned) }
        return [
            PlanColumn(name: "window_start", type: timestamp, window: window(.start)),
            PlanColumn(name: "window_end", type: timestamp, window: window(.end)),
            PlanColumn(
                name: "window_time", type: isZoned ? DataType(.timestampLTZ(3), nullable: false) : timestamp, isRowtime: true, window: window(.time)),
        ]
    }
}

/// GROUP BY. Columns: keys, then aggregates.
struct AggregatePlan: Equatable {
    var input: Plan
    /// Positions in the input.
    var keys: [Int]
    var calls: [AggregateCall]
    var columns: [PlanColumn]
    var range: SourceRange
}

/// GROUP BY keys and window. Columns: keys, aggregates, window_start, window_end, window_time.
struct WindowAggregatePlan: Equatable {
    var input: Plan
    var keys: [Int]
    var calls: [AggregateCall]
    var spec: WindowSpec
    var timeColumn: Int
    /// The zone whose clock the time column shows; nil where it is the watermarks' own.
    var zone: String?
    var columns: [PlanColumn]
}

extension Plan {
    /// Filters and computes over this plan, and forgets nothing that a plain column reference carries along.
    func calc(condition: Expression? = nil, _ projections: [Expression], names: [String]) -> Plan {
        let input = columns
        let outputs = zip(projections, names).map { projection, name in
            guard case .column(let index, let type) = projection else { return PlanColumn(name: name, type: projection.type) }
            return PlanColumn(name: name, type: type, isRowtime: input[index].isRowtime, window: input[index].window)
        }
        return .calc(CalcPlan(input: self, condition: condition, projections: projections, columns: outputs))
    }

    func filter(_ condition: Expression) -> Plan { calc(condition: condition, references, names: columns.map(\.name)) }

    /// Each of its columns as an expression over it.
    var references: [Expression] { columns.enumerated().map { .column($0, type: $1.type) } }
}
