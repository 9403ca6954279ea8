import Dataflow
import Hosts
import JobControl
import REST
import Settings

/// `savepoint --dispose`: removes a savepoint's objects, and nothing else.
enum SavepointDisposal {
    static func run(_ path: String, _ settings: Configuration, _ client: JobManagerClient) async throws {
        var folder = path.hasSuffix("/_metadata") ? String(path.dropLast("/_metadata".count)) : path
        while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        if !folder.contains("/") { folder = "./\(folder)" }
        do {
            let checkpoints = settings.get(CheckpointingOptions.directory)
            let folders = StoreFolders(Stores(settings), checkpoints: checkpoints ?? folder)
            let savepoint = try StoredSavepoint.find(folder, folders)
            if checkpoints != nil { try refuseIfNeeded(folder, folders) }
            try await refuseIfNeeded(folder, client)
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

    /// The same, as a JobManager says that answers at the configured address: its jobs' checkpoints may be where this process does not look.
    private static func refuseIfNeeded(_ folder: String, _ client: JobManagerClient) async throws {
        let jobs: [JSON]
        do { jobs = try await client.get("/jobs/overview")["jobs"].array } catch let error as CommandError {
            // Nobody there. One who does not want to say is another matter.
            if error.code == 2 { throw CommandError("\(folder): whether a job needs it is not known, nothing was removed: \(error)", code: 2) }
            return
        }
        for job in jobs {
            guard let id = job["jid"].string, !["FINISHED", "FAILED", "CANCELED"].contains(job["state"].string ?? "") else { continue }
            let latest = try await client.get("/jobs/\(id)/checkpoints")["latest"], restored = latest["restored"]
            guard let path = restored["external_path"].string, plain(path) == plain(folder), let at = restored["restore_timestamp"].integer else { continue }
            let since = [latest["completed"], latest["savepoint"]].compactMap { $0["trigger_timestamp"].integer }.max()
            if since.map({ $0 >= at }) ?? false { continue }
            throw CommandError(
                "\(folder): job \(id), which runs at \(client.url), began from this savepoint and has no checkpoint of its own yet; nothing was removed", code: 2)
        }
    }

    private static func plain(_ path: String) -> Substring {
        var path = path[...]
        for (scheme, plain) in [("file://", ""), ("file:", ""), ("s3a://", "s3://"), ("s3n://", "s3://")] where path.hasPrefix(scheme) {
            path = (plain + path.dropFirst(scheme.count))[...]
            break
        }
        if path.hasSuffix("/_metadata") { path = path.dropLast("/_metadata".count) }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
