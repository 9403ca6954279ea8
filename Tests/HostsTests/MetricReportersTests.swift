import Hosts
import Settings
import Testing

struct MetricReportersTests {
    private func reporters(_ settings: [String: String]) throws -> MetricReporters { try MetricReporters(Configuration(values: settings)) }

    @Test func prometheusIsServedUnderItsNameOrItsClass() throws {
        let factory = "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"
        for settings in [
            ["metrics.reporters": "prom"], ["metrics.reporters": "prom", "metrics.reporter.prom.factory.class": factory],
            ["metrics.reporters": "mine", "metrics.reporter.mine.factory.class": factory],
            ["metrics.reporters": "mine", "metrics.reporter.mine.class": "org.apache.flink.metrics.prometheus.PrometheusReporter"],
        ] {
            let found = try reporters(settings)
            #expect(found.prometheus == settings["metrics.reporters"] && found.warnings.isEmpty, "\(settings)")
        }
        let none = try reporters([:])
        #expect(none.prometheus == nil && none.warnings.isEmpty)
    }

    @Test func othersAreToldALineEach() throws {
        let found = try reporters([
            "metrics.reporters": "slf4j, prom, prometheus2", "metrics.reporter.slf4j.factory.class": "org.apache.flink.metrics.slf4j.Slf4jReporterFactory",
        ])
        #expect(found.prometheus == "prom")
        #expect(found.warnings.count == 2)
        #expect(found.warnings.first?.hasPrefix("metrics.reporters names 'slf4j', which reports nothing") == true)
        #expect(found.warnings.last?.hasPrefix("metrics.reporters names 'prometheus2', which opens nothing") == true)
    }

    @Test func anotherClassUnderPrometheussNameIsTold() throws {
        let found = try reporters([
            "metrics.reporters": "prom", "metrics.reporter.prom.factory.class": "org.apache.flink.metrics.prometheus.PrometheusPushGatewayReporterFactory",
        ])
        #expect(found.prometheus == "prom")
        #expect(found.warnings.count == 1)
        #expect(found.warnings.first?.hasPrefix("metrics.reporter.prom.factory.class: 'org.apache.flink.metrics.prometheus.PrometheusPush") == true)
    }
}
