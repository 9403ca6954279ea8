import Dataflow
import Hosts
import JobControl
import Settings
import SQL

/// The one job of a JobManager that was started with `standalone-job` (Flink's application mode): the process lives as long as it does.
struct Application {
    /// What the command line says of it.
    struct Order {
        /// A class of ours by its original's name, or nil with `sqlFile`.
        var className: String?
        var sqlFile: String?
        var jobID: String?
        var savepoint: String?
        var allowNonRestoredState = false
        var arguments: [String] = []
    }

    private let submission: Submission

    /// Throws for whatever is wrong with the job, before anything is started.
    init(_ order: Order, _ configuration: Configuration, _ connectors: any ConnectorRegistry) throws(StreamError) {
        let script = try Application.script(order, configuration)
        let compiled: CompiledScript
        do throws(SQLError) { compiled = try SQL.compile(script: script, configuration: configuration) } catch {
            throw StreamError(.user, retry: false, error.description)
        }
        guard compiled.jobs.count == 1, let job = compiled.jobs.first, job.output == nil else {
            throw StreamError(
                .user, retry: false,
                "an application is one job, the script has \(compiled.jobs.count); put several INSERTs into one with BEGIN STATEMENT SET; … END;")
        }
        if let problem = connectors.problem(onClusterWith: job) { throw problem }
        var submission = Submission(job, restorePath: order.savepoint, allowNonRestoredState: order.allowNonRestoredState)
        if let text = order.jobID {
            guard let id = JobID(text) else { throw StreamError(.user, retry: false, "--job-id \(text): a job id is 32 hex digits") }
            submission.job = id
        } else if configuration.get(PipelineOptions.fixedJobID) == nil {
            submission.job = Application.jobID(of: Application.name(of: order, configuration))
        }
        submission.resumesFailed = true
        self.submission = submission
    }

    /// What makes the job the same one when its process is started again, so that it goes on where it was: its cluster, or, where none is
    /// named, what it is to do and where its checkpoints are.
    private static func name(of order: Order, _ configuration: Configuration) -> String {
        let cluster = configuration.get(HighAvailabilityOptions.kubernetesClusterID) ?? configuration.get(HighAvailabilityOptions.clusterID)
        guard configuration.get(HighAvailabilityOptions.type) == .none else { return cluster }
        let what = [cluster, order.className ?? order.sqlFile ?? "", configuration.get(CheckpointingOptions.directory) ?? ""] + order.arguments
        return what.joined(separator: "\u{0}")
    }

    private static func script(_ order: Order, _ configuration: Configuration) throws(StreamError) -> String {
        switch (order.className, order.sqlFile) {
        case (S3StreamingSinkJob.className, nil):
            return try S3StreamingSinkJob.script(ProgramArguments(order.arguments), configuration)
        case (let name?, nil):
            throw StreamError(
                .user, retry: false,
                "--job-classname \(name) is not known: Java classes cannot be loaded; there is \(S3StreamingSinkJob.className), or give a script with --sql FILE")
        case (nil, let file?):
            guard order.arguments.isEmpty else { throw StreamError(.user, retry: false, "'\(order.arguments[0])' is not understood: a script takes no arguments") }
            do throws(ConfigError) {
                if let text = try readFile(file) { return text }
            } catch { throw StreamError(.user, retry: false, error.description) }
            throw StreamError(.user, retry: false, "\(file): there is no such file")
        case (_?, _?): throw StreamError(.user, retry: false, "--job-classname and --sql are both given: which is the job?")
        case (nil, nil): throw StreamError(.user, retry: false, "standalone-job needs --job-classname NAME or --sql FILE")
        }
    }

    /// The same for every JobManager of the same name, and another for another name that shares its storage.
    private static func jobID(of name: String) -> JobID {
        func hash(_ seed: UInt64) -> UInt64 {
            // FNV-1a: fixed for ever, as the id must be.
            name.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        }
        return JobID(high: hash(0xCBF2_9CE4_8422_2325), low: hash(0x8422_2325_CBF2_9CE4))
    }

    /// Answers the process's exit code: 0 when the job has finished or was cancelled, 1 when it failed. (Kubernetes starts a container
    /// again that ends otherwise than with 0.)
    func run(on jobManager: JobManagerHost, _ log: Log) async -> Int32 {
        switch await jobManager.request(.submit(submission)) {
        case .submitted(let id): log(.info, "ApplicationDispatcher", "Job \(submission.graph.name) has been submitted with JobID \(id)")
        case .refused(let error):
            // A container is started again also when its job is done.
            if let status = await status(on: jobManager), status == .finished || status == .cancelled {
                log(.info, "ApplicationDispatcher", "Job \(submission.job) was \(status.rawValue) before; another --job-id runs it anew.")
                return 0
            }
            log(.error, "ApplicationDispatcher", "Job \(submission.graph.name) is not taken: \(error)")
            return error.kind == .user ? 2 : 1
        case .accepted, .completed, .unknownJob: preconditionFailure("a submission is taken or refused")
        }
        while true {
            guard let status = await status(on: jobManager) else { return 1 }
            if status.isTerminal { return status == .failed ? 1 : 0 }
            if status == .suspended {
                log(.error, "ApplicationDispatcher", "Another JobManager leads job \(submission.job); this one ends.")
                return 1
            }
            // Nothing depends on this pause: it is how soon the process notices that its job has ended.
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    private func status(on jobManager: JobManagerHost) async -> JobStatus? {
        await jobManager.view().jobs.first { $0.id == submission.job }?.status
    }
}
