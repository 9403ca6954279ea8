import Dataflow
import Glibc
import JobControl
import Settings
import Synchronization
import TaskRuntime
import Wire

/// A whole cluster inside one process: the same machines, no sockets. What `swiftwater run` uses.
package final class LocalCluster: Sendable {
    package let jobManager: JobManagerHost
    private let taskManager: TaskManagerHost

    package init(configuration: Configuration, slots: Int, connectors: any ConnectorRegistry, version: String, log: Log) {
        let stores = Stores(configuration)
        var options = ClusterOptions()
        options.heartbeatInterval = configuration.get(HeartbeatOptions.interval)
        options.heartbeatTimeout = configuration.get(HeartbeatOptions.timeout)
        options.version = version
        // A restarted JobManager must outrank the one before it; its HEADs may raise this.
        options.leaderEpoch = LeaderEpoch(SystemClock.wallMilliseconds())
        let jobManager = JobManagerHost(options: options, seed: .random(in: 0 ... .max), stores: stores, connectors: connectors, log: log)
        self.jobManager = jobManager
        let memory = configuration.taskManagerMemory()
        let registration = Registration(
            worker: WorkerID("local"), host: "localhost", dataPort: 0, slots: slots, memoryBytes: Int64(memory.bytes),
            processors: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), version: version, running: [])
        taskManager = TaskManagerHost(
            registration: registration, options: WorkerOptions(), memoryLimit: memory.bytes, stores: stores, connectors: connectors,
            network: nil, connectLeader: { events in .success(localLink(to: jobManager, events)) }, log: log, onExit: { _, _ in })
    }
}

/// Both ends of a connection inside the process. The JobManager's end exists before it has said where its events go, hence the box.
private func localLink(to jobManager: JobManagerHost, _ events: LinkEvents) -> any Link {
    final class Box: Sendable {
        let events = Mutex<LinkEvents?>(nil)
    }
    let box = Box()
    let toLeader = LinkEvents(
        received: { bytes in box.events.withLock { $0 }?.received(bytes) },
        closed: { reason in box.events.withLock { $0 }?.closed(reason) })
    let accepted = jobManager.accept(LocalLink(to: events, own: toLeader))
    box.events.withLock { $0 = accepted }
    return LocalLink(to: accepted, own: events)
}
