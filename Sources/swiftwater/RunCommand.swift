import ArgumentParser
import AWS
import Connectors
import Dataflow
import Expressions
import Hosts
import JobControl
import Settings
import SQL

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs a script inside this process: a whole cluster, no server needed.",
        discussion: "Each statement's job runs to its end before the next begins. A bare SELECT prints its rows.")

    @OptionGroup var configuration: ConfigurationArguments
    @OptionGroup var script: ScriptArgument

    @Option(help: "How the rows of a bare SELECT are printed: table, csv, json, changelog.")
    var output: ResultFormat = .table

    @Option(name: .shortAndLong, parsing: .unconditional, help: "Parallelism of operators that name none.")
    var parallelism: Int?

    @Option(name: [.customShort("s"), .customLong("from-savepoint")], help: "A checkpoint or savepoint to start from.")
    var savepoint: String?

    @Flag(help: "Log to standard error.")
    var verbose = false

    func validate() throws {
        if let parallelism, parallelism < 1 { throw ValidationError("--parallelism must be at least 1") }
    }

    func run() async throws {
        Terminal.onInterrupt {
            Terminal.error("interrupted")
            Terminal.exit(130)
        }
        var settings = try configuration.load()
        if let parallelism { settings = try settings.setting("parallelism.default", to: "\(parallelism)") }
        let compiled = try script.compile(settings)
        let slots = compiled.jobs.map { JobOptions($0.configuration).parallelism }.max() ?? 1
        let collector = ResultCollector()
        let connectors = StandardConnectors(
            collectors: ["": { batch in collector.take(batch) }], buckets: .s3(S3Configuration(settings)))
        let cluster = LocalCluster(
            configuration: settings, slots: slots, connectors: connectors, version: Version.text, log: verbose ? Log() : .none)
        for step in compiled.steps {
            switch step {
            case .text(let text): Terminal.line(text)
            case .job(let job): try await run(job, on: cluster, collector)
            }
        }
    }

    /// A file that is not there is said before the job starts; not earlier, since the job before may make it.
    private func lookAtInputs(of job: CompiledJob) throws {
        for case let spec? in job.graph.vertices.map(\.source) where spec.options["connector"] == "filesystem" {
            do throws(StreamError) {
                _ = try StandardConnectors(buckets: .s3(S3Configuration(job.configuration))).source(spec).discover(known: [])
            } catch {
                throw CommandError("\(script.file): \(error)", code: error.kind == .user ? 2 : 1)
            }
        }
    }

    private func run(_ job: CompiledJob, on cluster: LocalCluster, _ collector: ResultCollector) async throws {
        try lookAtInputs(of: job)
        if let schema = job.output {
            let name = job.configuration.get(PipelineOptions.localTimeZone)
            guard let zone = ZoneRules(named: name) else { throw CommandError("table.local-time-zone: there is no zone \(name)", code: 2) }
            collector.begin(schema, format: output, isUpdating: job.isUpdating, zone: zone)
        }
        let submission = Submission(job, restorePath: savepoint)
        switch await cluster.jobManager.request(.submit(submission)) {
        case .submitted: break
        case .refused(let error): throw CommandError(error.description, code: 2)
        case .accepted, .completed, .unknownJob: throw CommandError("the submission had an unexpected answer", code: 1)
        }
        let progress = ProgressLine(name: job.graph.name, isShown: job.output == nil)
        var restarts = RestartNotes(repeatsRows: job.output != nil)
        while true {
            let view = await cluster.jobManager.view()
            guard let state = view.jobs.first(where: { $0.id == submission.job }) else { throw CommandError("the job is gone", code: 1) }
            progress.show(state)
            if state.status == .running { collector.open() }
            if restarts.isNew(state.restarts) { restarts.show(state.failures.last?.error.description, state.restarts, above: progress) }
            if state.status.isTerminal {
                progress.finish()
                collector.end(isWhole: state.status == .finished)
                if state.status == .failed { throw CommandError("the job failed: \(state.failures.last?.error.description ?? "unknown cause")", code: 1) }
                return
            }
            // Nothing depends on this pause: it is how often a person's progress line is drawn and the end is looked for.
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
