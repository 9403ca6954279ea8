import Meters
import Testing

@Suite struct MetersTests {
    @Test func aMeterShowsTheLastMinute() {
        var meter = Meter()
        for second in 1...120 {
            meter.mark(10)
            meter.update(elapsed: .seconds(second))
        }
        #expect(meter.rate == 10)
        #expect(meter.count == 1200)
        meter.update(elapsed: .seconds(150))
        #expect(meter.rate == 5)
        meter.update(elapsed: .seconds(180))
        #expect(meter.rate == 0)
    }

    @Test func aMeterBeforeItsFirstMinuteCountsFromZero() {
        var meter = Meter()
        meter.mark(600)
        #expect(meter.rate == 0)
        meter.update(elapsed: .seconds(4))
        #expect(meter.rate == 0)
        meter.update(elapsed: .seconds(5))
        #expect(meter.rate == 10)
    }

    @Test func aMeterForgetsOverALongSilence() {
        var meter = Meter()
        meter.mark(1000)
        meter.update(elapsed: .seconds(10))
        meter.update(elapsed: .seconds(1_000_000))
        #expect(meter.rate == 0)
        meter.mark(60)
        meter.update(elapsed: .seconds(1_000_005))
        #expect(meter.rate == 1)
    }

    @Test func quantilesAreExactToAThirtySecond() {
        var histogram = Histogram()
        for value in 1...100_000 { histogram.record(Int64(value)) }
        for share in [0.01, 0.5, 0.9, 0.99, 0.999] {
            let exact = share * 100_000
            let found = Double(histogram.quantile(share))
            #expect(found >= exact && found <= exact * (1 + 1 / 32.0), "\(share)")
        }
        #expect(histogram.quantile(0) == 1)
        #expect(histogram.quantile(1) == 100_000)
        #expect(histogram.mean == 50_000.5)
    }

    @Test func everySizeHasItsBucket() {
        for power in 0..<63 {
            for value in [(Int64(1) << power) - 1, Int64(1) << power, (Int64(1) << power) + 1] {
                var histogram = Histogram()
                histogram.record(0)
                histogram.record(value)
                histogram.record(.max)
                let found = histogram.quantile(0.6)
                #expect(found >= value && found - value <= value / 32, "\(value)")
            }
        }
        var histogram = Histogram()
        histogram.record(-5)
        #expect(histogram.quantile(1) == 0)
        #expect(Histogram().quantile(0.5) == 0)
    }

    @Test func mergingHistogramsIsRecordingBoth() {
        var (odd, even, both) = (Histogram(), Histogram(), Histogram())
        for value in Int64(0)..<1000 {
            if value % 2 == 0 { even.record(value * 7) } else { odd.record(value) }
            both.record(value % 2 == 0 ? value * 7 : value)
        }
        odd.merge(even)
        #expect(odd == both)
        odd.merge(Histogram())
        #expect(odd == both)
    }

    @Test func snapshotsAddUpByNameAndLabels() {
        var one = MetricSnapshot()
        one.record("numRecordsIn", [("subtask", "0"), ("task", "a")], .counter(3))
        one.record("watermark", [("subtask", "0")], .gauge(100, .least))
        var two = MetricSnapshot()
        two.record("numRecordsIn", [("task", "a"), ("subtask", "1")], .counter(4))
        two.record("watermark", [("subtask", "1")], .gauge(90, .least))
        one.merge(two)
        #expect(one.all.count == 4)
        let summed = one.dropping(["subtask"])
        #expect(summed["numRecordsIn", [("task", "a")]] == .counter(7))
        #expect(summed["watermark"] == .gauge(90, .least))
        #expect(summed.labelled([("job", "j"), ("task", "b")])["numRecordsIn", [("job", "j"), ("task", "a")]] == .counter(7))
    }

    @Test func valuesOfLabelsAreFilteredAsFlinkDoes() {
        var snapshot = MetricSnapshot()
        snapshot.record("numRecordsIn", [("task_name", "Source: ticks[1] -> Calc[2]"), ("host", "10.0.0.7")], .counter(3))
        #expect(snapshot.prometheusText(filtersLabels: true).contains("numRecordsIn{host=\"10_0_0_7\",task_name=\"Source:_ticks_1_____Calc_2_\"} 3\n"))
    }

    @Test func prometheusTextIsEscapedAndInOrder() {
        var histogram = Histogram()
        for value in 1...4 { histogram.record(Int64(value)) }
        var snapshot = MetricSnapshot()
        snapshot.record("latency", [], .histogram(histogram))
        snapshot.record("flink_jobmanager_job_uptime", [("job_name", "a \"b\" \\ c\nd")], .gauge(1.5))
        snapshot.record("flink_jobmanager_job_uptime", [("job_name", "Z"), ("1st-label", "x")], .gauge(.nan))
        snapshot.record("1.bad name", [], .meter(count: 7, perSecond: 2))
        #expect(snapshot.prometheusText { $0 == "latency" ? "Time\nin \\ms" : nil } == """
            # HELP _1_bad_name 1.bad name
            # TYPE _1_bad_name gauge
            _1_bad_name 2
            # HELP flink_jobmanager_job_uptime flink_jobmanager_job_uptime
            # TYPE flink_jobmanager_job_uptime gauge
            flink_jobmanager_job_uptime{_1st_label="x",job_name="Z"} NaN
            flink_jobmanager_job_uptime{job_name="a \\"b\\" \\\\ c\\nd"} 1.5
            # HELP latency Time\\nin \\\\ms
            # TYPE latency summary
            latency{quantile="0.5"} 2
            latency{quantile="0.75"} 3
            latency{quantile="0.95"} 4
            latency{quantile="0.98"} 4
            latency{quantile="0.99"} 4
            latency{quantile="0.999"} 4
            latency_sum 10
            latency_count 4

            """)
    }
}
