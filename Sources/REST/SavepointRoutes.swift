import Dataflow
import Hosts
import Hummingbird
import JobControl

extension RESTService {
    func addSavepointRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.post("/jobs/:job/savepoints") { request, context in
            let body = try await body(request, .savepoint)
            let directory = try SavepointPath.directory(body["target-directory"].string)
            let cancels = body["cancel-job"].bool ?? false
            return try await begin(
                .savepoint(try await job(context).id, kind: cancels ? .stop : .savepoint, directory: directory), trigger: body["triggerId"].string)
        }
        router.post("/jobs/:job/stop") { request, context in
            let body = try await body(request, .stop)
            let directory = try SavepointPath.directory(body["targetDirectory"].string)
            let kind: CheckpointKind = body["drain"].bool ?? false ? .drain : .stop
            return try await begin(.savepoint(try await job(context).id, kind: kind, directory: directory), trigger: body["triggerId"].string)
        }
        router.post("/jobs/:job/checkpoints") { request, context in
            try await begin(.checkpoint(try await job(context).id), trigger: try await body(request, .checkpoint)["triggerId"].string)
        }
        router.get("/jobs/:job/savepoints/:trigger") { _, context in try status(context) }
        router.get("/jobs/:job/checkpoints/:trigger") { _, context in try status(context) }
    }

    /// `trigger`: the id that the client wants to ask by.
    private func begin(_ request: ClientRequest, trigger: String?) async throws -> Response {
        try checkMayWrite()
        var generator = SystemRandomNumberGenerator()
        if let trigger, JobID(trigger) == nil { throw Refusal(.badRequest, "triggerId \(trigger): 32 hex digits are wanted") }
        let id = trigger ?? JobID.random(using: &generator).description
        if operations.knows(id) { return .json(["request-id": .string(id)], status: .accepted) }
        operations.begin(id)
        jobManager.request(request) { [operations] reply in
            switch reply {
            case .completed(let path): operations.end(id, .completed(path: path))
            case .submitted, .accepted: operations.end(id, .completed(path: ""))
            case .refused(let error): operations.end(id, .failed(error.description))
            case .unknownJob(let job): operations.end(id, .failed("Job \(job) not found"))
            }
        }
        return .json(["request-id": .string(id)], status: .accepted)
    }

    private func status(_ context: BasicRequestContext) throws -> Response {
        let id = context.parameters.get("trigger") ?? ""
        switch operations.tell(id) {
        case nil: throw Refusal(.notFound, "There is no savepoint operation with triggerId=\(id)")
        case .inProgress?: return .json(["status": ["id": "IN_PROGRESS"], "operation": nil])
        case .completed(let path)?: return .json(["status": ["id": "COMPLETED"], "operation": ["location": .string(SavepointPath.location(path))]])
        case .failed(let words)?:
            return .json([
                "status": ["id": "COMPLETED"],
                "operation": ["failure-cause": ["class": "org.apache.flink.util.SerializedThrowable", "stack-trace": .string(words)]],
            ])
        }
    }
}
