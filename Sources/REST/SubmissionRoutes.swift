import Dataflow
import HTTPTypes
import Hosts
import Hummingbird
import JobControl
import Settings
import SQL

extension RESTService {
    func addSubmissionRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.post("/jobs") { request, _ in try await submit(try await body(request, .submission)) }
        router.patch("/jobs/:job") { request, context in
            try checkMayWrite()
            let mode = request.uri.queryParameters["mode"].map(String.init) ?? "cancel"
            guard mode == "cancel" else { throw Refusal(.badRequest, "mode \(mode) is not known; there is: cancel") }
            let job = try await job(context)
            if job.status.isTerminal {
                throw Refusal(.notFound, "Job \(job.id) has already ended: \(job.status.rawValue)")
            }
            _ = await jobManager.request(.cancel(job.id))
            return Response.json([:], status: .accepted)
        }
    }

    /// A store that will not have the path is told of a path that is wrong; one that does not answer may answer later.
    private static func status(of error: StreamError) -> HTTPResponse.Status {
        switch error.kind {
        case .user: .badRequest
        case .externalSystem: error.retry ? .serviceUnavailable : .badRequest
        case .connection, .memory, .internal: .internalServerError
        }
    }

    /// `{"sql": text, "configuration": {key: value}, "savepointPath": path, "allowNonRestoredState": flag}`: the script's jobs, compiled
    /// here. Nothing of it is submitted when anything is wrong.
    func submit(_ body: JSON) async throws -> Response {
        try checkMayWrite()
        guard let sql = body["sql"].string else { throw Refusal(.badRequest, "the body has no \"sql\"") }
        let settings = try configuration(with: body["configuration"].members)
        let compiled: CompiledScript
        do throws(SQLError) { compiled = try await compiler.compile(sql, settings) } catch {
            throw Refusal(.badRequest, error.description)
        }
        if compiled.jobs.contains(where: { $0.output != nil }) {
            throw Refusal(.badRequest, "a bare SELECT prints its rows only with swiftwater run; INSERT INTO a table to submit it to a cluster")
        }
        for job in compiled.jobs {
            if let problem = jobManager.problem(with: job) { throw Refusal(.badRequest, problem.description) }
        }
        var jobs: [JSON] = []
        for job in compiled.jobs {
            // An empty path is none, as in Flink.
            let restorePath = body["savepointPath"].string.flatMap { $0.isEmpty ? nil : $0 }
            let submission = Submission(job, restorePath: restorePath, allowNonRestoredState: body["allowNonRestoredState"].bool ?? false)
            switch await jobManager.request(.submit(submission)) {
            case .submitted(let id): jobs.append(["jobid": .string(id.description), "name": .string(submission.graph.name)])
            case .refused(let error): throw Refusal(RESTService.status(of: error), error.description)
            case .accepted, .completed, .unknownJob: throw Refusal(.internalServerError, "the submission had an unexpected answer")
            }
        }
        let texts: [JSON] = compiled.steps.compactMap { if case .text(let text) = $0 { .string(text) } else { nil } }
        let warnings = compiled.warnings(beyond: configuration) + compiled.relativePathWarnings
        return .json([
            "jobs": .array(jobs), "jobid": jobs.last?["jobid"] ?? nil, "texts": .array(texts), "warnings": .array(warnings.map { .string($0) }),
        ])
    }

    /// The cluster's, and over it what a request says of its job.
    func configuration(with settings: [(String, JSON)]) throws -> Configuration {
        var configuration = configuration
        for (key, value) in settings {
            let text = value.string ?? value.text
            do throws(ConfigError) { configuration = try configuration.setting(key, to: text, origin: .commandLine) } catch {
                throw Refusal(.badRequest, error.description)
            }
        }
        return configuration
    }
}
