import Dataflow
import Hosts
import Hummingbird
import JobControl
import Settings

extension RESTService {
    func addClusterRoutes(_ router: some RouterMethods<BasicRequestContext>) {
        router.get("/overview") { _, _ in
            let view = await jobManager.recentView()
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
                    "web-cancel": .bool(mayWrite && configuration.get(RestOptions.cancelEnabled)),
                    "web-rescale": .bool(mayWrite && configuration.get(RestOptions.rescaleEnabled)), "web-history": false,
                ],
            ])
        }
        router.get("/jobmanager/config") { _, _ in
            Response.json(.array(configuration.masked.map { ["key": .string($0.name), "value": .string($0.value)] }))
        }
        router.get("/taskmanagers") { _, _ in
            let view = await jobManager.recentView()
            return Response.json(["taskmanagers": .array(view.workers.map { JSON(worker: $0, allocated: allocations(on: $0, of: view.jobs)) })])
        }
        router.get("/taskmanagers/:worker") { _, context in
            let worker = try await worker(context)
            let jobs = await jobManager.recentView().jobs
            let allocated = allocations(on: worker, of: jobs)
            var json = JSON(worker: worker, allocated: allocated).members
            json.append(("allocatedSlots", .array(allocated.map {
                ["jobId": .string($0.job.description), "resource": JSON(resourceOf: worker, slots: 1), "assignedTasks": .integer(Int64($0.tasks))]
            })))
            // A TaskManager that is busy dying is shown without figures, not refused.
            if case .figures(let figures)? = try? await ask(.figures, of: .worker(worker), within: .seconds(2)) {
                func value(_ name: String) -> JSON { .integer(figures.first { $0.name == name }.map { Int64($0.value) } ?? 0) }
                json.append(("metrics", [
                    "heapUsed": value("Status.JVM.Memory.Heap.Used"), "heapCommitted": value("Status.JVM.Memory.Heap.Committed"),
                    "heapMax": .integer(worker.memoryBytes), "nonHeapUsed": 0, "nonHeapCommitted": 0, "nonHeapMax": 0, "directCount": 0, "directUsed": 0,
                    "directMax": 0, "mappedCount": 0, "mappedUsed": 0, "mappedMax": 0, "nettyShuffleMemorySegmentsAvailable": 0,
                    "nettyShuffleMemorySegmentsUsed": 0, "nettyShuffleMemorySegmentsTotal": 0, "nettyShuffleMemoryAvailable": 0,
                    "nettyShuffleMemoryUsed": 0, "nettyShuffleMemoryTotal": 0, "garbageCollectors": [],
                ]))
            }
            return Response.json(.object(json))
        }
    }

    /// One entry a slot. Which subtasks share one is not told here; a slot holds at most one of each vertex.
    private func allocations(on worker: ClusterView.Worker, of jobs: [JobView]) -> [Allocation] {
        jobs.filter { !$0.status.isTerminal }.flatMap { job in
            let counts = job.vertices.map { $0.subtasks.count { $0.worker == worker.id } }
            return (0..<(counts.max() ?? 0)).map { slot in Allocation(job: job.id, tasks: counts.count { $0 > slot }) }
        }
    }
}

/// A slot that a job has of a TaskManager.
private struct Allocation {
    let job: JobID
    let tasks: Int
}

extension JSON {
    /// Slots are threads and share all that a TaskManager has: the part that falls to so many of them.
    fileprivate init(resourceOf worker: ClusterView.Worker, slots: Int) {
        let all = max(1, worker.slots)
        self = [
            "cpuCores": .number(Double(worker.processors * slots) / Double(all)), "taskHeapMemory": .integer((worker.memoryBytes >> 20) * Int64(slots) / Int64(all)),
            "taskOffHeapMemory": 0, "managedMemory": 0, "networkMemory": 0, "extendedResources": [:],
        ]
    }

    /// `managedMemory` and the JVM's pools have no meaning here: one limit bounds state and buffers.
    fileprivate init(worker: ClusterView.Worker, allocated: [Allocation]) {
        let memory = JSON.integer(worker.memoryBytes)
        self = [
            "id": .string(worker.id.description), "path": .string("\(worker.host):\(worker.dataPort)"), "dataPort": .integer(Int64(worker.dataPort)),
            "jmxPort": -1, "timeSinceLastHeartbeat": .integer(worker.lastHeard), "slotsNumber": .integer(Int64(worker.slots)),
            "freeSlots": .integer(Int64(worker.freeSlots)), "assignedTasks": .integer(Int64(allocated.reduce(0) { $0 + $1.tasks })),
            "totalResource": JSON(resourceOf: worker, slots: worker.slots), "freeResource": JSON(resourceOf: worker, slots: worker.freeSlots),
            "hardware": ["cpuCores": .integer(Int64(worker.processors)), "physicalMemory": memory],
            "memoryConfiguration": ["totalProcessMemory": memory], "version": .string(worker.version), "leaving": .bool(worker.isLeaving),
        ]
    }
}
