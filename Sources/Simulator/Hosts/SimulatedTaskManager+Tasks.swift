import Dataflow
import State
import TaskRuntime
import Wire

/// An attempt's tasks on one TaskManager.
struct DeployedAttempt {
    let job: JobID
    let attempt: UInt32
    /// Their making has begun; a removal in the meantime ends it.
    var tasks: [TaskID]
}

extension SimulatedTaskManager {
    // MARK: Making

    /// Fetches the state, opens the connections, then makes all tasks at once.
    func make(_ deployment: Deployment) {
        let (job, attempt) = (deployment.job, deployment.layout.attempt)
        deployments.append(DeployedAttempt(job: job, attempt: attempt, tasks: []))
        guard let graph = cluster.graph(of: deployment.graph) else { return cluster.broken("Wire", "a job graph is malformed") }
        graphs[job] = graph
        let keys = deployment.restore?.objects.map(\.key) ?? []
        fetch(keys, store: deployment.restore?.store, got: [:]) { [self] result in
            switch result {
            case .failure(let error): tell(.made(job: job, attempt: attempt, error))
            case .success(let objects):
                open(deployment.peers.map(\.worker).filter { $0 != id }) { [self] error in
                    if let error { return tell(.made(job: job, attempt: attempt, error)) }
                    tell(.made(job: job, attempt: attempt, build(deployment, graph, objects)))
                }
            }
        }
    }

    private func fetch(
        _ keys: [String], store: String?, got: [String: [UInt8]], tries: Int = 0,
        then: @escaping (Result<[String: [UInt8]], StreamError>) -> Void
    ) {
        guard let key = keys.first else { return then(.success(got)) }
        cluster.store.perform(.get(key: key), in: self.store(store)) { [self] answer in
            inside { [self] in
                switch answer {
                case .got(let bytes, _): fetch(Array(keys.dropFirst()), store: store, got: got.merging([key: bytes]) { $1 }, then: then)
                case .failed(let reason, _) where tries < 3:
                    _ = reason
                    after(.milliseconds(200)) { [self] in fetch(keys, store: store, got: got, tries: tries + 1, then: then) }
                case .failed(let reason, _): then(.failure(StreamError(.externalSystem, retry: true, "\(key): \(reason)")))
                default: then(.failure(StreamError(.externalSystem, retry: false, "\(key) is not there")))
                }
            }
        }
    }

    private func build(_ deployment: Deployment, _ graph: JobGraph, _ objects: [String: [UInt8]]) -> StreamError? {
        let (job, attempt) = (deployment.job, deployment.layout.attempt)
        // It was removed while its state was fetched.
        guard let place = deployments.firstIndex(where: { $0.job == job && $0.attempt == attempt }) else { return nil }
        do throws(StreamError) {
            for vertex in graph.sinks where deployment.subtasks.contains(SubtaskID(vertex: vertex, index: 0)) {
                guard let spec = graph.vertices[vertex].sink else { continue }
                try connectors.sink(spec).discard(
                    job: job, vertex: vertex, attemptsBelow: attempt,
                    keeping: deployment.committables.filter { $0.vertex == vertex }.map(\.committable))
            }
            var made: [SimulatedTask] = []
            for subtask in deployment.subtasks {
                let plan = TaskPlan(job: job, graph: graph, layout: deployment.layout, subtask: subtask)
                let waker = SimulatedTask.Waker()
                let task = try TaskBuilder.make(
                    plan: plan, restore: try state(of: subtask, deployment, objects), connectors: connectors(of: attempt), options: cluster.taskOptions,
                    wake: { waker.wake() })
                made.append(SimulatedTask(id: plan.task, task: task, host: self))
                waker.task = made.last
                route(plan, deployment.layout, graph)
            }
            for task in made {
                tasks[task.id] = task
                deployments[place].tasks.append(task.id)
                cluster.see(.taskStarted(task.id, on: id))
            }
            return nil
        } catch { return error }
    }

    /// As the server does it: its key groups from every object, its own units and those of subtasks that are no more.
    private func state(of subtask: SubtaskID, _ deployment: Deployment, _ objects: [String: [UInt8]]) throws(StreamError) -> TaskRestore {
        var state = TaskRestore()
        guard let restore = deployment.restore, let vertex = restore.vertices[subtask.vertex] else { return state }
        let layout = deployment.layout.vertices[subtask.vertex]
        let units = (0..<restore.parallelism[vertex]).filter { $0 % layout.parallelism == subtask.index }
        for object in restore.objects {
            guard let bytes = objects[object.key] else { continue }
            let read: SnapshotObject.Read = { range in Array(bytes[range]) }
            let index = try SnapshotObject.index(length: object.bytes, read: read)
            state.add(try index.restore(vertex: vertex, groups: Set(layout.groups(of: subtask.index)), unitsOf: Set(units), read: read))
        }
        return state
    }

    func command(_ command: TaskCommand, of job: JobID, _ attempt: UInt32) {
        for task in tasks.keys.sorted() where task.job == job && task.attempt == attempt { tasks[task]?.tell(command) }
    }

