package enum RestOptions {
    package static let port = ConfigKey(port: "rest.port", 8081, formerly: ["jobmanager.web.port", "web.port"], "Port of the REST API and the dashboard.")
    package static let bindPort = ConfigKey<PortRange?>("rest.bind-port", nil, "Ports to listen on, the first free one is taken; without it, rest.port.")
    package static let address = ConfigKey<String?>(
        "rest.address", nil, formerly: ["jobmanager.web.address", "web.address"], "Host at which clients reach the REST API; without it, jobmanager.rpc.address.")
    package static let bindAddress = ConfigKey("rest.bind-address", "localhost", "Address the REST API listens on.")
    package static let token = ConfigKey<String?>(
        "rest.authentication.token", nil, "Requests must show it as `Authorization: Bearer …`; with it, a public address may be written to.")
    package static let flamegraph = ConfigKey("rest.flamegraph.enabled", false, "Whether flame graphs may be sampled.")
    package static let flamegraphSamples = ConfigKey("rest.flamegraph.num-samples", 100, atLeast: 1, "How often a flame graph looks at each task.")
    package static let flamegraphDelay = ConfigKey<Duration>("rest.flamegraph.delay-between-samples", .milliseconds(50), "Time between two looks.")
    package static let flamegraphRefresh = ConfigKey<Duration>(
        "rest.flamegraph.refresh-interval", .seconds(60), "A flame graph that is older is taken anew when somebody asks.")
    package static let maximumConnections = ConfigKey(
        "rest.server.max-connections", 1000, atLeast: 8, "Connections to the REST API at once; one more takes the place of the one that has waited longest.")
    package static let maximumConnectionsOfOneAddress = ConfigKey(
        "rest.server.max-connections-per-address", 500, atLeast: 4, "Connections to the REST API at once from one address.")
    package static let requestTimeout = ConfigKey<Duration>(
        "rest.server.request-timeout", .seconds(20), must: "longer than 0", { $0 > .zero },
        "Longest time from the start of a connection to its first request, and from a request's head to the end of its body.")
    package static let idleTimeout = ConfigKey<Duration>(
        "rest.server.idle-timeout", .seconds(30), must: "longer than 0", { $0 > .zero }, "A connection that sends nothing for so long is closed.")
    package static let submitEnabled = ConfigKey("web.submit.enable", true, "Whether jobs may be submitted through the dashboard.")
    package static let cancelEnabled = ConfigKey("web.cancel.enable", true, "Whether jobs may be cancelled through the dashboard.")
    package static let rescaleEnabled = ConfigKey("web.rescale.enable", true, "Whether jobs may be rescaled through the dashboard.")
    package static let refreshInterval = ConfigKey<Duration>("web.refresh-interval", .seconds(3), "Time between two refreshes of the dashboard.")
    package static let checkpointHistory = ConfigKey("web.checkpoints.history", 10, atLeast: 1, "How many checkpoints of a job REST and the dashboard tell about.")
    package static let uploadDirectory = ConfigKey<String?>("web.upload.dir", nil, "Where uploaded scripts are kept.")
    package static let metricsInterval = ConfigKey<Duration>(
        "metrics.fetcher.update-interval", .seconds(10), "How old a metric in the REST API may be.")
    package static let latencyInterval = ConfigKey<Duration>("metrics.latency.interval", .zero, "Time between two latency markers; 0 for none.")
    package static let reporters = ConfigKey<String?>("metrics.reporters", nil, "Names of the metric reporters, separated by commas.")
    package static let traceReporters = ConfigKey<String?>(
        "traces.reporters", nil, "Names of the trace reporters, separated by commas; the first with a traces.reporter.<name>.exporter.endpoint gets OTLP over HTTP.")

    static let all: [any AnyConfigKey] = [
        port, bindPort, address, bindAddress, token, flamegraph, flamegraphSamples, flamegraphDelay, flamegraphRefresh, maximumConnections,
        maximumConnectionsOfOneAddress, requestTimeout, idleTimeout, submitEnabled, cancelEnabled, rescaleEnabled, refreshInterval, checkpointHistory,
        uploadDirectory, metricsInterval, latencyInterval, reporters, traceReporters,
    ]
}
