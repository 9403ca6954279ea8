/// The hash keys that a shard takes, both ends included.
package struct HashKeyRange: Hashable, Sendable {
    package var first: UInt128
    package var last: UInt128

    package init(_ first: UInt128, _ last: UInt128) { (self.first, self.last) = (first, last) }

    /// Of decimal digits, as the service writes them; nil when they are none.
    package init?(first: String, last: String) {
        guard let first = UInt128(first), let last = UInt128(last) else { return nil }
        (self.first, self.last) = (first, last)
    }

    package var isEverything: Bool { first == 0 && last == .max }

    func contains(_ key: UInt128) -> Bool { first <= key && key <= last }

    /// A partition key's: its MD5 as a number.
    func contains(partitionKey: UnsafeRawBufferPointer) -> Bool {
        contains(Digest.md5(partitionKey).reduce(UInt128(0)) { $0 << 8 | UInt128($1) })
    }

    /// Decimal digits that are no hash key are in no other shard either.
    func contains(explicit digits: UnsafeBufferPointer<UInt8>) -> Bool {
        UInt128(String(decoding: digits, as: UTF8.self)).map { contains($0) } ?? true
    }
}
