import Columnar
import Dataflow
import Wire

/// One message of every kind, with every optional part both there and absent.
enum MessageSamples {
    static let job = JobID(high: 0x0123_4567_89AB_CDEF, low: .max)
    static let subtask = SubtaskID(vertex: 3, index: 41)
    static let task = TaskID(job: job, subtask: subtask, attempt: 9)
    static let split = SplitState(
        split: Split(id: "a.json#0", label: "a.json[0..10)", payload: [1, 2, 3], after: ["b", "c"]), position: [0, 255], watermark: -5)
    static let commit = Manifest.PendingCommit(vertex: 2, committable: Committable(id: "file-ä", payload: [7]))
    static let object = Manifest.StateObject(key: "chk-1/w0", bytes: 1 << 40, checksum: 0xDEAD_BEEF, subtasks: [subtask])
    static let error = StreamError(.externalSystem, retry: true, "throttled").during("shard 3").during("source orders")
    static let layout = Layout(
        epoch: 4, attempt: 9,
        vertices: [
            Layout.Vertex(slots: [Layout.Slot(worker: WorkerID("w0"), index: 1)], owners: [0, 0, 0]),
            Layout.Vertex(slots: [nil, Layout.Slot(worker: WorkerID("w1"), index: 0)], owners: [1], attempts: [0, 7]),
            Layout.Vertex(slots: [], owners: []),
        ])

    static var worker: [WorkerMessage] {
        var metrics = TaskMetrics(task: task)
        metrics.rowsIn = 1
        metrics.operators = [OperatorMetrics(rowsIn: 3, rowsOut: 2, lateRows: 1, stateBytes: 1 << 40)]
        metrics.keyGroups = [KeyGroupLoad(group: 719, rows: 5), KeyGroupLoad(group: 0, rows: 0, stateBytes: 9)]
        metrics.watermark = .max
        metrics.pendingRows = 7
        metrics.lagMilliseconds = 0
        metrics.gauges = ["numTrimmedShards": 1, "bufferedBytes": 1 << 40]
        let registration = Registration(
            worker: WorkerID("tm-1"), host: "::1", dataPort: 65_535, slots: 4, memoryBytes: 1 << 34, processors: 2, version: "1", running: [task])
        let share = Manifest.Subtask(subtask: subtask, splits: [split], finishedSplits: ["b"], committables: [commit.committable])
        let acknowledged = Acknowledgement.Task(share: share, stateBytes: 5, alignmentMilliseconds: 6, synchronousNanoseconds: 7, asynchronousMilliseconds: 8)
        return [
            .register(registration), .heartbeat(sequence: .max), .deployed(job: job, attempt: 1), .ended(task), .failed(task, error),
            .stopped(job: job, attempt: .max), .needsSplits(task), .splitFinished(task, split: "a.json#0"),
            .acknowledged(
                Acknowledgement(job: job, attempt: 9, checkpoint: 12, object: object, tasks: [acknowledged], uploadMilliseconds: 3)),
            .acknowledged(Acknowledgement(job: job, attempt: 9, checkpoint: 12, object: nil, tasks: [], uploadMilliseconds: 0)),
            .declined(job: job, attempt: 9, checkpoint: 12, reason: "disk full"), .committed(job: job, checkpoint: 12, ids: ["a", ""]),
            .commitFailed(job: job, checkpoint: 12, error), .metrics([metrics, TaskMetrics(task: task)]), .leaving(Leave(reason: "SIGTERM", milliseconds: 25_000, ends: false)),
            .prepared(job: job, attempt: 2), .copied(job: job, attempt: 2), .handedBack(task, [split], finished: ["c"]), .settled(job: job, attempt: 2), .retired(job: job, attempt: 2), .moved(job: job, layout: 5, bytes: 1 << 40, isAhead: true),
            .cannotChange(job: job, attempt: 2, error),
            .cannotChange(job: job, attempt: 2, StreamError(.connection, retry: true, "no data connection", unreachable: WorkerID("taskmanager-3")).during("source")), .withdrawn(job: job, attempt: 2),
        ]
    }

    static var leader: [LeaderMessage] {
        let restore = Deployment.Restore(
            checkpoint: 8, store: "file:///sav/x", objects: [object], vertices: [0, nil, 2], parallelism: [1, 2])
        func deployment(_ restore: Deployment.Restore?, previous: Layout? = nil) -> Deployment {
            Deployment(
                job: job, name: "insert-into", graph: [1, 2], settings: ["a": "1", "b": ""], layout: layout, previous: previous,
                peers: [Deployment.Peer(worker: WorkerID("w0"), host: "h", port: 1)], subtasks: [subtask], restore: restore, committables: [commit])
        }
        return [
            .registered(heartbeatMilliseconds: 1000, timeoutMilliseconds: 4000), .refused(reason: "version"), .turnedAway(reason: "its name is in use"), .heartbeat(sequence: 1),
            .deploy(deployment(restore)), .deploy(deployment(nil)), .start(job: job, attempt: 1), .cancel(job: job, attempt: 1),
            .trigger(job: job, attempt: 1, Barrier(checkpoint: 3, kind: .drain, layout: 2), folder: "f", store: "s"),
            .trigger(job: job, attempt: 1, Barrier(checkpoint: 3, kind: .checkpoint), folder: "f", store: nil),
            .completed(job: job, checkpoint: 3), .aborted(job: job, checkpoint: 3), .splits(task, [split], noMore: true, released: ["s1", "s2"]),
            .commit(job: job, checkpoint: 3, [commit]), .release(job: job), .change(deployment(nil, previous: layout)), .conclude(job: job, attempt: 2),
            .copyAhead(job: job, attempt: 2), .withdraw(job: job, attempt: 2), .leave(Leave(reason: "drain", milliseconds: 1_000)),
        ]
    }

    static let types = [DataType(.bigint), DataType(.string)]
    static let channel = ChannelID(job: job, edge: 1, from: 2, to: 3, attempt: 4)

    static var data: [DataMessage] {
        let batch = Batch.of(types, [[.integer(1), .string("x")], [.null, .null], [.integer(-1), .string("")]])
        let changes = Batch.of(types, [[.integer(1), .string("x")], [.integer(1), .null]], kinds: [.updateBefore, .updateAfter])
        let elements: [StreamElement] = [
            .batch(batch), .batch(changes), .batch(Batch.of(types, [])), .watermark(.min), .barrier(Barrier(checkpoint: 3, kind: .final)),
            .idle, .active, .end,
        ]
        return elements.enumerated().map { .element(channel, sequence: UInt64($0), $1) } + [.credit(channel, batches: 8)]
            + StateParcel.parcels(of: [], groups: [1], from: task, to: task, layout: 3).map { .state($0) }
    }
}
