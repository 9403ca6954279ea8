import Columnar
import Expressions

extension LiteralSyntax {
    /// The constant with the type that Flink gives it: `1` INT, `1.50` DECIMAL(3, 2), `'ab'` CHAR(2), all NOT NULL.
    func bound(at range: SourceRange) throws(SQLError) -> Expression {
        func literal(_ value: Value, _ kind: TypeKind) -> Expression { .literal(value, type: DataType(kind, nullable: false)) }
        switch self {
        case .exact(let digits): return try exact(digits, at: range)
        case .approximate(let digits):
            guard let number = Double(digits), number.isFinite else { throw SQLError("number \(digits) is too large", at: range) }
            return literal(.double(number), .double)
        case .string(let text): return literal(.string(text), .char(text.unicodeScalars.count))
        case .binary(let digits):
            let nibbles = digits.utf8.map { hexValue($0) ?? 0 }
            let bytes = stride(from: 0, to: nibbles.count - 1, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
            return literal(.bytes(bytes), .binary(bytes.count))
        case .boolean(let value): return literal(.boolean(value), .boolean)
        case .null: return .literal(.null, type: DataType(.null))
        case .date(let text):
            guard let days = withBytes(text, { TimestampText.parseDate($0, count: $1) }) else { throw malformed("DATE", "yyyy-MM-dd", text, range) }
            return literal(.integer(Int64(days)), .date)
        case .time(let text):
            guard let milliseconds = withBytes(text, { TimestampText.parseTime($0, count: $1) }) else { throw malformed("TIME", "HH:mm:ss", text, range) }
            return literal(.integer(Int64(milliseconds)), .time(min(3, decimals(text))))
        case .timestamp(let text):
            let precision = decimals(text)
            guard precision <= 9, let ticks = withBytes(text, { TimestampText.parse($0, count: $1, precision: precision) }) else {
                if precision <= 9, precision > 3, withBytes(text, { TimestampText.parse($0, count: $1, precision: 3) }) != nil {
                    let (unit, years) = precision > 6 ? ("nanoseconds", "1677 to 2262") : ("microseconds", "-290307 to 294246")
                    throw SQLError(
                        "TIMESTAMP '\(text)' is out of range: with \(precision) decimals times are kept in \(unit), which reach from the years \(years)", at: range)
                }
                throw malformed("TIMESTAMP", "yyyy-MM-dd HH:mm:ss[.fff]", text, range)
            }
            return literal(.integer(ticks), .timestamp(precision))
        case .interval(let text, let negative, let units):
            guard let amount = units.amount(of: text) else {
                throw SQLError("'\(text)' is no interval of \(units)", at: range, hint: "for example INTERVAL '1' DAY, INTERVAL '1 02:03:04.5' DAY TO SECOND")
            }
            return literal(.integer(negative ? -amount : amount), units.isYearMonth ? .intervalYearMonth : .intervalDayTime)
        }
    }

    /// The smallest of INT, BIGINT and DECIMAL that holds it.
    private func exact(_ digits: String, at range: SourceRange) throws(SQLError) -> Expression {
        if let number = Int64(digits) {
            return .literal(.integer(number), type: DataType(Int32(exactly: number) != nil ? .integer : .bigint, nullable: false))
        }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        let scale = parts.count > 1 ? parts[1].count : 0
        // Written digits count, leading zeros too: 0.05 is DECIMAL(3, 2).
        let precision = digits.utf8.count { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard precision <= 38, let unscaled = Int128(parts.joined()) else { throw SQLError("number \(digits) has more than 38 digits", at: range) }
        return .literal(.decimal(unscaled), type: DataType(.decimal(precision: precision, scale: scale), nullable: false))
    }

    private func malformed(_ type: String, _ form: String, _ text: String, _ range: SourceRange) -> SQLError {
        SQLError("'\(text)' is no \(type)", at: range, expected: ["\(type) '\(form)'"])
    }

    private func decimals(_ text: String) -> Int {
        guard let point = text.lastIndex(of: ".") else { return 0 }
        return text.distance(from: point, to: text.endIndex) - 1
    }

    /// The bytes with some to spare behind them, as the readers want.
    private func withBytes<Result>(_ text: String, _ body: (UnsafePointer<UInt8>, Int) -> Result) -> Result {
        let bytes = Array(text.utf8)
        return (bytes + [UInt8](repeating: 0, count: 32)).withUnsafeBufferPointer { body($0.baseAddress!, bytes.count) }
    }
}

extension IntervalUnitsSyntax {
    /// Months of a year-month interval, milliseconds of a day-time one; nil when the text does not fit the units.
    func amount(of text: String) -> Int64? {
        var digits = Substring(text)
        while digits.first == " " { digits.removeFirst() }
        while digits.last == " " { digits.removeLast() }
        var sign: Int64 = 1
        if let first = digits.first, first == "-" || first == "+" {
            sign = first == "-" ? -1 : 1
            digits.removeFirst()
        }
        let order: [TimeUnitSyntax] = [.year, .month, .day, .hour, .minute, .second]
        var units = [first]
        if let last, let from = order.firstIndex(of: first), let to = order.firstIndex(of: last) { units = Array(order[from...to]) }
        // The parts stand between '-' (years and months), ' ' (days) and ':'.
        let parts = digits.split(omittingEmptySubsequences: false) { $0 == "-" || $0 == ":" || $0 == " " }
        guard parts.count == units.count else { return nil }
        var total: Int64 = 0
        for (unit, part) in zip(units, parts) {
            guard let each = unit.intervalLength, let amount = number(part, of: unit, each: each) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(amount)
            if overflow { return nil }
            total = sum
        }
        return sign * total
    }

    private func number(_ part: Substring, of unit: TimeUnitSyntax, each: Int64) -> Int64? {
        let pieces = part.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(pieces.count), pieces.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }), let whole = Int64(pieces[0])
        else { return nil }
        let (amount, overflow) = whole.multipliedReportingOverflow(by: each)
        if overflow { return nil }
        guard pieces.count == 2 else { return amount }
        guard unit == .second, pieces[1].count <= 9 else { return nil }
        let padded = String((pieces[1] + "000").prefix(3))
        return amount + (Int64(padded) ?? 0)
    }
}

extension TimeUnitSyntax {
    /// Months for the years' units, milliseconds for the days'; nil where intervals do not know the unit.
    var intervalLength: Int64? {
        switch self {
        case .year: 12
        case .quarter: 3
        case .month: 1
        case .week: 7 * 86_400_000
        case .day: 86_400_000
        case .hour: 3_600_000
        case .minute: 60_000
        case .second: 1_000
        default: nil
        }
    }
}
