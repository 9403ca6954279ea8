import Dataflow
import HTTPTypes
import Hosts
import Hummingbird
import JobControl
import SQL
import Settings

/// Stored SQL scripts, where Flink has jars, under the same paths.
extension RESTService {
    func addScriptRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/jars") { request, _ in
            Response.json([
                "address": .string(origin(of: request)),
                "files": .array(scripts.all().map { ["id": .string($0.id), "name": .string($0.name), "uploaded": .integer($0.uploaded), "entry": []] }),
            ])
        }
        router.post("/jars/upload") { request, _ in
            try checkMayWrite()
            guard let type = request.headers[.contentType], let boundary = Multipart.boundary(of: type) else {
                throw Refusal(.badRequest, "the body is no multipart/form-data")
            }
            let body = try await bytes(
                of: request, upTo: StoredScripts.maximumBytes + 4096, tooLarge: "a script may have \(StoredScripts.maximumBytes >> 10) KiB")
            guard let file = Multipart.file(named: "jarfile", in: Array(body.readableBytesView), boundary: boundary) else {
                throw Refusal(.badRequest, "the body has no file \"jarfile\"")
            }
            let stored = try scripts.store(file.bytes, name: file.name)
            return Response.json(["filename": .string(stored), "status": "success"])
        }
        router.delete("/jars/:script") { _, context in
            try checkMayWrite()
            try scripts.remove(scriptID(context))
            return Response.json([:])
        }
        router.post("/jars/:script/run") { request, context in
            try checkMayWrite()
            let sql = try scripts.text(of: scriptID(context))
            let run = try await runArguments(request)
            return try await submit([
                "sql": .string(sql), "configuration": .object(run.settings), "savepointPath": run.savepointPath.map { .string($0) } ?? nil,
                "allowNonRestoredState": .bool(run.allowNonRestoredState),
            ])
        }
        for method in [HTTPRequest.Method.get, .post] {
            router.on("/jars/:script/plan", method: method) { request, context in
                let sql = try scripts.text(of: scriptID(context))
                let configuration = try configuration(with: try await runArguments(request).settings)
                do throws(SQLError) {
                    guard let job = try await compiler.compile(sql, configuration).jobs.last else {
                        return Response.json(["plan": ["jid": "", "name": "", "type": "STREAMING", "nodes": []]])
                    }
                    let parallelism = JobOptions(job.configuration).parallelism
                    return Response.json([
                        "plan": [
                            "jid": "", "name": .string(job.graph.name), "type": "STREAMING",
                            "nodes": JSON(nodesOf: job.graph) { job.graph.vertices[$0].parallelism ?? parallelism },
                        ]
                    ])
                } catch { throw Refusal(.badRequest, error.description) }
            }
        }
    }

    private func runArguments(_ request: Request) async throws -> RunArguments {
        try RunArguments(
            body: try await body(request, .run), query: request.uri.queryParameters.map { (name: String($0.key), value: String($0.value)) })
    }

    private func scriptID(_ context: BasicRequestContext) -> String { context.parameters.decoded("script") }

    func origin(of request: Request) -> String { "\(hasTLS ? "https" : "http")://\(request.head.authority ?? "localhost")" }
}

/// The one file of a form.
package enum Multipart {
    package static func boundary(of contentType: String) -> String? {
        let parts = contentType.split(separator: ";").map { $0.drop { $0 == " " } }
        guard parts.first?.lowercased() == "multipart/form-data", let part = parts.first(where: { $0.lowercased().hasPrefix("boundary=") }) else { return nil }
        let text = part.dropFirst("boundary=".count).filter { $0 != "\"" }
        return (1...70).contains(text.utf8.count) ? String(text) : nil
    }

    /// Nil when there is no such field, or it is cut off.
    package static func file(named field: String, in body: [UInt8], boundary: String) -> (name: String, bytes: [UInt8])? {
        let mark = Array("--\(boundary)".utf8)
        var at = find(mark, in: body, from: 0)
        while let start = at {
            let headersAt = start + mark.count + 2
            guard headersAt <= body.count, let blank = find(Array("\r\n\r\n".utf8), in: body, from: headersAt), let next = find([13, 10] + mark, in: body, from: blank) else {
                return nil
            }
            let headers = String(decoding: body[headersAt..<blank], as: UTF8.self)
            for line in headers.split(separator: "\r\n") where line.lowercased().hasPrefix("content-disposition:") {
                if parameter("name", of: line) == field { return (parameter("filename", of: line) ?? "", Array(body[(blank + 4)..<max(next, blank + 4)])) }
            }
            at = next + 2
        }
        return nil
    }

    private static func parameter(_ name: String, of line: Substring) -> String? {
        for part in line.split(separator: ";").map({ $0.drop { $0 == " " } }) where part.hasPrefix("\(name)=") {
            return part.dropFirst(name.count + 1).filter { $0 != "\"" }
        }
        return nil
    }

    private static func find(_ pattern: [UInt8], in body: [UInt8], from: Int) -> Int? {
        guard body.count >= pattern.count else { return nil }
        var at = from
        while at + pattern.count <= body.count {
            if body[at] == pattern[0], body[at..<(at + pattern.count)].elementsEqual(pattern) { return at }
            at += 1
        }
        return nil
    }
}
