import Columnar
import Expressions

/// Builds bound calls as the binder does: name and arguments in, casts written down.
func call(_ name: String, _ arguments: Expression...) -> Expression { bind(name, arguments) }

func bind(_ name: String, _ arguments: [Expression]) -> Expression {
    let literals: [Value?] = arguments.map { if case .literal(let value, _) = $0 { value } else { nil } }
    do {
        let resolution = try FunctionCatalogue.resolve(name: name, arguments: arguments.map(\.type), literals: literals)
        let cast = zip(arguments, resolution.arguments).map { argument, type in
            argument.type.kind == type.kind ? argument : Expression.cast(argument, to: type, safe: false)
        }
        return .call(resolution.name, cast, type: resolution.result)
    } catch { preconditionFailure("\(error)") }
}

func column(_ index: Int, _ kind: TypeKind) -> Expression { .column(index, type: DataType(kind)) }

func int(_ value: Int) -> Expression { .literal(.integer(Int64(value)), type: DataType(.integer, nullable: false)) }

func big(_ value: Int64) -> Expression { .literal(.integer(value), type: DataType(.bigint, nullable: false)) }

func double(_ value: Double) -> Expression { .literal(.double(value), type: DataType(.double, nullable: false)) }

func text(_ value: String) -> Expression {
    .literal(.string(value), type: DataType(.char(value.unicodeScalars.count), nullable: false))
}

func boolean(_ value: Bool) -> Expression { .literal(.boolean(value), type: DataType(.boolean, nullable: false)) }

func null(_ kind: TypeKind) -> Expression { .literal(.null, type: DataType(kind)) }

/// `1.50` as SQL types it: DECIMAL(3, 2).
func decimal(_ written: String) -> Expression {
    let digits = written.filter(\.isNumber)
    let scale = written.split(separator: ".").count > 1 ? written.split(separator: ".")[1].count : 0
    let unscaled = Int128(digits) ?? 0
    return .literal(
        .decimal(written.hasPrefix("-") ? -unscaled : unscaled),
        type: DataType(.decimal(precision: digits.drop { $0 == "0" }.count.clamped(to: max(1, scale)...38), scale: scale), nullable: false))
}

func timestamp(_ written: String, _ precision: Int = 3) -> Expression {
    let ticks = Array(written.utf8).withUnsafeBufferPointer {
        TimestampText.parse($0.baseAddress!, count: $0.count, precision: precision)
    }
    return .literal(.integer(ticks!), type: DataType(.timestamp(precision), nullable: false))
}

func cast(_ inner: Expression, _ kind: TypeKind) -> Expression { .cast(inner, to: DataType(kind, nullable: inner.type.isNullable), safe: false) }

func tryCast(_ inner: Expression, _ kind: TypeKind) -> Expression { .cast(inner, to: DataType(kind), safe: true) }

func days(_ count: Int) -> Expression { .literal(.integer(Int64(count) * 86_400_000), type: DataType(.intervalDayTime, nullable: false)) }

func milliseconds(_ count: Int64) -> Expression { .literal(.integer(count), type: DataType(.intervalDayTime, nullable: false)) }

func months(_ count: Int) -> Expression { .literal(.integer(Int64(count)), type: DataType(.intervalYearMonth, nullable: false)) }

/// Over a column of strings; nil is NULL.
func strings(_ rows: [String?]) -> Batch {
    Batch.of([DataType(.string)], rows.map { [$0.map { .string($0) } ?? .null] })
}

func timestamps(_ rows: [String?], kind: TypeKind = .timestamp(3)) -> Batch {
    Batch.of([DataType(kind)], rows.map { row in
        guard let row, case .literal(let value, _) = timestamp(row) else { return [.null] }
        return [value]
    })
}

let oneRow = Batch.of([], [[]])

func values(_ expression: Expression, over batch: Batch, now: Int64 = 0, zone: ZoneRules = .utc) throws -> [Value] {
    var evaluator = try Evaluator([expression])
    let column = try evaluator.evaluate(batch, context: EvaluationContext(now: now, zone: zone))[0]
    return (0..<column.count).map { column.value($0) }
}

/// Each row as SQL prints it, NULL as nil.
func printed(_ expression: Expression, over batch: Batch = oneRow, now: Int64 = 0, zone: ZoneRules = .utc) throws -> [String?] {
    try values(.cast(expression, to: DataType(.string), safe: false), over: batch, now: now, zone: zone).map { value in
        if case .bytes(let bytes) = value { String(decoding: bytes, as: UTF8.self) } else { nil }
    }
}

/// A constant expression as SQL prints it.
func constant(_ expression: Expression, zone: ZoneRules = .utc) throws -> String? { try printed(expression, zone: zone)[0] }

extension Comparable {
    func clamped(to range: ClosedRange<Self>) -> Self { min(max(self, range.lowerBound), range.upperBound) }
}

/// A small seeded generator, so that every run sees the same numbers.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
