import Synchronization

/// Objects of this process, gone with it. For tests and for the simulator, which wraps it to make it slow and lying.
package final class MemoryStore: ObjectStore {
    private let objects = Mutex<[ObjectKey: [UInt8]]>([:])

    package init() {}

    package func put(_ key: ObjectKey, _ bytes: [UInt8], _ condition: PutCondition) throws(StoreError) -> ETag {
        let holds = objects.withLock { objects in
            let holds = switch condition {
            case .none: true
            case .ifNoneMatch: objects[key] == nil
            case .ifMatch(let tag): objects[key].map { ETag(of: $0) } == tag
            }
            if holds { objects[key] = bytes }
            return holds
        }
        guard holds else { throw .conflict(key) }
        return ETag(of: bytes)
    }

    package func get(_ key: ObjectKey) throws(StoreError) -> (bytes: [UInt8], etag: ETag) {
        guard let bytes = objects.withLock({ $0[key] }) else { throw .notFound(key) }
        return (bytes, ETag(of: bytes))
    }

    package func get(_ key: ObjectKey, range: Range<Int>) throws(StoreError) -> [UInt8] {
        guard let bytes = objects.withLock({ $0[key] }) else { throw .notFound(key) }
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { throw .outOfRange(key, range, sizeBytes: bytes.count) }
        return Array(bytes[range])
    }

    package func list(prefix: String) throws(StoreError) -> [ObjectEntry] {
        objects.withLock { objects in
            objects.filter { $0.key.path.utf8.starts(with: prefix.utf8) }.map { ObjectEntry(key: $0.key, sizeBytes: $0.value.count) }
        }.sorted { $0.key < $1.key }
    }

    package func delete(_ key: ObjectKey) throws(StoreError) {
        _ = objects.withLock { $0.removeValue(forKey: key) }
    }
}
