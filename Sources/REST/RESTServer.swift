import Dataflow
import Glibc
import Hosts
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOPosix
import Settings
import Synchronization

/// The REST API of a JobManager, with Flink's paths and shapes.
package final class RESTServer: Sendable {
    package let address: String
    package let port: Int
    private let hasTLS: Bool
    private let running: Task<Void, any Error>
    private let scrapes: PrometheusEndpoint?
    private let operations: Operations

    /// Where clients find it.
    package var url: String { "\(hasTLS ? "https" : "http")://\(address):\(port)" }

    private init(address: String, port: Int, hasTLS: Bool, running: Task<Void, any Error>, scrapes: PrometheusEndpoint?, operations: Operations) {
        self.scrapes = scrapes
        self.operations = operations
        self.address = address
        self.port = port
        self.hasTLS = hasTLS
        self.running = running
    }

    /// Listens once it returns.
    package static func start(jobManager: JobManagerHost, configuration: Configuration, log: Log) async throws(StreamError) -> RESTServer {
        let address = configuration.get(RestOptions.bindAddress)
        let token = configuration.get(RestOptions.token)
        let tls = try restTLS(configuration)
        if let warning = tls.flatMap({ certificateWarning($0, scope: "security.ssl.rest", now: time(nil)) }) { log(.warning, "RESTServer", warning) }
        let browsers = BrowserGuard(isLoopback: isLoopback(address), names: [address, configuration.get(RestOptions.address) ?? configuration.get(JobManagerOptions.rpcAddress)])
        let service = RESTService(
            jobManager: jobManager, configuration: configuration, token: token, mayWrite: isLoopback(address) || token != nil, browsers: browsers, log: log,
            hasTLS: tls != nil, inspection: try InspectionClient(configuration: configuration, group: MultiThreadedEventLoopGroup.singleton),
            desk: InspectionDesk(Inspector(log: log)), scripts: StoredScripts(folder: configuration.get(RestOptions.uploadDirectory)))
        let port = configuration.get(RestOptions.port)
        let desk = ConnectionDesk(
            ConnectionTable(
                most: configuration.get(RestOptions.maximumConnections), mostOfOneAddress: configuration.get(RestOptions.maximumConnectionsOfOneAddress)),
            requestTimeout: .milliseconds(configuration.get(RestOptions.requestTimeout).milliseconds),
            idleTimeout: .milliseconds(configuration.get(RestOptions.idleTimeout).milliseconds), log: log)
        let routes = WithoutBody(routes: service.router().buildResponder())
        let plain = HTTPServerBuilder { _ in GuardedConnections(routes: routes, desk: desk, isSecure: tls != nil) }
        let reporters = TraceReporters(configuration)
        for warning in reporters.warnings { log(.warning, "Traces", warning) }
        let traces = reporters.url.map { (url: $0, shown: reporters.shownURL ?? "") }
        if let traces { log(.info, "Traces", "Spans of checkpoints, recoveries and layout changes go to \(traces.shown)") }
        let opened = OneAnswer<Result<Int, StreamError>>()
        let listener = try Result {
            let server = try tls.map { try .tls(plain, tlsConfiguration: $0) } ?? plain
            return try server.buildServer(
                configuration: ServerConfiguration(address: .hostname(address, port: port), backlog: 1024), eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "rest") { _ in LibraryLog(log: log) }, responder: { _, _, _ in },  // Connections answer by `routes` themselves.
                onServerRunning: { channel in opened.give(.success(channel.localAddress?.port ?? port)) })
        }.mapError { error in StreamError(.user, retry: false, "security.ssl.rest: \(error)") }.get()
        let running = Task {
            let history = Task { await service.keepHistory() }
            let export = traces.map { traces in Task { await service.exportTraces(to: traces.url, shownURL: traces.shown) } }
            defer {
                history.cancel()
                export?.cancel()
            }
            do {
                try await listener.run()
            } catch {
                opened.give(.failure(StreamError(.externalSystem, retry: false, "REST cannot listen on \(address):\(port): \(error)")))
                throw error
            }
        }
        switch await opened.wait() {
        case .success(let port):
            let host = configuration.get(JobManagerOptions.bindHost) ?? configuration.get(JobManagerOptions.rpcAddress)
            let scrapes = try PrometheusEndpoint.start(
                configuration, host: host, group: MultiThreadedEventLoopGroup.singleton, log: log, figures: { await service.snapshot(host: host) })
            return RESTServer(address: address, port: port, hasTLS: tls != nil, running: running, scrapes: scrapes, operations: service.operations)
        case .failure(let error): throw error
        }
    }

    /// For a process that ends with its job: whoever asked for a savepoint or a stop hears first how it ended, if he asks within ten seconds.
    package func settle() async {
        let deadline = ContinuousClock.now + .seconds(10)
        while !operations.areSettled, .now < deadline { try? await Task.sleep(for: .milliseconds(50)) }
    }

    /// Returns when the server has ended.
    package func run() async { _ = await running.result }

    private static func isLoopback(_ address: String) -> Bool {
        address == "localhost" || address == "::1" || address.hasPrefix("127.")
    }
}

/// The first answer given, for one that waits.
private final class OneAnswer<Answer: Sendable>: Sendable {
    private struct State {
        var answer: Answer?
        var waiting: CheckedContinuation<Answer, Never>?
    }

    private let state = Mutex(State())

    func give(_ answer: Answer) {
        let waiting = state.withLock { state -> CheckedContinuation<Answer, Never>? in
            guard state.answer == nil else { return nil }
            state.answer = answer
            return state.waiting
        }
        waiting?.resume(returning: answer)
    }

    func wait() async -> Answer {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Answer? in
                if state.answer == nil { state.waiting = continuation }
                return state.answer
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }
}
