import Dataflow
import Wire

/// What REST and the command line show: a value, made when somebody asks.
package struct ClusterView: Sendable {
    package struct Worker: Hashable, Sendable {
        package var id: WorkerID
        package var host: String
        package var dataPort: UInt16
        package var slots: Int
        package var freeSlots: Int
        package var memoryBytes: Int64
        package var processors: Int
        package var version: String
        /// Milliseconds since the epoch.
        package var connectedSince: Int64
        package var lastHeard: Int64
        package var isLeaving: Bool
    }

    package var leaderEpoch: LeaderEpoch
    /// Ordered by id.
    package var workers: [Worker]
    /// In the order of submission.
    package var jobs: [JobView]
    package var history: ClusterHistory

    package var totalSlots: Int { workers.reduce(0) { $0 + $1.slots } }
    package var freeSlots: Int { workers.reduce(0) { $0 + $1.freeSlots } }

    package func job(_ id: JobID) -> JobView? { jobs.first { $0.id == id } }
}

package struct JobView: Sendable {
    package struct Vertex: Hashable, Sendable {
        /// 32 hex digits.
        package var id: String
        package var name: String
        package var parallelism: Int
        package var maxParallelism: Int
        package var subtasks: [Subtask]
        /// Splits of a source that wait for a reader, are with one, and were ever found.
        package var splits: Splits?
        /// The subtask of each key group; empty where no state is kept by key, and before the first layout.
        package var owners: [UInt16] = []
        /// What tasks counted that planned changes have replaced since the last start.
        package var replaced: TaskMetrics?
    }

    package struct Splits: Hashable, Sendable {
        package var pending: Int
        package var handedOut: Int
        package var known: Int
    }

    package struct Subtask: Hashable, Sendable {
        package var id: SubtaskID
        package var state: TaskState
        package var worker: WorkerID?
        package var endpoint: String?
        /// From 1; 0: never deployed.
        package var attempt: UInt32
        /// Of the running attempt; nil before the first report.
        package var metrics: TaskMetrics?
    }

    /// In Flink's words.
    package enum TaskState: String, Hashable, Sendable, CaseIterable {
        case created = "CREATED", scheduled = "SCHEDULED", deploying = "DEPLOYING", running = "RUNNING", finished = "FINISHED"
        case canceling = "CANCELING", canceled = "CANCELED", failed = "FAILED", initializing = "INITIALIZING", reconciling = "RECONCILING"
    }

    package struct Checkpoints: Hashable, Sendable {
        package var counts: CheckpointCounts
        /// The last ones, oldest first; how many: `JobOptions.checkpointHistory`.
        package var history: [CheckpointRecord]
        /// What has left the history: of each ending the newest alone.
        package var older: [CheckpointRecord]
        package var restored: Restored?
        package var interval: Duration?

        /// Also one that has left the history.
        package func newest(_ ending: CheckpointRecord.Ending) -> CheckpointRecord? {
            history.last { $0.ending == ending } ?? older.first { $0.ending == ending }
        }
    }

    package struct Restored: Hashable, Sendable {
        package var checkpoint: CheckpointID
        package var kind: CheckpointKind
        package var path: String
        /// Milliseconds since the epoch.
        package var at: Int64
    }

    /// The job reached a status.
    package struct Turn: Hashable, Sendable {
        package var status: JobStatus
        /// Milliseconds since the epoch.
        package var at: Int64
    }

    package var id: JobID
    package var name: String
    package var status: JobStatus
    /// Milliseconds since the epoch.
    package var started: Int64
    package var ended: Int64?
    /// When each status was last reached, milliseconds since the epoch.
    package var timestamps: [JobStatus: Int64]
    /// Each time that a status was reached, the last 200, oldest first.
    package var course: [Turn]
    package var graph: JobGraph
    package var options: JobOptions
    /// Secrets included: mask before showing.
    package var settings: [String: String]
    package var slotsNeeded: Int
    package var vertices: [Vertex]
    package var checkpoints: Checkpoints
    /// Oldest first; the last one is the root cause while the job is down.
    package var failures: [JobFailure]
    package var restarts: Int
    /// Planned changes of the layout, none of which restarted anything.
    package var layoutChanges: Int
    /// What each vertex may have of subtasks.
    package var bounds: [ClosedRange<Int>]
    /// Committables of complete checkpoints that are not acknowledged yet.
    package var uncommitted: Int

    /// What the job waits for, in words: slots to start on, or to move to from those who leave.
    package var waitsFor: String?

    /// Why the job is down, in words.
    package var failure: String? { failures.last?.error.description ?? waitsFor }
}

