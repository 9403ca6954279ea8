import Dataflow
import Glibc
import Hosts
import Hummingbird
import JobControl

/// Flink 2.3's applications: here each has one job, and its id. And what ends the whole cluster.
extension RESTService {
    func addApplicationRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/applications/overview") { _, _ in
            let now = SystemClock.wallMilliseconds()
            return Response.json([
                "applications": .array(await jobManager.recentView().jobs.map { job in
                    .object(application(job, now) + [("jobs", .object([(job.status.rawValue, .integer(1))]))])
                })
            ])
        }
        router.get("/applications/:job") { _, context in
            let (job, now) = (try await job(context), SystemClock.wallMilliseconds())
            return Response.json(.object(application(job, now) + [
                ("timestamps", .object([JobStatus.created, .running, .failing, .failed, .cancelling, .cancelled, .finished].map { status in
                    // An application's word for it has one L.
                    (status == .cancelling ? "CANCELING" : status.rawValue, .integer(job.timestamps[status] ?? 0))
                })), ("jobs", [JSON(overviewOf: job, now: now)]),
            ]))
        }
        router.get("/applications/:job/exceptions") { _, context in
            Response.json(["exceptionHistory": JSON(exceptionsOf: try await job(context))["exceptionHistory"]])
        }
        router.get("/applications/:job/jobmanager/config") { _, context in
            _ = try await job(context)
            return Response.json(.array(configuration.masked.map { ["key": .string($0.name), "value": .string($0.value)] }))
        }
        router.get("/jobs/:job/jobmanager/log-url") { request, context in
            _ = try await job(context)
            return Response.json(["url": .string(origin(of: request) + "/#/jobmanager/logs")])
        }
        router.get("/jobs/:job/taskmanagers/:worker/log-url") { request, context in
            _ = try await job(context)
            return Response.json(["url": .string(origin(of: request) + "/#/taskmanager/\(try await worker(context).id)/logs")])
        }
        router.delete("/cluster") { _, _ in
            try checkMayWrite()
            log(.info, "ClusterEntrypoint", "Shutting the JobManager down: it was asked for over REST")
            // As if the operating system had asked, once the answer is out.
            Task {
                try? await Task.sleep(for: .milliseconds(200))
                kill(getpid(), SIGTERM)
            }
            return Response.json([:])
        }
    }

    private func application(_ job: JobView, _ now: Int64) -> [(String, JSON)] {
        [
            ("id", .string(job.id.description)), ("name", .string(job.name)), ("status", .string(job.status.rawValue)), ("start-time", .integer(job.started)),
            ("end-time", .integer(job.ended ?? -1)), ("duration", .integer(JSON.duration(job, now))),
        ]
    }
}
