import Dataflow
import Hosts
import Hummingbird
import JobControl
import Settings

/// Changes of a job's layout, in the shape of Flink's rescales.
///
/// Flink counts the first schedule and each recovery as a rescale; here they are not, and a TaskManager that leaves is a cause of its own.
extension RESTService {
    func addRescaleRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        let routes = router.group("/jobs/:job/rescales")
        routes.get("/overview") { _, context in
            let changes = try await changes(context)
            func newest(_ outcome: ClusterHistory.Change.Outcome) -> JSON { changes.last { $0.outcome == outcome }.map { JSON(rescale: $0) } ?? nil }
            return Response.json([
                "rescalesCounts": JSON(countsOf: changes), "latest": ["completed": newest(.completed), "failed": newest(.recovered), "ignored": newest(.withdrawn)],
            ])
        }
        routes.get("/history") { _, context in Response.json(.array(try await changes(context).reversed().map { JSON(rescale: $0) })) }
        routes.get("/summary") { _, context in
            let changes = try await changes(context)
            func times(_ matches: (ClusterHistory.Change.Outcome) -> Bool) -> JSON {
                JSON.rescaleTimes(changes.filter { $0.outcome != .running && matches($0.outcome) }.compactMap(\.ended))
            }
            return Response.json([
                "rescalesCounts": JSON(countsOf: changes), "rescalesDurationStatsInMillis": times { _ in true },
                "completedRescalesDurationStatsInMillis": times { $0 == .completed }, "ignoredRescalesDurationStatsInMillis": times { $0 == .withdrawn },
                "failedRescalesDurationStatsInMillis": times { $0 == .recovered },
            ])
        }
        routes.get("/config") { _, context in
            let options = try await job(context).options
            return Response.json([
                "rescaleHistoryMax": .integer(Int64(ClusterHistory.kept)), "schedulerExecutionMode": options.isReactive ? "REACTIVE" : nil,
                "submissionResourceWaitTimeoutInMillis": .integer(options.slotRequestTimeout.milliseconds), "submissionResourceStabilizationTimeoutInMillis": 0,
                "slotIdleTimeoutInMillis": 0, "executingCooldownTimeoutInMillis": .integer(options.cooldown.milliseconds),
                "executingResourceStabilizationTimeoutInMillis": .integer(options.stabilization.milliseconds), "maximumDelayForTriggeringRescaleInMillis": 0,
                "rescaleOnFailedCheckpointCount": 0,
            ])
        }
        routes.get("/details/:rescale") { _, context in
            let job = try await job(context)
            let id = context.parameters.get("rescale") ?? ""
            guard JobID(id) != nil else { throw Refusal(.badRequest, "Cannot resolve path parameter (rescaleuuid) from value \"\(id)\": it is 32 hex digits.") }
            guard let change = try await changes(context).last(where: { JSON.identifier(of: $0) == id }) else {
                throw Refusal(.notFound, "Rescale \(id) of job \(job.id) is not known (any more)")
            }
            return Response.json(JSON(rescale: change, of: job, now: SystemClock.wallMilliseconds()))
        }
    }

    /// Oldest first; one that is under way last.
    private func changes(_ context: BasicRequestContext) async throws -> [ClusterHistory.Change] {
        let job = try await job(context).id
        let history = await jobManager.recentView().history
        return (history.changes + history.inProgress).filter { $0.job == job }
    }
}

extension JSON {
    /// 32 hex digits: the job's first sixteen, and the number of the layout.
    fileprivate static func identifier(of change: ClusterHistory.Change) -> String {
        let number = String(change.layout, radix: 16)
        return change.job.description.prefix(16) + String(repeating: "0", count: 16 - number.count) + number
    }

    fileprivate init(countsOf changes: [ClusterHistory.Change]) {
        func count(_ outcome: ClusterHistory.Change.Outcome) -> JSON { .integer(Int64(changes.count { $0.outcome == outcome })) }
        self = ["ignored": count(.withdrawn), "inProgress": count(.running), "completed": count(.completed), "failed": count(.recovered)]
    }

