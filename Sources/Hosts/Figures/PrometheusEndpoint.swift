import Dataflow
import Meters
import NIOCore
import NIOHTTP1
import NIOPosix
import Settings

/// Answers scrapes: `GET /metrics` (or `/`, as Flink's reporter does) with the figures of that moment. Anything else is 404 or 405.
package final class PrometheusEndpoint: Sendable {
    package let port: Int
    private let channel: any Channel

    private init(_ channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    /// The first free port of the reporter that `metrics.reporters` names, if one of them is Prometheus's; nil when none is.
    package static func start(
        _ configuration: Configuration, host: String, group: any EventLoopGroup, log: Log, figures: @escaping @Sendable () async -> MetricSnapshot
    ) throws(StreamError) -> PrometheusEndpoint? {
        let reporters = MetricReporters(configuration)
        for warning in reporters.warnings { log(.warning, "MetricReporters", warning) }
        guard let name = reporters.prometheus else { return nil }
        let (ports, filtersLabels) = try ports(name, configuration)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 16)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(ScrapeHandler(figures: figures, filtersLabels: filtersLabels))
                }
            }
        var reason = ""
        for port in ports {
            do {
                let endpoint = PrometheusEndpoint(try bootstrap.bind(host: host, port: port).wait())
                log(.info, "PrometheusReporter", "Started PrometheusReporter HTTP server on port \(endpoint.port).")
                return endpoint
            } catch { reason = "\(error)" }
        }
        throw StreamError(
            .user, retry: false, "no port of metrics.reporter.*.port (\(ports.lowerBound) to \(ports.upperBound)) is free on \(host): \(reason)")
    }

    /// `metrics.reporter.prom.port: 9249` or `9249-9259`.
    private static func ports(_ name: String, _ configuration: Configuration) throws(StreamError) -> (ClosedRange<Int>, filtersLabels: Bool) {
        let text = configuration.text("metrics.reporter.\(name).port") ?? "9249"
        let ends = text.split(separator: "-").map { Int($0.filter { $0 != " " }) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, 0...65535 ~= first, first...65535 ~= last else {
            throw StreamError(.user, retry: false, "metrics.reporter.\(name).port: '\(text)' is no port and no range such as 9249-9259")
        }
        return (first...last, configuration.text("metrics.reporter.\(name).filterLabelValueCharacters")?.lowercased() != "false")
    }
}

private final class ScrapeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let figures: @Sendable () async -> MetricSnapshot
    private let filtersLabels: Bool
    private var head: HTTPRequestHead?

    init(figures: @escaping @Sendable () async -> MetricSnapshot, filtersLabels: Bool) {
        self.figures = figures
        self.filtersLabels = filtersLabels
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break  // A scrape has none; what comes is thrown away as it comes.
        case .end:
            guard let head else { return }
            let path = head.uri.prefix { $0 != "?" }
            let status: HTTPResponseStatus = path != "/metrics" && path != "/" ? .notFound : head.method != .GET && head.method != .HEAD ? .methodNotAllowed : .ok
            guard status == .ok else { return answer(context, head, status, "\(status.reasonPhrase)\n") }
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.makeFutureWithTask { [figures, filtersLabels] in await figures().prometheusText(filtersLabels: filtersLabels) }.whenComplete { result in
                let (handler, context) = bound.value
                switch result {
                case .success(let text): handler.answer(context, head, .ok, text)
                case .failure: context.close(promise: nil)
                }
            }
        }
    }

    private func answer(_ context: ChannelHandlerContext, _ head: HTTPRequestHead, _ status: HTTPResponseStatus, _ text: String) {
        let headers: HTTPHeaders = [
            "Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Content-Length": "\(text.utf8.count)",
            "Connection": head.isKeepAlive ? "keep-alive" : "close",
        ]
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: status, headers: headers))), promise: nil)
        if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil) }
        let done = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if !head.isKeepAlive { done.assumeIsolated().whenComplete { _ in context.close(promise: nil) } }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
