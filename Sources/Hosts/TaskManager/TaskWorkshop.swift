import Columnar
import Dataflow
import Expressions
import Glibc
import JobControl
import Settings
import State
import Storage
import Synchronization
import TaskRuntime
import Wire

/// Builds tasks for a deployment, writes their snapshots and carries out commits: the work behind the TaskManager's brain that waits
/// for stores, folders and peers. Called on pool threads.
package final class TaskWorkshop: Sendable {
    private struct Job {
        var graph: JobGraph
        var store: String?
        /// The job wants what it writes to be kept here, too.
        var keepsCopies: Bool
        /// The slot of each task that was made and not removed.
        var slots: [TaskID: Int] = [:]
        /// Where the tasks are to which a planned change sends state.
        var targets: [TaskID: Route] = [:]
        /// What ends here in the layout that the newest planned change leads to.
        var channels: Set<ChannelID> = []
    }

    private let worker: WorkerID
    private let slots: [SlotThread]
    private let channels: ChannelTable
    private let network: DataNetwork?
    private let stores: Stores
    private let backup: LocalBackup?
    private let connectors: any ConnectorRegistry
    private let budget: MemoryBudget
    private let log: Log
    private let jobs = Mutex<[JobID: Job]>([:])
    /// Attempts that planned changes prepare, as long as nobody removes them. Touched only under the lock of `jobs`, too.
    private let preparing = Mutex<[JobID: UInt32]>([:])
    /// That there is no local copy: said once.
    private let hasComplained = Atomic(false)

    package init(
        worker: WorkerID, slots: [SlotThread], channels: ChannelTable, network: DataNetwork?, stores: Stores, backup: LocalBackup?,
        connectors: any ConnectorRegistry, budget: MemoryBudget, log: Log
    ) {
        self.worker = worker
        self.slots = slots
        self.channels = channels
        self.network = network
        self.stores = stores
        self.backup = backup
        self.connectors = connectors
        self.budget = budget
        self.log = log
    }

    package func slot(of task: TaskID) -> SlotThread? {
        jobs.withLock { $0[task.job]?.slots[task] }.map { slots[$0] }
    }

    package func forget(_ job: JobID) {
        dropWritten(job, before: .max)
        jobs.withLock { $0[job] = nil }
    }

    /// Without a folder what was written lies in this process, where nobody else deletes it.
    package func dropWritten(_ job: JobID, before checkpoint: CheckpointID) {
        guard jobs.withLock({ $0[job].map { $0.store == nil } }) ?? false, let memory = try? stores.store(nil) else { return }
        let prefix = "\(job)/chk-"
        for entry in (try? memory.list(prefix: prefix)) ?? [] {
            let parts = entry.key.path.dropFirst(prefix.count).split(separator: "/")
            guard let id = parts.first.flatMap({ CheckpointID($0) }), id < checkpoint, parts.last?.hasPrefix("\(worker)-") ?? false else { continue }
            try? memory.delete(entry.key)
        }
    }

    /// `prepare` follows, on another thread.
    package func willPrepare(_ deployment: Deployment) {
        jobs.withLock { _ in preparing.withLock { $0[deployment.job] = deployment.layout.attempt } }
    }

    /// From here on nothing of these attempts is put on a slot.
    package func remove(_ job: JobID, attemptsUpTo attempt: UInt32) {
        jobs.withLock { _ in preparing.withLock { if let mine = $0[job], mine <= attempt { $0[job] = nil } } }
    }

    package func removed(job: JobID, attempt: UInt32) {
        jobs.withLock { jobs in
            guard let slots = jobs[job]?.slots else { return }
            jobs[job]?.slots = slots.filter { $0.key.attempt > attempt }
        }
    }

    // MARK: Making tasks

    /// Nil, or why the tasks could not be made; then nothing of them is left.
    package func make(_ deployment: Deployment) -> StreamError? {
        do throws(StreamError) {
            let graph = try JobGraphBytes.decode(deployment.graph)
            let configuration = try Self.configuration(deployment.settings)
            let store = configuration.get(CheckpointingOptions.directory)
            let options = try Self.options(configuration)
            jobs.withLock { jobs in
                if jobs[deployment.job] == nil { jobs[deployment.job] = Job(graph: graph, store: store, keepsCopies: keepsCopies(configuration, at: store)) }
            }
            try discardLeftovers(deployment, graph)
            let origin = StateOrigin()
            let restores = try restore(deployment, graph, store: store, origin)
            let routes = try Routes(deployment: deployment, worker: worker, slots: slots, network: network)
            for subtask in deployment.subtasks {
                let plan = TaskPlan(job: deployment.job, graph: graph, layout: deployment.layout, subtask: subtask)
                let slot = slots[deployment.layout.slot(of: subtask).index]
                let task = try TaskBuilder.make(
                    plan: plan, restore: restores[subtask] ?? TaskRestore(), connectors: connectors,
                    options: options, budget: budget, wake: { slot.poke() })
                let cell = TaskCell(task: task, routes: routes.routes(of: plan, graph: graph))
                register(plan, on: slot)
                slot.post(.add(cell))
            }
            log(.info, "TaskWorkshop", Self.words(deployment, graph, origin))
            return nil
        } catch {
            log(.warning, "TaskWorkshop", "Tasks of job \(deployment.job), attempt \(deployment.layout.attempt), cannot be made: \(error)")
            return error
        }
    }

    private func register(_ plan: TaskPlan, on slot: SlotThread) {
        addEnds(of: plan, on: slot)
        jobs.withLock { $0[plan.task.job]?.slots[plan.task] = slot.index }
    }

    private func addEnds(of plan: TaskPlan, on slot: SlotThread) {
        for input in plan.inputs {
            for channel in input.channels { channels.add(receiving: channel, .init(slot: slot, task: plan.task, types: input.types)) }
        }
        for output in plan.outputs {
            for channel in output.channels { channels.add(sending: channel, .init(slot: slot, task: plan.task, types: [])) }
        }
        channels.add(plan.task, on: slot)
    }

    // MARK: Planned changes

    /// Nil, or why the tasks that begin could not be made. After `willPrepare`.
    package func prepare(_ deployment: Deployment) -> StreamError? {
        var cells: [TaskCell] = []
        do throws(StreamError) {
            guard let previous = deployment.previous else { throw StreamError(.internal, retry: false, "a change from no layout") }
            let graph = try JobGraphBytes.decode(deployment.graph)
            let configuration = try Self.configuration(deployment.settings)
            let store = configuration.get(CheckpointingOptions.directory)
            let options = try Self.options(configuration)
            let (job, next) = (deployment.job, deployment.layout)
            let change = LayoutChange(job: job, graph: graph, from: previous, to: next)
            let hasTasks = jobs.withLock { jobs in
                if jobs[job] == nil { jobs[job] = Job(graph: graph, store: store, keepsCopies: keepsCopies(configuration, at: store)) }
                return !(jobs[job]?.slots.isEmpty ?? true)
            }
            // What is open then is of a change that was dropped, maybe long ago: nobody listens for its end.
            if !hasTasks { network?.close(job: job, attemptsUpTo: .max) }
            let routes = try Routes(deployment: deployment, worker: worker, slots: slots, network: network)
            let targets = Dictionary(uniqueKeysWithValues: next.subtasks.map { (next.task($0, of: job), routes.route(to: $0)) })
            for subtask in deployment.subtasks {
                let plan = TaskPlan(job: job, graph: graph, layout: next, subtask: subtask)
                let slot = slots[next.slot(of: subtask).index]
                let task = try TaskBuilder.make(plan: plan, connectors: connectors, options: options, budget: budget, wake: { slot.poke() })
                task.begin(with: TaskChange(change, for: plan.task))
                cells.append(TaskCell(task: task, routes: routes.routes(of: plan, graph: graph)))
            }
            // All that takes long is done. What follows is one step, so that it comes before a removal or not at all.
            let isWanted = jobs.withLock { jobs in
                guard preparing.withLock({ $0[job] == next.attempt }), var here = jobs[job] else { return false }
                here.targets = targets
                here.channels = []
                for task in change.old.tasks(of: job) {
                    guard let index = here.slots[task] else { continue }
                    var new: [ChannelID: Route] = [:]
                    if change.new.has(task) {
                        let plan = TaskPlan(job: job, graph: graph, layout: next, subtask: task.subtask)
                        new = routes.routes(of: plan, graph: graph)
                        here.channels.formUnion(new.keys)
                        addEnds(of: plan, on: slots[index])
                    }
                    slots[index].post(.prepare(task, TaskChange(change, for: task), new))
                }
                for cell in cells {
                    let slot = slots[next.slot(of: cell.id.subtask).index]
                    here.channels.formUnion(cell.routes.keys)
                    here.slots[cell.id] = slot.index
                    addEnds(of: cell.task.plan, on: slot)
                    slot.post(.add(cell))
                    slot.post(.command(cell.id, .start))
                }
                jobs[job] = here
                return true
            }
            if isWanted { return nil }
            network?.close(job: job, attemptsUpTo: next.attempt)
            throw StreamError(.internal, retry: true, "attempt \(next.attempt) of job \(job) was removed while it was prepared")
        } catch {
            // No thread has them.
            for cell in cells { cell.task.close() }
            return error
        }
    }

    /// A planned change is over: what only the layout before it had is forgotten.
    package func keep(_ job: JobID) {
        guard let kept = jobs.withLock({ $0[job]?.channels }) else { return }
        channels.keep(kept, of: job)
        for slot in slots { slot.post(.keep(kept, of: job)) }
    }

    package func retired(_ tasks: Set<TaskID>) {
        jobs.withLock { jobs in
            for task in tasks { jobs[task.job]?.slots[task] = nil }
        }
    }

    /// Encodes state and sends it to its new owner, as fast as the connection takes it. Answers how many bytes it was; throws when nobody knows
    /// where that owner is.
    package func handOver(
        _ operators: [OperatorSnapshot], _ departure: LayoutChange.Departure, _ layout: LayoutEpoch, isAhead: Bool, from task: TaskID
    ) throws(StreamError) -> Int {
        let target = departure.to
        let (route, isHere) = jobs.withLock { ($0[task.job]?.targets[target], $0[task.job]?.slots[task] != nil) }
        // With its attempt a task goes, and what it owes.
        guard isHere else { return 0 }
        guard let route else { throw StreamError(.internal, retry: true, "no way is known to task \(target), which gets state of \(task)") }
        let bytes = StateParcel.bytes(of: operators, groups: departure.groups)
        budget.charge(handOver: bytes.count)
        defer { budget.release(handOver: bytes.count) }
        for number in 0..<StateParcel.count(of: bytes) {
            let parcel = StateParcel.parcel(bytes, number, from: task, to: target, layout: layout, isAhead: isAhead)
            switch route {
            case .slot(let slot, _): slot.post(.command(target, .state(parcel)))
            case .peer(let link):
                guard waitForRoom(on: link, from: task, to: target) else { return 0 }
                link.send(DataMessage.state(parcel).encode())
            }
        }
        return bytes.count
    }

    /// False: nobody wants it any more, or the peer takes nothing.
    private func waitForRoom(on link: any Link, from task: TaskID, to target: TaskID) -> Bool {
        var window = HandOverWindow(since: SystemClock.instant())
        while true {
            switch window.look(pending: link.pendingBytes, at: SystemClock.instant()) {
            case .open: return true
            case .full:
                // With its attempt a task goes, and what it owes; with the next change the way to who would have got it in a dropped one.
                guard jobs.withLock({ $0[task.job]?.slots[task] != nil && $0[task.job]?.targets[target] != nil }) else { return false }
                usleep(500)
            case .stuck:
                link.close(reason: "nothing of the state that was handed over has left for \(HandOverWindow.patience)")
                return false
            }
        }
    }

    /// What was deployed, and from where its state came.
    private static func words(_ deployment: Deployment, _ graph: JobGraph, _ origin: StateOrigin) -> String {
        let names = deployment.subtasks.sorted().map {
            "\(graph.vertices[$0.vertex].name) (\($0.index + 1)/\(deployment.layout.vertices[$0.vertex].parallelism)) as \($0)"
        }
        var text = "Deployed job \(graph.name) (\(deployment.job)), attempt \(deployment.layout.attempt): \(names.joined(separator: ", "))"
        if let plan = deployment.restore {
            text += "; restored from checkpoint \(plan.checkpoint), \(plan.objects.reduce(0) { $0 + $1.bytes }) bytes in \(plan.objects.count) objects:"
            text += " read \(origin.copied) bytes from local copies, \(origin.stored) from the store"
        }
        return text
    }

    private static func configuration(_ settings: [String: String]) throws(StreamError) -> Configuration {
        do throws(ConfigError) { return try Configuration(values: settings) } catch {
            throw StreamError(.user, retry: false, error.description)
        }
    }

    private static func options(_ configuration: Configuration) throws(StreamError) -> TaskOptions {
        TaskOptions(zone: try zone(of: configuration))
    }

    /// Whoever has a sink's first subtask clears what older attempts left, before any writer of this attempt starts.
    private func discardLeftovers(_ deployment: Deployment, _ graph: JobGraph) throws(StreamError) {
        for subtask in deployment.subtasks where subtask.index == 0 {
            guard let spec = graph.vertices[subtask.vertex].sink else { continue }
            let kept = deployment.committables.filter { $0.vertex == subtask.vertex }.map(\.committable)
            do throws(StreamError) {
                try connectors.sink(spec).discard(
                    job: deployment.job, vertex: subtask.vertex, attemptsBelow: deployment.layout.attempt, keeping: kept)
            } catch {
                throw error.during("sink \(spec.table)")
            }
        }
    }

    private func restore(
        _ deployment: Deployment, _ graph: JobGraph, store uri: String?, _ origin: StateOrigin
    ) throws(StreamError) -> [SubtaskID: TaskRestore] {
        guard let plan = deployment.restore else { return [:] }
        var restores: [SubtaskID: TaskRestore] = [:]
        for object in plan.objects {
            do throws(StreamError) {
                for (subtask, state) in try restore(object, plan, deployment, store: plan.store ?? uri, origin) { restores[subtask, default: TaskRestore()].add(state) }
            } catch {
                let placed = error.during("checkpoint \(plan.checkpoint)").during("object \(object.key)")
                // Somebody else's, who may delete it too early.
                throw plan.store.map { placed.during("restoring from \($0), which is needed until the job has a checkpoint of its own") } ?? placed
            }
        }
        return restores
    }

    private func restore(
        _ object: Manifest.StateObject, _ plan: Deployment.Restore, _ deployment: Deployment, store uri: String?, _ origin: StateOrigin
    ) throws(StreamError) -> [(SubtaskID, TaskRestore)] {
        if plan.store == nil, let copy = backup?.copy(of: object) {
            do throws(StreamError) {
                return try state(of: object, plan, deployment) { range throws(StreamError) in
                    let bytes = try copy.read(range)
                    origin.copied += bytes.count
                    return bytes
                }
            } catch {
                log(.warning, "TaskWorkshop", "Object \(object.key) is read from the store, its local copy is of no use: \(error)")
                backup?.drop(object)
            }
        }
        let read = try reader(of: object, in: uri)
        return try state(of: object, plan, deployment) { range throws(StreamError) in
            let bytes = try read(range)
            origin.stored += bytes.count
            return bytes
        }
    }

    private func state(
        of object: Manifest.StateObject, _ plan: Deployment.Restore, _ deployment: Deployment, read: SnapshotObject.Read
    ) throws(StreamError) -> [(SubtaskID, TaskRestore)] {
        let index = try SnapshotObject.index(length: object.bytes, read: read)
        var states: [(SubtaskID, TaskRestore)] = []
        for subtask in deployment.subtasks {
            guard let vertex = plan.vertices[subtask.vertex] else { continue }
            let new = deployment.layout.vertices[subtask.vertex]
            // Units go to the subtask of the same number; those of subtasks that are no more, round robin.
            let units = (0..<plan.parallelism[vertex]).filter { $0 % new.parallelism == subtask.index }
            states.append((subtask, try index.restore(vertex: vertex, groups: Set(new.groups(of: subtask.index)), unitsOf: Set(units), read: read)))
        }
        return states
    }

    private func reader(of object: Manifest.StateObject, in uri: String?) throws(StreamError) -> SnapshotObject.Read {
        do throws(StoreError) {
            let store = try stores.store(uri)
            let key = try ObjectKey(object.key)
            return { (range: Range<Int>) throws(StreamError) -> [UInt8] in
                do throws(StoreError) { return try store.get(key, range: range) } catch { throw StreamError(error) }
            }
        } catch {
            throw StreamError(error)
        }
    }

    /// Where the store is this machine's, copies would be of no use.
    private func keepsCopies(_ configuration: Configuration, at uri: String?) -> Bool {
        configuration.get(CheckpointingOptions.localBackup) && (try? stores.store(uri)) is S3Store
    }

    // MARK: Snapshots and commits

    /// Writes one object with these snapshots, tells the result, then keeps a copy of it.
    package func upload(
        job: JobID, attempt: UInt32, _ checkpoint: CheckpointID, folder: String, store uri: String?, _ snapshots: [TaskSnapshot],
        then tell: (Result<Upload, StreamError>) -> Void
    ) {
        var written: (Manifest.StateObject, [UInt8])?
        tell(upload(job: job, attempt: attempt, folder: folder, store: uri, snapshots, &written))
        guard let (object, bytes) = written else { return }
        defer { budget.release(upload: bytes.count) }
        // A savepoint is restored from by people.
        guard uri == nil, let backup, jobs.withLock({ $0[job]?.keepsCopies }) ?? false else { return }
        guard let reason = backup.keep(object, bytes, of: job, checkpoint: checkpoint), !hasComplained.exchange(true, ordering: .relaxed) else { return }
        log(.warning, "TaskWorkshop", "No local copy of checkpoint \(checkpoint) of job \(job), nor perhaps of later ones: \(reason)")
    }

    /// `written` is charged to the budget.
    private func upload(
        job: JobID, attempt: UInt32, folder: String, store uri: String?, _ snapshots: [TaskSnapshot], _ written: inout (Manifest.StateObject, [UInt8])?
    ) -> Result<Upload, StreamError> {
        let start = SystemClock.instant()
        let bytes: [UInt8]
        var sizes: [SubtaskID: Int64] = [:]
        var groups: [SubtaskID: [Int: Int64]] = [:]
        var committables: [SubtaskID: [Committable]] = [:]
        do throws(StreamError) {
            var finished: [TaskSnapshot] = []
            for snapshot in snapshots { finished.append(try snapshot.finished()) }
            for snapshot in finished where !snapshot.committables.isEmpty { committables[snapshot.subtask] = snapshot.committables }
            bytes = SnapshotObject.encode(finished)
            let index = try SnapshotObject.index(length: bytes.count, read: { (range: Range<Int>) throws(StreamError) in Array(bytes[range]) })
            for owner in index.owners {
                sizes[owner.subtask, default: 0] += owner.entries.reduce(0) { $0 + Int64($1.length) }
                for entry in owner.entries { if let group = entry.keyGroup { groups[owner.subtask, default: [:]][group, default: 0] += Int64(entry.length) } }
            }
        } catch {
            return .failure(error)
        }
        func elapsed() -> Int64 { (SystemClock.instant().nanoseconds - start.nanoseconds) / 1_000_000 }
        guard !sizes.isEmpty else { return .success(Upload(object: nil, bytes: [:], committables: committables, milliseconds: elapsed())) }
        guard budget.charge(upload: bytes.count) else {
            return .failure(StreamError(
                .memory, retry: true, "no memory for a state object of \(bytes.count) bytes beside the \(budget.held) that tasks hold"
                    + " (taskmanager.memory.process.size)"))
        }
        do throws(StoreError) {
            let store = try stores.store(uri ?? jobs.withLock { $0[job]?.store })
            let key = try ObjectKey("\(folder)/\(worker)-\(attempt)")
            _ = try store.put(key, bytes, .ifNoneMatch)
            let object = Manifest.StateObject(
                key: key.path, bytes: bytes.count, checksum: Checksum.crc32c(bytes), subtasks: snapshots.map(\.subtask))
            written = (object, bytes)
            return .success(Upload(object: object, bytes: sizes, groups: groups, committables: committables, milliseconds: elapsed()))
        } catch {
            budget.release(upload: bytes.count)
            return .failure(StreamError(error).during("state of \(snapshots.count) tasks, \(bytes.count) bytes"))
        }
    }

    /// Carries out what it can; answers the ids that are done and the first error.
    package func commit(job: JobID, _ pending: [Manifest.PendingCommit]) -> (ids: [String], StreamError?) {
        guard let graph = jobs.withLock({ $0[job]?.graph }) else {
            return ([], StreamError(.internal, retry: true, "the job is not known here"))
        }
        var done: [String] = []
        var first: StreamError?
        for (vertex, group) in Dictionary(grouping: pending, by: \.vertex).sorted(by: { $0.key < $1.key }) {
            guard vertex < graph.vertices.count, let spec = graph.vertices[vertex].sink else { continue }
            do throws(StreamError) {
                try connectors.sink(spec).commit(group.map(\.committable))
                done += group.map(\.committable.id)
            } catch {
                if first == nil { first = error.during("commit of sink \(spec.table)") }
            }
        }
        return (done, first)
    }
}

/// Bytes that one restore read, by where from.
private final class StateOrigin {
    var copied = 0
    var stored = 0
}

extension StreamError {
    init(_ error: StoreError) { self.init(.externalSystem, retry: error.retry, error.description) }
}
