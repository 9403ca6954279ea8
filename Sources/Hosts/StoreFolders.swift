import Dataflow
import JobControl
import Storage

/// The folder of all jobs' checkpoints, and those of savepoints, for somebody who looks from outside. Waits for disks and networks.
package struct StoreFolders: StoredJob.Reading {
    private let stores: Stores
    private let checkpoints: String

    /// `checkpoints`: `execution.checkpointing.dir`.
    package init(_ stores: Stores, checkpoints: String) { (self.stores, self.checkpoints) = (stores, checkpoints) }

    package func get(_ key: String, in folder: String?) throws(StreamError) -> [UInt8]? {
        do throws(StoreError) { return try stores.store(folder ?? checkpoints).get(ObjectKey(key)).bytes } catch {
            if case .notFound = error { return nil }
            throw StoreFolders.error(error, folder ?? checkpoints)
        }
    }

    package func list(_ prefix: String, in folder: String?) throws(StreamError) -> [String: Int] {
        do throws(StoreError) {
            let entries = try stores.store(folder ?? checkpoints).list(prefix: prefix)
            return Dictionary(entries.map { ($0.key.path, $0.sizeBytes) }) { first, _ in first }
        } catch { throw StoreFolders.error(error, folder ?? checkpoints) }
    }

    /// Of a folder these objects, in this order; the folder too, when nothing else lies there.
    package func remove(_ names: [String], from folder: String) throws(StreamError) {
        // From above: what keeps a folder apart while it is written would else be left in it.
        guard let slash = folder.lastIndex(of: "/"), folder[..<slash].last != "/" else {
            throw StreamError(.user, retry: false, "\(folder): a savepoint lies in a folder of its own")
        }
        let name = folder[folder.index(after: slash)...], above = slash == folder.startIndex ? "/" : String(folder[..<slash])
        do throws(StoreError) {
            let store = try stores.store(above)
            for object in names { try store.delete(ObjectKey("\(name)/\(object)")) }
        } catch { throw StoreFolders.error(error, folder) }
    }

    private static func error(_ error: StoreError, _ place: String) -> StreamError {
        StreamError(error.retry ? .externalSystem : .user, retry: error.retry, "\(place): \(error)")
    }
}
