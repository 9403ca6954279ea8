import ArgumentParser
import REST

struct SubmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Submits a script's job to a cluster and waits for its end.",
        discussion: "Ctrl-C leaves the job running.")

    @OptionGroup var cluster: ClientArguments
    @OptionGroup var script: ScriptArgument

    @Flag(help: "Do not wait for the job's end.")
    var detached = false

    @Option(name: .shortAndLong, parsing: .unconditional, help: "Parallelism of operators that name none.")
    var parallelism: Int?

    @Option(name: [.customShort("s"), .customLong("from-savepoint")], help: "A checkpoint or savepoint to start from.")
    var savepoint: String?

    @Flag(help: "Start even when the savepoint holds state that the job has no operator for.")
    var allowNonRestoredState = false

    func validate() throws {
        if let parallelism, parallelism < 1 { throw ValidationError("--parallelism must be at least 1") }
    }

    func run() async throws {
        let client = try cluster.client()
        var settings = try cluster.configuration.dynamicSettings()
        if let parallelism { settings.append(("parallelism.default", .string("\(parallelism)"))) }
        var body: [(String, JSON)] = [("sql", .string(try script.read())), ("configuration", .object(settings))]
        if let savepoint { body.append(("savepointPath", .string(savepoint))) }
        if allowNonRestoredState { body.append(("allowNonRestoredState", true)) }
        let answer: JSON
        do {
            answer = try await client.post("/jobs", .object(body))
        } catch let error as CommandError {
            throw CommandError("\(script.file): \(error)", code: error.code)
        }
        for warning in answer["warnings"].array { Terminal.warning(warning.string ?? "") }
        for text in answer["texts"].array { Terminal.line(text.string ?? "") }
        let jobs = answer["jobs"].array.compactMap { $0["jobid"].string }
        if !detached, !jobs.isEmpty {
            Terminal.onInterrupt {
                Terminal.error("\ndetached; the job goes on. To cancel it: swiftwater cancel \(jobs[jobs.count - 1]) --jobmanager \(client.url)")
                Terminal.exit(130)
            }
        }
        for job in jobs { Terminal.line("Job has been submitted with JobID \(job)") }
        if detached { return }
        for job in jobs { try await wait(for: job, client) }
    }

    private func wait(for job: String, _ client: JobManagerClient) async throws {
        let progress = ProgressLine(name: "job \(job.prefix(8))", isShown: true)
        var notes = RestartNotes()
        while true {
            let state = try await client.get("/jobs/\(job)")
            let status = state["state"].string ?? "UNKNOWN"
            let rows = state["vertices"].array.filter { $0["name"].string?.hasPrefix("Source") == true }
                .reduce(0) { $0 + ($1["metrics"]["read-records"].integer ?? 0) }
            progress.show(status: status, rows: rows, checkpoints: 0, restarts: Int(state["restarts"].integer ?? 0))
            let restarts = Int(state["restarts"].integer ?? 0)
            if notes.isNew(restarts) { notes.show(try await client.get("/jobs/\(job)/exceptions")["root-exception"].string, restarts, above: progress) }
            switch status {
            case "FINISHED", "CANCELED":
                progress.finish()
                Terminal.line("Job \(job) \(status) after \(state["duration"].integer ?? 0) ms")
                return
            case "FAILED":
                progress.finish()
                let cause = try await client.get("/jobs/\(job)/exceptions")["root-exception"].string
                throw CommandError("Job \(job) FAILED: \(cause ?? "unknown cause")", code: 1)
            default: try await Task.sleep(for: .milliseconds(50))  // How often the end is looked for; nothing depends on it.
            }
        }
    }
}
