import Columnar

/// Writes and reads moments by a date pattern (`yyyy-MM-dd--HH`), for names and messages.
package struct DateText: Sendable {
    private let pattern: DatePattern

    package init(_ pattern: String) throws(EvaluationError) { self.pattern = try DatePattern(pattern.utf8) }

    /// `milliseconds` since the epoch, as a clock in `zone` shows it.
    package func text(_ milliseconds: Int64, _ zone: ZoneRules) -> String {
        let (day, rest) = TimestampText.floorDivide(zone.local(milliseconds, perSecond: 1_000), 86_400_000)
        let bytes = [UInt8](unsafeUninitializedCapacity: pattern.maximumLength) { buffer, count in
            count = buffer.baseAddress.map { pattern.write(days: Int(day), nanoseconds: rest * 1_000_000, into: $0) } ?? 0
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Milliseconds that a clock shows since its 1970-01-01; nil when the text does not follow the pattern.
    package func clock(_ text: String) -> Int64? {
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            pattern.parse(bytes).map { Int64($0.days) * 86_400_000 + $0.nanoseconds / 1_000_000 }
        }
    }
}
