import Dataflow
import Glibc
import JobControl
import NIOPosix
import Settings
import TaskRuntime
import Transport
import Wire

/// A TaskManager that talks to a JobManager over TCP.
package final class TaskManagerProcess: Sendable {
    package let host: TaskManagerHost
    package let worker: WorkerID
    private let network: DataNetwork
    private let group: MultiThreadedEventLoopGroup
    private let scrapes: PrometheusEndpoint?

    package init(
        configuration: Configuration, connectors: any ConnectorRegistry, version: String, log: Log,
        onExit: @escaping @Sendable (Int32, String) -> Void
    ) throws(StreamError) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.group = group
        let tls = try internalTLS(configuration)
        if let warning = tls.flatMap({ certificateWarning($0, now: time(nil)) }) { log(.warning, "TaskManagerRunner", warning) }
        let transport = TransportOptions(configuration)
        // Loopback unless told otherwise: a host to be reached at, or an address to bind to.
        let reachable = configuration.get(TaskManagerOptions.host)
        let bound = configuration.get(TaskManagerOptions.bindHost) ?? reachable ?? "127.0.0.1"
        let name = configuration.get(TaskManagerOptions.resourceID) ?? "taskmanager-\(hostName())-\(getpid())-\(hex(.random(in: 0 ... .max)).suffix(6))"
        worker = WorkerID(name)
        let machine = MachineKind()
        let memory = configuration.taskManagerMemory()
        network = try DataNetwork(
            worker: worker, group: group, host: bound, port: configuration.get(TaskManagerOptions.dataPort), tls: tls, options: transport, log: log,
            desk: InspectionDesk(Inspector(log: log, memoryBytes: Int64(memory.bytes), more: { machine.figures })))
        let registration = Registration(
            worker: worker, host: reachable ?? bound, dataPort: network.port, slots: configuration.get(TaskManagerOptions.slots),
            memoryBytes: Int64(memory.bytes), processors: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), version: version, running: [],
            incarnation: .random(in: 1 ... .max))
        var options = WorkerOptions()
        options.registrationTimeout = configuration.get(TaskManagerOptions.registrationTimeout)
        let leaderHost = configuration.get(JobManagerOptions.rpcAddress)
        let leaderPort = configuration.get(JobManagerOptions.rpcPort)
        host = TaskManagerHost(
            registration: registration, options: options, memoryLimit: memory.bytes, stores: Stores(configuration),
            backup: LocalBackup(configuration, log: log), connectors: connectors, network: network,
            connectLeader: { events in
                do {
                    let connection = try connect(
                        group: group, host: leaderHost, port: leaderPort, tls: tls, role: Role.taskManager, options: transport,
                        accept: { _ in FrameHandler(events) }
                    ).wait()
                    return .success(FrameLink(connection: connection))
                } catch {
                    return .failure(StreamError(.connection, retry: true, "\(error)"))
                }
            },
            log: log, onExit: onExit)
        scrapes = try PrometheusEndpoint.start(configuration, host: bound, group: group, log: log) { [host] in host.figures.snapshot() }
        SpotWatcher(configuration, kind: machine, log: log).begin { [host] in host.obey($0) }
    }
}

private func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    gethostname(&buffer, 255)
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
