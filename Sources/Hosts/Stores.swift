import AWS
import Dataflow
import JobControl
import Settings
import Storage
import Synchronization

/// The object stores of this process by URI, each opened once. No URI: one store in memory, which only this process sees.
package final class Stores: Sendable {
    private let opened = Mutex<[String: any ObjectStore]>([:])
    private let memory = MemoryStore()
    /// One client for every bucket: its connections, credentials and retries are shared. Made when first asked for.
    private let client = Mutex<S3Client?>(nil)
    private let s3: S3Configuration
    private let concurrency: Int

    package init(_ configuration: Configuration = Configuration()) {
        s3 = S3Configuration(configuration)
        concurrency = configuration.get(S3Options.concurrency)
    }

    package func store(_ uri: String?) throws(StoreError) -> any ObjectStore {
        guard let uri else { return memory }
        if let store = opened.withLock({ $0[uri] }) { return store }
        let store = try openStore(uri: uri, concurrency: concurrency, s3: s3Client)
        return opened.withLock { stores in
            if let first = stores[uri] { return first }
            stores[uri] = store
            return store
        }
    }

    /// What somebody asks for by name is tried before a job is disturbed for it: a stop that cannot be written costs a restart.
    package func problem(writingTo uri: String) -> StreamError? {
        do throws(StoreError) {
            let store = try self.store(uri), probe = try ObjectKey("_probe-\(String(UInt64.random(in: .min ... .max), radix: 16))")
            _ = try store.put(probe, [])
            do throws(StoreError) { try store.delete(probe) } catch {}  // It is empty, and bears our name.
            return nil
        } catch { return StreamError(.user, retry: false, "nothing can be written there: \(error)") }
    }

    private func s3Client() -> S3Client {
        client.withLock { client in
            if let client { return client }
            let made = S3Client(s3)
            client = made
            return made
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
            case .denied, .invalidKey, .invalidURI: return .refused(error.description)
            case .outOfRange, .full: return .failed(error.description, mayHaveHappened: false)
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
