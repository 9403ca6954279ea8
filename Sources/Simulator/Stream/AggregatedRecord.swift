import AWS

/// What the Kinesis Producer Library puts together. Source: aggregation-format.md of the KPL.
enum AggregatedRecord {
    static func bytes(_ records: [[UInt8]]) -> [UInt8] {
        // AggregatedRecord { partition_key_table = 1; records = 3 { partition_key_index = 1; data = 3 } }
        let message = field(1, Array("k".utf8)) + records.flatMap { field(3, [0x08, 0x00] + field(3, $0)) }
        return [0xF3, 0x89, 0x9A, 0xC2] + message + message.withUnsafeBytes { Digest.md5($0) }
    }

    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        var length = bytes.count
        var head = [number << 3 | 2]
        while length >= 0x80 {
            head.append(UInt8(length & 0x7F) | 0x80)
            length >>= 7
        }
        return head + [UInt8(length)] + bytes
    }
}
