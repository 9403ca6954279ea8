import ArgumentParser
import AWS
import Connectors
import Dataflow
import Glibc
import Hosts
import REST
import Settings

@main
struct JobManagerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobmanager", abstract: "Runs a JobManager: schedules jobs and coordinates their checkpoints.",
        usage: """
            jobmanager [-D key=value …] [--host ADDRESS] [--config-dir FOLDER]
            jobmanager standalone-job (--job-classname NAME | --sql FILE) [--job-id ID] [-s SAVEPOINT] [options] [--argument value …]
            """,
        discussion: """
            With standalone-job (Flink's application mode) the process runs one job and ends with it: with code 0 when the job has finished or was \
            cancelled, 1 when it failed, 2 when it cannot be understood. Arguments that are not listed here are the job's own.
            """,
        version: Version.text)

    @Argument(help: ArgumentHelp("jobmanager (or nothing) for a session, standalone-job for one job.", visibility: .hidden))
    var word: String?

    @Option(name: [.customShort("j"), .customLong("job-classname")], help: "standalone-job: the job, by the class name that it has in Flink.")
    var jobClassName: String?

    @Option(help: "standalone-job: the job, as a Flink SQL script.")
    var sql: String?

    @Option(name: [.customLong("job-id"), .customLong("jid", withSingleDash: true)], help: "standalone-job: the job's id, 32 hex digits.")
    var jobID: String?

    @Option(name: [.customShort("s"), .customLong("fromSavepoint")], help: "standalone-job: a checkpoint or savepoint to start from.")
    var savepoint: String?

    @Flag(name: [.customShort("n"), .customLong("allowNonRestoredState")], help: "standalone-job: drop state that the job has no place for.")
    var allowNonRestoredState = false

    @Argument(parsing: .allUnrecognized, help: ArgumentHelp("standalone-job: the job's own arguments.", visibility: .hidden))
    var program: [String] = []

    @Option(name: .customShort("D"), help: ArgumentHelp("Sets a configuration key; beats the files.", valueName: "key=value"))
    var dynamic: [String] = []

    @Option(name: [.customLong("config-dir"), .customLong("configDir")], help: "Where config.yaml or flink-conf.yaml lies.")
    var configDir: String?

    @Option(help: "The address to listen on and to be reached at; beats jobmanager.rpc.address and rest.bind-address.")
    var host: String?

    @Option(help: "Write the ports that are listened on to this file, as rpc=… and rest=….")
    var portsFile: String?

    func validate() throws {
        switch word {
        case nil, "jobmanager":
            if let stranger = program.first { throw ValidationError("'\(stranger)' is not understood") }
            if jobClassName != nil || sql != nil { throw ValidationError("--job-classname and --sql need the word standalone-job before them") }
        case "standalone-job": break
        case let other?: throw ValidationError("'\(other)' is not understood: there are jobmanager and standalone-job")
        }
    }

    static func main() async {
        do {
            var command = try parseAsRoot(commandLineArguments())
            if let server = command as? JobManagerCommand { try await server.run() } else { try command.run() }
        } catch {
            if exitCode(for: error) == .validationFailure { endWithUsage(fullMessage(for: error)) }
            exit(withError: error)
        }
    }

    func run() async throws {
        blockTerminationSignals()
        let log = Log()
        var settings = loadConfiguration(folder: configDir, dynamic: dynamic, log)
        log.configure(settings, role: "jobmanager")
        if let host {
            settings = try settings.setting("jobmanager.bind-host", to: host).setting("rest.bind-address", to: host)
        }
        do {
            let connectors = StandardConnectors(buckets: .s3(S3Configuration(settings)))
            let application = word == "standalone-job" ? try Application(order, settings, connectors) : nil
            let process = try JobManagerProcess(configuration: settings, connectors: connectors, version: Version.text, log: log)
            let rest = try await RESTServer.start(jobManager: process.host, configuration: settings, log: log)
            log(.info, "JobManagerRunner", "JobManager, swiftwater \(Version.text): TaskManagers at port \(process.port), REST at \(rest.url)")
            if let portsFile { try writePorts("rpc=\(process.port)\nrest=\(rest.port)\n", to: portsFile) }
            startThread(named: "signals") {
                waitForTermination {
                    log(.info, "JobManagerRunner", "JobManager ends: terminated")
                    process.stop()
                    Glibc.exit(0)
                }
            }
            guard let application else { return await rest.run() }
            let code = await application.run(on: process.host, log)
            await rest.settle()
            log(.info, "JobManagerRunner", "JobManager ends with its job, exit code \(code)")
            process.stop()
            Glibc.exit(code)
        } catch {
            log(.error, "JobManagerRunner", "JobManager cannot start: \(error)")
            throw ExitCode(error.kind == .user ? 2 : 1)
        }
    }

    private var order: Application.Order {
        Application.Order(
            className: jobClassName, sqlFile: sql, jobID: jobID, savepoint: savepoint, allowNonRestoredState: allowNonRestoredState, arguments: program)
    }
}

/// Whole or not at all: a reader waits for the file to have contents.
private func writePorts(_ text: String, to path: String) throws(StreamError) {
    let part = path + ".part"
    let descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    let bytes = Array(text.utf8)
    guard descriptor >= 0, write(descriptor, bytes, bytes.count) == bytes.count, close(descriptor) == 0, rename(part, path) == 0 else {
        throw StreamError(.user, retry: false, "\(path) cannot be written: \(String(cString: strerror(errno)))")
    }
}
