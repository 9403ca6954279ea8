import Columnar
import Expressions
import Synchronization

/// The rows that a changelog leaves behind, in the form of the expected files: NULL is an empty cell, empty text `""`, times with
/// all decimals of their type and instants on the session's clock, cells in quotes only where they must be.
final class CanonicalRows: Sendable {
    private let counts = Mutex<[String: Int]>([:])
    private let zone: ZoneRules

    init(zone: ZoneRules = .utc) { self.zone = zone }

    func take(_ batch: Batch) {
        for row in 0..<batch.count {
            let line = batch.columns.map { cell($0, row) }.joined(separator: ",")
            counts.withLock { $0[line, default: 0] += batch.kind(row).isAdd ? 1 : -1 }
        }
    }

    /// In the order of their bytes. A row that was taken back more often than given shows as a line of its own.
    var lines: [String] {
        counts.withLock { counts in
            counts.flatMap { line, count in Array(repeating: count < 0 ? "taken back: " + line : line, count: abs(count)) }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
    }

    private func cell(_ column: Column, _ row: Int) -> String {
        let text: String
        switch (column.value(row), column.type.kind) {
        case (.null, _): return ""
        case (.boolean(let flag), _): text = flag ? "TRUE" : "FALSE"
        case (.bytes(let bytes), let kind) where kind.isBinary:
            text = "x'" + bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "'"
        case (.bytes(let bytes), _): text = String(decoding: bytes, as: UTF8.self)
        case (.double(let number), .float): text = written { DoubleText.write(Float(number), into: $0) }
        case (.double(let number), _): text = written { DoubleText.write(number, into: $0) }
        case (.decimal(let unscaled), .decimal(_, let scale)): text = written { DecimalText.write(unscaled, scale: scale, into: $0) }
        case (.integer(let days), .date): text = written { TimestampText.writeDate(Int(days), into: $0) }
        case (.integer(let time), .time(let precision)): text = written { TimestampText.writeTime(Int32(time), precision: precision, into: $0) }
        case (.integer(let ticks), .timestampLTZ(let precision)):
            let local = zone.local(ticks, perSecond: TimeUnit.of(precision: precision).ticksPerSecond)
            text = written { TimestampText.write(local, precision: precision, into: $0) }
        case (.integer(let ticks), .timestamp(let precision)):
            text = written { TimestampText.write(ticks, precision: precision, into: $0) }
        case (.integer(let number), _): text = String(number)
        case (.decimal, _): text = "a decimal of another type"
        }
        guard text.isEmpty || text.contains(where: { ",\"\r\n".contains($0) }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    private func written(_ body: (UnsafeMutablePointer<UInt8>) -> Int) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { memory in
            String(decoding: memory[..<body(memory.baseAddress.unsafelyUnwrapped)], as: UTF8.self)
        }
    }
}
