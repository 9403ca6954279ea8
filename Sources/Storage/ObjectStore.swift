/// Named, immutable-by-replacement byte strings: checkpoints, manifests, HEAD, leases. The seam below everything that outlives a process.
///
/// Calls block the calling thread until storage has answered; hosts call from threads of their own. A put is atomic (a reader sees the old bytes or
/// the new ones, never a part) and, once it has returned, durable. After `StoreError.unavailable` a put may have happened all the same: read again.
package protocol ObjectStore: Sendable {
    /// Writes the whole object and returns the tag of what was written. Throws `.conflict` when the condition does not hold.
    func put(_ key: ObjectKey, _ bytes: [UInt8], _ condition: PutCondition) throws(StoreError) -> ETag

    /// The whole object, with the tag to hand to `PutCondition.ifMatch`.
    func get(_ key: ObjectKey) throws(StoreError) -> (bytes: [UInt8], etag: ETag)

    /// Exactly the bytes of `range`; `.outOfRange` when the object ends before the range does.
    func get(_ key: ObjectKey, range: Range<Int>) throws(StoreError) -> [UInt8]

    /// Every object whose key begins with `prefix` (a string, not a folder: `chk-1` finds `chk-1/a` and `chk-10`), sorted by the key's UTF-8 bytes.
    func list(prefix: String) throws(StoreError) -> [ObjectEntry]

    /// Removes the object; one that does not exist is fine.
    func delete(_ key: ObjectKey) throws(StoreError)
}

extension ObjectStore {
    package func put(_ key: ObjectKey, _ bytes: [UInt8]) throws(StoreError) -> ETag {
        try put(key, bytes, .none)
    }
}

package enum PutCondition: Hashable, Sendable {
    case none
    /// The object must not exist yet.
    case ifNoneMatch
    /// The object must still be the one with this tag.
    case ifMatch(ETag)
}

package struct ObjectEntry: Hashable, Sendable {
    package let key: ObjectKey
    package let sizeBytes: Int

    package init(key: ObjectKey, sizeBytes: Int) {
        self.key = key
        self.sizeBytes = sizeBytes
    }
}
