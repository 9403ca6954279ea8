import Dataflow
import REST
import Settings
import Testing

struct TraceTests {
    private func reporters(_ settings: [String: String]) throws -> TraceReporters { try TraceReporters(Configuration(values: settings)) }

    @Test func spansGoToTheFirstReporterWithAnEndpoint() throws {
        let endpoint = "traces.reporter.otel.exporter.endpoint"
        let none = try reporters([:])
        #expect(none.url == nil && none.warnings.isEmpty)
        #expect(try reporters(["traces.reporters": "otel", endpoint: "http://collector:4318"]).url == "http://collector:4318/v1/traces")
        #expect(try reporters(["traces.reporters": "otel", endpoint: "https://[::1]:4318/v1/traces/"]).url == "https://[::1]:4318/v1/traces")
        #expect(try reporters(["traces.reporters": "otel", endpoint: "http://collector/x?key=1"]).url == "http://collector/x/v1/traces?key=1")
        #expect(try reporters(["traces.reporters": "otel", endpoint: "http://collector:4318", "traces.reporter.otel.exporter.protocol": "HTTP"]).warnings.isEmpty)
    }

    @Test func whatHasNoEffectIsToldALineEach() throws {
        let none = try reporters(["traces.reporters": "otel"])
        #expect(none.url == nil && none.warnings.count == 1)
        #expect(none.warnings.first?.contains("traces.reporter.otel.exporter.endpoint is not set") == true)
        for wrong in ["collector:4318", "grpc://collector:4317", "http://", "http://:4318", "http://collector:", "http://collector:99999", "http://a b"] {
            let found = try reporters(["traces.reporters": "otel", "traces.reporter.otel.exporter.endpoint": wrong])
            #expect(found.url == nil && found.warnings.count == 1, "\(wrong)")
            #expect(found.warnings.first?.contains("is no URL") == true, "\(wrong)")
        }
        let spoken = try reporters([
            "traces.reporters": "otel", "traces.reporter.otel.exporter.endpoint": "http://collector:4317", "traces.reporter.otel.exporter.protocol": "grpc",
        ])
        #expect(spoken.url == "http://collector:4317/v1/traces" && spoken.warnings.count == 1)
        #expect(spoken.warnings.first?.contains("traces.reporter.otel.exporter.protocol: 'grpc'") == true)
        let two = try reporters([
            "traces.reporters": "a, b", "traces.reporter.a.exporter.endpoint": "http://a:4318", "traces.reporter.b.exporter.endpoint": "http://b:4318",
        ])
        #expect(two.url == "http://a:4318/v1/traces" && two.warnings.count == 1)
    }

    @Test func aPasswordOfTheURLIsNotShown() throws {
        let found = try reporters(["traces.reporters": "otel", "traces.reporter.otel.exporter.endpoint": "http://me:hunter2@collector:4318"])
        #expect(found.url == "http://me:hunter2@collector:4318/v1/traces")
        #expect(found.shownURL == "http://me:******@collector:4318/v1/traces")
    }

    @Test func aCollectorThatTakesNothingIsToldOnce() {
        var complaints = CollectorComplaints()
        let start = ContinuousClock.now
        let told = (0..<300).filter { complaints.isToBeTold("it answered 500", at: start + .seconds($0)) }
        #expect(told == [0])
        let (good, bad) = (complaints.isToBeTold(nil, at: start + .seconds(300)), complaints.isToBeTold("it answered 500", at: start + .seconds(301)))
        #expect(!good && bad)
    }

    @Test func aCollectorThatChangesItsMindIsToldOnceAMinute() {
        var complaints = CollectorComplaints()
        let start = ContinuousClock.now
        let told = (0..<180).filter { complaints.isToBeTold($0 % 2 == 0 ? "it answered 500" : nil, at: start + .seconds($0)) }
        #expect(told == [0, 60, 120])
    }

    /// A bad time that began too soon after a line for another is told when that is over.
    @Test func whatLastsIsToldAlsoWhenItBeganWithinAMinuteOfALine() {
        var complaints = CollectorComplaints()
        let start = ContinuousClock.now
        let told = (0..<300).filter { complaints.isToBeTold($0 == 10 ? nil : "it answered 500", at: start + .seconds($0)) }
        #expect(told == [0, 60])
    }

    @Test func aSpanSaysWhichJobAndWhyItFailed() {
        var generator = SystemRandomNumberGenerator()
        let job = JobID(high: 1, low: 2)
        let failed = Span(name: "Checkpoint", start: 5, end: 7, failed: true, cause: "the disk is full", job: job, jobName: "Prices")
        let text = JSON(spans: [failed], using: &generator).text
        #expect(text.contains(#""status":{"code":2,"message":"the disk is full"}"#))
        #expect(text.contains(#"{"key":"jobId","value":{"stringValue":"00000000000000010000000000000002"}},{"key":"jobName","value":{"stringValue":"Prices"}}"#))
        let good = Span(name: "Checkpoint", start: 5, end: 7, job: job, jobName: nil)
        let other = JSON(spans: [good], using: &generator).text
        #expect(other.contains(#""status":{"code":1}"#) && !other.contains("jobName"))
    }
}
