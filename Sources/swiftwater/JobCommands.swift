import ArgumentParser
import REST

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists jobs.")

    @OptionGroup var cluster: ClientArguments
    @Flag(name: .shortAndLong, help: "Finished, cancelled and failed ones too.")
    var all = false
    @Option(help: "text or json.")
    var output: PrintFormat = .text

    func run() async throws {
        let jobs = try await cluster.client().get("/jobs/overview")["jobs"].array
            .filter { all || !["FINISHED", "CANCELED", "FAILED"].contains($0["state"].string) }
        if output == .json { return Terminal.line(JSON.array(jobs).text) }
        if jobs.isEmpty { return Terminal.line(all ? "No jobs." : "No running jobs.") }
        for job in jobs {
            Terminal.line("\(job["jid"].string ?? "") : \(job["name"].string ?? "") (\(job["state"].string ?? "")), \((job["duration"].integer ?? 0) / 1000) s")
        }
    }
}

struct InfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "info", abstract: "Shows a job: its vertices, subtasks and checkpoints.")

    @OptionGroup var cluster: ClientArguments
    @Argument(help: "The job's id.")
    var job: String
    @Option(help: "text or json.")
    var output: PrintFormat = .text

    func run() async throws {
        let state = try await cluster.client().get("/jobs/\(job)")
        if output == .json { return Terminal.line(state.text) }
        Terminal.line("\(state["name"].string ?? "")  \(state["state"].string ?? "")  \((state["duration"].integer ?? 0) / 1000) s")
        for vertex in state["vertices"].array {
            let metrics = vertex["metrics"]
            Terminal.line("  \(vertex["name"].string ?? "")")
            Terminal.line(
                "    parallelism \(vertex["parallelism"].integer ?? 0), \(vertex["status"].string ?? ""), "
                    + "\(grouped(metrics["read-records"].integer ?? 0)) rows in, \(grouped(metrics["write-records"].integer ?? 0)) rows out" + losses(metrics))
        }
        let failures = try await cluster.client().get("/jobs/\(job)/exceptions")
        if let restarts = state["restarts"].integer, restarts > 0 { Terminal.line("  restarts: \(restarts)") }
        if let last = failures["root-exception"].string {
            let ago = (failures["timestamp"].integer).flatMap { at in state["now"].integer.map { ", \(max(0, $0 - at) / 1000) s ago" } } ?? ""
            Terminal.line("  last failure\(ago): \(last)")
        }
        let checkpoints = try await cluster.client().get("/jobs/\(job)/checkpoints")["counts"]
        Terminal.line("  checkpoints: \(checkpoints["completed"].integer ?? 0) completed, \(checkpoints["failed"].integer ?? 0) failed")
    }
}

/// Rows that were passed over, when there are any.
private func losses(_ metrics: JSON) -> String {
    [("skipped-records", "skipped as malformed"), ("late-records", "late and dropped")].reduce("") { text, loss in
        let count = metrics[loss.0].integer ?? 0
        return count > 0 ? text + ", \(grouped(count)) \(loss.1)" : text
    }
}

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Cancels a job. Rows that no checkpoint covers are not committed.")

    @OptionGroup var cluster: ClientArguments
    @Argument(help: "The job's id.")
    var job: String

    func run() async throws {
        let client = try cluster.client()
        try await client.patch("/jobs/\(job)?mode=cancel")
        while true {
            let status = try await client.get("/jobs/\(job)")["state"].string ?? ""
            if ["CANCELED", "FINISHED", "FAILED"].contains(status) { return Terminal.line("Job \(job) \(status)") }
            try await Task.sleep(for: .milliseconds(50))  // How often the end is looked for; nothing depends on it.
        }
    }
}

struct RescaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rescale", abstract: "Changes the parallelism of a running job, without a restart. Vertices with a parallelism of their own keep it.")

    @OptionGroup var cluster: ClientArguments
    @Argument(help: "The job's id.")
    var job: String
    @Option(name: .shortAndLong, parsing: .unconditional, help: "Subtasks of each vertex; fewer where there are fewer slots.")
    var parallelism: Int

    func run() async throws {
        guard parallelism >= 1 else { throw CommandError("--parallelism must be at least 1", code: 2) }
        let client = try cluster.client()
        let (state, now) = try await standing(client)
        if ["CANCELED", "FINISHED", "FAILED"].contains(state) { throw CommandError("job \(job) has ended: it is \(state)", code: 1) }
        let current = try await client.get("/jobs/\(job)/resource-requirements")
        // Those with the widest bounds follow the job's parallelism.
        let widest = current.members.compactMap { $0.1["parallelism"]["upperBound"].integer }.max() ?? 1
        let wanted: JSON = ["lowerBound": 1, "upperBound": .integer(Int64(parallelism))]
        let body = current.members.map { ($0.0, $0.1["parallelism"]["upperBound"].integer == widest ? ["parallelism": wanted] : $0.1) }
        let slots = try await free(client) + max(now, changing(client))
        try await client.put("/jobs/\(job)/resource-requirements", .object(body))
        Terminal.line(
            now == parallelism ? "Job \(job) has parallelism \(parallelism) already; it is asked to keep it"
                : slots < parallelism
                ? "Job \(job) is asked to go to parallelism \(parallelism); there are slots for \(slots) now, and it goes on when more TaskManagers join"
                : "Job \(job) goes to parallelism \(parallelism)")
    }
}

