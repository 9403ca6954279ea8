import Dataflow
import Hosts
import Hummingbird
import JobControl
import Meters

extension RESTService {
    static let scalingWindow: Int64 = 60_000

    func addScalingRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/jobs/:job/autoscaling") { request, context in
            let job = try await job(context)
            let (window, options) = try scalingOptions(request)
            let now = SystemClock.wallMilliseconds()
            return Response.json(JSON(scalingOf: job, advice(job, window: window, options, now: now), options, window: window, now: now))
        }
    }

    private func advice(_ job: JobView, window: Int64, _ options: ScalingAdvice.Options, now: Int64) -> ScalingAdvice {
        ScalingAdvice(
            graph: job.graph, current: job.vertices.map(\.parallelism), work: loads.work(job, window: window, now: now), options: options)
    }

    /// `?window=60&utilization=0.7&catch-up=60`, times in seconds.
    private func scalingOptions(_ request: Request) throws -> (window: Int64, ScalingAdvice.Options) {
        func number(_ name: String, _ range: ClosedRange<Double>) throws -> Double? {
            guard let text = request.uri.queryParameters[name[...]] else { return nil }
            guard let number = Double(text), range.contains(number) else {
                throw Refusal(.badRequest, "\(name) is a number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
            }
            return number
        }
        var options = ScalingAdvice.Options()
        if let share = try number("utilization", 0.05...1) { options.utilization = share }
        if let seconds = try number("catch-up", 1...86_400) { options.catchUp = .milliseconds(Int64(seconds * 1000)) }
        let window = try number("window", 5...300).map { Int64($0 * 1000) } ?? RESTService.scalingWindow
        return (window, options)
    }

    /// The same for scrapes, with the defaults.
    func recordScaling(of job: JobView, _ labels: [(String, String)], into snapshot: inout MetricSnapshot, now: Int64) {
        let advice = advice(job, window: RESTService.scalingWindow, ScalingAdvice.Options(), now: now)
        func record(_ name: String, _ value: Double?, _ more: [(String, String)] = []) {
            if let value { snapshot.record("flink_jobmanager_job_" + name, labels + more, .gauge(value)) }
        }
        record("parallelism", Double(job.vertices.map(\.parallelism).max() ?? 0))
        record("desiredParallelism", advice.parallelism.map { Double($0) })
        record("pendingRecords", advice.pendingRows.map { Double($0) })
        record("millisBehindLatest", advice.lagMilliseconds.map { Double($0) })
        record("numLayoutChanges", Double(job.layoutChanges))
        for (vertex, found) in zip(job.vertices, advice.vertices) where !found.work.isEmpty {
            let name = [("task_id", vertex.id), ("task_name", vertex.name)]
            let shares = JSON.shares(found.work)
            record("vertex_parallelism", Double(vertex.parallelism), name)
            record("vertex_desiredParallelism", Double(found.parallelism), name)
            record("vertex_busyTimeMsPerSecond", shares.busy, name)
            record("vertex_idleTimeMsPerSecond", shares.idle, name)
            record("vertex_backPressuredTimeMsPerSecond", shares.backpressured, name)
            record("vertex_numRecordsInPerSecond", found.rate, name)
            record("vertex_targetRecordsInPerSecond", found.target, name)
            record("vertex_trueProcessingRate", found.trueRate, name)
        }
    }
}

extension JSON {
    /// Milliseconds of each second, over all subtasks.
    fileprivate static func shares(_ work: [ScalingAdvice.Work]) -> (busy: Double, idle: Double, backpressured: Double) {
        let all = max(1e-9, work.reduce(0) { $0 + $1.seconds })
        func share(_ part: KeyPath<ScalingAdvice.Work, Double>) -> Double { work.reduce(0) { $0 + $1[keyPath: part] } / all * 1000 }
        return (share(\.busy), share(\.idle), share(\.backpressured))
    }

    private static func rounded(_ number: Double?) -> JSON { number.map { .number(($0 * 1000).rounded() / 1000) } ?? nil }

    private static func times(_ work: [ScalingAdvice.Work]) -> [(String, JSON)] {
        let shares = shares(work)
        return [
            ("busyTimeMsPerSecond", rounded(shares.busy)), ("idleTimeMsPerSecond", rounded(shares.idle)),
            ("backPressuredTimeMsPerSecond", rounded(shares.backpressured)),
        ]
    }

    fileprivate init(scalingOf job: JobView, _ advice: ScalingAdvice, _ options: ScalingAdvice.Options, window: Int64, now: Int64) {
        func count(_ number: Int64?) -> JSON { number.map { .integer($0) } ?? nil }
        self = [
            "jid": .string(job.id.description), "now": .integer(now), "window": .number(Double(window) / 1000), "utilization": .number(options.utilization),
            "catch-up": .number(Double(options.catchUp.milliseconds) / 1000), "parallelism": .integer(Int64(job.vertices.map(\.parallelism).max() ?? 0)),
            "desired-parallelism": count(advice.parallelism.map(Int64.init)), "max-parallelism": .integer(Int64(job.graph.maxParallelism)),
            "pendingRecords": count(advice.pendingRows), "millisBehindLatest": count(advice.lagMilliseconds),
            "vertices": .array(
                zip(job.vertices, advice.vertices).map { vertex, found in
                    .object(
                        [
                            ("id", .string(vertex.id)), ("name", .string(vertex.name)), ("parallelism", .integer(Int64(vertex.parallelism))),
                            ("desired-parallelism", .integer(Int64(found.parallelism))), ("numRecordsInPerSecond", JSON.rounded(found.rate)),
                            ("targetRecordsInPerSecond", JSON.rounded(found.target)), ("trueProcessingRate", JSON.rounded(found.trueRate)),
                            ("load", JSON.rounded(found.load)),
                        ] + (found.work.isEmpty ? [] : JSON.times(found.work)) + [
                            (
                                "subtasks",
                                .array(
                                    found.work.filter { !$0.hasEnded }.map { work in
                                        .object(
                                            [("subtask", .integer(Int64(work.subtask.index))), ("measured", JSON.rounded(work.seconds))] + JSON.times([work]) + [
                                                ("numRecordsInPerSecond", JSON.rounded(work.rowsIn / work.seconds)),
                                                ("trueProcessingRate", JSON.rounded(work.trueRate)),
                                                ("pendingRecords", count(work.pendingRows)), ("millisBehindLatest", count(work.lagMilliseconds)),
                                            ])
                                    })
                            )
                        ])
                }),
        ]
    }
}
