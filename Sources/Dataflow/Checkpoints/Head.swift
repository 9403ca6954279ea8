/// The one truth of a job: an object that is only ever replaced by a put If-Match on its ETag (docs/protocols.md 1).
///
/// A checkpoint exists when HEAD names it, not when its manifest lies in the store.
package struct Head: Hashable, Codable, Sendable {
    /// A manifest that the job still needs.
    package struct Retained: Hashable, Codable, Sendable {
        package var checkpoint: CheckpointID
        package var kind: CheckpointKind
        /// The manifest's key in the job's store.
        package var manifest: String
        /// Every object key that the manifest refers to: deletion is decided over all retained ones.
        package var objects: [String]

        package init(checkpoint: CheckpointID, kind: CheckpointKind, manifest: String, objects: [String]) {
            self.checkpoint = checkpoint
            self.kind = kind
            self.manifest = manifest
            self.objects = objects
        }
    }

    package var job: JobID
    package var leaderEpoch: LeaderEpoch
    /// When the job first started, in milliseconds since the epoch; nil before. Sources that begin "now" begin there, however often it restarts.
    package var started: Int64?
    /// Rises with every put.
    package var sequence: UInt64
    /// Chosen anew for every put: after an unknown outcome it tells whether that put happened.
    package var nonce: UInt64
    /// Ascending by checkpoint.
    package var retained: [Retained]
    /// The greatest checkpoint id that may have been used; new ids are above it.
    package var lastCheckpoint: CheckpointID
    package var layout: Layout?
    /// A layout change that was planned and not yet finished.
    package var planned: Layout?
    /// Of the newest change that was planned and dropped: no other layout ever has its epoch.
    package var droppedEpoch: LayoutEpoch?
    /// The attempt of the newest deployment or plan.
    package var attempt: UInt32
    /// The parallelism that users have asked for, by vertex id.
    package var requirements: [String: ClosedRange<Int>]?
    /// Set once the job has ended for good.
    package var outcome: String?

    package init(job: JobID, leaderEpoch: LeaderEpoch) {
        self.job = job
        self.leaderEpoch = leaderEpoch
        self.sequence = 0
        self.nonce = 0
        self.retained = []
        self.lastCheckpoint = 0
        self.attempt = 0
    }
}
