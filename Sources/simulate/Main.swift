import ArgumentParser
import Dataflow
import Simulator

/// Runs simulated clusters from seeds and reports what happened. Exit code 1: a promise was broken, or something never happened.
@main
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Runs whole clusters on one thread each, disturbed from a seed, and watches the promises.")

    @Option(help: "One seed, or a range A..B.")
    var seeds = "1..100"
    @Option(help: "Minutes of cluster time over which a run is disturbed.")
    var minutes = 10
    @Option(help: "Kinds of jobs, separated by commas: window, calc, group, regroup, union.")
    var jobs = "window,calc,group,regroup"
    @Option(help: "TaskManagers in a cluster.")
    var taskManagers = 3
    @Option(help: "Seeds that run at once.")
    var threads = 2
    @Option(help: "A seeded fault, to see a checker at work.")
    var fault: String?
    @Flag(help: "Also print how often each disturbance and each (state, event) pair occurred.")
    var verbose = false
    @Flag(help: "Print everything that happens; for one seed.")
    var trace = false
    @Flag(help: "Only what a cluster does on purpose, and slowness: notices, drains, joins, other parallelisms.")
    var planned = false
    @Flag(help: "Do not disturb.")
    var calm = false

    func validate() throws {
        if range == nil { throw ValidationError("--seeds wants a number or A..B, not \(seeds)") }
        for name in jobs.split(separator: ",") where SimulatedJob.Kind(rawValue: String(name)) == nil {
            throw ValidationError("--jobs knows \(SimulatedJob.Kind.allCases.map(\.rawValue).joined(separator: ", ")), not \(name)")
        }
        if let fault, SeededFault(rawValue: fault) == nil {
            throw ValidationError("--fault knows \(SeededFault.allCases.map(\.rawValue).joined(separator: ", "))")
        }
    }

    private var range: ClosedRange<UInt64>? {
        let ends = seeds.split(separator: ".", omittingEmptySubsequences: true).compactMap { UInt64($0) }
        guard let first = ends.first, let last = ends.last, ends.count <= 2, first <= last else { return nil }
        return first...last
    }

    func run() async throws {
        var options = RunOptions()
        options.minutes = minutes
        options.taskManagers = taskManagers
        options.kinds = jobs.split(separator: ",").compactMap { SimulatedJob.Kind(rawValue: String($0)) }
        options.isDisturbed = !calm
        if planned { options.isPlanned = true }
        options.traces = trace
        options.printsTrace = trace
        options.fault = fault.flatMap { SeededFault(rawValue: $0) }
        let report = Report(await Run.all(Array(range ?? 1...1), options, workers: threads))
        print(report.text(isWhole: verbose))
        // A single seed need not meet everything.
        if !report.failures.isEmpty || (report.counts.runs >= 1_000 && report.hasFailed) { throw ExitCode(1) }
    }
}
