import Columnar

/// Values of any form: what the fast readers leave over, and Flink's coercions between strings, numbers and the column's type.
extension JSONReader {
    /// Any value for any column. Nil: malformed JSON, or a value that does not fit (and `ignore-parse-errors` is off).
    @inline(never)
    func slowValue(
        _ begin: UnsafePointer<UInt8>, _ step: UnsafeMutablePointer<Step>, _ fill: ColumnFill, _ row: Int
    ) -> UnsafePointer<UInt8>? {
        // The planned literal may end before white space that the row it came from did not have.
        let at = skipSpace(begin)
        let kind = step.pointee.kind
        guard kind != .skip else { return skipValue(at) }
        let column = Int(step.pointee.column)
        if at[0] == 0x6E {
            guard let next = word(at, "null") else { return nil }
            fill.setNull(column, row)
            return next
        }
        let next: UnsafePointer<UInt8>
        let isStored: Bool
        if at[0] == 0x22 {
            guard let string = readString(at) else { return nil }
            next = string.next
            if kind == .timestamp { step.pointee.hint = Int32(clamping: min(string.count, 40)) }
            isStored = store(string: string.text, string.count, column, fill, row)
        } else {
            guard let end = skipValue(at) else { return nil }
            next = end
            isStored = store(bare: at, end - at, column, fill, row)
        }
        if isStored { return next }
        guard options.ignoreParseErrors else {
            return fail(at, "field '\(names[column])': \(excerpt(at, next)) is no \(types[column].kind)")
        }
        skippedValues += 1
        fill.setNull(column, row)
        return next
    }

    /// False when the text is no value of the column's type.
    private func store(string text: UnsafePointer<UInt8>, _ count: Int, _ column: Int, _ fill: ColumnFill, _ row: Int) -> Bool {
        let precision = Int(FieldKind.precision(types[column].kind))
        switch kinds[column] {
        case .string: fill.setBytes(column, row, text, count)
        case .binary:
            guard Base64.decode(text, count, { fill.setBytes(column, row, $0, $1) }) else { return false }
        case .timestamp, .timestampLTZ:
            guard let ticks = timestamp(text, count, precision, zoned: kinds[column] == .timestampLTZ) else { return false }
            fill.set(column, row, ticks)
        default: return ScalarText.store(text, count, column, fill, row)
        }
        return true
    }

    /// A number, `true`, `false`, an object or a list.
    private func store(bare text: UnsafePointer<UInt8>, _ count: Int, _ column: Int, _ fill: ColumnFill, _ row: Int) -> Bool {
        let isContainer = text[0] == 0x7B || text[0] == 0x5B
        switch kinds[column] {
        case .string:
            guard isContainer else {
                fill.setBytes(column, row, text, count)
                return true
            }
            let compact = TextBuffer(capacity: count)
            appendCompact(text, count, to: compact)
            fill.setBytes(column, row, compact.pointer, compact.count)
            return true
        case .boolean where text[0] == 0x74 || text[0] == 0x66:
            fill.set(column, row, UInt8(text[0] == 0x74 ? 1 : 0))
            return true
        case .int32, .int64:
            // A number with decimals loses them, as Jackson's getIntValue does.
            if !isContainer, IntegerText.parse(text, count: count) == nil, isDigit(text[0]) || text[0] == 0x2D,
                let number = DoubleText.parse(text, count: count)
            {
                let whole = number.rounded(.towardZero)
                if kinds[column] == .int32, let value = Int32(exactly: whole) { fill.set(column, row, value) }
                else if kinds[column] == .int64, let value = Int64(exactly: whole) { fill.set(column, row, value) }
                else { return false }
                return true
            }
        case .date, .time, .timestamp, .timestampLTZ, .binary: return false
        default: break
        }
        return !isContainer && ScalarText.store(text, count, column, fill, row)
    }

    /// `yyyy-MM-dd HH:mm:ss[.f]` with the separator of the standard; with `Z` behind it when zoned.
    private func timestamp(_ text: UnsafePointer<UInt8>, _ count: Int, _ precision: Int, zoned: Bool) -> Int64? {
        var count = count
        if zoned {
            guard count > 0, text[count - 1] == 0x5A else { return nil }
            count -= 1
        }
        guard count >= 16, text[10] == options.timestamps.separator else { return nil }
        // ISO times may leave out the seconds.
        if count == 16, options.timestamps == .iso8601 {
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 48) { whole in
                let target = whole.baseAddress.unsafelyUnwrapped
                target.update(from: text, count: 16)
                for (index, byte) in [0x3A, 0x30, 0x30].enumerated() { target[16 + index] = UInt8(byte) }
                return TimestampText.parse(target, count: 19, precision: precision)
            }
        }
        return TimestampText.parse(text, count: count, precision: precision)
    }

    private func excerpt(_ begin: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> String {
        let count = min(end - begin, 60)
        return String(decoding: UnsafeBufferPointer(start: begin, count: count), as: UTF8.self) + (end - begin > count ? "…" : "")
    }

    /// The JSON between `begin` and its end, known to be well formed, without white space and as Jackson would print its tree.
    private func appendCompact(_ begin: UnsafePointer<UInt8>, _ count: Int, to target: TextBuffer) {
        var at = begin
        let end = begin + count
        while at < end {
            switch at[0] {
            case 0x20, 0x09, 0x0D: at += 1
            case 0x22:
                guard let string = readString(at) else { return }
                JSONWriter.appendQuoted(string.text, string.count, to: target)
                at = string.next
            case 0x2D, 0x30...0x39:
                guard let next = skipNumber(at) else { return }
                let length = next - at
                if IntegerText.parse(at, count: length) == nil, let number = DoubleText.parse(at, count: length), number.isFinite {
                    target.count += DoubleText.write(number, into: target.reserve(DoubleText.maximumLength))
                } else { target.append(at, length) }
                at = next
            default:
                target.append(at[0])
                at += 1
            }
        }
    }
}
