import Dataflow
import Hummingbird
import JobControl

/// How many subtasks a job's vertices may have; as in Flink's adaptive scheduler.
extension RESTService {
    func addRequirementRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/jobs/:job/resource-requirements") { _, context in
            let job = try await job(context)
            return Response.json(
                .object(
                    zip(job.vertices, job.bounds).map { vertex, bounds in
                        let parallelism: JSON = ["lowerBound": .integer(Int64(bounds.lowerBound)), "upperBound": .integer(Int64(bounds.upperBound))]
                        return (vertex.id, ["parallelism": parallelism])
                    }))
        }
        router.put("/jobs/:job/resource-requirements") { request, context in
            try checkMayWrite()
            return try await require(try await body(request), of: try await job(context))
        }
    }

    /// `{vertex id: {"parallelism": {"lowerBound": n, "upperBound": n}}}`: a running job changes without a restart.
    private func require(_ body: JSON, of job: JobView) async throws -> Response {
        if body.members.isEmpty { throw Refusal(.badRequest, "the body names no vertex: {vertex id: {\"parallelism\": {\"lowerBound\": n, \"upperBound\": n}}}") }
        var wanted: [Int: ClosedRange<Int>] = [:]
        for (id, value) in body.members {
            guard let vertex = job.vertices.firstIndex(where: { $0.id == id }) else { throw Refusal(.badRequest, "job \(job.id) has no vertex \(id)") }
            let bounds = value["parallelism"]
            guard let upper = bounds["upperBound"].integer, upper >= 1, upper <= 32_767 else {
                throw Refusal(.badRequest, "vertex \(id) needs parallelism.upperBound, from 1 to 32767")
            }
            guard upper <= job.vertices[vertex].maxParallelism else {
                throw Refusal(
                    .badRequest,
                    "The requested upper bound [\(upper)] for job vertex [\(id)] exceeds its maximum parallelism [\(job.vertices[vertex].maxParallelism)]"
                        + " (pipeline.max-parallelism when the job was submitted)")
            }
            guard let lower = bounds["lowerBound"] == .null ? 1 : bounds["lowerBound"].integer, lower >= 1, lower <= upper else { throw Refusal(.badRequest, "vertex \(id): lowerBound must be from 1 to upperBound") }
            wanted[vertex] = Int(lower)...Int(upper)
        }
        // It is kept, as in Flink: slots may come.
        switch await jobManager.request(.requirements(job.id, wanted)) {
        case .accepted:
            let held = job.vertices.map(\.parallelism).max() ?? 0
            guard let words = RequirementShortage.words(wanted, held: held, free: await jobManager.recentView().freeSlots) else { return .json([:]) }
            log(.warning, "RESTService", "Job \(job.name) (\(job.id)): \(words)")
            return .json(["warnings": [.string(words)]])
        case .refused(let error): throw Refusal(.badRequest, error.description)
        case .submitted, .completed, .unknownJob: throw Refusal(.internalServerError, "the request had an unexpected answer")
        }
    }
}

package enum RequirementShortage {
    /// What is missing for the least that is wanted; nil: nothing. A slot holds one subtask of each vertex.
    package static func words(_ wanted: [Int: ClosedRange<Int>], held: Int, free: Int) -> String? {
        guard let least = wanted.values.map(\.lowerBound).max(), least > held + free else { return nil }
        return "\(least) subtasks are wanted at least, and there are slots for \(held + free): the job goes on as it is until more slots come;"
            + " after a failure it waits for them"
    }
}
