import Dataflow
import Glibc
import JobControl
import NIOPosix
import Settings
import Transport

/// A JobManager that listens for TaskManagers: the host, its port, and nothing else. REST stands on top of it.
package final class JobManagerProcess: Sendable {
    package let host: JobManagerHost
    package let port: Int
    private let server: FrameServer
    private let group: MultiThreadedEventLoopGroup

    package init(configuration: Configuration, connectors: any ConnectorRegistry, version: String, log: Log) throws(StreamError) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.group = group
        let tls = try internalTLS(configuration)
        if let warning = tls.flatMap({ certificateWarning($0, now: time(nil)) }) { log(.warning, "RpcServer", warning) }
        var options = ClusterOptions()
        options.heartbeatInterval = configuration.get(HeartbeatOptions.interval)
        options.heartbeatTimeout = configuration.get(HeartbeatOptions.timeout)
        options.version = version
        options.changesLayouts = true
        // A restarted JobManager must outrank the one before it; its HEADs may raise this.
        options.leaderEpoch = LeaderEpoch(SystemClock.wallMilliseconds())
        let host = JobManagerHost(options: options, seed: .random(in: 0 ... .max), stores: Stores(configuration), connectors: connectors, log: log)
        self.host = host
        let address = configuration.get(JobManagerOptions.bindHost) ?? configuration.get(JobManagerOptions.rpcAddress)
        do {
            server = try FrameServer.bind(
                group: group, host: address, port: configuration.get(JobManagerOptions.rpcPort), tls: tls, role: Role.jobManager,
                options: TransportOptions(configuration),
                log: { log(.warning, "RpcServer", $0) },
                accept: { connection in FrameHandler(host.accept(FrameLink(connection: connection))) }
            ).wait()
        } catch {
            throw StreamError(.externalSystem, retry: false, "\(error)")
        }
        port = server.port
    }

    package func stop() {
        server.close()
        host.stop()
    }
}
