import CLibcrypto

/// Takes apart what the Kinesis Producer Library puts together: `F3 89 9A C2`, a protobuf message `AggregatedRecord`, and its MD5.
/// Source: aggregation-format.md of the KPL. As the KCL does, a record whose digest or message is not right is no aggregate.
///
/// A producer that has not noticed a reshard puts user records together that now belong to several shards. It sees from the answer where they went:
/// those whose hash key that shard takes are done, the others it puts again. So these are left out here. (The KCL leaves out all records of such
/// an aggregate: right for the KPL before version 0.15.11 (2024), which put all of them again, and a loss with those since. Ours may give rows twice
/// with the old ones.)
struct AggregateScratch {
    struct Part {
        /// Of its data; counted from the aggregate's first byte.
        var range: Range<Int>
        /// Its place among all user records of the aggregate, those of other shards included.
        var sub: Int32
    }

    private var buffer: [UInt8] = []
    /// What the shard takes; nil: whatever comes.
    let keys: HashKeyRange?

    init(keys: HashKeyRange?) { self.keys = keys.flatMap { $0.isEverything ? nil : $0 } }

    /// The user records of this shard, and how many belong to others; nil: no aggregate.
    func parts(_ data: UnsafePointer<UInt8>, _ count: Int) -> (parts: [Part], elsewhere: Int)? {
        guard count >= 20, data[0] == 0xF3, data[1] == 0x89, data[2] == 0x9A, data[3] == 0xC2 else { return nil }
        let message = 4..<count - 16
        guard Digest.md5(UnsafeRawBufferPointer(start: data + 4, count: message.count)).elementsEqual(UnsafeBufferPointer(start: data + message.upperBound, count: 16))
        else { return nil }
        var parts: [Part] = []
        var tables = KeyTables()
        var keyed: [(partition: UInt64?, explicit: UInt64?)] = []
        var reader = Protobuf(data, message)
        while let field = reader.next() {
            // AggregatedRecord { repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2; repeated Record records = 3; }
            guard (1...3).contains(field.number) else { continue }
            guard let bytes = field.bytes else { return nil }
            if field.number == 1 { tables.partition.append((bytes, nil)) }
            if field.number == 2 { tables.explicit.append((bytes, nil)) }
            guard field.number == 3 else { continue }
            // Record { uint64 partition_key_index = 1; uint64 explicit_hash_key_index = 2; bytes data = 3; repeated Tag tags = 4; }
            var record = Protobuf(data, bytes)
            var part: Range<Int>?
            var places: (partition: UInt64?, explicit: UInt64?)
            while let inner = record.next() {
                switch inner.number {
                case 1: places.partition = inner.value
                case 2: places.explicit = inner.value
                case 3: part = inner.bytes
                default: break
                }
            }
            guard let part, !record.isBroken else { return nil }
            parts.append(Part(range: part, sub: Int32(parts.count)))
            if keys != nil { keyed.append(places) }
        }
        guard !reader.isBroken else { return nil }
        guard let keys else { return (parts, 0) }
        let all = parts.count
        parts.removeAll { !tables.isWithin(keys, keyed[Int($0.sub)], data) }
        return (parts, all - parts.count)
    }

    mutating func keep(_ data: UnsafePointer<UInt8>, _ count: Int) {
        if buffer.count < count { buffer = [UInt8](repeating: 0, count: count * 2) }
        buffer.withUnsafeMutableBufferPointer { $0.baseAddress.unsafelyUnwrapped.update(from: data, count: count) }
    }

    var kept: [UInt8] { buffer }
}

/// The keys of an aggregate's user records, and whether the shard takes them, found out once each.
private struct KeyTables {
    var partition: [(bytes: Range<Int>, isWithin: Bool?)] = []
    var explicit: [(bytes: Range<Int>, isWithin: Bool?)] = []

    /// A record whose key cannot be found is taken: nobody else would.
    mutating func isWithin(_ keys: HashKeyRange, _ places: (partition: UInt64?, explicit: UInt64?), _ data: UnsafePointer<UInt8>) -> Bool {
        if let place = places.explicit, place < explicit.count {
            let entry = explicit[Int(place)]
            if let known = entry.isWithin { return known }
            let answer = keys.contains(explicit: UnsafeBufferPointer(start: data + entry.bytes.lowerBound, count: entry.bytes.count))
            explicit[Int(place)].isWithin = answer
            return answer
        }
        guard let place = places.partition, place < partition.count else { return true }
        let entry = partition[Int(place)]
        if let known = entry.isWithin { return known }
        let answer = keys.contains(partitionKey: UnsafeRawBufferPointer(start: data + entry.bytes.lowerBound, count: entry.bytes.count))
        partition[Int(place)].isWithin = answer
        return answer
    }
}

/// Fields of a protobuf message, one after the other.
private struct Protobuf {
    struct Field {
        var number: UInt64
        /// Of one that is a number.
        var value: UInt64?
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
            guard let value = varint() else { return broken() }
            return Field(number: key >> 3, value: value)
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
    private static let md5Algorithm = Algorithm("MD5", otherwise: EVP_md5())

    /// 16 bytes.
    package static func md5(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            var length: UInt32 = 0
            _ = EVP_Digest(bytes.baseAddress, bytes.count, buffer.baseAddress, &length, md5Algorithm.pointer, nil)
            count = Int(length)
        }
    }
}
