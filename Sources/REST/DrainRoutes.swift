import Dataflow
import Hummingbird
import JobControl
import Settings
import Wire

/// Emptying a TaskManager: what SIGTERM does, asked for from outside.
extension RESTService {
    func addDrainRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.post("/taskmanagers/:worker/drain") { request, context in
            try checkMayWrite()
            return try await drain(WorkerID(context.parameters.get("worker") ?? ""), try await body(request, .drain))
        }
    }

    /// `{"reason": text, "timeout": milliseconds, "end": flag}`, all optional. Its tasks move to others at a barrier; then the process ends, or,
    /// with `"end": false`, stays without tasks until it is ended. Answered when the TaskManager has been told; `/taskmanagers/:id` shows the rest.
    private func drain(_ worker: WorkerID, _ body: JSON) async throws -> Response {
        let milliseconds = body["timeout"].integer ?? configuration.get(TaskManagerOptions.evacuationTimeout).milliseconds
        guard milliseconds > 0 else { throw Refusal(.badRequest, "timeout must be milliseconds above 0") }
        let leave = Leave(reason: body["reason"].string ?? "it is drained", milliseconds: milliseconds, ends: body["end"].bool ?? true)
        switch await jobManager.request(.drain(worker, leave)) {
        case .accepted: return .json([:], status: .accepted)
        case .refused(let error): throw Refusal(.notFound, error.message)
        case .submitted, .completed, .unknownJob: throw Refusal(.internalServerError, "the request had an unexpected answer")
        }
    }
}
