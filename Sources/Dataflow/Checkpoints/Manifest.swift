/// A checkpoint as it is stored: where its state lies and what else a restore needs. JSON; HEAD names it.
package struct Manifest: Hashable, Codable, Sendable {
    /// One object that one TaskManager wrote: all its segments and units, with an index at its end (`State.SnapshotObject`).
    package struct StateObject: Hashable, Codable, Sendable {
        package var key: String
        package var bytes: Int
        /// CRC-32C of the whole object.
        package var checksum: UInt32
        /// Whose state it holds.
        package var subtasks: [SubtaskID]

        package init(key: String, bytes: Int, checksum: UInt32, subtasks: [SubtaskID]) {
            self.key = key
            self.bytes = bytes
            self.checksum = checksum
            self.subtasks = subtasks
        }
    }

    /// One subtask's share that is small enough to stand in the manifest itself.
    package struct Subtask: Hashable, Codable, Sendable {
        package var subtask: SubtaskID
        package var splits: [SplitState]
        package var finishedSplits: [String]
        package var committables: [Committable]

        package init(subtask: SubtaskID, splits: [SplitState], finishedSplits: [String], committables: [Committable]) {
            self.subtask = subtask
            self.splits = splits
            self.finishedSplits = finishedSplits
            self.committables = committables
        }
    }

    /// The split enumerator of one source vertex: what was found and is not yet with a reader.
    package struct Enumerator: Hashable, Codable, Sendable {
        package var vertex: Int
        package var pending: [SplitState]
        /// Every split id ever handed to this job, so that watching a folder finds each file once.
        package var known: [String]
        /// No further split will come.
        package var isComplete: Bool
        /// As the source's last discovery said; nil: none has answered yet.
        package var distribution: SplitDistribution?
        /// What the splits are parts of, as the source said; nil: it did not, or the checkpoint is of before it could.
        package var origin: String?

        package init(
            vertex: Int, pending: [SplitState], known: [String], isComplete: Bool, distribution: SplitDistribution? = nil, origin: String? = nil
        ) {
            self.origin = origin
            self.vertex = vertex
            self.pending = pending
            self.known = known
            self.isComplete = isComplete
            self.distribution = distribution
        }
    }

    /// A committable and the sink vertex whose connector carries it out.
    package struct PendingCommit: Hashable, Codable, Sendable {
        package var vertex: Int
        package var committable: Committable

        package init(vertex: Int, committable: Committable) {
            self.vertex = vertex
            self.committable = committable
        }
    }

    package static let currentVersion = 1

    package var version = Manifest.currentVersion
    package var job: JobID
    package var checkpoint: CheckpointID
    package var kind: CheckpointKind
    package var leaderEpoch: LeaderEpoch
    package var layout: Layout
    /// Vertex ids in graph order: a restore finds vertices by them.
    package var vertexIDs: [String]
    package var maxParallelism: Int
    /// Milliseconds since the epoch.
    package var triggered: Int64
    package var objects: [StateObject]
    package var subtasks: [Subtask]
    package var enumerators: [Enumerator]
    /// Committables of earlier checkpoints that were not acknowledged as committed when this one was taken, beside those in `subtasks`.
    package var uncommitted: [PendingCommit]
    /// For each vertex the layouts of its keyed state (`JobVertex.stateLayouts`). Nil in checkpoints of before they were written down.
    package var stateLayouts: [[String]]?

    package init(
        job: JobID, checkpoint: CheckpointID, kind: CheckpointKind, leaderEpoch: LeaderEpoch, layout: Layout, vertexIDs: [String],
        maxParallelism: Int, triggered: Int64, objects: [StateObject], subtasks: [Subtask], enumerators: [Enumerator],
        uncommitted: [PendingCommit]
    ) {
        self.job = job
        self.checkpoint = checkpoint
        self.kind = kind
        self.leaderEpoch = leaderEpoch
        self.layout = layout
        self.vertexIDs = vertexIDs
        self.maxParallelism = maxParallelism
        self.triggered = triggered
        self.objects = objects
        self.subtasks = subtasks
        self.enumerators = enumerators
        self.uncommitted = uncommitted
    }
}
