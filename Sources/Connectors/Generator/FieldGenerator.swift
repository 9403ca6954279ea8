import Columnar
import Dataflow
import Glibc

/// Makes the values of one column of a `datagen` table from row numbers. Options and defaults are Flink's, but for `seed`.
struct FieldGenerator: Sendable {
    private enum Kind {
        case sequence(start: Int64)
        case integers(ClosedRange<Int64>)
        case doubles(Double, Double)
        /// Unscaled.
        case decimals(ClosedRange<Int64>)
        case text(length: Int, varies: Bool)
        case flag
        /// Milliseconds before now at most.
        case past(Int64)
    }

    private let type: DataType
    private let place: Int
    private let seed: UInt64
    private let kind: Kind
    private let nullRate: Double
    /// Rows that a sequence has; nil for random values.
    let rows: Int64?

    init(_ field: Schema.Field, place: Int, options: Options, seed: UInt64) throws(StreamError) {
        let prefix = "fields.\(field.name)."
        self.type = field.type
        self.place = place
        self.seed = seed
        self.nullRate = try options.number(prefix + "null-rate") ?? 0
        let isSequence: Bool
        switch options.string(prefix + "kind") {
        case nil, "random": isSequence = false
        case "sequence": isSequence = true
        case let other?: throw options.error("'\(prefix)kind' is 'random' or 'sequence', not '\(other)'")
        }
        if isSequence {
            guard let start = try options.integer(prefix + "start"), let end = try options.integer(prefix + "end"), start <= end else {
                throw options.error("a sequence needs '\(prefix)start' and '\(prefix)end', in this order")
            }
            switch field.type.kind {
            case .boolean, .date, .time, .timestamp, .timestampLTZ, .binary, .varbinary, .null:
                throw options.error("there is no sequence of \(field.type.kind) ('\(prefix)kind')")
            default: break
            }
            self.rows = end - start + 1
            self.kind = .sequence(start: start)
            return
        }
        self.rows = nil
        self.kind = try FieldGenerator.random(field, prefix, options)
    }

    private static func random(_ field: Schema.Field, _ prefix: String, _ options: Options) throws(StreamError) -> Kind {
        func integers(_ least: Int64, _ greatest: Int64) throws(StreamError) -> Kind {
            let low = try options.integer(prefix + "min") ?? least, high = try options.integer(prefix + "max") ?? greatest
            guard low <= high else { throw options.error("'\(prefix)min' is above '\(prefix)max'") }
            return .integers(low...high)
        }
        func doubles(_ greatest: Double) throws(StreamError) -> Kind {
            let low = try options.number(prefix + "min") ?? 0, high = try options.number(prefix + "max") ?? greatest
            guard low <= high else { throw options.error("'\(prefix)min' is above '\(prefix)max'") }
            return .doubles(low, high)
        }
        switch field.type.kind {
        case .null, .boolean: return .flag
        case .tinyint: return try integers(-128, 127)
        case .smallint: return try integers(-32_768, 32_767)
        case .integer, .intervalYearMonth: return try integers(Int64(Int32.min), Int64(Int32.max))
        case .bigint, .intervalDayTime: return try integers(.min, .max)
        case .float: return try doubles(Double(Float.greatestFiniteMagnitude))
        case .double: return try doubles(.greatestFiniteMagnitude)
        case .decimal(let precision, let scale):
            let unit = pow(10, Double(scale)), bound = pow(10, Double(min(precision, 18))) - 1
            let low = (try options.number(prefix + "min") ?? 0) * unit, high = (try options.number(prefix + "max")).map { $0 * unit } ?? bound
            guard low <= high, abs(low) <= bound, abs(high) <= bound else { throw options.error("'\(prefix)min' and '\(prefix)max' do not fit \(field.type.kind)") }
            return .decimals(Int64(low)...Int64(high))
        case .char(let length), .varchar(let length), .binary(let length), .varbinary(let length):
            let wanted = try options.integer(prefix + "length") ?? Int64(min(length, 100))
            guard wanted > 0, wanted <= 1 << 20 else { throw options.error("'\(prefix)length' is 1 to 1048576") }
            return .text(length: Int(wanted), varies: try options.flag(prefix + "var-len", default: false))
        case .date, .time, .timestamp, .timestampLTZ:
            let past = try options.duration(prefix + "max-past") ?? .zero
            return .past(past.milliseconds)
        }
    }

    /// Sets the column's value in `row` of the fill to that of the table's row `number`.
    func generate(_ number: Int64, now: Int64, _ fill: ColumnFill, _ column: Int, _ row: Int) {
        var chance = Chance(seed: seed, place: place, row: number)
        if nullRate > 0, chance.fraction() < nullRate { return fill.setNull(column, row) }
        switch kind {
        case .sequence(let start): store(start &+ number, fill, column, row)
        case .integers(let range): store(Int64.random(in: range, using: &chance), fill, column, row)
        case .doubles(let low, let high):
            let value = low + (high - low) * chance.fraction()
            if type.kind == .float { fill.set(column, row, Float(value)) } else { fill.set(column, row, value) }
        case .decimals(let range): fill.set(column, row, Int128(Int64.random(in: range, using: &chance)))
        case .flag:
            if type.kind == .null { fill.setNull(column, row) } else { fill.set(column, row, UInt8(chance.next() >> 63)) }
        case .text(let length, let varies): storeText(varies ? Int(chance.next() % UInt64(length)) + 1 : length, &chance, fill, column, row)
        case .past(let most):
            let time = now - (most > 0 ? Int64(chance.next() % UInt64(most + 1)) : 0)
            switch type.kind {
            case .date: fill.set(column, row, Int32(TimestampText.floorDivide(time, 86_400_000).0))
            case .time: fill.set(column, row, Int32(TimestampText.floorDivide(time, 86_400_000).1))
            default: fill.set(column, row, time * (type.kind.timeUnit?.ticksPerMillisecond ?? 1))
            }
        }
    }

    private func store(_ value: Int64, _ fill: ColumnFill, _ column: Int, _ row: Int) {
        switch type.kind {
        case .tinyint: fill.set(column, row, Int8(truncatingIfNeeded: value))
        case .smallint: fill.set(column, row, Int16(truncatingIfNeeded: value))
        case .integer, .intervalYearMonth: fill.set(column, row, Int32(truncatingIfNeeded: value))
        case .float: fill.set(column, row, Float(value))
        case .double: fill.set(column, row, Double(value))
        case .decimal(_, let scale): fill.set(column, row, Int128(value) * DecimalText.powers[scale])
        case .char, .varchar:
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: IntegerText.maximumLength) { memory in
                let text = memory.baseAddress.unsafelyUnwrapped
                fill.setBytes(column, row, text, IntegerText.write(value, into: text))
            }
        default: fill.set(column, row, value)
        }
    }

    /// Hex digits, as Flink's generator makes them; bytes of any value for binary types.
    private func storeText(_ length: Int, _ chance: inout Chance, _ fill: ColumnFill, _ column: Int, _ row: Int) {
        let digits: StaticString = "0123456789abcdef"
        let isText = type.kind.isCharacter
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: length) { memory in
            var word: UInt64 = 0
            for index in 0..<length {
                if index % 8 == 0 { word = chance.next() }
                memory[index] = isText ? digits.utf8Start[Int(word & 15)] : UInt8(truncatingIfNeeded: word)
                word >>= 8
            }
            if let base = memory.baseAddress { fill.setBytes(column, row, base, length) }
        }
    }
}
