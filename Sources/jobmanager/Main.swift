import ArgumentParser
import Connectors
import Dataflow
import Glibc
import Hosts
import REST
import Settings

@main
struct JobManagerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobmanager", abstract: "Runs a JobManager: schedules jobs and coordinates their checkpoints.", version: Version.text)

    @Argument(help: ArgumentHelp("Accepted where images give it: jobmanager.", visibility: .hidden))
    var word: String?

    @Option(name: .customShort("D"), help: ArgumentHelp("Sets a configuration key; beats the files.", valueName: "key=value"))
    var dynamic: [String] = []

    @Option(help: "Where config.yaml or flink-conf.yaml lies.")
    var configDir: String?

    @Option(help: "The address to listen on and to be reached at; beats jobmanager.rpc.address and rest.bind-address.")
    var host: String?

    @Option(help: "Write the ports that are listened on to this file, as rpc=… and rest=….")
    var portsFile: String?

    func run() async throws {
        blockTerminationSignals()
        let log = Log()
        var settings = loadConfiguration(folder: configDir, dynamic: dynamic, log)
        if let host {
            settings = try settings.setting("jobmanager.bind-host", to: host).setting("rest.bind-address", to: host)
        }
        do {
            let process = try JobManagerProcess(configuration: settings, connectors: StandardConnectors(), version: Version.text, log: log)
            let rest = try await RESTServer.start(jobManager: process.host, configuration: settings, log: log)
            log(.info, "JobManagerRunner", "JobManager, swiftwater \(Version.text): TaskManagers at port \(process.port), REST at http://\(rest.address):\(rest.port)")
            if let portsFile { try writePorts("rpc=\(process.port)\nrest=\(rest.port)\n", to: portsFile) }
            startThread(named: "signals") {
                waitForTermination {
                    log(.info, "JobManagerRunner", "JobManager ends: terminated")
                    process.stop()
                    Glibc.exit(0)
                }
            }
            await rest.run()
        } catch let error as StreamError {
            log(.error, "JobManagerRunner", "JobManager cannot start: \(error)")
            throw ExitCode(error.kind == .user ? 2 : 1)
        }
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
