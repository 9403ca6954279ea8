import Columnar

/// One cell of a result for people, as Flink's SQL client shows it: times with all decimals of their type, TIMESTAMP_LTZ on the
/// clock of the session's zone, bytes as `x'00ff'`.
///
/// Source: Flink 2.x, `RowDataToStringConverterImpl`, which casts to STRING.
package enum ResultText {
    /// Nil for NULL. Booleans are `true` and `false`.
    package static func of(_ column: Column, _ row: Int, zone: ZoneRules) -> String? {
        if column.isNull(row) { return nil }
        switch column.type.kind {
        case .null: return nil
        case .boolean: return column.pointer(UInt8.self)[row] != 0 ? "true" : "false"
        case .char, .varchar: return String(decoding: column.slice(row), as: UTF8.self)
        case .binary, .varbinary: return "x'" + column.slice(row).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "'"
        case .timestampLTZ(let precision):
            let local = zone.local(column.pointer(Int64.self)[row], perSecond: TimeUnit.of(precision: precision).ticksPerSecond)
            return written { TimestampText.write(local, precision: precision, into: $0) }
        case .tinyint, .smallint, .integer, .bigint, .float, .double, .decimal, .date, .time, .timestamp, .intervalYearMonth, .intervalDayTime:
            return written { CastText.write(column, row: row, into: $0) }
        }
    }

    /// The bytes of a binary cell in Base 64, as the JSON format writes them.
    package static func base64(_ column: Column, _ row: Int) -> String {
        let bytes = column.slice(row)
        var out = TextBuilder(type: DataType(.string), rows: 1, bytes: bytes.count / 3 * 4 + 4)
        Base64.encode(bytes, into: &out)
        out.endRow()
        return String(decoding: out.finish(validity: nil).slice(0), as: UTF8.self)
    }

    private static func written(_ body: (UnsafeMutablePointer<UInt8>) -> Int) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: CastText.maximumLength) { memory in
            String(decoding: memory[..<body(memory.baseAddress.unsafelyUnwrapped)], as: UTF8.self)
        }
    }
}
