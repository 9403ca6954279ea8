import Dataflow
import Wire

/// A checkpoint that a job starts from, checked against its graph.
package struct RestorePoint: Sendable {
    package var manifest: Manifest
    /// The store of the objects; nil: the job's own.
    package var store: String?
    package var objects: [Manifest.StateObject]
    /// The folder that holds `_metadata`, for people.
    package var path: String
    /// For each vertex of the graph its position in the checkpoint.
    package var vertices: [Int?]

    package var checkpoint: CheckpointID { manifest.checkpoint }

    /// Decodes and checks the bytes of a manifest. Nothing of a checkpoint that does not fit is used.
    ///
    /// `own`: the job whose checkpoint it must be; nil: any job's.
    package static func check(
        _ bytes: [UInt8], graph: JobGraph, own: JobID?, store: String?, path: String, allowNonRestoredState: Bool
    ) -> Result<RestorePoint, StreamError> {
        func refused(_ why: String) -> Result<RestorePoint, StreamError> {
            .failure(StreamError(.user, retry: false, "cannot restore from \(path): \(why)"))
        }
        guard let manifest = SealedJSON.decode(Manifest.self, bytes) else { return refused("its _metadata is damaged, or none of ours") }
        guard manifest.version == Manifest.currentVersion else {
            return refused("its format has version \(manifest.version), this build reads version \(Manifest.currentVersion)")
        }
        if let own, manifest.job != own { return refused("it belongs to job \(manifest.job)") }
        guard manifest.maxParallelism == graph.maxParallelism else {
            return refused(
                "it was taken with maximum parallelism \(manifest.maxParallelism), the job has \(graph.maxParallelism);"
                    + " set pipeline.max-parallelism to \(manifest.maxParallelism)")
        }
        guard manifest.layout.vertices.count == manifest.vertexIDs.count,
            manifest.subtasks.allSatisfy({ manifest.vertexIDs.indices.contains($0.subtask.vertex) }),
            manifest.enumerators.allSatisfy({ manifest.vertexIDs.indices.contains($0.vertex) }),
            manifest.uncommitted.allSatisfy({ manifest.vertexIDs.indices.contains($0.vertex) }),
            manifest.objects.allSatisfy({ $0.subtasks.allSatisfy { manifest.vertexIDs.indices.contains($0.vertex) } })
        else { return refused("its _metadata contradicts itself") }

        let vertices = graph.vertices.map { vertex in manifest.vertexIDs.firstIndex(of: vertex.id) }
        let gone = manifest.vertexIDs.indices.filter { !vertices.contains($0) && manifest.hasState($0) }
        guard gone.isEmpty || allowNonRestoredState else {
            let isSource = { (vertex: Int) in manifest.enumerators.contains { $0.vertex == vertex } }
            let names = gone.map { "vertex \(manifest.vertexIDs[$0])" + (isSource($0) ? " (positions of a source)" : "") }
            return refused(
                "it has state of \(names.joined(separator: ", ")), which the job does not have; start the script that the checkpoint is of, or allow"
                    + " non-restored state to drop it" + (gone.contains(where: isSource) ? ": the source then begins where its options say" : ""))
        }
        for (vertex, old) in zip(graph.vertices, vertices) {
            guard let old, let layouts = manifest.stateLayouts, layouts.indices.contains(old), layouts[old] != vertex.stateLayouts else { continue }
            let (kept, found) = (vertex.stateLayouts.joined(separator: "; "), layouts[old].joined(separator: "; "))
            return refused("it has the state of \(found), where vertex \(vertex.name) keeps \(kept)")
        }
        return .success(RestorePoint(manifest: manifest, store: store, objects: manifest.objects, path: path, vertices: vertices))
    }

    /// The position in the graph of a vertex of the checkpoint.
    package func position(of old: Int) -> Int? { vertices.firstIndex { $0 == old } }

    /// A checkpoint folder named by a user: objects lie beside `_metadata`, unless they are of older checkpoints of the same job.
    package mutating func rebase() {
        let folders = Set(objects.map { $0.key.split(separator: "/").dropLast().joined(separator: "/") })
        let tail = "/\(manifest.job)/chk-\(manifest.checkpoint)"
        if folders.count > 1, path.hasSuffix(tail) {
            store = String(path.dropLast(tail.count))
        } else {
            store = path
            // What was written again lies a folder deeper.
            let home = "\(manifest.job)/chk-\(manifest.checkpoint)/"
            for index in objects.indices {
                let key = objects[index].key
                objects[index].key = key.hasPrefix(home) ? String(key.dropFirst(home.count)) : key.split(separator: "/").last.map(String.init) ?? key
            }
        }
    }

    /// The enumerator of a source vertex, and the splits that its readers held.
    package func splits(of vertex: Int) -> (enumerator: Manifest.Enumerator?, reading: [SplitState]) {
        guard let old = vertices[vertex] else { return (nil, []) }
        var enumerator = manifest.enumerators.first { $0.vertex == old }
        enumerator?.vertex = vertex
        return (enumerator, manifest.subtasks.filter { $0.subtask.vertex == old }.flatMap(\.splits))
    }

    /// Everything that may not be committed yet, for vertices that still exist.
    package var commits: [CommitLedger.Entry] {
        var entries: [CommitLedger.Entry] = []
        for pending in manifest.uncommitted {
            guard let vertex = position(of: pending.vertex) else { continue }
            entries.append(CommitLedger.Entry(vertex: vertex, subtask: nil, checkpoint: checkpoint, committable: pending.committable))
        }
        for share in manifest.subtasks {
            guard let vertex = position(of: share.subtask.vertex) else { continue }
            entries += share.committables.map {
                CommitLedger.Entry(vertex: vertex, subtask: share.subtask.index, checkpoint: checkpoint, committable: $0)
            }
        }
        return entries
    }

    /// What the tasks on one worker need of it: the objects that have state of their key groups, or of subtasks to which they succeed.
    package func order(for subtasks: [SubtaskID], graph: JobGraph, layout: Layout) -> Deployment.Restore {
        var needed: Set<SubtaskID> = []
        for (vertex, spec) in graph.vertices.enumerated() {
            guard let old = vertices[vertex] else { continue }
            let (before, now) = (manifest.layout.vertices[old], layout.vertices[vertex])
            let here = Set(subtasks.filter { $0.vertex == vertex }.map(\.index))
            if before.owners.count != now.owners.count {
                needed.formUnion(before.indices.map { SubtaskID(vertex: old, index: $0) })
            } else if spec.isKeyed {
                for (owner, next) in zip(before.owners, now.owners) where here.contains(Int(next)) { needed.insert(SubtaskID(vertex: old, index: Int(owner))) }
            }
            // What is a sink's goes to the subtask of the same number; that of subtasks that are no more, round robin.
            for index in before.indices where spec.sink != nil && here.contains(index % now.parallelism) { needed.insert(SubtaskID(vertex: old, index: index)) }
        }
        return Deployment.Restore(
            checkpoint: checkpoint, store: store, objects: objects.filter { !needed.isDisjoint(with: $0.subtasks) }, vertices: vertices,
            parallelism: manifest.layout.vertices.map(\.slots.count))
    }
}

extension Manifest {
    fileprivate func hasState(_ vertex: Int) -> Bool {
        objects.contains { $0.subtasks.contains { $0.vertex == vertex } } || enumerators.contains { $0.vertex == vertex }
            || uncommitted.contains { $0.vertex == vertex }
            || subtasks.contains { $0.subtask.vertex == vertex && !($0.splits.isEmpty && $0.committables.isEmpty) }
    }
}
