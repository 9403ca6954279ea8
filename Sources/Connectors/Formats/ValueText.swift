import Columnar

/// Values to text without quotes, as Flink's text formats write them: Java's doubles, timestamps without needless decimals.
enum ValueText {
    /// Bytes that `write` may use.
    static let maximumLength = 64

    /// A value that is neither null, boolean, string nor binary. Returns the bytes written.
    static func write(
        _ column: Column, _ row: Int, standard: TimestampStandard, zoneSuffix: Bool = false, into target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        switch column.type.kind {
        case .tinyint: return IntegerText.write(Int64(column.pointer(Int8.self)[row]), into: target)
        case .smallint: return IntegerText.write(Int64(column.pointer(Int16.self)[row]), into: target)
        case .integer, .intervalYearMonth: return IntegerText.write(Int64(column.pointer(Int32.self)[row]), into: target)
        case .bigint, .intervalDayTime: return IntegerText.write(column.pointer(Int64.self)[row], into: target)
        case .float: return DoubleText.write(column.pointer(Float.self)[row], into: target)
        case .double: return DoubleText.write(column.pointer(Double.self)[row], into: target)
        case .decimal(_, let scale): return writeDecimal(column.pointer(Int128.self)[row], scale: scale, plain: false, into: target)
        case .date: return TimestampText.writeDate(Int(column.pointer(Int32.self)[row]), into: target)
        case .time:
            let milliseconds = column.pointer(Int32.self)[row]
            return shortened(target, TimestampText.writeTime(milliseconds, precision: 3, into: target))
        case .timestamp(let precision), .timestampLTZ(let precision):
            var length = TimestampText.writeShortest(
                column.pointer(Int64.self)[row], precision: precision, separator: standard.separator, into: target)
            if zoneSuffix, case .timestampLTZ = column.type.kind {
                target[length] = 0x5A
                length += 1
            }
            return length
        case .null, .boolean, .char, .varchar, .binary, .varbinary: preconditionFailure("\(column.type) has no plain text")
        }
    }

    /// Without zeros at the end of the decimals.
    private static func shortened(_ target: UnsafeMutablePointer<UInt8>, _ length: Int) -> Int {
        var count = length
        while target[count - 1] == 0x30 { count -= 1 }
        return target[count - 1] == 0x2E ? count - 1 : max(count, 8)
    }

    /// `BigDecimal.toString`: with an exponent below 1E-6, unless `plain`.
    static func writeDecimal(_ value: Int128, scale: Int, plain: Bool, into target: UnsafeMutablePointer<UInt8>) -> Int {
        if plain || scale <= 6 { return DecimalText.write(value, scale: scale, into: target) }
        let sign = value < 0 ? 1 : 0
        let digits = DecimalText.write(value, scale: 0, into: target) - sign
        let exponent = digits - 1 - scale
        if exponent >= -6 { return DecimalText.write(value, scale: scale, into: target) }
        var at = sign + 1
        if digits > 1 {
            for index in stride(from: digits - 1, through: 1, by: -1) { target[sign + index + 1] = target[sign + index] }
            target[at] = 0x2E
            at += digits
        }
        target[at] = 0x45
        return at + 1 + IntegerText.write(Int64(exponent), into: target + at + 1)
    }
}
