import HTTPTypes
import Hummingbird

/// Answers `HEAD` as `GET`, without the body: whatever comes after the head of such an answer is taken for the next one.
struct WithoutBody<Routes: HTTPResponder>: HTTPResponder {
    let routes: Routes

    func respond(to request: Request, context: Routes.Context) async throws -> Response {
        guard request.method == .head else { return try await routes.respond(to: request, context: context) }
        var head = request.head
        head.method = .get
        return try await routes.respond(to: Request(head: head, body: request.body), context: context).createHeadResponse()
    }
}