extension JobManagerMachine {
    package var view: ClusterView {
        ClusterView(
            leaderEpoch: cluster.epoch,
            workers: cluster.workers.all.map { worker in
                let registration = worker.registration
                return ClusterView.Worker(
                    id: registration.worker, host: registration.host, dataPort: registration.dataPort, slots: registration.slots,
                    freeSlots: cluster.slots.free(on: registration.worker), memoryBytes: registration.memoryBytes,
                    processors: registration.processors, version: registration.version, connectedSince: worker.connectedSince,
                    lastHeard: worker.lastHeardWall, isLeaving: worker.isLeaving)
            },
            jobs: order.compactMap { jobs[$0]?.view(cluster) }, history: cluster.history)
    }

    /// One job alone, when the others are not needed.
    package func view(of job: JobID) -> JobView? { jobs[job]?.view(cluster) }
}

extension JobMaster {
    func view(_ cluster: Cluster) -> JobView {
        let layout = phase.layout ?? lastLayout
        // Many subtasks, few TaskManagers.
        var endpoints: [WorkerID: String?] = [:]
        func endpoint(_ worker: WorkerID) -> String? {
            if let known = endpoints[worker] { return known }
            let found = cluster.workers[worker].map { "\($0.registration.host):\($0.registration.dataPort)" }
            endpoints.updateValue(found, forKey: worker)
            return found
        }
        return JobView(
            id: job, name: graph.name, status: status, started: submitted,
            ended: chronicle.reached.filter { $0.key.isTerminal }.values.max(), timestamps: chronicle.reached, course: chronicle.course, graph: graph, options: options,
            settings: submission.settings, slotsNeeded: slotsNeeded,
            vertices: graph.vertices.indices.map { vertex in
                JobView.Vertex(
                    id: graph.vertices[vertex].id, name: graph.vertices[vertex].name, parallelism: parallelism[vertex],
                    maxParallelism: graph.maxParallelism,
                    subtasks: (layout?.vertices[vertex].indices ?? Array(0..<parallelism[vertex])).map {
                        subtaskView(SubtaskID(vertex: vertex, index: $0), layout, endpoint)
                    },
                    splits: assigners.first { $0.vertex == vertex }.map {
                        JobView.Splits(pending: $0.counts.pending, handedOut: $0.counts.handedOut, known: $0.counts.known)
                    },
                    owners: graph.vertices[vertex].isKeyed ? layout?.vertices[vertex].owners ?? [] : [], replaced: chronicle.replaced[vertex])
            },
            checkpoints: JobView.Checkpoints(
                counts: coordinator.counts, history: coordinator.history, older: coordinator.older,
                restored: chronicle.restored.map { JobView.Restored(checkpoint: $0.checkpoint, kind: $0.kind, path: $0.path, at: $0.at) },
                interval: options.checkpointInterval),
            failures: chronicle.failures, restarts: chronicle.restarts, layoutChanges: chronicle.changes, bounds: bounds,
            uncommitted: ledger.count, waitsFor: phase.name == .waitingForSlots || phase.name == .running ? chronicle.waitsFor : nil)
    }

    private func subtaskView(_ id: SubtaskID, _ layout: Layout?, _ endpoint: (WorkerID) -> String?) -> JobView.Subtask {
        let worker = layout?.slot(of: id).worker
        return JobView.Subtask(
            id: id, state: state(of: id), worker: worker, endpoint: worker.flatMap(endpoint), attempt: layout?.attempt(of: id) ?? attempt,
            metrics: chronicle.metrics[id])
    }

    private func state(of subtask: SubtaskID) -> JobView.TaskState {
        switch phase {
        case .created, .reading, .claiming: .created
        case .waitingForSlots, .publishingLayout: .scheduled
        case .deploying: .deploying
        case .running(_, let ended): ended.contains(subtask) ? .finished : .running
        case .finishing: .finished
        case .restarting(let waiting, _, _): waiting.isEmpty ? .canceled : .canceling
        case .ending(let ending):
            switch ending.outcome {
            case .finished: .finished
            case .failed, .cancelled: ending.waiting.isEmpty ? .canceled : .canceling
            }
        case .ended(let outcome):
            switch outcome {
            case .finished: .finished
            case .cancelled: .canceled
            case .failed: chronicle.failures.last?.subtask == subtask ? .failed : .canceled
            }
        case .suspended: .reconciling
        }
    }

    /// Where the job ran last, for people.
    private var lastLayout: Layout? { head.published?.layout.flatMap { $0.attempt == attempt ? $0 : nil } }
}
