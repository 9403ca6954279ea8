import Columnar

/// Text to values as Java's `parse…` methods and Flink's converters read it; shared by the text formats.
enum ScalarText {
    /// Stores what the text says in a column of any type but strings, bytes and timestamps. False when it is no value of the type.
    /// A DECIMAL with too many digits becomes NULL, as in Flink.
    static func store(_ raw: UnsafePointer<UInt8>, _ rawCount: Int, _ column: Int, _ fill: ColumnFill, _ row: Int) -> Bool {
        let type = fill.types[column].kind
        let (text, count) = trimmed(raw, rawCount)
        switch type {
        case .null: fill.setNull(column, row)
        case .boolean: fill.set(column, row, UInt8(isTrue(text, count) ? 1 : 0))
        case .tinyint: return storeInteger(Int8.self, text, count, column, fill, row)
        case .smallint: return storeInteger(Int16.self, text, count, column, fill, row)
        case .integer, .intervalYearMonth: return storeInteger(Int32.self, text, count, column, fill, row)
        case .bigint, .intervalDayTime: return storeInteger(Int64.self, text, count, column, fill, row)
        case .float:
            guard let value = DoubleText.parse(text, count: count) else { return false }
            fill.set(column, row, Float(value))
        case .double:
            guard let value = DoubleText.parse(text, count: count) else { return false }
            fill.set(column, row, value)
        case .decimal(let precision, let scale):
            if let value = DecimalText.parse(text, count: count, precision: precision, scale: scale) {
                fill.set(column, row, value)
            } else if isNumber(text, count) { fill.setNull(column, row) } else { return false }
        case .date:
            guard let days = TimestampText.parseDate(raw, count: rawCount), CivilDate(days: Int(days)).day == day(raw) else { return false }
            fill.set(column, row, days)
        case .time:
            guard let milliseconds = TimestampText.parseTime(raw, count: rawCount) else { return false }
            fill.set(column, row, milliseconds)
        case .char, .varchar, .binary, .varbinary, .timestamp, .timestampLTZ:
            preconditionFailure("the format stores \(type) itself")
        }
        return true
    }

    private static func storeInteger<T: FixedWidthInteger>(
        _ type: T.Type, _ text: UnsafePointer<UInt8>, _ count: Int, _ column: Int, _ fill: ColumnFill, _ row: Int
    ) -> Bool {
        guard let wide = IntegerText.parse(text, count: count), let value = T(exactly: wide) else { return false }
        fill.set(column, row, value)
        return true
    }

    /// Java's `trim`: everything up to the space, at both ends.
    static func trimmed(_ text: UnsafePointer<UInt8>, _ count: Int) -> (UnsafePointer<UInt8>, Int) {
        var begin = 0, end = count
        while begin < end, text[begin] <= 0x20 { begin += 1 }
        while end > begin, text[end - 1] <= 0x20 { end -= 1 }
        return (text + begin, end - begin)
    }

    /// `Boolean.parseBoolean`: "true" in any case; all else is false.
    private static func isTrue(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard count == 4 else { return false }
        for (index, byte) in "true".utf8.enumerated() where text[index] | 0x20 != byte { return false }
        return true
    }

    private static func isNumber(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard let value = DoubleText.parse(text, count: count) else { return false }
        // "NaN" and "Infinity" are no decimals; digits that are too large for a double are.
        return !value.isNaN && text[count - 1] != 0x79
    }

    private static func day(_ text: UnsafePointer<UInt8>) -> Int { Int(text[8] &- 0x30) * 10 + Int(text[9] &- 0x30) }
}
