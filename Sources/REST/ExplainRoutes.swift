import Dataflow
import Hosts
import Hummingbird
import JobControl
import SQL

extension RESTService {
    /// Plans a script and changes nothing: what the dashboard shows while somebody types. It costs time and memory, so strangers may not ask for it.
    func addExplainRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.post("/sql/explain") { request, _ in
            try checkMayWrite()
            let body = try await body(request, .script)
            guard let sql = body["sql"].string else { throw Refusal(.badRequest, "the body has no \"sql\"") }
            do throws(SQLError) {
                let compiled = try await compiler.compile(sql, configuration)
                var texts: [JSON] = []
                var jobs: [JSON] = []
                for step in compiled.steps {
                    switch step {
                    case .text(let text): texts.append(.string(text))
                    case .job(let job):
                        let parallelism = JobOptions(job.configuration).parallelism
                        jobs.append([
                            "name": .string(job.graph.name), "text": .string(explain(job)),
                            "plan": ["nodes": JSON(nodesOf: job.graph) { job.graph.vertices[$0].parallelism ?? parallelism }],
                        ])
                    }
                }
                return Response.json(["jobs": .array(jobs), "texts": .array(texts)])
            } catch {
                let more = error.expected.isEmpty ? "" : "; expected " + error.expected.joined(separator: ", ")
                return Response.json([
                    "error": [
                        "message": .string(error.message + more + (error.hint.map { ". \($0)" } ?? "")), "line": .integer(Int64(error.line)),
                        "column": .integer(Int64(error.column)), "length": .integer(Int64(error.length)),
                    ],
                ])
            }
        }
    }
}
