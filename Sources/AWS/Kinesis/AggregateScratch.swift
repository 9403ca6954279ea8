import CLibcrypto

/// Takes apart what the Kinesis Producer Library puts together: `F3 89 9A C2`, a protobuf message `AggregatedRecord`, and its MD5.
/// Source: aggregation-format.md of the KPL. As the KCL does, a record whose digest or message is not right is no aggregate.
struct AggregateScratch {
    private var buffer: [UInt8] = []

    /// Where each user record's data lies; nil: no aggregate. The first part's place is counted from `data`.
    func parts(_ data: UnsafePointer<UInt8>, _ count: Int) -> [Range<Int>]? {
        guard count >= 20, data[0] == 0xF3, data[1] == 0x89, data[2] == 0x9A, data[3] == 0xC2 else { return nil }
        let message = 4..<count - 16
        guard Digest.md5(UnsafeRawBufferPointer(start: data + 4, count: message.count)).elementsEqual(UnsafeBufferPointer(start: data + message.upperBound, count: 16))
        else { return nil }
        var parts: [Range<Int>] = []
        var reader = Protobuf(data, message)
        while let field = reader.next() {
            // AggregatedRecord { repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2; repeated Record records = 3; }
            guard field.number == 3 else { continue }
            guard let bytes = field.bytes else { return nil }
            // Record { uint64 partition_key_index = 1; uint64 explicit_hash_key_index = 2; bytes data = 3; repeated Tag tags = 4; }
            var record = Protobuf(data, bytes)
            var part: Range<Int>?
            while let inner = record.next() {
                if inner.number == 3 { part = inner.bytes }
            }
            guard let part, !record.isBroken else { return nil }
            parts.append(part)
        }
        return reader.isBroken ? nil : parts
    }

    mutating func keep(_ data: UnsafePointer<UInt8>, _ count: Int) {
        if buffer.count < count { buffer = [UInt8](repeating: 0, count: count * 2) }
        buffer.withUnsafeMutableBufferPointer { $0.baseAddress.unsafelyUnwrapped.update(from: data, count: count) }
    }

    var kept: [UInt8] { buffer }
}

/// Fields of a protobuf message, one after the other.
private struct Protobuf {
    struct Field {
        var number: UInt64
        /// Where a length-delimited one lies.
        var bytes: Range<Int>?
    }

    private let data: UnsafePointer<UInt8>
    private var at: Int
    private let end: Int
    private(set) var isBroken = false

    init(_ data: UnsafePointer<UInt8>, _ range: Range<Int>) {
        self.data = data
        (at, end) = (range.lowerBound, range.upperBound)
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while at < end, shift < 64 {
            let byte = data[at]
            at += 1
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// Nil at the end, or where it is broken.
    mutating func next() -> Field? {
        guard at < end, !isBroken else { return nil }
        guard let key = varint() else { return broken() }
        switch key & 7 {
        case 0:
            guard varint() != nil else { return broken() }
            return Field(number: key >> 3)
        case 1:
            guard end - at >= 8 else { return broken() }
            at += 8
            return Field(number: key >> 3)
        case 2:
            guard let length = varint(), length <= UInt64(end - at) else { return broken() }
            let from = at
            at += Int(length)
            return Field(number: key >> 3, bytes: from..<at)
        case 5:
            guard end - at >= 4 else { return broken() }
            at += 4
            return Field(number: key >> 3)
        default: return broken()
        }
    }

    private mutating func broken() -> Field? {
        isBroken = true
        return nil
    }
}

extension Digest {
    /// 16 bytes.
    static func md5(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            var length: UInt32 = 0
            _ = EVP_Digest(bytes.baseAddress, bytes.count, buffer.baseAddress, &length, EVP_md5(), nil)
            count = Int(length)
        }
    }
}
