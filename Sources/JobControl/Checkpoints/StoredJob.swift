import Dataflow

/// A job's HEAD and the checkpoints that it names, as somebody finds them who looks at the store from outside.
package struct StoredJob: Sendable {
    package var head: Head
    /// Those that HEAD names and that are whole, oldest first.
    package var checkpoints: [Manifest] = []
    /// What HEAD names and what is not there as it was written; in words.
    package var damage: [String] = []
    /// What is stored of newer checkpoints than HEAD names; in words. They never completed, or do so now.
    package var unpublished: [String] = []

    /// How the store is asked. `folder`: of a savepoint; nil: the folder of all jobs' checkpoints.
    package protocol Reading {
        /// Nil: there is no such object.
        func get(_ key: String, in folder: String?) throws(StreamError) -> [UInt8]?
        /// Keys that begin with `prefix`, and their sizes.
        func list(_ prefix: String, in folder: String?) throws(StreamError) -> [String: Int]
    }

    /// Nil: there is no HEAD of the job.
    package static func find(_ job: JobID, _ reading: some Reading) throws(StreamError) -> StoredJob? {
        while true {
            guard let bytes = try reading.get("\(job)/HEAD", in: nil) else { return nil }
            guard let head = SealedJSON.decode(Head.self, bytes), head.job == job else {
                throw StreamError(.user, retry: false, "\(job)/HEAD exists, but is no HEAD of job \(job)")
            }
            var found = StoredJob(head)
            try found.look(reading)
            // A running job may have replaced in the meantime what was looked at.
            if found.damage.isEmpty { return found }
            if try reading.get("\(job)/HEAD", in: nil) == bytes { return found }
        }
    }

    private init(_ head: Head) { self.head = head }

    private mutating func look(_ reading: some Reading) throws(StreamError) {
        let stored = try reading.list("\(head.job)/", in: nil)
        for retained in head.retained {
            let name = "\(retained.kind.isSavepoint ? "savepoint" : "checkpoint") \(retained.checkpoint) of job \(head.job), which HEAD names"
            let folder = retained.kind.isSavepoint ? String(retained.manifest.dropLast("/_metadata".count)) : nil
            guard let bytes = try reading.get(folder == nil ? retained.manifest : "_metadata", in: folder) else {
                damage.append("\(name): \(retained.manifest) is gone")
                continue
            }
            guard let manifest = SealedJSON.decode(Manifest.self, bytes), manifest.job == head.job, manifest.checkpoint == retained.checkpoint else {
                damage.append("\(name): \(retained.manifest) is not as it was written")
                continue
            }
            let there = try folder.map { folder throws(StreamError) in try reading.list("", in: folder) } ?? stored
            for object in manifest.objects {
                let key = folder == nil ? object.key : object.key.split(separator: "/").last.map(String.init) ?? object.key
                guard let bytes = there[key] else {
                    damage.append("\(name): its object \(key) is gone")
                    continue
                }
                if bytes != object.bytes { damage.append("\(name): its object \(key) has \(bytes) bytes and not \(object.bytes)") }
            }
            checkpoints.append(manifest)
        }
        checkpoints.sort { $0.checkpoint < $1.checkpoint }
        let newest = head.retained.map(\.checkpoint).max() ?? head.lastCheckpoint
        let prefix = "\(head.job)/chk-"
        for key in stored.keys.sorted() where key.hasPrefix(prefix) && key.hasSuffix("/_metadata") {
            guard let checkpoint = CheckpointID(key.dropFirst(prefix.count).prefix { $0 != "/" }), checkpoint > newest else { continue }
            unpublished.append("checkpoint \(checkpoint) of job \(head.job) is stored, and HEAD does not name it: it never completed, or does so now")
        }
    }
}

/// A savepoint that somebody wants to remove.
package struct StoredSavepoint: Sendable {
    package var job: JobID
    package var checkpoint: CheckpointID
    /// Names in its folder, `_metadata` last: a removal that is cut off leaves something that still says what it is.
    package var names: [String]
    package var bytes: Int
    /// What else lies in the folder, sorted.
    package var strangers: [String]

    /// Throws in words when the folder is none of a savepoint.
    package static func find(_ folder: String, _ reading: some StoredJob.Reading) throws(StreamError) -> StoredSavepoint {
        func refused(_ why: String) -> StreamError { StreamError(.user, retry: false, "\(folder): \(why)") }
        guard let bytes = try reading.get("_metadata", in: folder) else { throw refused("there is no _metadata: this is no savepoint, or it was removed before") }
        guard let manifest = SealedJSON.decode(Manifest.self, bytes) else { throw refused("its _metadata is damaged, or none of ours; nothing was removed") }
        guard manifest.kind.isSavepoint else {
            throw refused("this is checkpoint \(manifest.checkpoint) of job \(manifest.job), which removes it itself; nothing was removed")
        }
        let there = try reading.list("", in: folder)
        let own = Set(manifest.objects.map { $0.key.split(separator: "/").last.map(String.init) ?? $0.key } + ["_metadata"])
        let names = own.filter { there[$0] != nil }.sorted { ($0 == "_metadata" ? 1 : 0, $0) < ($1 == "_metadata" ? 1 : 0, $1) }
        return StoredSavepoint(
            job: manifest.job, checkpoint: manifest.checkpoint, names: names, bytes: names.reduce(0) { $0 + (there[$1] ?? 0) },
            strangers: there.keys.filter { !own.contains($0) }.sorted())
    }
}
