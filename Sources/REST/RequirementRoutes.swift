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

    /// A running job changes without a restart.
    private func require(_ body: JSON, of job: JobView) async throws -> Response {
        let wanted = try Requirements.bounds(body, of: job.vertices.map { ($0.id, $0.maxParallelism) })
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

package enum Requirements {
    /// From `{vertex id: {"parallelism": {"lowerBound": n, "upperBound": n}}}`, by the number of the vertex. As in Flink every vertex is named, and -1 stands for 1
    /// and for the vertex' maximum; a lower bound may be left out. Refuses with all that is wrong. Source: Flink 2.x, `JobResourceRequirements.validate`.
    package static func bounds(_ body: JSON, of vertices: [(id: String, maxParallelism: Int)]) throws(Refusal) -> [Int: ClosedRange<Int>] {
        guard case .object(let members) = body else {
            throw Refusal(.badRequest, "the body is no object {vertex id: {\"parallelism\": {\"lowerBound\": n, \"upperBound\": n}}}")
        }
        var wanted: [Int: ClosedRange<Int>] = [:]
        var problems: [String] = []
        for (id, value) in members {
            guard let vertex = vertices.firstIndex(where: { $0.id == id }) else {
                problems.append("Job vertex [\(id)] was not found in the JobGraph.")
                continue
            }
            let (bounds, most) = (value["parallelism"], Int64(vertices[vertex].maxParallelism))
            let given = (lower: bounds["lowerBound"] == .null ? 1 : bounds["lowerBound"].integer, upper: bounds["upperBound"].integer)
            guard var (lower, upper) = given.lower.flatMap({ lower in given.upper.map { (lower, $0) } }) else {
                problems.append("Job vertex [\(id)] needs parallelism.upperBound, a whole number.")
                continue
            }
            if lower == -1 { lower = 1 }
            if upper == -1 { upper = most }
            if lower < 1 || upper < 1 {
                problems.append("Both, the requested lower bound [\(lower)] and upper bound [\(upper)] for job vertex [\(id)] must be greater than zero.")
            } else if lower > upper {
                problems.append("The requested lower bound [\(lower)] for job vertex [\(id)] is higher than the upper bound [\(upper)].")
            } else if upper > most {
                problems.append(
                    "The requested upper bound [\(upper)] for job vertex [\(id)] exceeds its maximum parallelism [\(most)]"
                        + " (pipeline.max-parallelism when the job was submitted).")
            } else {
                wanted[vertex] = Int(lower)...Int(upper)
            }
        }
        for (id, _) in vertices where !members.contains(where: { $0.0 == id }) {
            problems.append("The request is incomplete, missing job vertex [\(id)] resource requirements.")
        }
        if !problems.isEmpty { throw Refusal(.badRequest, problems.joined(separator: "\n")) }
        return wanted
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
