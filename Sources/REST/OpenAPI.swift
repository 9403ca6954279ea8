import Hosts
import Hummingbird

/// What a route does, for its description. Which routes there are is asked of the router: one without a note is described by its path alone, and
/// a test fails.
struct RouteNote: Sendable {
    enum Body: Sendable { case none, json(BodyFields), form, anyObject }
    enum Kind: Sendable { case object, array, text }

    let summary: String
    var kind = Kind.object
    var query: [(name: String, schema: JSON, text: String)] = []
    var body = Body.none
    /// The status of success.
    var status = 200
    /// Whether a read-only server refuses it.
    var writes = false
}

extension RESTService {
    func addDescriptionRoute(_ router: some RouterMethods<BasicRequestContext>, _ description: JSON) {
        router.get("/openapi.json") { _, _ in Response.json(description) }
    }

    /// OpenAPI 3.0, of the routes that the router has. Paths with `/v1` in front are the same and left out, files of the dashboard too.
    static func description(of routes: [(method: String, path: String)], hasToken: Bool) -> JSON {
        var paths: [(String, [(String, JSON)])] = []
        for route in routes.sorted(by: { ($0.path, $0.method) < ($1.path, $1.method) }) {
            if route.path.hasPrefix("/v1") || isFile(route.path) { continue }
            let path = route.path
            let operation = (route.method.lowercased(), JSON(operation: route.method, path, routeNotes["\(route.method) \(path)"]))
            if let index = paths.firstIndex(where: { $0.0 == path }) { paths[index].1.append(operation) } else { paths.append((path, [operation])) }
        }
        var description: [(String, JSON)] = [
            ("openapi", "3.0.3"),
            ("info", [
                "title": "Swiftwater REST API", "version": .string(Version.number),
                "description": "Flink's paths and shapes. Each path may have /v1 in front. What differs from Flink: docs/rest.md.",
            ]),
            ("servers", [["url": "/"]]), ("paths", .object(paths.map { ($0.0, .object($0.1)) })),
        ]
        var components: [(String, JSON)] = [
            ("schemas", ["Errors": [
                "type": "object", "required": ["errors"], "properties": ["errors": ["type": "array", "minItems": 1, "items": ["type": "string"]]],
            ]]),
        ]
        if hasToken {
            components.append(("securitySchemes", ["token": ["type": "http", "scheme": "bearer"]]))
            description.append(("security", [["token": []]]))
        }
        description.append(("components", .object(components)))
        return .object(description)
    }

    /// The dashboard's: a suffix, or the root.
    private static func isFile(_ path: String) -> Bool {
        path == "/" || (path.split(separator: "/").last.map { $0.contains(".") && !$0.hasSuffix("openapi.json") } ?? true)
    }
}

extension JSON {
    fileprivate init(operation method: String, _ path: String, _ note: RouteNote?) {
        let segments = path.split(separator: "/")
        var parameters: [JSON] = segments.filter { $0.hasPrefix("{") }.map { segment in
            let name = String(segment.dropFirst().dropLast())
            return ["name": .string(name), "in": "path", "required": true, "schema": pathParameters[name] ?? ["type": "string"]]
        }
        parameters += (note?.query ?? []).map { ["name": .string($0.name), "in": "query", "required": false, "description": .string($0.text), "schema": $0.schema] }
        let errors: JSON = ["description": "refused, in words", "content": ["application/json": ["schema": ["$ref": "#/components/schemas/Errors"]]]]
        let answer: JSON
        switch note?.kind ?? .object {
        case .object: answer = ["application/json": ["schema": ["type": "object"]]]
        case .array: answer = ["application/json": ["schema": ["type": "array", "items": ["type": "object"]]]]
        case .text: answer = ["text/plain": ["schema": ["type": "string"]]]
        }
        var responses: [(String, JSON)] = [("\(note?.status ?? 200)", ["description": "done", "content": answer])]
        if note?.kind == .text { responses.append(("206", ["description": "a part, as Range asked", "content": answer])) }
        if note?.writes == true { responses.append(("403", errors)) }
        responses += [("4XX", errors), ("503", errors)]
        var operation: [(String, JSON)] = [
            ("summary", .string(note?.summary ?? path)), ("tags", [.string(String(segments.first ?? ""))]),
            ("operationId", .string(method.lowercased() + segments.map { "_" + $0.filter { $0.isLetter || $0.isNumber } }.joined())),
            ("parameters", .array(parameters)), ("responses", .object(responses)),
        ]
        switch note?.body ?? .none {
        case .none: break
        case .anyObject: operation.append(("requestBody", ["required": true, "content": ["application/json": ["schema": ["type": "object"]]]]))
        case .json(let body):
            let isNeeded = body.fields.contains(where: \.isNeeded)
            operation.append(("requestBody", ["required": .bool(isNeeded), "content": ["application/json": ["schema": body.schema]]]))
        case .form:
            let file: JSON = ["type": "object", "required": ["jarfile"], "properties": ["jarfile": ["type": "string", "format": "binary"]]]
            operation.append(("requestBody", ["required": true, "content": ["multipart/form-data": ["schema": file]]]))
        }
        self = .object(operation)
    }
}

private let identifier: JSON = ["type": "string", "pattern": "^[0-9a-f]{32}$"]
private let pathParameters: [String: JSON] = [
    "job": identifier, "vertex": identifier, "trigger": identifier, "rescale": identifier, "subtask": ["type": "integer", "minimum": 0], "attempt": ["type": "integer", "minimum": 0],
    "checkpoint": ["type": "integer", "minimum": 0], "worker": ["type": "string", "minLength": 1], "file": ["type": "string", "minLength": 1],
    "script": ["type": "string", "minLength": 1],
]
