import Dataflow

/// The `WITH` options of one table, read by type; errors name the option.
package struct Options: Sendable {
    let table: String
    let values: [String: String]

    init(_ table: String, _ values: [String: String]) {
        self.table = table
        self.values = values
    }

    func string(_ key: String) -> String? { values[key] }

    func required(_ key: String) throws(StreamError) -> String {
        guard let value = values[key] else { throw error("the option '\(key)' is missing") }
        return value
    }

    func flag(_ key: String, default value: Bool) throws(StreamError) -> Bool {
        switch values[key]?.lowercased() {
        case nil: return value
        case "true": return true
        case "false": return false
        case let other?: throw error("'\(key)' is true or false, not '\(other)'")
        }
    }

    func flagIfThere(_ key: String) throws(StreamError) -> Bool? { values[key] == nil ? nil : try flag(key, default: false) }

    func integer(_ key: String) throws(StreamError) -> Int64? {
        guard let text = values[key] else { return nil }
        guard let value = Int64(text) else { throw error("'\(key)' is a whole number, not '\(text)'") }
        return value
    }

    func number(_ key: String) throws(StreamError) -> Double? {
        guard let text = values[key] else { return nil }
        guard let value = Double(text) else { throw error("'\(key)' is a number, not '\(text)'") }
        return value
    }

    /// One ASCII character; `\t` and its like count as one.
    func character(_ key: String) throws(StreamError) -> UInt8? {
        guard let text = values[key] else { return nil }
        let escapes: [String: UInt8] = ["\\t": 0x09, "\\n": 0x0A, "\\r": 0x0D, "\\\\": 0x5C, "\\u0001": 0x01, "\\u0009": 0x09]
        if let byte = escapes[text] { return byte }
        let bytes = Array(text.utf8)
        guard bytes.count == 1, bytes[0] < 0x80 else { throw error("'\(key)' is one ASCII character, not '\(text)'") }
        return bytes[0]
    }

    /// `10 s`, `500ms`, `30 min`, …; a bare number is milliseconds.
    func duration(_ key: String) throws(StreamError) -> Duration? {
        guard let text = values[key] else { return nil }
        let units: [String: Int64] = [
            "": 1_000_000, "ms": 1_000_000, "milli": 1_000_000, "millisecond": 1_000_000, "us": 1_000, "µs": 1_000, "micro": 1_000, "ns": 1, "nano": 1,
            "s": 1_000_000_000, "sec": 1_000_000_000, "second": 1_000_000_000, "min": 60_000_000_000, "m": 60_000_000_000,
            "minute": 60_000_000_000, "h": 3_600_000_000_000, "hour": 3_600_000_000_000, "d": 86_400_000_000_000, "day": 86_400_000_000_000,
        ]
        guard let value = scaled(text, units) else { throw error("'\(key)' is a duration such as '10 s', not '\(text)'") }
        return .nanoseconds(value)
    }

    /// `128MB`, `64 kb`, …; a bare number is bytes. Units are powers of 1024, as in Flink.
    func bytes(_ key: String) throws(StreamError) -> Int64? {
        guard let text = values[key] else { return nil }
        let units: [String: Int64] = [
            "": 1, "b": 1, "byte": 1, "k": 1 << 10, "kb": 1 << 10, "kibibyte": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "mebibyte": 1 << 20,
            "g": 1 << 30, "gb": 1 << 30, "gibibyte": 1 << 30, "t": 1 << 40, "tb": 1 << 40, "tebibyte": 1 << 40,
        ]
        guard let value = scaled(text, units) else { throw error("'\(key)' is a size such as '128MB', not '\(text)'") }
        return value
    }

    private func scaled(_ text: String, _ units: [String: Int64]) -> Int64? {
        let trimmed = text.filter { $0 != " " }
        let digits = trimmed.prefix { $0.isASCII && $0.isNumber }
        let name = trimmed.dropFirst(digits.count).lowercased()
        let unit = units[name] ?? (name.hasSuffix("s") ? units[String(name.dropLast())] : nil)
        guard let number = Int64(digits), let unit else { return nil }
        let (value, over) = number.multipliedReportingOverflow(by: unit)
        return over ? nil : value
    }

    func error(_ message: String) -> StreamError { StreamError(.user, retry: false, "table \(table): \(message)") }
}
