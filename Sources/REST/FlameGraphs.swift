import Dataflow
import HTTPTypes
import Hosts
import Hummingbird
import JobControl
import Settings
import Synchronization

/// Stacks of a vertex's tasks, taken when somebody asks and kept for a while: who asks meanwhile sees the same ones.
final class FlameGraphs: Sendable {
    private struct Key: Hashable {
        var job: JobID
        var vertex: Int
    }

    private struct Entry {
        var stacks: [StackCount] = []
        /// When they were complete, milliseconds since the epoch; nil: never yet.
        var taken: Int64?
        var isBeingTaken = false
    }

    private static let maximumEntries = 100
    private let entries = Mutex<[Key: Entry]>([:])

    /// What there is, and whether the caller is to take new ones.
    func look(_ job: JobID, _ vertex: Int, freshFor milliseconds: Int64, now: Int64) -> (stacks: [StackCount], taken: Int64?, isDue: Bool) {
        entries.withLock { entries in
            if entries.count > FlameGraphs.maximumEntries { entries = entries.filter { $0.value.isBeingTaken } }
            var entry = entries[Key(job: job, vertex: vertex)] ?? Entry()
            let isDue = !entry.isBeingTaken && entry.taken.map { now - $0 > milliseconds } ?? true
            if isDue { entry.isBeingTaken = true }
            entries[Key(job: job, vertex: vertex)] = entry
            return (entry.stacks, entry.taken, isDue)
        }
    }

    /// Nil: it failed; the next one tries again.
    func taken(_ job: JobID, _ vertex: Int, _ stacks: [StackCount]?, now: Int64) {
        entries.withLock { entries in
            let key = Key(job: job, vertex: vertex)
            entries[key, default: Entry()].isBeingTaken = false
            guard let stacks else { return }
            entries[key] = Entry(stacks: stacks, taken: now)
        }
    }
}

extension RESTService {
    func addFlameGraphRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/jobs/:job/vertices/:vertex/flamegraph") { request, context in
            let job = try await job(context)
            let vertex = try vertex(context, of: job)
            let query = request.uri.queryParameters
            let kind = query["type"].map { $0.lowercased() } ?? "full"
            guard ["full", "on_cpu", "off_cpu"].contains(kind) else { throw Refusal(.badRequest, "type \(kind) is not known; there are: FULL, ON_CPU, OFF_CPU") }
            var subtask: UInt32?
            if let text = query["subtaskindex"] { subtask = UInt32(try self.subtask(String(text), of: job.vertices[vertex]).id.index) }
            // Flink's words for "disabled" and for "not yet".
            guard configuration.get(RestOptions.flamegraph) else { return Response.json(["endTimestamp": -2]) }
            let fresh = configuration.get(RestOptions.flamegraphRefresh).milliseconds
            let (stacks, taken, isDue) = flames.look(job.id, vertex, freshFor: fresh, now: SystemClock.wallMilliseconds())
            if isDue { Task { await sample(job, vertex) } }
            guard let taken else { return Response.json(["endTimestamp": -3]) }
            let wanted = stacks.filter { stack in
                (kind == "full" || stack.isOnCPU == (kind == "on_cpu")) && (subtask == nil || stack.subtask == subtask || stack.subtask == .max)
            }
            return Response.json(["endTimestamp": .integer(taken), "data": JSON(flames: wanted)])
        }
    }

    /// Asks every TaskManager with a task of the vertex, all for the same time.
    private func sample(_ job: JobView, _ vertex: Int) async {
        let places = Set(job.vertices[vertex].subtasks.compactMap(\.worker))
        let workers = await jobManager.recentView().workers.filter { places.contains($0.id) }
        let rounds = configuration.get(RestOptions.flamegraphSamples)
        let pause = max(5, configuration.get(RestOptions.flamegraphDelay).milliseconds)
        let question = Question.samples(of: job.id, vertex: UInt32(vertex), rounds: UInt32(clamping: rounds), milliseconds: UInt32(clamping: pause))
        let patience = Duration.milliseconds(Int64(rounds) * pause * 2 + 10_000)
        let stacks = await withTaskGroup(of: [StackCount]?.self) { group in
            for worker in workers {
                group.addTask {
                    guard case .samples(let stacks)? = try? await ask(question, of: .worker(worker), within: patience) else { return nil }
                    return stacks
                }
            }
            var all: [StackCount]?
            for await stacks in group { if let stacks { all = (all ?? []) + stacks } }
            return all
        }
        flames.taken(job.id, vertex, stacks, now: SystemClock.wallMilliseconds())
    }
}

extension JSON {
    /// A tree of `{name, value, children}`: how often a function was seen, and below it what it had called.
    package init(flames stacks: [StackCount]) {
        final class Node {
            let name: String
            var value: Int64 = 0
            var children: [Node] = []
            init(_ name: String) { self.name = name }

            var json: JSON {
                ["name": .string(name), "value": .integer(value), "children": .array(children.sorted { $0.value > $1.value }.map(\.json))]
            }
        }
        let root = Node("root")
        for stack in stacks {
            root.value += Int64(stack.count)
            var node = root
            for frame in stack.frames {
                let child: Node
                if let known = node.children.first(where: { $0.name == frame }) {
                    child = known
                } else {
                    child = Node(frame)
                    node.children.append(child)
                }
                child.value += Int64(stack.count)
                node = child
            }
        }
        self = root.json
    }
}
