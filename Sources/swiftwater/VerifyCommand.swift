import ArgumentParser
import AWS
import Connectors
import Dataflow
import Hosts
import JobControl
import REST
import Settings
import SQL

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compares the files of a table with what its job has committed.",
        discussion: """
            Says which files are missing, changed, foreign (no commit lists them), doubled (another attempt's file, or another job that began from \
            an older savepoint, has their rows) and uncommitted (hidden files, open uploads). Where the checkpoints are known (--checkpoints), the HEAD of \
            each job that wrote here is compared, too: what its newest checkpoint is to commit, whether HEAD was put back behind committed files, \
            whether its checkpoints are whole, and whether the positions of its sources only ever rise. Exit code 0: every committed file is there as it \
            was committed, and nothing else; 1: it is not; 2: there is nothing at the path. Uncommitted files are told and do not count: a running \
            job always has some. Files that are gone together with the newest list of their writer only --expect misses.
            """)

    @OptionGroup var configuration: ConfigurationArguments

    @Argument(help: "The table's path: a folder or s3://bucket/folder.")
    var path: String

    @Option(help: "A script whose INSERT writes such a table from bounded input: it is evaluated here, and its rows are compared with the files.")
    var expect: String?

    @Flag(help: "Compare sizes only; without it every byte is read and its checksum compared.")
    var quick = false

    @Flag(help: "Do not ask for commit lists: only compare rows, for files that another program wrote.")
    var rowsOnly = false

    @Option(help: ArgumentHelp("Where the checkpoints of the jobs lie; by default execution.checkpointing.dir of the configuration.", valueName: "folder"))
    var checkpoints: String?

    @Option(help: "text or json.")
    var output: ReportFormat = .text

    enum ReportFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

    func validate() throws {
        if rowsOnly, expect == nil { throw ValidationError("--rows-only needs --expect") }
    }

    func run() async throws {
        let settings = try configuration.load()
        let connectors = StandardConnectors(buckets: .s3(S3Configuration(settings), patience: .zero))
        do {
            var table = try TableFiles(path, connectors.buckets)
            var verification: Verification?
            if !rowsOnly {
                var found = try look(table, settings)
                if !found.isGood {
                    // A running job may have moved files between two calls: only what is there at a second look, too, is trouble.
                    table = try TableFiles(path, connectors.buckets)
                    found = found.confirmed(by: try look(table, settings))
                }
                verification = found
            }
            Terminal.status("")
            var outcome: RowComparison.Outcome?
            if let expect { outcome = try await compare(table, expect, settings) }
            switch output {
            case .text: tell(verification, outcome)
            case .json: Terminal.line(VerificationReport.json(verification, outcome).text)
            }
            if verification?.isGood == false || outcome.map({ !$0.missing.isEmpty || !$0.tooMany.isEmpty }) == true { Terminal.exit(1) }
        } catch let error as StreamError {
            throw CommandError("\(path): \(error.description)", code: error.kind == .user ? 2 : 1)
        }
    }

    private func look(_ table: TableFiles, _ settings: Configuration) throws -> Verification {
        var found = try Verification(table, checksContents: !quick) { done, all in Terminal.status("\(done) of \(all) files") }
        guard let folder = checkpoints ?? settings.get(CheckpointingOptions.directory) else {
            Terminal.warning("no folder of checkpoints is known (--checkpoints, execution.checkpointing.dir): files are compared with the lists of commits only")
            return found
        }
        let folders = StoreFolders(Stores(settings), checkpoints: folder)
        for job in table.jobs {
            guard let stored = try StoredJob.find(job, folders) else {
                Terminal.warning("there is no HEAD of job \(job) in \(folder): its files are compared with the lists of commits only")
                continue
            }
            found.compare(table, head: stored.head, checkpoints: stored.checkpoints)
            found.contradictions += stored.damage
            found.uncommitted += stored.unpublished
        }
        return found
    }

    // MARK: Rows

    /// Runs the script's last job with its file table's rows collected, not written.
    private func compare(_ table: TableFiles, _ file: String, _ settings: Configuration) async throws -> RowComparison.Outcome {
        let compiled = try ScriptArgument.parse([file]).compile(settings)
        guard var job = compiled.jobs.last, let spec = job.graph.vertices.compactMap(\.sink).last(where: { $0.options["connector"] == "filesystem" }) else {
            throw CommandError("\(file): no INSERT INTO a table of connector 'filesystem'", code: 2)
        }
        let comparison = try RowComparison(spec)
        try refuseUnbounded(job, file, settings)
        job.graph = unlimited(job.graph)
        let connectors = ExpectingConnectors(others: StandardConnectors(buckets: .s3(S3Configuration(settings))), table: spec.table) { comparison.expect($0) }
        let cluster = LocalCluster(
            configuration: settings, slots: JobOptions(job.configuration).parallelism, connectors: connectors, version: Version.text, log: .none)
        let submission = Submission(job, restorePath: nil)
        if case .refused(let error) = await cluster.jobManager.request(.submit(submission)) { throw CommandError(error.description, code: 2) }
        let progress = ProgressLine(name: "expected rows", isShown: true)
        while true {
            guard let state = await cluster.jobManager.view().jobs.first(where: { $0.id == submission.job }) else { throw CommandError("the job is gone", code: 1) }
            progress.show(state)
            if state.status.isTerminal {
                progress.finish()
                guard state.status == .finished else {
                    throw CommandError("\(file): the job failed: \(state.failures.last?.error.description ?? "unknown cause")", code: 1)
                }
                break
            }
            // Nothing depends on this pause: it is how often the progress line is drawn and the end is looked for.
            try await Task.sleep(for: .milliseconds(20))
        }
        try comparison.find(table)
        return try comparison.outcome()
    }

    /// Its rows would be waited for without end.
    private func refuseUnbounded(_ job: CompiledJob, _ file: String, _ settings: Configuration) throws {
        let connectors = StandardConnectors(buckets: .s3(S3Configuration(settings)))
        for spec in job.graph.vertices.compactMap(\.source) {
            if let words = try connectors.source(spec).withoutEnd {
                throw CommandError("\(file): table \(spec.table) has no end, and --expect needs all of its rows: \(words)", code: 2)
            }
        }
    }

    /// Nobody waits for rates here: the same rows, as fast as they come.
    private func unlimited(_ graph: JobGraph) -> JobGraph {
        var graph = graph
        for vertex in graph.vertices.indices {
            guard case .source(var spec)? = graph.vertices[vertex].chain.first?.spec else { continue }
            spec.rowsPerSecond = nil
            if spec.options["connector"] == "datagen" { spec.options["rows-per-second"] = "1000000000" }
            graph.vertices[vertex].chain[0].spec = .source(spec)
        }
        return graph
    }

    // MARK: Words

    private func tell(_ verification: Verification?, _ outcome: RowComparison.Outcome?) {
        if let verification {
            list("missing", verification.missing)
            list("changed", verification.changed)
            list("foreign", verification.foreign)
            list("doubled", verification.doubled)
            list("checkpoints", verification.contradictions)
            list("uncommitted", verification.uncommitted)
            list("position", verification.positions)
            let good = verification.good
            Terminal.line("\(good.files) committed file\(good.files == 1 ? "" : "s"), \(good.rows) rows, \(good.bytes) bytes are as they were committed")
        }
        if let outcome {
            list("missing row", outcome.missing.map { $0.count == 1 ? $0.line : "\($0.line) (\($0.count) times)" })
            list("row too many", outcome.tooMany.map { $0.count == 1 ? $0.line : "\($0.line) (\($0.count) times)" })
            Terminal.line("\(outcome.expected) rows are expected, \(outcome.found) lines are there")
        }
    }

    private func list(_ what: String, _ lines: [String]) {
        for line in lines.prefix(20) { Terminal.line("\(what): \(line)") }
        if lines.count > 20 { Terminal.line("\(what): … and \(lines.count - 20) more") }
    }
}

