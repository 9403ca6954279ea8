import Settings

/// What `metrics.reporters` asks for: there is Prometheus's, once; and what of the keys has no effect.
package struct MetricReporters {
    /// The one that is served; nil: none.
    package private(set) var prometheus: String?
    /// A line each.
    package private(set) var warnings: [String] = []

    /// Flink's keys: `metrics.reporters: prom`, `metrics.reporter.prom.factory.class` (formerly `.class`).
    package init(_ configuration: Configuration) {
        let names = (configuration.get(RestOptions.reporters) ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
        for name in names where !name.isEmpty {
            let key = ["factory.class", "class"].map { "metrics.reporter.\(name).\($0)" }.first { configuration.text($0) != nil }
            let factory = key.flatMap { configuration.text($0) } ?? ""
            guard name.hasPrefix("prom") || factory.contains("PrometheusReporter") else {
                warnings.append("metrics.reporters names '\(name)', which reports nothing: there is Flink's reporter for Prometheus alone (prom)")
                continue
            }
            if let prometheus {
                warnings.append("metrics.reporters names '\(name)', which opens nothing: there is one endpoint, that of '\(prometheus)'")
                continue
            }
            prometheus = name
            if let key, !MetricReporters.classes.contains(factory) {
                warnings.append("\(key): '\(factory)' is not there; '\(name)' is an endpoint for scrapes, as \(MetricReporters.classes[0]) opens it")
            }
        }
    }

    private static let classes = ["org.apache.flink.metrics.prometheus.PrometheusReporterFactory", "org.apache.flink.metrics.prometheus.PrometheusReporter"]
}
