import Hosts
import Hummingbird
import JobControl
import Settings

extension RESTService {
    func addClusterRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/overview") { _, _ in
            let view = await jobManager.view()
            func count(_ matches: (JobStatus) -> Bool) -> JSON { .integer(Int64(view.jobs.count { matches($0.status) })) }
            return Response.json([
                "taskmanagers": .integer(Int64(view.workers.count)), "slots-total": .integer(Int64(view.totalSlots)),
                "slots-available": .integer(Int64(view.freeSlots)), "jobs-running": count { !$0.isTerminal },
                "jobs-finished": count { $0 == .finished }, "jobs-cancelled": count { $0 == .cancelled }, "jobs-failed": count { $0 == .failed },
                "flink-version": .string(Version.number), "flink-commit": .string(Version.commit),
            ])
        }
        router.get("/config") { _, _ in
            Response.json([
                "refresh-interval": .integer(configuration.get(RestOptions.refreshInterval).milliseconds), "timezone-name": "UTC", "timezone-offset": 0,
                "flink-version": .string(Version.number), "flink-revision": .string(Version.commit),
                "features": [
                    "web-submit": .bool(mayWrite && configuration.get(RestOptions.submitEnabled)),
                    "web-cancel": .bool(mayWrite && configuration.get(RestOptions.cancelEnabled)), "web-rescale": false, "web-history": false,
                ],
            ])
        }
        router.get("/jobmanager/config") { _, _ in
            Response.json(.array(configuration.masked.map { ["key": .string($0.name), "value": .string($0.value)] }))
        }
        router.get("/taskmanagers") { _, _ in
            Response.json(["taskmanagers": .array(await jobManager.view().workers.map(JSON.init(worker:)))])
        }
        router.get("/taskmanagers/:worker") { _, context in
            let id = context.parameters.get("worker") ?? ""
            guard let worker = await jobManager.view().workers.first(where: { $0.id.description == id }) else {
                throw Refusal(.notFound, "TaskManager \(id) not found")
            }
            return Response.json(JSON(worker: worker))
        }
    }
}

extension JSON {
    /// `managedMemory` and the JVM's pools have no meaning here: one limit bounds state and buffers.
    fileprivate init(worker: ClusterView.Worker) {
        let memory = JSON.integer(worker.memoryBytes)
        self = [
            "id": .string(worker.id.description), "path": .string("\(worker.host):\(worker.dataPort)"), "dataPort": .integer(Int64(worker.dataPort)),
            "jmxPort": -1, "timeSinceLastHeartbeat": .integer(worker.lastHeard), "slotsNumber": .integer(Int64(worker.slots)),
            "freeSlots": .integer(Int64(worker.freeSlots)), "assignedTasks": .integer(Int64(worker.slots - worker.freeSlots)),
            "totalResource": ["cpuCores": .number(Double(worker.processors)), "taskHeapMemory": .integer(worker.memoryBytes >> 20)],
            "hardware": ["cpuCores": .integer(Int64(worker.processors)), "physicalMemory": memory],
            "memoryConfiguration": ["totalProcessMemory": memory], "version": .string(worker.version), "leaving": .bool(worker.isLeaving),
        ]
    }
}