    fileprivate static func rescaleTimes(_ times: [Int64]) -> JSON {
        var spread = JSON.spread(times).members
        // Flink's word for the quantiles of nothing.
        if times.isEmpty { spread = spread.map { ($0.0, $0.0.hasPrefix("p") ? "NaN" : $0.1) } }
        return .object(spread)
    }

    fileprivate init(rescale change: ClusterHistory.Change) { self = .object(JSON.rescale(change, vertices: [:], slots: [:], states: [])) }

    fileprivate init(rescale change: ClusterHistory.Change, of job: JobView, now: Int64) {
        let vertices = zip(job.vertices, zip(change.from, change.to)).map { vertex, counts -> (String, JSON) in
            (
                vertex.id,
                [
                    "jobVertexId": .string(vertex.id), "jobVertexName": .string(vertex.name), "slotSharingGroupId": .string(job.id.description),
                    "slotSharingGroupName": "default", "desiredParallelism": .integer(Int64(counts.1)), "sufficientParallelism": .integer(Int64(counts.1)),
                    "preRescaleParallelism": .integer(Int64(counts.0)), "postRescaleParallelism": .integer(Int64(counts.1)),
                ]
            )
        }
        let slots: JSON = [
            "slotSharingGroupId": .string(job.id.description), "slotSharingGroupName": "default", "desiredSlots": .integer(Int64(change.slots.to)),
            "minimalRequiredSlots": 1, "preRescaleSlots": .integer(Int64(change.slots.from)), "postRescaleSlots": .integer(Int64(change.slots.to)),
        ]
        let end = change.started + (change.ended ?? now - change.started)
        func state(_ name: String, _ from: Int64, _ to: Int64) -> JSON {
            [
                "state": .string(name), "enterTimestampInMillis": .integer(from), "leaveTimestampInMillis": .integer(to), "durationInMillis": .integer(to - from),
                "stringifiedException": nil,
            ]
        }
        let barrier = change.injected.map { change.started + $0 }
        self = .object(
            JSON.rescale(
                change, vertices: .object(vertices), slots: .object([(job.id.description, slots)]),
                states: .array([state("Preparing", change.started, barrier ?? end)] + (barrier.map { [state("Moving", $0, end)] } ?? []))))
    }

    private static func rescale(_ change: ClusterHistory.Change, vertices: JSON, slots: JSON, states: JSON) -> [(String, JSON)] {
        let cause: JSON =
            switch change.cause {
            case .evacuation: "TASK_MANAGER_LEAVING"
            case .slots: "NEW_RESOURCE_AVAILABLE"
            case .requested: "UPDATE_REQUIREMENT"
            }
        let (state, reason): (JSON, JSON) =
            switch change.outcome {
            case .running: (nil, nil)
            case .completed: ("COMPLETED", "SUCCEEDED")
            case .recovered: ("FAILED", "EXCEPTION_OCCURRED")
            // The next one takes its place.
            case .withdrawn: ("IGNORED", "RESOURCE_REQUIREMENTS_UPDATED")
            }
        return [
            ("rescaleUuid", .string(identifier(of: change))), ("resourceRequirementsUuid", .string(change.job.description)),
            ("rescaleAttemptId", .integer(Int64(change.layout))), ("vertices", vertices), ("slots", slots), ("schedulerStates", states),
            ("startTimestampInMillis", .integer(change.started)), ("endTimestampInMillis", .integer(change.ended.map { change.started + $0 } ?? -1)),
            ("terminalState", state), ("triggerCause", cause), ("terminatedReason", reason), ("reason", .string(change.reason)),
            ("keyGroupsMoved", .integer(Int64(change.movedGroups))), ("keyGroups", .integer(Int64(change.groups))),
            ("stateBytesMoved", .integer(change.movedBytes)), ("stateBytesCopiedAhead", .integer(change.copiedBytes)),
            // In the order of the job's vertices: lists of changes have no `vertices`.
            ("preRescaleParallelism", .array(change.from.map { .integer(Int64($0)) })), ("postRescaleParallelism", .array(change.to.map { .integer(Int64($0)) })),
        ]
    }
}
