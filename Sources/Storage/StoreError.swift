/// What a store could not do, and whether asking again may help.
package enum StoreError: Error, Hashable, Sendable {
    case notFound(ObjectKey)
    /// The put's condition does not hold (409, 412). The object is as another writer left it.
    case conflict(ObjectKey)
    /// The object has only `sizeBytes`.
    case outOfRange(ObjectKey, Range<Int>, sizeBytes: Int)
    /// Storage did not answer as it should. A put or delete may have happened all the same. `retry`: the cause may pass by itself.
    case unavailable(String, retry: Bool)
    /// No room: disk full or over quota. Nothing was changed.
    case full(String)
    /// Not permitted, or a read-only file system: an administrator's matter.
    case denied(String)
    case invalidKey(String)
    /// A URI that names no store we can open.
    case invalidURI(String)

    /// True when the same call may succeed later without anybody changing anything.
    package var retry: Bool {
        switch self {
        case .unavailable(_, let retry): retry
        case .notFound, .conflict, .outOfRange, .full, .denied, .invalidKey, .invalidURI: false
        }
    }
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound(let key): "object \(key) does not exist"
        case .conflict(let key): "object \(key) was written by somebody else in the meantime"
        case .outOfRange(let key, let range, let size): "object \(key) has \(size) bytes, asked for \(range.lowerBound)..<\(range.upperBound)"
        case .unavailable(let what, let retry): retry ? "storage unavailable (will be tried again): \(what)" : "storage failed: \(what)"
        case .full(let what): "no space left in storage: \(what)"
        case .denied(let what): "storage refused access: \(what)"
        case .invalidKey(let what): "invalid object key \(what)"
        case .invalidURI(let what): what
        }
    }
}
