import Dataflow
import JobControl
import Storage
import Synchronization

/// The object stores of this process by URI, each opened once. No URI: one store in memory, which only this process sees.
package final class Stores: Sendable {
    private let opened = Mutex<[String: any ObjectStore]>([:])
    private let memory = MemoryStore()

    package init() {}

    package func store(_ uri: String?) throws(StoreError) -> any ObjectStore {
        guard let uri else { return memory }
        if let store = opened.withLock({ $0[uri] }) { return store }
        let store = try openStore(uri: uri)
        return opened.withLock { stores in
            if let first = stores[uri] { return first }
            stores[uri] = store
            return store
        }
    }

    /// Carries out what the JobManager asks of a store.
    package func answer(_ request: StoreRequest, at uri: String?) -> StoreAnswer {
        do throws(StoreError) {
            let store = try self.store(uri)
            switch request {
            case .put(let key, let bytes, let condition):
                return .put(etag: try store.put(ObjectKey(key), bytes, condition.put).value)
            case .get(let key):
                let (bytes, etag) = try store.get(ObjectKey(key))
                return .got(bytes, etag: etag.value)
            case .list(let prefix): return .listed(try store.list(prefix: prefix).map(\.key.path))
            case .delete(let keys):
                for key in keys { try store.delete(ObjectKey(key)) }
                return .deleted
            }
        } catch {
            switch error {
            case .notFound: return .notFound
            case .conflict: return .conflict
            case .unavailable: return .failed(error.description, mayHaveHappened: true)
            case .outOfRange, .full, .denied, .invalidKey, .invalidURI: return .failed(error.description, mayHaveHappened: false)
            }
        }
    }
}

extension StoreRequest.Condition {
    fileprivate var put: PutCondition {
        switch self {
        case .none: .none
        case .ifNoneMatch: .ifNoneMatch
        case .ifMatch(let etag): .ifMatch(ETag(etag))
        }
    }
}
