import Hummingbird
import JobControl

/// What happened to TaskManagers and layouts: notices, departures, and what moved.
extension RESTService {
    func addSpotRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/spot") { request, _ in
            let text = request.uri.queryParameters["since"]
            guard let since = text.map({ Int($0) }) ?? 0, since >= 0 else {
                throw Refusal(.badRequest, "since is the number of an event, not \(text ?? "")")
            }
            let view = await jobManager.view()
            let counts = view.history.counts
            return Response.json([
                "notices": .integer(Int64(counts.notices)), "losses": .integer(Int64(counts.losses)), "layout-changes": .integer(Int64(counts.changes)),
                "layout-change-milliseconds": .integer(counts.changeMilliseconds),
                "leaving": .array(view.workers.filter(\.isLeaving).map { .string($0.id.description) }),
                "in-progress": .array(view.history.inProgress.map { .object(JSON.members(of: $0)) }),
                "events": .array(view.history.entries.filter { $0.number > since }.map(JSON.init(event:))),
            ])
        }
    }
}

extension JSON {
    fileprivate init(event: ClusterHistory.Entry) {
        let head: [(String, JSON)] = [("number", .integer(Int64(event.number))), ("at", .integer(event.at))]
        switch event.what {
        case .joined(let worker, let slots):
            self = .object(head + [("kind", "joined"), ("taskmanager-id", .string(worker.description)), ("slots", .integer(Int64(slots)))])
        case .leaving(let worker, let reason):
            self = .object(head + [("kind", "leaving"), ("taskmanager-id", .string(worker.description)), ("reason", .string(reason))])
        case .left(let worker, let reason, let after):
            self = .object(
                head + [
                    ("kind", after == nil ? "lost" : "left"), ("taskmanager-id", .string(worker.description)), ("reason", .string(reason)),
                    ("milliseconds", after.map { .integer($0) } ?? nil),
                ])
        case .changed(let change): self = .object(head + [("kind", "layout")] + JSON.members(of: change))
        }
    }

    fileprivate static func members(of change: ClusterHistory.Change) -> [(String, JSON)] {
        func counts(_ numbers: [Int]) -> JSON { .array(numbers.map { .integer(Int64($0)) }) }
        return [
            ("jid", .string(change.job.description)), ("reason", .string(change.reason)), ("layout", .integer(Int64(change.layout))),
            ("status", .string(change.outcome.rawValue)), ("parallelism-before", counts(change.from)), ("parallelism", counts(change.to)),
            ("tasks-begun", .integer(Int64(change.begun))), ("tasks-retired", .integer(Int64(change.retired))),
            ("key-groups-moved", .integer(Int64(change.movedGroups))), ("key-groups", .integer(Int64(change.groups))),
            ("prepared-milliseconds", change.injected.map { .integer($0) } ?? nil), ("milliseconds", change.ended.map { .integer($0) } ?? nil),
        ]
    }
}
