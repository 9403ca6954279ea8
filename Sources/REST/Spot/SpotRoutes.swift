import Dataflow
import Hosts
import Hummingbird
import JobControl
import Settings

/// What happened to TaskManagers and layouts: notices, departures, and what moved.
extension RESTService {
    func addSpotRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/spot") { request, _ in
            let text = request.uri.queryParameters["since"]
            guard let since = text.map({ Int($0) }) ?? 0, since >= 0 else {
                throw Refusal(.badRequest, "since is the number of an event, not \(text ?? "")")
            }
            let view = await jobManager.recentView()
            let counts = view.history.counts
            let now = SystemClock.wallMilliseconds()
            let (latency, hours, kinds) = (latencies.value, machines.hours, machines.kinds)
            func json(_ change: ClusterHistory.Change) -> [(String, JSON)] { JSON.members(of: change, latency.cost(change.job, change.layout)) }
            return Response.json([
                "now": .integer(now), "since": .integer(machines.since), "notices": .integer(Int64(counts.notices)), "losses": .integer(Int64(counts.losses)),
                "layout-changes": .integer(Int64(counts.changes)), "layout-change-milliseconds": .integer(counts.changeMilliseconds),
                "key-groups-moved": .integer(Int64(counts.movedGroups)), "state-bytes-moved": .integer(counts.movedBytes),
                "leaving": .array(view.workers.filter(\.isLeaving).map { .string($0.id.description) }),
                "workers": .array(view.workers.map { worker in
                    [
                        "id": .string(worker.id.description), "lifecycle": .string(hours.kind(of: worker.id).rawValue), "since": .integer(worker.connectedSince),
                        "leaving": .bool(worker.isLeaving),
                    ]
                }),
                "waiting": .array(view.jobs.compactMap { job in
                    job.waitsFor.map { ["jid": .string(job.id.description), "job-name": .string(job.name), "reason": .string($0)] }
                }),
                "in-progress": .array(view.history.inProgress.map { .object(json($0)) }),
                "events": .array(view.history.entries.filter { $0.number > since }.map { JSON(event: $0, kinds, json) }),
                "savings": JSON(
                    savedIn: hours, since: machines.since, price: configuration.get(SpotOptions.price), onDemand: configuration.get(SpotOptions.onDemandPrice),
                    currency: configuration.get(SpotOptions.currency)),
            ])
        }
    }
}

extension JSON {
    fileprivate init(event: ClusterHistory.Entry, _ kinds: [WorkerID: MachineHours.Kind], _ members: (ClusterHistory.Change) -> [(String, JSON)]) {
        let head: [(String, JSON)] = [("number", .integer(Int64(event.number))), ("at", .integer(event.at))]
        switch event.what {
        case .joined(let worker, let slots):
            self = .object(head + [("kind", "joined"), ("taskmanager-id", .string(worker.description)), ("slots", .integer(Int64(slots))), ("lifecycle", .string((kinds[worker] ?? .unknown).rawValue))])
        case .leaving(let worker, let reason, let until):
            self = .object(
                head + [
                    ("kind", "leaving"), ("taskmanager-id", .string(worker.description)), ("reason", .string(reason)),
                    ("deadline", until.map { .integer($0) } ?? nil),
                ])
        case .left(let worker, let reason, let after):
            self = .object(
                head + [
                    ("kind", after == nil ? "lost" : "left"), ("taskmanager-id", .string(worker.description)), ("reason", .string(reason)),
                    ("milliseconds", after.map { .integer($0) } ?? nil),
                ])
        case .changed(let change): self = .object(head + [("kind", "layout")] + members(change))
        }
    }

    /// `pause-milliseconds`: from the barrier to the end; no row of what moved waited longer.
    fileprivate static func members(of change: ClusterHistory.Change, _ cost: LayoutLatency.Cost?) -> [(String, JSON)] {
        func counts(_ numbers: [Int]) -> JSON { .array(numbers.map { .integer(Int64($0)) }) }
        func number(_ value: Int64?) -> JSON { value.map { .integer($0) } ?? nil }
        let pause = change.injected.flatMap { injected in change.outcome == .completed ? change.ended.map { $0 - injected } : nil }
        return [
            ("jid", .string(change.job.description)), ("reason", .string(change.reason)), ("cause", .string(change.cause.rawValue)),
            ("layout", .integer(Int64(change.layout))), ("status", .string(change.outcome.rawValue)), ("started", .integer(change.started)),
            ("parallelism-before", counts(change.from)), ("parallelism", counts(change.to)),
            ("slots-before", .integer(Int64(change.slots.from))), ("slots", .integer(Int64(change.slots.to))),
            ("taskmanagers-before", .array(change.workersBefore.map { .string($0.description) })),
            ("taskmanagers", .array(change.workersAfter.map { .string($0.description) })),
            ("tasks-begun", .integer(Int64(change.begun))), ("tasks-retired", .integer(Int64(change.retired))),
            ("key-groups-moved", .integer(Int64(change.movedGroups))), ("key-groups", .integer(Int64(change.groups))),
            ("state-bytes-moved", .integer(change.movedBytes)), ("state-bytes-copied-ahead", .integer(change.copiedBytes)),
            ("prepared-milliseconds", number(change.injected)), ("milliseconds", number(change.ended)), ("pause-milliseconds", number(pause)),
            ("lag-before-milliseconds", number(cost?.before)), ("lag-during-milliseconds", number(cost?.during)),
        ]
    }

    /// Without prices no money, and hours of a machine whose kind is not known save nothing.
    package init(savedIn hours: MachineHours, since: Int64, price: Double?, onDemand: Double?, currency: String) {
        func money(_ number: Double?) -> JSON { number.map { .number(($0 * 10_000).rounded() / 10_000) } ?? nil }
        let (spot, demand, unknown) = (hours.hours(.spot), hours.hours(.onDemand), hours.hours(.unknown))
        let saved = price.flatMap { price in onDemand.map { spot * ($0 - price) } }
        let whole = onDemand.map { (spot + demand) * $0 } ?? 0
        self = [
            "since": .integer(since), "spot-hours": money(spot), "on-demand-hours": money(demand), "unknown-hours": money(unknown),
            "spot-price-hour": money(price), "on-demand-price-hour": money(onDemand), "saved": money(saved),
            "saved-share": money(saved.flatMap { whole > 0 ? $0 / whole : nil }), "currency": .string(currency),
            "price-source": price == nil || onDemand == nil ? nil : "spot.price-per-hour and spot.on-demand-price-per-hour",
        ]
    }
}
