import Columnar

/// One aggregate of a SELECT list.
package struct AggregateCall: Hashable, Codable, Sendable {
    package enum Function: String, Hashable, Codable, Sendable, CaseIterable {
        case countStar, count, sum, min, max, avg
    }

    package var function: Function
    /// Input column; nil for `COUNT(*)`.
    package var argument: Int?
    /// Input BOOLEAN column of a `FILTER (WHERE …)`.
    package var filter: Int?
    package var distinct: Bool
    package var type: DataType

    package init(function: Function, argument: Int?, filter: Int? = nil, distinct: Bool = false, type: DataType) {
        self.function = function
        self.argument = argument
        self.filter = filter
        self.distinct = distinct
        self.type = type
    }

    /// The types of its accumulator, which is also what a local aggregate sends: COUNT a BIGINT NOT NULL, SUM/MIN/MAX their
    /// result type (NULL = no row yet), AVG the sum (BIGINT, DOUBLE or DECIMAL(38, s)) and the count.
    package func accumulator(input: Schema) -> [DataType] {
        switch function {
        case .countStar, .count: [DataType(.bigint, nullable: false)]
        case .sum, .min, .max: [type.nullable(true)]
        case .avg: [AggregateCall.averageSum(of: argument.map { input.fields[$0].type.kind } ?? .bigint), DataType(.bigint, nullable: false)]
        }
    }

    private static func averageSum(of kind: TypeKind) -> DataType {
        switch kind {
        case .float, .double: DataType(.double)
        case .decimal(_, let scale): DataType(.decimal(precision: 38, scale: scale))
        default: DataType(.bigint)
        }
    }
}

/// Windows over event time; all in milliseconds. Start = time − floorMod(time − offset, step).
package enum WindowSpec: Hashable, Codable, Sendable {
    case tumble(size: Int64, offset: Int64)
    case hop(size: Int64, slide: Int64, offset: Int64)

    package var size: Int64 {
        switch self { case .tumble(let size, _), .hop(let size, _, _): size }
    }

    package var slide: Int64 {
        switch self { case .tumble(let size, _): size; case .hop(_, let slide, _): slide }
    }

    package var offset: Int64 {
        switch self { case .tumble(_, let offset), .hop(_, _, let offset): offset }
    }

    /// Windows share slices of this length: each window is a whole number of them.
    package var slice: Int64 {
        var (a, b) = (size, slide)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }
}

/// Aggregates per key and window.
///
/// Output: key columns, aggregates, then `window_start`, `window_end` (both TIMESTAMP(3) NOT NULL, or TIMESTAMP_LTZ(3) for an
/// LTZ time attribute: still shown as TIMESTAMP(3) in the session zone by the planner) and `window_time` = end − 1 ms.
package struct WindowAggregateSpec: Hashable, Codable, Sendable {
    package var input: Schema
    package var keys: [Int]
    package var aggregates: [AggregateCall]
    package var window: WindowSpec
    /// The event-time column of the input (TIMESTAMP(p) or TIMESTAMP_LTZ(p)). NULL there fails the job, as in Flink.
    package var timeColumn: Int
    /// The input is a local aggregate's output: columns as in `partialSchema`.
    package var mergesPartials: Bool
    /// The time column shows the clock of this zone, on which the windows lie; watermarks are instants. Nil: both are of one kind.
    package var zone: String?

    package init(
        input: Schema, keys: [Int], aggregates: [AggregateCall], window: WindowSpec, timeColumn: Int, mergesPartials: Bool = false, zone: String? = nil
    ) {
        self.zone = zone
        self.input = input
        self.keys = keys
        self.aggregates = aggregates
        self.window = window
        self.timeColumn = timeColumn
        self.mergesPartials = mergesPartials
    }

    /// What a local aggregate sends: key columns, accumulator columns, slice end (BIGINT NOT NULL, milliseconds).
    package var partialSchema: Schema {
        var fields = keys.map { input.fields[$0] }
        for (index, call) in aggregates.enumerated() {
            for (part, type) in call.accumulator(input: input).enumerated() { fields.append(.init("$acc\(index)_\(part)", type)) }
        }
        fields.append(.init("$slice_end", DataType(.bigint, nullable: false)))
        return Schema(fields)
    }
}

/// `GROUP BY` without a window: a changelog, one row per key.
///
/// Output: key columns, then aggregates. No keys: one row for the whole input.
package struct GroupAggregateSpec: Hashable, Codable, Sendable {
    package var input: Schema
    package var keys: [Int]
    package var aggregates: [AggregateCall]
    /// Whether the consumer needs −U rows before +U ones.
    package var emitsUpdateBefore: Bool
    /// Whether the input may retract rows (−U, −D).
    package var consumesRetractions: Bool

    package init(input: Schema, keys: [Int], aggregates: [AggregateCall], emitsUpdateBefore: Bool, consumesRetractions: Bool) {
        self.input = input
        self.keys = keys
        self.aggregates = aggregates
        self.emitsUpdateBefore = emitsUpdateBefore
        self.consumesRetractions = consumesRetractions
    }
}