extension RescaleCommand {
    /// Its state and its parallelism. A job that is not there is the cluster's matter, not one of usage.
    private func standing(_ client: JobManagerClient) async throws -> (state: String, parallelism: Int64) {
        let answer: JSON
        do { answer = try await client.get("/jobs/\(job)") } catch let error as CommandError { throw CommandError(error.description, code: 1) }
        return (answer["state"].string ?? "", answer["vertices"].array.compactMap { $0["parallelism"].integer }.max() ?? 0)
    }

    /// Slots that a change under way gives it; 0 without one.
    private func changing(_ client: JobManagerClient) async throws -> Int64 {
        try await client.get("/spot")["in-progress"].array.filter { $0["jid"].string == job }.compactMap { $0["slots"].integer }.max() ?? 0
    }

    /// Slots that are free on TaskManagers that stay.
    private func free(_ client: JobManagerClient) async throws -> Int64 {
        try await client.get("/taskmanagers")["taskmanagers"].array.filter { $0["leaving"] != true }.reduce(0) { $0 + ($1["freeSlots"].integer ?? 0) }
    }
}

/// What stop, savepoint and checkpoint have in common: a request that is answered with an id, asked about until it is done.
private func follow(_ client: JobManagerClient, trigger path: String, _ body: JSON, status: String) async throws -> JSON {
    guard let request = try await client.post(path, body)["request-id"].string else { throw CommandError("the JobManager gave no request id", code: 1) }
    while true {
        let answer = try await client.get("\(status)/\(request)")
        if answer["status"]["id"].string == "COMPLETED" {
            if let cause = answer["operation"]["failure-cause"]["stack-trace"].string { throw CommandError(cause, code: 1) }
            return answer["operation"]
        }
        try await Task.sleep(for: .milliseconds(50))  // How often the end is looked for; nothing depends on it.
    }
}

struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stop", abstract: "Stops a job with a savepoint.")

    @OptionGroup var cluster: ClientArguments
    @Argument(help: "The job's id.")
    var job: String
    @Flag(help: "Fire all windows and timers first, as at the end of the input.")
    var drain = false
    @Option(name: [.customShort("p"), .customLong("savepointPath")], help: "Folder for the savepoint; by default the configured one.")
    var path: String?

    func run() async throws {
        var body: [(String, JSON)] = [("drain", .bool(drain))]
        if let path { body.append(("targetDirectory", .string(path))) }
        let done = try await follow(cluster.client(), trigger: "/jobs/\(job)/stop", .object(body), status: "/jobs/\(job)/savepoints")
        Terminal.line("Savepoint completed. Path: \(done["location"].string ?? "")")
    }
}

struct SavepointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "savepoint", abstract: "Takes a savepoint of a running job, or removes one.",
        discussion: """
            --dispose removes the objects that the savepoint's _metadata names, and _metadata last; whatever else lies in the folder stays. It is done by \
            this process, with this machine's configuration and credentials. Refused: a folder that is no savepoint, a checkpoint, and a savepoint that a \
            job below execution.checkpointing.dir, or of a JobManager that answers, still recovers from.
            """)

    @OptionGroup var cluster: ClientArguments
    @Argument(help: "The job's id.")
    var job: String?
    @Argument(help: "Folder for the savepoint; by default the configured one.")
    var directory: String?
    @Option(name: [.customShort("d"), .long], help: ArgumentHelp("Remove this savepoint instead.", valueName: "savepoint"))
    var dispose: String?

    func validate() throws {
        if (job == nil) == (dispose == nil) { throw ValidationError("give a job's id, or --dispose and a savepoint's folder") }
    }

    func run() async throws {
        if let dispose { return try await SavepointDisposal.run(dispose, cluster.configuration.load(), cluster.client()) }
        guard let job else { return }
        var body: [(String, JSON)] = [("cancel-job", false)]
        if let directory { body.append(("target-directory", .string(directory))) }
        let done = try await follow(cluster.client(), trigger: "/jobs/\(job)/savepoints", .object(body), status: "/jobs/\(job)/savepoints")
        Terminal.line("Savepoint completed. Path: \(done["location"].string ?? "")")
    }
}

struct CheckpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "checkpoints", abstract: "Shows a job's checkpoints, newest first.")

    @OptionGroup var cluster: ClientArguments
    @Argument(help: "The job's id.")
    var job: String
    @Option(help: "text or json.")
    var output: PrintFormat = .text

    func run() async throws {
        let answer = try await cluster.client().get("/jobs/\(job)/checkpoints")
        if output == .json { return Terminal.line(answer.text) }
        let counts = answer["counts"]
        Terminal.line("\(counts["completed"].integer ?? 0) completed, \(counts["in_progress"].integer ?? 0) in progress, \(counts["failed"].integer ?? 0) failed, \(counts["restored"].integer ?? 0) restored")
        for entry in answer["history"].array {
            let path = entry["external_path"].string ?? ""
            Terminal.line(
                "\(entry["id"].integer ?? 0)  \(entry["status"].string ?? "")  \(entry["checkpoint_type"].string ?? "")  "
                    + "\(entry["end_to_end_duration"].integer ?? 0) ms  \(grouped(entry["state_size"].integer ?? 0)) bytes  \(path)")
        }
    }
}
