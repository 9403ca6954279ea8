import ArgumentParser
import AWS
import Connectors
import Dataflow
import Glibc
import Hosts
import Settings

@main
struct TaskManagerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "taskmanager", abstract: "Runs a TaskManager: slots in which a job's tasks run.", version: Version.text)

    @Argument(help: ArgumentHelp("Accepted where images give it: taskmanager.", visibility: .hidden))
    var word: String?

    @Option(name: .customShort("D"), help: ArgumentHelp("Sets a configuration key; beats the files.", valueName: "key=value"))
    var dynamic: [String] = []

    @Option(help: "Where config.yaml or flink-conf.yaml lies.")
    var configDir: String?

    static func main() {
        do {
            var command = try parseAsRoot(commandLineArguments())
            try command.run()
        } catch {
            if exitCode(for: error) == .validationFailure { endWithUsage(fullMessage(for: error)) }
            exit(withError: error)
        }
    }

    func run() throws {
        blockTerminationSignals()
        let log = Log()
        let settings = loadConfiguration(folder: configDir, dynamic: dynamic, log)
        log.configure(settings, role: "taskmanager")
        do throws(StreamError) {
            let process = try TaskManagerProcess(
                configuration: settings, connectors: StandardConnectors(buckets: .s3(S3Configuration(settings))) { log(.warning, "Connectors", $0) }, version: Version.text, log: log,
                onExit: { code, reason in
                    log(code == 0 ? .info : .error, "TaskManagerRunner", "TaskManager ends: \(reason)")
                    Glibc.exit(code)
                })
            log(.info, "TaskManagerRunner", "TaskManager \(process.worker), swiftwater \(Version.text)")
            waitForTermination { process.host.leave(reason: "it was told to end", within: settings.get(TaskManagerOptions.evacuationTimeout)) }
        } catch {
            log(.error, "TaskManagerRunner", "TaskManager cannot start: \(error)")
            throw ExitCode(error.kind == .user ? 2 : 1)
        }
    }
}
