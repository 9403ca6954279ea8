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
            let job = try await job(context).id
            return try begin(.savepoint(job, kind: cancels ? .stop : .savepoint, directory: directory), of: job, trigger: body["triggerId"].string)
        }
        router.post("/jobs/:job/stop") { request, context in
            let body = try await body(request, .stop)
            let directory = try SavepointPath.directory(body["targetDirectory"].string)
            let kind: CheckpointKind = body["drain"].bool ?? false ? .drain : .stop
            let job = try await job(context).id
            return try begin(.savepoint(job, kind: kind, directory: directory), of: job, trigger: body["triggerId"].string)
        }
        router.post("/jobs/:job/checkpoints") { request, context in
            let (body, job) = (try await body(request, .checkpoint), try await job(context).id)
            return try begin(.checkpoint(job), of: job, isCheckpoint: true, trigger: body["triggerId"].string)
        }
        router.get("/jobs/:job/savepoints/:trigger") { _, context in try status(context, isCheckpoint: false) }
        router.get("/jobs/:job/checkpoints/:trigger") { _, context in try status(context, isCheckpoint: true) }
    }

    /// `trigger`: the id that the client wants to ask by. Who asks again by the same one is answered as before, and nothing begins a second time.
    private func begin(_ request: ClientRequest, of job: JobID, isCheckpoint: Bool = false, trigger: String?) throws -> Response {
        try checkMayWrite()
        let id: JobID
        if let trigger {
            guard let given = JobID(trigger) else { throw Refusal(.badRequest, "triggerId \(trigger): 32 hex digits are wanted") }
            id = given
        } else {
            var generator = SystemRandomNumberGenerator()
            id = JobID.random(using: &generator)
        }
        let key = Operations.Key(job: job, isCheckpoint: isCheckpoint, trigger: id)
        let answer = Response.json(["request-id": .string(id.description)], status: .accepted)
        guard operations.begin(key) else { return answer }
        jobManager.request(request) { [operations] reply in
            switch reply {
            case .completed(let path): operations.end(key, .completed(path: path))
            case .submitted, .accepted: operations.end(key, .completed(path: ""))
            case .refused(let error): operations.end(key, .failed(error.description))
            case .unknownJob(let job): operations.end(key, .failed("Job \(job) not found"))
            }
        }
        return answer
    }

    private func status(_ context: BasicRequestContext, isCheckpoint: Bool) throws -> Response {
        let (job, trigger) = (context.parameters.get("job") ?? "", context.parameters.get("trigger") ?? "")
        let key = JobID(job).flatMap { job in JobID(trigger).map { Operations.Key(job: job, isCheckpoint: isCheckpoint, trigger: $0) } }
        switch key.flatMap(operations.tell) {
        case nil: throw Refusal(.notFound, "There is no \(isCheckpoint ? "checkpoint" : "savepoint") operation with triggerId=\(trigger) for job \(job)")
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