/// The job's connectors, but for the table whose rows are wanted.
private struct ExpectingConnectors: ConnectorRegistry {
    let others: StandardConnectors
    let table: String
    let consumer: CollectSink.Consumer

    init(others: StandardConnectors, table: String, _ consumer: @escaping CollectSink.Consumer) {
        self.others = others
        self.table = table
        self.consumer = consumer
    }

    func source(_ spec: SourceSpec) throws(StreamError) -> any Source { try others.source(spec) }

    /// Other tables of the job are not written either.
    func sink(_ spec: SinkSpec) throws(StreamError) -> any Sink {
        let nobody: CollectSink.Consumer = { _ in }
        return CollectSink(spec.table == table ? consumer : nobody)
    }
}

private enum VerificationReport {
    static func json(_ verification: Verification?, _ outcome: RowComparison.Outcome?) -> REST.JSON {
        var members: [(String, REST.JSON)] = []
        func list(_ name: String, _ lines: [String]) { members.append((name, .array(lines.map { .string($0) }))) }
        if let verification {
            members.append(("good", .object([
                ("files", .integer(Int64(verification.good.files))), ("rows", .integer(verification.good.rows)),
                ("bytes", .integer(verification.good.bytes)),
            ])))
            list("missing", verification.missing)
            list("changed", verification.changed)
            list("foreign", verification.foreign)
            list("doubled", verification.doubled)
            list("checkpoints", verification.contradictions)
            list("uncommitted", verification.uncommitted)
            list("positions", verification.positions)
        }
        if let outcome {
            func rows(_ rows: [(line: String, count: Int)]) -> REST.JSON {
                .array(rows.map { .object([("line", .string($0.line)), ("count", .integer(Int64($0.count)))]) })
            }
            members.append(("rows", .object([
                ("expected", .integer(Int64(outcome.expected))), ("found", .integer(Int64(outcome.found))),
                ("missing", rows(outcome.missing)), ("tooMany", rows(outcome.tooMany)),
            ])))
        }
        return .object(members)
    }
}
