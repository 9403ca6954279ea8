import Columnar

/// Hive's folders of a partitioned table: `day=2026-11-22/hour=10`, with special characters as `%XX`.
enum PartitionPath {
    static let defaultName = "__DEFAULT_PARTITION__"
    private static let special = Set("\"#%'*/:=?\\{[]^\u{7F}".utf8)

    static func escaped(_ text: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text {
            if byte < 0x20 || special.contains(byte) { bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]] } else { bytes.append(byte) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func unescaped(_ text: some StringProtocol) -> [UInt8] {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == 0x25, at + 2 < bytes.count, let value = UInt8(String(decoding: bytes[at + 1...at + 2], as: UTF8.self), radix: 16) {
                result.append(value)
                at += 3
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return result
    }

    /// `key=value/…` of one row. An empty string has no folder name and counts as NULL, as in Flink.
    static func folder(_ batch: Batch, _ row: Int, keys: [Int], names: [String], defaultName: String) -> String {
        keys.map { key in
            let text = Array(ValueString.of(batch.columns[key], row).utf8)
            return "\(names[key])=" + (batch.columns[key].isNull(row) || text.isEmpty ? defaultName : escaped(text))
        }.joined(separator: "/")
    }

    /// The values that a file's path names, by key. `path` is relative to the table's folder.
    static func values(_ path: String, defaultName: String) -> [String: [UInt8]?] {
        var values: [String: [UInt8]?] = [:]
        for part in path.split(separator: "/").dropLast() {
            guard let equals = part.utf8.firstIndex(of: 0x3D) else { continue }
            let value = part[part.utf8.index(after: equals)...]
            values[String(part[..<equals])] = .some(value == defaultName ? nil : unescaped(value))
        }
        return values
    }
}
