import CKernels
import Columnar

/// Writes rows as JSON objects, one a line, keys in column order, bytes as Flink's Jackson writes them.
package final class JSONWriter: RowWriter {
    private let options: JSONOptions
    private let types: [DataType]
    private let columns: [Int]
    /// `"name":` of every column.
    private let keys: [TextBuffer]

    /// Writes `columns` (all, when nil) of batches of this schema.
    package init(_ schema: Schema, columns: [Int]? = nil, options: JSONOptions = JSONOptions()) {
        self.options = options
        self.types = schema.types
        self.columns = columns ?? Array(schema.fields.indices)
        self.keys = schema.names.map { name in
            let key = TextBuffer()
            // Scans read whole words.
            let bytes = Array(name.utf8) + [UInt8](repeating: 0, count: 16)
            bytes.withUnsafeBufferPointer { JSONWriter.appendQuoted($0.baseAddress, $0.count - 16, to: key) }
            key.append(0x3A)
            return key
        }
    }

    package func write(_ batch: Batch, rows: UnsafeBufferPointer<Int32>?, to text: TextBuffer) throws(MalformedValue) {
        withUnsafeTemporaryAllocation(of: Lane.self, capacity: columns.count) { lanes in
            for (place, column) in columns.enumerated() { lanes.initializeElement(at: place, to: Lane(batch.columns[column], index: column)) }
            for index in 0..<(rows?.count ?? batch.count) { write(batch, lanes, rows.map { Int($0[index]) } ?? index, to: text) }
        }
    }

    @inline(__always)
    private func write(_ batch: Batch, _ lanes: UnsafeMutableBufferPointer<Lane>, _ row: Int, to text: TextBuffer) {
        text.append(0x7B)
        var isFirst = true
        for place in 0..<lanes.count {
            let lane = lanes[place]
            let isNull = lane.isNull(row)
            if isNull, options.ignoreNullFields { continue }
            if !isFirst { text.append(0x2C) }
            isFirst = false
            text.append(keys[lane.index].pointer, keys[lane.index].count)
            if isNull {
                text.append("null")
                continue
            }
            switch lane.kind {
            case .string:
                let (bytes, count) = lane.text(row)
                JSONWriter.appendQuoted(bytes, count, to: text)
            case .int64: text.count += IntegerText.write(lane.value(row, as: Int64.self), into: text.reserve(IntegerText.maximumLength))
            case .int32: text.count += IntegerText.write(Int64(lane.value(row, as: Int32.self)), into: text.reserve(IntegerText.maximumLength))
            case .double where lane.value(row, as: Double.self).isFinite:
                text.count += DoubleText.write(lane.value(row, as: Double.self), into: text.reserve(DoubleText.maximumLength))
            case .timestamp:
                let target = text.reserve(ValueText.maximumLength)
                target[0] = 0x22
                let length = TimestampText.writeShortest(
                    lane.value(row, as: Int64.self), precision: lane.precision, separator: options.timestamps.separator, into: target + 1)
                target[length + 1] = 0x22
                text.count += length + 2
            default: append(batch.columns[lane.index], row, to: text)
            }
        }
        let end = text.reserve(2)
        end[0] = 0x7D
        end[1] = 0x0A
        text.count += 2
    }

    private func append(_ column: Column, _ row: Int, to text: TextBuffer) {
        switch column.type.kind {
        case .null: text.append("null")
        case .boolean: text.append(column.pointer(UInt8.self)[row] != 0 ? "true" : "false")
        case .float, .double: appendNumber(column, row, to: text)
        case .char, .varchar:
            let slice = column.slice(row)
            JSONWriter.appendQuoted(slice.baseAddress, slice.count, to: text)
        case .binary, .varbinary:
            text.append(0x22)
            Base64.write(column.slice(row), to: text)
            text.append(0x22)
        case .date, .time, .timestamp, .timestampLTZ:
            let target = text.reserve(ValueText.maximumLength + 2)
            target[0] = 0x22
            var length = 1 + ValueText.write(column, row, standard: options.timestamps, zoneSuffix: true, into: target + 1)
            target[length] = 0x22
            length += 1
            text.count += length
        case .decimal(_, let scale):
            let target = text.reserve(ValueText.maximumLength)
            text.count += ValueText.writeDecimal(column.pointer(Int128.self)[row], scale: scale, plain: options.plainDecimals, into: target)
        default: text.count += ValueText.write(column, row, standard: options.timestamps, into: text.reserve(ValueText.maximumLength))
        }
    }

    /// What JSON has no number for is quoted, as Jackson does.
    private func appendNumber(_ column: Column, _ row: Int, to text: TextBuffer) {
        let isFinite = column.physical == .float64 ? column.pointer(Double.self)[row].isFinite : column.pointer(Float.self)[row].isFinite
        if !isFinite { text.append(0x22) }
        text.count += ValueText.write(column, row, standard: options.timestamps, into: text.reserve(ValueText.maximumLength))
        if !isFinite { text.append(0x22) }
    }

    /// A string in quotes with the escapes that Jackson uses.
    static func appendQuoted(_ bytes: UnsafePointer<UInt8>?, _ count: Int, to text: TextBuffer) {
        text.append(0x22)
        var from = 0
        if let bytes {
            while from < count {
                let stop = min(Int(ck_string_stop16(bytes + from)), count - from)
                ck_copy16(text.reserve(16), bytes + from)
                text.count += stop
                from += stop
                if from < count, stop < 16 {
                    appendEscape(bytes[from], to: text)
                    from += 1
                }
            }
        }
        text.append(0x22)
    }

    private static func appendEscape(_ byte: UInt8, to text: TextBuffer) {
        switch byte {
        case 0x22: text.append("\\\"")
        case 0x5C: text.append("\\\\")
        case 0x0A: text.append("\\n")
        case 0x0D: text.append("\\r")
        case 0x09: text.append("\\t")
        case 0x08: text.append("\\b")
        case 0x0C: text.append("\\f")
        default:
            let digits = Array("0123456789ABCDEF".utf8)
            text.append("\\u00")
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
    }
}
