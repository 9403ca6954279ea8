import Columnar
import Expressions

extension Expression {
    /// The same value as another type; constants are converted here and now where that is exact.
    func coerced(to kind: TypeKind) -> Expression {
        if type.kind == kind { return self }
        let target = DataType(kind, nullable: type.isNullable)
        if case .literal(let value, let type) = self, let converted = value.converted(from: type.kind, to: kind) {
            return .literal(converted, type: DataType(kind, nullable: converted.isNull))
        }
        return .cast(self, to: target, safe: false)
    }

    /// The same expression with every column replaced by what stands for it.
    func substituting(_ columns: [Expression]) -> Expression {
        switch self {
        case .column(let index, _): columns[index]
        case .literal: self
        case .call(let name, let arguments, let type): .call(name, arguments.map { $0.substituting(columns) }, type: type)
        case .cast(let inner, let type, let safe): .cast(inner.substituting(columns), to: type, safe: safe)
        case .conditional(let branches, let otherwise, let type):
            .conditional(
                branches.map { Branch(condition: $0.condition.substituting(columns), value: $0.value.substituting(columns)) },
                otherwise: otherwise.substituting(columns), type: type)
        }
    }

    /// Whether it gives the same value whenever it is computed on the same row.
    var isDeterministic: Bool {
        if case .call(let name, _, _) = self, !FunctionCatalogue.isDeterministic(name) { return false }
        return children.allSatisfy(\.isDeterministic)
    }

    /// Costs nothing to compute again.
    var isTrivial: Bool {
        switch self {
        case .column, .literal: true
        case .call, .cast, .conditional: false
        }
    }

    /// How often the column at `index` is read.
    func uses(of index: Int) -> Int {
        if case .column(index, _) = self { return 1 }
        return children.reduce(0) { $0 + $1.uses(of: index) }
    }
}

extension Value {
    /// The same constant as another type, or nil where the value could change.
    func converted(from: TypeKind, to: TypeKind) -> Value? {
        switch (self, to) {
        case (.null, _): return .null
        case (.integer(let number), .tinyint) where from.isInteger: return Int8(exactly: number).map { .integer(Int64($0)) }
        case (.integer(let number), .smallint) where from.isInteger: return Int16(exactly: number).map { .integer(Int64($0)) }
        case (.integer(let number), .integer) where from.isInteger: return Int32(exactly: number).map { .integer(Int64($0)) }
        case (.integer, .bigint) where from.isInteger: return self
        case (.integer(let number), .double) where from.isInteger: return Double(exactly: number).map { .double($0) }
        case (.integer(let number), .decimal(let precision, let scale)) where from.isInteger:
            return DecimalText.rescale(Int128(number), from: 0, to: scale, precision: precision).map { .decimal($0) }
        case (.decimal(let unscaled), .decimal(let precision, let scale)):
            guard case .decimal(_, let old) = from, old <= scale else { return nil }
            return DecimalText.rescale(unscaled, from: old, to: scale, precision: precision).map { .decimal($0) }
        case (.decimal(let unscaled), .double):
            guard case .decimal(_, let scale) = from else { return nil }
            return Double("\(unscaled)e-\(scale)").map { .double($0) }
        case (.bytes(let bytes), .varchar(let length)) where from.isCharacter: return bytes.count <= length ? self : nil
        case (.bytes(let bytes), .varbinary(let length)) where from.isBinary: return bytes.count <= length ? self : nil
        case (.integer(let ticks), .timestamp(let precision)), (.integer(let ticks), .timestampLTZ(let precision)):
            // Between points of one kind only the tick changes; to finer ones nothing is lost.
            switch (from, to) {
            case (.timestamp(let old), .timestamp) where old <= precision, (.timestampLTZ(let old), .timestampLTZ) where old <= precision:
                let factor = TimeUnit.of(precision: precision).ticksPerSecond / TimeUnit.of(precision: old).ticksPerSecond
                let (scaled, overflow) = ticks.multipliedReportingOverflow(by: factor)
                return overflow ? nil : .integer(scaled)
            default: return nil
            }
        default: return nil
        }
    }
}
