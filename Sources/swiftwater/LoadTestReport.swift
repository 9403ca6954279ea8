import Histogram
import REST

/// A load test's figures as a table, in words, and as JSON.
struct LoadTestReport {
    let steps: [LoadTestStep]
    let seconds: Int
    let keys: Int
    let parallelism: Int

    static func head(_ processes: [ObservedProcess]) -> String {
        var line = padded("asked/s", 12) + padded("achieved/s", 12) + padded("held", 7) + padded("p50 ms", 8) + padded("p90", 7) + padded("p99", 7)
        line += padded("p99.9", 7) + padded("max", 7) + padded("ckpt ms", 9) + padded("max", 6)
        for process in processes { line += "  " + padded(short(process.name) + " cores", 12) + padded("MB", 6) }
        return line
    }

    static func line(_ step: LoadTestStep) -> String {
        var line = padded(grouped(Int64(step.asked)), 12) + padded(grouped(Int64(step.achieved)), 12) + padded("\(Int(step.backpressured * 100)) %", 7)
        for (percentile, width) in zip([50, 90, 99, 99.9, 100], [8, 7, 7, 7, 7]) {
            line += padded(step.latency.map { "\($0.valueAtPercentile(percentile))" } ?? "-", width)
        }
        line += padded(average(step.checkpoints).map { "\($0)" } ?? "-", 9) + padded(step.checkpoints.max().map { "\($0)" } ?? "-", 6)
        for usage in step.processes { line += "  " + padded(hundredths(usage.cores), 12) + padded("\(usage.residentBytes >> 20)", 6) }
        return line + (step.isSustained ? "" : "  held back")
    }

    /// The fastest step that was sustained.
    private var best: LoadTestStep? { steps.filter(\.isSustained).max { $0.asked < $1.asked } }

    var summary: String {
        guard let best else { return "No rate was sustained: the lowest tried was \(grouped(Int64(steps.map(\.asked).min() ?? 0))) rows a second." }
        var words = "Sustained: \(grouped(Int64(best.achieved))) rows a second"
        if !steps.contains(where: { !$0.isSustained }) { words += " or more: the steps ended before the source was held back" }
        if let latency = best.latency {
            words += "; then from a window's end to its result p50 \(latency.valueAtPercentile(50)) ms, p99 \(latency.valueAtPercentile(99)) ms"
        }
        let cores = best.processes.reduce(0) { $0 + $1.cores }
        if cores > 0 { words += "; \(grouped(Int64(best.achieved / cores))) rows per CPU-second of all processes" }
        return words + "."
    }

    var json: JSON {
        .object([
            ("sustainable_rows_per_second", best.map { .number($0.achieved) } ?? .null), ("seconds_per_step", .integer(Int64(seconds))),
            ("keys", .integer(Int64(keys))), ("parallelism", .integer(Int64(parallelism))), ("steps", .array(steps.map(json))),
        ])
    }

    private func json(_ step: LoadTestStep) -> JSON {
        let latency: JSON =
            step.latency.map { latency in
                .object(
                    [("p50", 50.0), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("max", 100)].map { ($0.0, .integer(Int64(latency.valueAtPercentile($0.1)))) }
                        + [("count", .integer(Int64(latency.totalCount)))])
            } ?? .null
        return .object([
            ("asked_rows_per_second", .number(step.asked)), ("achieved_rows_per_second", .number(step.achieved)), ("sustained", .bool(step.isSustained)),
            ("backpressured_share", .number(step.backpressured)), ("latency_milliseconds", latency),
            ("checkpoint_milliseconds", .array(step.checkpoints.map { .integer($0) })), ("failed_checkpoints", .integer(step.failedCheckpoints)),
            (
                "processes",
                .array(
                    step.processes.map { usage in
                        .object([
                            ("name", .string(usage.name)), ("cores", .number(usage.cores)), ("resident_bytes", .integer(Int64(usage.residentBytes))),
                            ("peak_bytes", .integer(Int64(usage.peakBytes))),
                        ])
                    })
            ),
        ])
    }

    private static func average(_ values: [Int64]) -> Int64? { values.isEmpty ? nil : values.reduce(0, +) / Int64(values.count) }

    private static func hundredths(_ number: Double) -> String {
        let rounded = Int((number * 100).rounded())
        return "\(rounded / 100).\(rounded % 100 < 10 ? "0" : "")\(rounded % 100)"
    }

    private static func short(_ name: String) -> String {
        name.replacing("taskmanager-", with: "TM").replacing("jobmanager", with: "JM")
    }

    private static func padded(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(1, width - text.count)) + text }
}
