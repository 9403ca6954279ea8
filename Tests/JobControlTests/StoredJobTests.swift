import Dataflow
import JobControl
import Synchronization
import Testing

/// Somebody looks at a store of checkpoints from outside.
struct StoredJobTests {
    private let job = JobID(high: 0, low: 7)

    /// Folders in memory. `meanwhile` happens after the first object was read that is no HEAD.
    private final class Folders: StoredJob.Reading {
        private let objects: Mutex<[String: [UInt8]]>
        private let meanwhile = Mutex<(@Sendable (inout [String: [UInt8]]) -> Void)?>(nil)

        init(_ objects: [String: [UInt8]]) { self.objects = Mutex(objects) }

        func set(_ key: String, _ bytes: [UInt8]?) { objects.withLock { $0[key] = bytes } }
        func then(_ change: @escaping @Sendable (inout [String: [UInt8]]) -> Void) { meanwhile.withLock { $0 = change } }

        func get(_ key: String, in folder: String?) -> [UInt8]? {
            if !key.hasSuffix("HEAD"), let change = meanwhile.withLock({ change in defer { change = nil }; return change }) { objects.withLock { change(&$0) } }
            return objects.withLock { $0[full(key, folder)] }
        }

        func list(_ prefix: String, in folder: String?) -> [String: Int] {
            let start = full("", folder)
            return objects.withLock { objects in
                Dictionary(uniqueKeysWithValues: objects.filter { $0.key.hasPrefix(start + prefix) }.map { (String($0.key.dropFirst(start.count)), $0.value.count) })
            }
        }

        private func full(_ key: String, _ folder: String?) -> String { "\(folder ?? "checkpoints")/\(key)" }
    }

    private func manifest(_ checkpoint: CheckpointID, _ kind: CheckpointKind = .checkpoint, objects: [String] = []) -> Manifest {
        Manifest(
            job: job, checkpoint: checkpoint, kind: kind, leaderEpoch: 1, layout: Layout(epoch: 1, attempt: 1, vertices: []), vertexIDs: [], maxParallelism: 128,
            triggered: 0, objects: objects.map { Manifest.StateObject(key: $0, bytes: 3, checksum: 0, subtasks: []) }, subtasks: [], enumerators: [], uncommitted: [])
    }

    private func head(_ retained: [Head.Retained]) -> [UInt8] {
        var head = Head(job: job, leaderEpoch: 1)
        head.retained = retained
        return SealedJSON.encode(head)
    }

    private func entry(_ checkpoint: CheckpointID) -> Head.Retained {
        Head.Retained(checkpoint: checkpoint, kind: .checkpoint, manifest: "\(job)/chk-\(checkpoint)/_metadata", objects: [])
    }

    /// Checkpoints 4 and 5 with an object each, and savepoint 6, as HEAD names them.
    private func whole() -> Folders {
        let savepoint = Head.Retained(checkpoint: 6, kind: .savepoint, manifest: "/sp/one/_metadata", objects: [])
        var objects = ["checkpoints/\(job)/HEAD": head([entry(4), entry(5), savepoint])]
        for checkpoint in [4, 5] as [CheckpointID] {
            let key = "\(job)/chk-\(checkpoint)/state"
            objects["checkpoints/\(job)/chk-\(checkpoint)/_metadata"] = SealedJSON.encode(manifest(checkpoint, objects: [key]))
            objects["checkpoints/\(key)"] = [1, 2, 3]
        }
        objects["/sp/one/_metadata"] = SealedJSON.encode(manifest(6, .savepoint, objects: ["\(job)/x/state"]))
        objects["/sp/one/state"] = [1, 2, 3]
        return Folders(objects)
    }

    @Test func whatHeadNamesIsFoundOldestFirst() throws {
        let found = try #require(try StoredJob.find(job, whole()))
        #expect(found.checkpoints.map(\.checkpoint) == [4, 5, 6] && found.damage == [] && found.unpublished == [])
        #expect(try StoredJob.find(JobID(high: 1, low: 1), whole()) == nil)
    }

    @Test func eachKindOfDamageIsTold() throws {
        let chk = "checkpoints/\(job)/chk-5"
        for (key, bytes, words) in [
            ("\(chk)/_metadata", nil, "is gone"), ("\(chk)/_metadata", [1, 2], "is not as it was written"), ("\(chk)/state", nil, "its object"),
            ("\(chk)/_metadata", SealedJSON.encode(manifest(4)), "is not as it was written"), ("\(chk)/state", [1], "has 1 bytes and not 3"),
            ("/sp/one/_metadata", nil, "savepoint 6"), ("/sp/one/state", nil, "its object state is gone"),
        ] as [(String, [UInt8]?, String)] {
            let folders = whole()
            folders.set(key, bytes)
            let found = try #require(try StoredJob.find(job, folders))
            #expect(found.damage.count == 1 && found.damage[0].contains(words), "\(key): \(found.damage)")
        }
        let folders = whole()
        folders.set("checkpoints/\(job)/HEAD", [1])
        #expect(throws: StreamError.self) { try StoredJob.find(job, folders) }
    }

    @Test func aCheckpointBeyondHeadIsTold() throws {
        let folders = whole()
        folders.set("checkpoints/\(job)/chk-9/_metadata", [])
        #expect(try #require(try StoredJob.find(job, folders)).unpublished.map { $0.hasPrefix("checkpoint 9 of job") } == [true])
    }

    @Test func whatARunningJobReplacesWhileSomebodyLooksIsNoDamage() throws {
        let folders = whole(), newer = head([entry(7)]), bytes = SealedJSON.encode(manifest(7)), job = job
        folders.then { objects in
            objects = ["checkpoints/\(job)/HEAD": newer, "checkpoints/\(job)/chk-7/_metadata": bytes]
        }
        let found = try #require(try StoredJob.find(job, folders))
        #expect(found.damage == [] && found.checkpoints.map(\.checkpoint) == [7])
    }

    // MARK: Savepoints to be removed

    @Test func aSavepointsOwnObjectsAreNamedMetadataLast() throws {
        let folders = whole()
        folders.set("/sp/one/notes.txt", [9])
        let found = try StoredSavepoint.find("/sp/one", folders)
        #expect(found.names == ["state", "_metadata"] && found.strangers == ["notes.txt"] && found.checkpoint == 6)
        #expect(found.bytes == 3 + SealedJSON.encode(manifest(6, .savepoint, objects: ["\(job)/x/state"])).count)
    }

    @Test func whatIsNoSavepointIsRefused() {
        for folder in ["checkpoints/\(job)/chk-5", "checkpoints/\(job)", "/nowhere"] {
            #expect(throws: StreamError.self) { try StoredSavepoint.find(folder, whole()) }
        }
    }
}
