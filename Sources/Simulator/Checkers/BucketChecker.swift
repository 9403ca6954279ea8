import Connectors
import Dataflow
import Wire

/// See `promise`.
final class BucketChecker: Checker {
    static let promise = """
        An object appears in the bucket only when a checkpoint that HEAD names commits it, with exactly the parts that the checkpoint names; no part is \
        replaced by other bytes; every upload that a retained checkpoint names can be completed as it is named, or was, and is never aborted; at the \
        end no upload is open that a checkpoint has committed. Where small files are merged: a file is made of exactly the bytes of small ones that HEAD \
        names, each is in one file, and none is removed before it is.
        """

    /// Parts of the uploads that are open, by number.
    private var open: [String: [Int: String]] = [:]
    private var completed: [String: [UploadedPart]] = [:]
    /// What the snapshots of a checkpoint name: uploads of open files, and of ended ones.
    private var units: [CheckpointID: [NamedUpload]] = [:]
    private var acknowledged: [CheckpointID: [NamedUpload]] = [:]
    /// Committables of checkpoints that HEAD has named.
    private var committed: [String: [NamedUpload]] = [:]
    private var published: Set<CheckpointID> = []
    /// By uploads that retained checkpoints need.
    private var needed: [String: CheckpointID] = [:]
    /// Of small files, by their objects' keys: those in snapshots of a checkpoint, those that HEAD has named, what is there, and the file that each is in.
    private var smallOf: [CheckpointID: [SmallPart]] = [:]
    private var committedSmall: [String: SmallPart] = [:]
    private var small: [String: [UInt8]] = [:]
    private var fileOf: [String: String] = [:]
    /// By upload: what is planned to become of it.
    private var planned: [String: CommitList.Entry] = [:]

    func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .bucket(let change): return wrong(change)
        case .sinkUnit(let checkpoint, let unit):
            guard let uploads = try? NamedUpload.open(in: unit) else { return "a sink's unit of checkpoint \(checkpoint) is none" }
            units[checkpoint, default: []] += uploads
            return nil
        case .leaderHeard(.acknowledged(let acknowledgement), _, _):
            let committables = acknowledgement.tasks.flatMap(\.share.committables)
            acknowledged[acknowledgement.checkpoint, default: []] += committables.compactMap { try? NamedUpload($0) }
            smallOf[acknowledgement.checkpoint, default: []] += committables.filter { SmallPart.isOne($0) }.compactMap { try? SmallPart($0) }
            return nil
        case .head(let head): return wrong(head)
        case .over:
            let left = open.keys.filter { committed[$0] != nil }.sorted()
            if let left = left.first { return "\(left) is still open at the end, although a checkpoint has committed it" }
            let unseen = committedSmall.keys.filter { fileOf[$0] == nil }.sorted()
            return unseen.first.map { "\($0) is in no file at the end, although a checkpoint has committed it" }
        default: return nil
        }
    }

    private func wrong(_ change: BucketChange) -> String? {
        switch change {
        case .opened(let upload, _): open[upload] = [:]
        case .part(let upload, let part):
            if let there = open[upload]?[part.number], there != part.etag { return "part \(part.number) of \(upload) is replaced by other bytes" }
            open[upload]?[part.number] = part.etag
        case .completed(let upload, let key, let parts, let bytes):
            open[upload] = nil
            completed[upload] = parts
            if let entry = planned[upload] { return wrong(entry, key, bytes) }
            guard let named = committed[upload] else { return "\(key) appears, and no checkpoint that HEAD names commits it" }
            if !named.contains(where: { $0.parts == parts && $0.object?.key == key }) { return "\(key) appears with other parts than a checkpoint names" }
        case .aborted(let upload):
            open[upload] = nil
            if let checkpoint = needed[upload] { return "\(upload) is aborted, which checkpoint \(checkpoint) needs" }
            if let entry = planned[upload] { return "\(upload) is aborted, which is planned to become \(entry.path)" }
        case .put(let key, let bytes):
            if !key.hasPrefix("out/_") { return "\(key) is put, not completed" }
            if key.hasPrefix("out/_swiftwater/parts/") {
                if let there = small[key], there != bytes { return "\(key) is put again with other bytes" }
                small[key] = bytes
            }
            if key.hasPrefix("out/_swiftwater/merges/") {
                guard let entries = try? CommitList.entries(bytes) else { return "\(key) is no plan" }
                for entry in entries { if let upload = entry.upload { planned[upload] = entry } }
            }
        case .deleted(let key):
            if committedSmall[key] != nil, fileOf[key] == nil { return "\(key) is removed, and it is in no file" }
        }
        return nil
    }

    /// A file that was made of small ones.
    private func wrong(_ entry: CommitList.Entry, _ key: String, _ bytes: [UInt8]) -> String? {
        var together: [UInt8] = []
        for path in entry.parts {
            guard let part = committedSmall.values.first(where: { $0.path == path }) else { return "\(key) holds \(path), which no checkpoint that HEAD names commits" }
            if let other = fileOf[part.key] { return "\(key) holds \(path), and so does \(other)" }
            fileOf[part.key] = key
            together += small[part.key] ?? []
        }
        return together == bytes ? nil : "\(key) is not what its parts are together"
    }

    private func wrong(_ head: Head) -> String? {
        for retained in head.retained where published.insert(retained.checkpoint).inserted {
            for upload in acknowledged[retained.checkpoint] ?? [] { committed[upload.upload, default: []].append(upload) }
            for part in smallOf[retained.checkpoint] ?? [] {
                committedSmall[part.key] = part
                if small[part.key] == nil { return "HEAD names checkpoint \(retained.checkpoint), but \(part.key) is not there" }
            }
        }
        needed = [:]
        for retained in head.retained {
            for upload in (units[retained.checkpoint] ?? []) + (acknowledged[retained.checkpoint] ?? []) {
                needed[upload.upload] = retained.checkpoint
                if completed[upload.upload] != nil { continue }
                guard let parts = open[upload.upload] else { return "HEAD names checkpoint \(retained.checkpoint), but \(upload.upload) is gone" }
                for part in upload.parts where parts[part.number] != part.etag {
                    return "HEAD names checkpoint \(retained.checkpoint), but part \(part.number) of \(upload.upload) is not there as it is named"
                }
            }
        }
        return nil
    }
}
