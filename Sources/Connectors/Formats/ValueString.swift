import Columnar

/// One cell as text: for folders' names and for people. Slow.
package enum ValueString {
    package static func of(_ column: Column, _ row: Int, standard: TimestampStandard = .sql) -> String {
        if column.isNull(row) { return "null" }
        switch column.type.kind {
        case .null: return "null"
        case .boolean: return column.pointer(UInt8.self)[row] != 0 ? "true" : "false"
        case .char, .varchar: return String(decoding: column.slice(row), as: UTF8.self)
        case .binary, .varbinary:
            return "[" + column.slice(row).map { String(Int8(bitPattern: $0)) }.joined(separator: ", ") + "]"
        default:
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: ValueText.maximumLength) { memory in
                let target = memory.baseAddress.unsafelyUnwrapped
                let length = ValueText.write(column, row, standard: standard, zoneSuffix: standard == .iso8601, into: target)
                return String(decoding: UnsafeBufferPointer(start: target, count: length), as: UTF8.self)
            }
        }
    }
}
