import Dataflow
import HTTPTypes
import Hosts
import Hummingbird
import JobControl
import NIOCore
import Settings
import SQL
import Synchronization

/// Answers requests from the JobManager's view (a value), and hands changes to its brain.
struct RESTService: Sendable {
    let jobManager: JobManagerHost
    let configuration: Configuration
    /// Every request must show it; nil: none is asked for.
    let token: String?
    /// On a public address nothing may be changed without a token (docs/operating.md).
    let mayWrite: Bool
    /// Without a token, pages of others are kept out.
    let browsers: BrowserGuard
    let log: Log
    /// Whether it is spoken to over TLS.
    let hasTLS: Bool
    /// Asks TaskManagers, and this process, about themselves.
    let inspection: InspectionClient
    let desk: InspectionDesk
    let scripts: StoredScripts
    let compiler = ScriptCompiler()
    let flames = FlameGraphs()
    let operations = Operations()
    let history = History()
    let loads = LoadSamples()
    let machines = MachineWatch()
    let latencies = LayoutLatencies()
    let load = ProcessLoad()
    /// What the JobManager's process may use: nobody limits it but its container; nil: nothing does.
    let memoryBytes = cgroupMemoryLimit().map(Int64.init)
    let processes = Processes()

    /// Holds the longest script (1 MiB) however its characters are written in JSON, short of all of them as escapes.
    static let bodyLimitBytes = 4 << 20

    func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: ErrorsAsJSON())
        let api = router.group().add(middleware: Admission(token: token, browsers: browsers))
        // Flink's clients write the version in front.
        for routes in [api, api.group("v1")] {
            addClusterRoutes(routes)
            addJobRoutes(routes)
            addVertexRoutes(routes)
            addMetricRoutes(routes)
            addScalingRoutes(routes)
            addSpotRoutes(routes)
            addRescaleRoutes(routes)
            addKeyGroupRoutes(routes)
            addApplicationRoutes(routes)
            addHistoryRoutes(routes)
            addProcessRoutes(routes)
            addSettingRoutes(routes)
            addCheckpointRoutes(routes)
            let long = routes.group().add(middleware: OffTheEventLoop())
            addInspectionRoutes(long)
            addFlameGraphRoutes(long)
            addScriptRoutes(long)
            addSubmissionRoutes(long)
            addRequirementRoutes(long)
            addDrainRoutes(long)
            addExplainRoutes(long)
            addSavepointRoutes(long)
        }
        let routes = router.routes.map { (method: $0.method.rawValue, path: $0.path.description) } + [("GET", "/openapi.json")]
        let description = RESTService.description(of: routes, hasToken: token != nil)
        for routes in [api, api.group("v1")] { addDescriptionRoute(routes, description) }
        Dashboard().addRoutes(router)
        return router
    }

    // MARK: What routes share

    func job(_ context: BasicRequestContext) async throws -> JobView {
        let text = context.parameters.get("job") ?? ""
        guard let id = JobID(text) else {
            throw Refusal(.badRequest, "Cannot resolve path parameter (jobid) from value \"\(text)\": a job id is 32 hex digits.")
        }
        guard let job = await jobManager.recentView().jobs.first(where: { $0.id == id }) else {
            throw Refusal(.notFound, "Job \(id) not found")
        }
        return job
    }

    func vertex(_ context: BasicRequestContext, of job: JobView) throws -> Int {
        let id = context.parameters.get("vertex") ?? ""
        if JobID(id) == nil { throw Refusal(.badRequest, "Cannot resolve path parameter (vertexid) from value \"\(id)\": a vertex id is 32 hex digits.") }
        guard let index = job.graph.vertices.firstIndex(where: { $0.id == id }) else {
            throw Refusal(.notFound, "Vertex \(id) not found in job \(job.id)")
        }
        return index
    }

    func body(_ request: Request) async throws -> JSON {
        let buffer = try await bytes(of: request, upTo: RESTService.bodyLimitBytes, tooLarge: "the body is over \(RESTService.bodyLimitBytes >> 20) MiB")
        if buffer.readableBytes == 0 { return .object([]) }
        guard let json = JSON.parse(Array(buffer.readableBytesView)) else { throw Refusal(.badRequest, "the body is no JSON") }
        return json
    }

    func bytes(of request: Request, upTo limit: Int, tooLarge words: String) async throws(Refusal) -> ByteBuffer {
        let tooLarge = Refusal(.contentTooLarge, words)
        // Nobody need send it first.
        if let declared = request.headers[.contentLength].flatMap(Int.init), declared > limit { throw tooLarge }
        do { return try await request.body.collect(upTo: limit) } catch {
            throw error is NIOTooManyBytesError ? tooLarge : Refusal(.badRequest, "the body does not come to its end as its headers say: \(error)")
        }
    }

    /// Checked: names that are known, values of their types.
    func body(_ request: Request, _ fields: BodyFields) async throws -> JSON { try fields.checked(try await body(request)) }

    func checkMayWrite() throws {
        if !mayWrite {
            throw Refusal(
                .forbidden, "REST is read-only on a public address without a token: set rest.authentication.token, or rest.bind-address to localhost")
        }
    }
}

/// A request that is not carried out, with words.
package struct Refusal: Error {
    package let status: HTTPResponse.Status
    package let words: String

    package init(_ status: HTTPResponse.Status, _ words: String) {
        self.status = status
        self.words = words
    }
}

/// `Authorization: Bearer …`, where a token is set; without one, no pages of others.
private struct Admission: RouterMiddleware {
    let token: String?
    let browsers: BrowserGuard

    func handle(_ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response) async throws -> Response {
        if let token {
            if let words = BearerToken.refusal(of: request.headers[.authorization], token: token) {
                var response = Response.json(["errors": [.string(words)]], status: .unauthorized)
                response.headers[.wwwAuthenticate] = "Bearer"
                return response
            }
        } else if let words = browsers.refusal(
            isWriting: ![.get, .head, .options].contains(request.method), host: request.head.authority, origin: request.headers[.origin])
        {
            throw Refusal(.forbidden, words)
        }
        return try await next(request, context)
    }
}

/// `{"errors": ["one clear message"]}`, as Flink answers.
private struct ErrorsAsJSON: RouterMiddleware {
    func handle(_ request: Request, context: BasicRequestContext, next: (Request, BasicRequestContext) async throws -> Response) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let refusal as Refusal {
            return .json(["errors": [.string(refusal.words)]], status: refusal.status)
        } catch let error as HTTPError {
            let words = error.status == .notFound ? "Not found: \(request.uri.path)" : error.body ?? error.status.description
            return .json(["errors": [.string(words)]], status: error.status)
        }
    }
}

extension Response {
    static func json(_ json: JSON, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=UTF-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }
}
