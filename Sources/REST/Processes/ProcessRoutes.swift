import Dataflow
import Hosts
import Hummingbird
import JobControl
import Synchronization

/// `ProcessHistory`, noted by the server's clockwork and read by requests.
final class Processes: Sendable {
    private let state = Mutex(ProcessHistory())

    func with<Result>(_ body: (inout sending ProcessHistory) -> sending Result) -> sending Result { state.withLock(body) }
}

extension RESTService {
    func addProcessRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        @Sendable func since(_ request: Request) -> Int64 { request.uri.queryParameters["since"].flatMap { Int64($0) } ?? 0 }
        router.get("/jobmanager/history") { request, _ in
            let (since, now) = (since(request), SystemClock.wallMilliseconds())
            return Response.json(processes.with { $0.json(nil, since: since, now: now) })
        }
        router.get("/taskmanagers/:worker/history") { request, context in
            let id = WorkerID(context.parameters.decoded("worker"))
            let (since, now) = (since(request), SystemClock.wallMilliseconds())
            // One that has left is still told of.
            if processes.with({ $0.points(id).isEmpty }) { _ = try await worker(context) }
            return Response.json(processes.with { $0.json(id, since: since, now: now) })
        }
    }

    /// Waits for nobody: who does not answer must not hold up what is looked at every second.
    func noteProcesses(_ view: ClusterView, at now: Int64) {
        let running = view.jobs.filter { !$0.status.isTerminal }.flatMap { job in
            job.vertices.flatMap(\.subtasks).compactMap { subtask in subtask.worker.flatMap { worker in subtask.metrics.map { (worker, $0) } } }
        }
        let workers = view.workers
        processes.with { $0.note(workers.map(\.id), running, at: now) }
        Task {
            await noteFigures(of: .here, nil, at: now)
            for start in stride(from: 0, to: workers.count, by: 16) {
                await withTaskGroup(of: Void.self) { group in
                    for worker in workers[start..<min(start + 16, workers.count)] {
                        group.addTask { await noteFigures(of: .worker(worker), worker.id, at: now) }
                    }
                }
            }
        }
    }

    private func noteFigures(of place: Inspected, _ id: WorkerID?, at now: Int64) async {
        guard case .figures(let figures)? = try? await ask(.figures, of: place, within: .seconds(2)) else { return }
        let byName = Dictionary(figures.map { ($0.name, $0.value) }) { first, _ in first }
        processes.with { $0.found(id, byName, at: now) }
    }
}
