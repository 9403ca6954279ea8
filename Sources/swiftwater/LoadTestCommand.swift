import ArgumentParser
import Dataflow
import Glibc
import Hosts
import REST

/// Finds the rate that a cluster sustains: doubles a source's rate until it is held back, then searches between.
struct LoadTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load-test", abstract: "Raises a source's rate until the cluster holds it back; measures rate, latency, CPU, memory and checkpoints.",
        discussion: """
            Each step is a job of its own: datagen rows, 1,000 keys, MAX and COUNT in windows of 10 s that slide by 1 s, 1 s checkpoints.
            A rate is sustained when the source achieves at least 97 % of it. Latency is the time from a window's end to its result at the sink;
            it includes up to 200 ms between two watermarks. scripts/load-test starts a local cluster for this command and stops it.
            """)

    @OptionGroup var cluster: ClientArguments

    @Option(parsing: .unconditional, help: "Seconds of measuring in each step, after 3 s of warming up.")
    var seconds = 10

    @Option(parsing: .unconditional, help: "Rows a second of the first step.")
    var from: Double = 250_000

    @Option(parsing: .unconditional, help: "Steps at most.")
    var steps = 12

    @Option(parsing: .unconditional, help: "Different keys.")
    var keys = 1000

    @Option(name: .shortAndLong, parsing: .unconditional, help: "Parallelism of the job.")
    var parallelism = 2

    @Option(help: ArgumentHelp("Processes on this machine to measure.", valueName: "name=pid,..."))
    var processes: String = ""

    @Option(help: ArgumentHelp("A folder that this command shares with the TaskManagers; without it there are no latencies.", valueName: "folder"))
    var latencyFolder: String?

    @Option(help: ArgumentHelp("Write the figures to this file too.", valueName: "file"))
    var json: String?

    func validate() throws {
        if seconds < 2 { throw ValidationError("--seconds is at least 2") }
        if from <= 0 { throw ValidationError("--from is above 0") }
        if steps < 1 || keys < 1 || parallelism < 1 { throw ValidationError("--steps, --keys and --parallelism are at least 1") }
    }

    func run() async throws {
        let client = try cluster.client()
        let processes = try self.processes.split(separator: ",").map { text throws(CommandError) in
            guard let process = ObservedProcess(String(text)) else { throw CommandError("--processes: expected name=pid, not \(text)", code: 2) }
            return process
        }
        let job = LoadTestJob(keys: keys, parallelism: parallelism, latencyFolder: latencyFolder)
        let runner = LoadTestRunner(client: client, job: job, processes: processes, seconds: seconds)
        var search = RateSearch(from: from, steps: steps)
        var measured: [LoadTestStep] = []
        Terminal.write(LoadTestReport.head(processes) + "\n", to: STDOUT_FILENO)
        while let rate = search.next {
            let step = try await runner.step(at: rate, number: measured.count + 1)
            measured.append(step)
            search.saw(rate, sustained: step.isSustained)
            Terminal.line(LoadTestReport.line(step))
        }
        let report = LoadTestReport(steps: measured, seconds: seconds, keys: keys, parallelism: parallelism)
        Terminal.line("\n" + report.summary)
        if let json { try write(report.json.text + "\n", to: json) }
    }

    private func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw CommandError("\(path): \(String(cString: strerror(errno)))", code: 2) }
        Terminal.write(text, to: descriptor)
        close(descriptor)
    }
}

/// Which rate to try next: twice the last one until one is not sustained, then three times the middle of what is left.
struct RateSearch {
    private var low: Double?
    private var high: Double?
    private var halvings = 3
    private var left: Int
    private(set) var next: Double?

    init(from: Double, steps: Int) {
        next = from
        left = steps
    }

    mutating func saw(_ rate: Double, sustained: Bool) {
        left -= 1
        if sustained { low = max(low ?? 0, rate) } else { high = min(high ?? .infinity, rate) }
        switch (low, high) {
        case _ where left <= 0: next = nil
        case (let low?, nil): next = low * 2
        // Even the first one was too much.
        case (nil, let high?): next = high > 1000 ? high / 2 : nil
        case (let low?, let high?):
            next = halvings > 0 ? (low + high) / 2 : nil
            halvings -= 1
        case (nil, nil): next = nil
        }
    }
}