    func remove(_ job: JobID, attempt: UInt32) {
        deployments.removeAll { $0.job == job && $0.attempt <= attempt }
        // A task ends between two steps.
        after(cluster.chance.duration(.zero, .milliseconds(20))) { [self] in
            for task in tasks.keys.sorted() where task.job == job && task.attempt <= attempt {
                tasks.removeValue(forKey: task)?.remove()
                cluster.see(.taskGone(task, on: id))
            }
            incoming = incoming.filter { $0.key.job != job || $0.key.attempt > attempt }
            outgoing = outgoing.filter { $0.key.job != job || $0.key.attempt > attempt }
            tell(.removed(job: job, attempt: attempt))
        }
    }

    var connectors: SimulatedConnectors { cluster.connectors(clock, host: self) }

    func connectors(of attempt: UInt32) -> SimulatedConnectors {
        var connectors = connectors
        connectors.attempt = attempt
        return connectors
    }

    // MARK: Checkpoints

    /// Where the job's state is written: without a folder, in this process.
    private func store(_ named: String?) -> String { named ?? cluster.job.options.checkpointDirectory ?? "memory of \(id)" }

    func upload(_ job: JobID, _ attempt: UInt32, _ checkpoint: CheckpointID, folder: String, store: String?, _ snapshots: [TaskSnapshot]) {
        let began = time
        // Frozen state is turned into bytes later, while its task goes on; sinks' uploads may take longer still.
        var delay = cluster.chance.duration(.milliseconds(1), .milliseconds(50))
        if delay.nanoseconds % 10 == 0 { delay = delay * 20 }
        after(delay) { [self] in
            let finished: [TaskSnapshot]
            do throws(StreamError) {
                var all: [TaskSnapshot] = []
                for snapshot in snapshots { all.append(try snapshot.finished()) }
                finished = all
            } catch {
                return tell(.uploaded(job: job, attempt: attempt, checkpoint: checkpoint, .failure(error)))
            }
            for unit in finished.flatMap(\.operators) where unit.uid == "sink" && cluster.job.bucket != nil {
                if let bytes = unit.unit { cluster.see(.sinkUnit(checkpoint, bytes)) }
            }
            let bytes = SnapshotObject.encode(finished)
            let committables = Dictionary(uniqueKeysWithValues: finished.map { ($0.subtask, $0.committables) })
            var sizes: [SubtaskID: Int64] = [:]
            for snapshot in finished where !snapshot.operators.isEmpty { sizes[snapshot.subtask] = Int64(bytes.count / finished.count) }
            func answer(_ result: Result<Manifest.StateObject?, StreamError>) {
                tell(
                    .uploaded(
                        job: job, attempt: attempt, checkpoint: checkpoint,
                        result.map { Upload(object: $0, bytes: sizes, committables: committables, milliseconds: (time - began).milliseconds) }))
            }
            guard !sizes.isEmpty else { return answer(.success(nil)) }
            let key = "\(folder)/\(id)-\(attempt)"
            cluster.store.perform(.put(key: key, bytes, .ifNoneMatch), in: self.store(store)) { [self] result in
                inside {
                    guard case .put = result else {
                        return answer(.failure(StreamError(.externalSystem, retry: true, "\(key): \(result.summary)")))
                    }
                    let object = Manifest.StateObject(
                        key: key, bytes: bytes.count, checksum: Checksum.crc32c(bytes), subtasks: snapshots.map(\.subtask))
                    answer(.success(object))
                }
            }
        }
    }

    func commit(_ job: JobID, _ checkpoint: CheckpointID, _ commits: [Manifest.PendingCommit]) {
        let ids = commits.map(\.committable.id)
        cluster.see(.committing(checkpoint, ids: ids))
        cluster.trace.note(time, "\(id)", "commits \(checkpoint) \(ids)")
        let outcome = cluster.commitOutcome()
        after(outcome.delay) { [self] in
            var error: StreamError?
            do throws(StreamError) {
                for vertex in Set(commits.map(\.vertex)).sorted() {
                    guard let spec = graphs[job]?.vertices[vertex].sink else {
                        throw StreamError(.internal, retry: true, "the job of a commit is not known here")
                    }
                    let all = commits.filter { $0.vertex == vertex }.map(\.committable)
                    // A failure may come when some are carried out.
                    try connectors.sink(spec).commit(Array(all.prefix(outcome.share(of: all.count))))
                }
                if outcome.repeats { try repeatCommit(job, commits) }
                if outcome.fails { throw StreamError(.externalSystem, retry: true, "the sink is not reachable") }
            } catch let failure { error = failure }
            cluster.lookAtCommits()
            tell(.committed(job: job, checkpoint: checkpoint, ids: error == nil ? ids : [], error))
        }
    }

    private func repeatCommit(_ job: JobID, _ commits: [Manifest.PendingCommit]) throws(StreamError) {
        for vertex in Set(commits.map(\.vertex)).sorted() {
            guard let spec = graphs[job]?.vertices[vertex].sink else { continue }
            try connectors.sink(spec).commit(commits.filter { $0.vertex == vertex }.map(\.committable).reversed())
        }
    }
}
