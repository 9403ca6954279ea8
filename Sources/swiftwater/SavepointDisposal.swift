import Dataflow
import Hosts
import JobControl
import Settings

/// `savepoint --dispose`: removes a savepoint's objects, and nothing else.
enum SavepointDisposal {
    static func run(_ path: String, _ settings: Configuration) throws {
        var folder = path.hasSuffix("/_metadata") ? String(path.dropLast("/_metadata".count)) : path
        while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        if !folder.contains("/") { folder = "./\(folder)" }
        do {
            let checkpoints = settings.get(CheckpointingOptions.directory)
            let folders = StoreFolders(Stores(settings), checkpoints: checkpoints ?? folder)
            let savepoint = try StoredSavepoint.find(folder, folders)
            if checkpoints != nil { try refuseIfNeeded(folder, folders) }
            try folders.remove(savepoint.names, from: folder)
            Terminal.line(
                "Savepoint \(path) of job \(savepoint.job) disposed: \(savepoint.names.count) object\(savepoint.names.count == 1 ? "" : "s"), \(savepoint.bytes) bytes removed")
            if !savepoint.strangers.isEmpty {
                Terminal.warning("\(folder) stays, with what is not the savepoint's: \(savepoint.strangers.prefix(5).joined(separator: ", "))")
            }
        } catch let error as StreamError {
            throw CommandError(error.message, code: error.kind == .user ? 2 : 1)
        }
    }

    /// Until its next checkpoint a job has nothing but the savepoint to recover from.
    private static func refuseIfNeeded(_ folder: String, _ folders: StoreFolders) throws {
        for key in try folders.list("", in: nil).keys.sorted() where key.hasSuffix("/HEAD") {
            guard let job = JobID(String(key.dropLast("/HEAD".count))), let found = try StoredJob.find(job, folders), found.head.outcome == nil else { continue }
            if let entry = found.head.retained.first(where: { $0.kind.isSavepoint && plain($0.manifest) == plain(folder + "/_metadata") }) {
                throw CommandError(
                    "\(folder): job \(job) recovers from savepoint \(entry.checkpoint) until its next checkpoint; nothing was removed", code: 2)
            }
        }
    }

    private static func plain(_ path: String) -> Substring {
        for scheme in ["file://", "file:"] where path.hasPrefix(scheme) { return path.dropFirst(scheme.count) }
        return path[...]
    }
}
