import Dataflow
import Wire

/// The snapshots of one checkpoint, of all tasks of a job in this process, until their object is written.
///
/// Snapshots may come before the order that says where to: barriers travel between tasks faster than messages of the JobManager.
struct SnapshotGathering {
    struct Order: Hashable {
        var folder: String
        var store: String?
    }

    /// What goes into the acknowledgement; the committables come with the upload.
    struct Share {
        var subtask: Manifest.Subtask
        var alignmentMilliseconds: Int64
        var synchronousNanoseconds: Int64
        /// For the slowest task here, before anything could be written.
        var waitedMilliseconds: Int64
    }

    var order: Order?
    private(set) var snapshots: [SubtaskID: TaskSnapshot] = [:]
    private(set) var shares: [Share] = []
    private(set) var isUploading = false
    /// Of a planned change, whose checkpoint is written until that succeeds.
    private var kept: [TaskSnapshot]?

    func has(_ subtask: SubtaskID) -> Bool { isUploading || kept != nil || snapshots[subtask] != nil }

    mutating func add(_ snapshot: TaskSnapshot) { if !isUploading, kept == nil { snapshots[snapshot.subtask] = snapshot } }

    /// The snapshots to write, sorted, once all are there and it is known where to. They are the host's from then on.
    mutating func complete(tasks: Int, keepsThem: Bool) -> (Order, [TaskSnapshot])? {
        guard !isUploading, let order else { return nil }
        if let kept {
            isUploading = true
            return (order, kept)
        }
        guard snapshots.count == tasks else { return nil }
        isUploading = true
        let all = snapshots.values.sorted { $0.subtask < $1.subtask }
        snapshots = [:]
        if keepsThem { kept = all }
        let last = all.map(\.taken).max() ?? .zero
        shares = all.map {
            Share(
                subtask: Manifest.Subtask(
                    subtask: $0.subtask, splits: $0.splits, finishedSplits: $0.finishedSplits, committables: []),
                alignmentMilliseconds: $0.alignmentMilliseconds, synchronousNanoseconds: $0.synchronousNanoseconds, waitedMilliseconds: (last - $0.taken).milliseconds)
        }
        return (order, all)
    }

    /// They could not be written. True when they are kept for another order.
    mutating func failed() -> Bool {
        guard kept != nil else { return false }
        isUploading = false
        order = nil
        return true
    }

    func acknowledgement(job: JobID, attempt: UInt32, checkpoint: CheckpointID, _ upload: Upload) -> Acknowledgement {
        Acknowledgement(
            job: job, attempt: attempt, checkpoint: checkpoint, object: upload.object,
            tasks: shares.map { share in
                var subtask = share.subtask
                subtask.committables = upload.committables[subtask.subtask] ?? []
                return Acknowledgement.Task(
                    share: subtask, stateBytes: upload.bytes[subtask.subtask] ?? 0, alignmentMilliseconds: share.alignmentMilliseconds,
                    synchronousNanoseconds: share.synchronousNanoseconds, asynchronousMilliseconds: share.waitedMilliseconds + upload.milliseconds)
            },
            uploadMilliseconds: upload.milliseconds)
    }
}
