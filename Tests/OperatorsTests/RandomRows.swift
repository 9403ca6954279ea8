import Columnar
import Dataflow

/// A table with a column of every kind, random rows of it, and what aggregates over them should give, computed row by row.
enum RandomRows {
    static let schema = Schema([
        .init("time", DataType(.timestamp(3))),
        .init("name", DataType(.string)),
        .init("number", DataType(.integer)),
        .init("flag", DataType(.boolean)),
        .init("small", DataType(.smallint)),
        .init("big", DataType(.bigint, nullable: false)),
        .init("real", DataType(.double)),
        .init("money", DataType(.decimal(precision: 10, scale: 2))),
        .init("text", DataType(.string)),
        .init("single", DataType(.float)),
    ])

    static let keys = [1, 2]

    static let plain: [AggregateCall] = [
        .init(function: .countStar, argument: nil, type: DataType(.bigint, nullable: false)),
        .init(function: .count, argument: 8, type: DataType(.bigint, nullable: false)),
        .init(function: .sum, argument: 2, type: DataType(.integer)),
        .init(function: .sum, argument: 5, filter: 3, type: DataType(.bigint)),
        .init(function: .min, argument: 4, type: DataType(.smallint)),
        .init(function: .max, argument: 6, type: DataType(.double)),
        .init(function: .min, argument: 6, filter: 3, type: DataType(.double)),
        .init(function: .sum, argument: 6, type: DataType(.double)),
        .init(function: .avg, argument: 4, type: DataType(.smallint)),
        .init(function: .avg, argument: 6, type: DataType(.double)),
        .init(function: .sum, argument: 7, type: DataType(.decimal(precision: 38, scale: 2))),
        .init(function: .avg, argument: 7, type: DataType(.decimal(precision: 38, scale: 6))),
        .init(function: .max, argument: 7, type: DataType(.decimal(precision: 10, scale: 2))),
        .init(function: .min, argument: 8, type: DataType(.string)),
        .init(function: .max, argument: 8, filter: 3, type: DataType(.string)),
        .init(function: .max, argument: 3, type: DataType(.boolean)),
        .init(function: .min, argument: 0, type: DataType(.timestamp(3))),
        .init(function: .max, argument: 9, type: DataType(.float)),
        .init(function: .sum, argument: 9, type: DataType(.float)),
    ]

    static let distinct: [AggregateCall] = [
        .init(function: .count, argument: 8, distinct: true, type: DataType(.bigint, nullable: false)),
        .init(function: .sum, argument: 2, filter: 3, distinct: true, type: DataType(.integer)),
        .init(function: .avg, argument: 4, distinct: true, type: DataType(.smallint)),
        .init(function: .max, argument: 6, distinct: true, type: DataType(.double)),
    ]

    /// Reals are quarters, so that the order of additions does not matter.
    static func row(time: Int64, _ random: inout SeededGenerator) -> [Value] {
        func maybe(_ value: Value) -> Value { Int.random(in: 0..<6, using: &random) == 0 ? .null : value }
        return [
            .integer(time),
            maybe(.string(["", "a", "bb", "a longer name than sixteen bytes"].randomElement(using: &random)!)),
            maybe(.integer(Int64.random(in: -2...2, using: &random))),
            maybe(.boolean(.random(using: &random))),
            maybe(.integer(Int64.random(in: -300...300, using: &random))),
            .integer(Int64.random(in: -1000...1000, using: &random)),
            maybe(.double(Double(Int.random(in: -40...40, using: &random)) / 4)),
            maybe(.decimal(Int128(Int.random(in: -99999...99999, using: &random)))),
            maybe(.string(["x", "yy", "zzz", "yyy", ""].randomElement(using: &random)!)),
            maybe(.double(Double(Int.random(in: -40...40, using: &random)) / 4)),
        ]
    }

    static func batch(_ rows: [[Value]], kinds: [RowKind]? = nil) -> Batch { Batch.of(schema.types, rows, kinds: kinds) }

    static func results(_ calls: [AggregateCall], over rows: [[Value]]) -> [Value] {
        calls.map { call in
            let passed = rows.filter { row in call.filter.map { row[$0] == .boolean(true) } ?? true }
            guard let index = call.argument else { return .integer(Int64(passed.count)) }
            var values = passed.map { $0[index] }.filter { !$0.isNull }
            if call.distinct { values = values.reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
            if call.function == .count { return .integer(Int64(values.count)) }
            guard let first = values.first else { return .null }
            switch call.function {
            case .min: return values.reduce(first) { precedes($1, $0) ? $1 : $0 }
            case .max: return values.reduce(first) { precedes($0, $1) ? $1 : $0 }
            case .sum: return values.dropFirst().reduce(first, plus)
            case .avg: return divide(values.dropFirst().reduce(first, plus), by: values.count)
            case .count, .countStar: return .null
            }
        }
    }

    private static func precedes(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.integer(let a), .integer(let b)): a < b
        case (.double(let a), .double(let b)): a < b
        case (.decimal(let a), .decimal(let b)): a < b
        case (.boolean(let a), .boolean(let b)): !a && b
        case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
        default: preconditionFailure("values of two types")
        }
    }

    private static func plus(_ a: Value, _ b: Value) -> Value {
        switch (a, b) {
        case (.integer(let a), .integer(let b)): .integer(a + b)
        case (.double(let a), .double(let b)): .double(a + b)
        case (.decimal(let a), .decimal(let b)): .decimal(a + b)
        default: preconditionFailure("no sum of these")
        }
    }

    /// Decimals: four more digits, half away from zero.
    private static func divide(_ sum: Value, by count: Int) -> Value {
        switch sum {
        case .integer(let sum): return .integer(sum / Int64(count))
        case .double(let sum): return .double(sum / Double(count))
        case .decimal(let sum):
            let scaled = sum * 100_000, quotient = scaled / Int128(count)
            return .decimal((quotient + (quotient < 0 ? -5 : 5)) / 10)
        default: preconditionFailure("no average of these")
        }
    }
}
