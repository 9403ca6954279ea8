import ArgumentParser
import Hosts

@main
struct SwiftwaterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swiftwater",
        abstract: "Runs Flink SQL jobs: inside this process, or on a cluster.",
        discussion: """
            Exit codes: 0 finished or cancelled, 1 the job failed, 2 usage, SQL or configuration, 130 Ctrl-C.
            """,
        version: Version.text,
        subcommands: [
            RunCommand.self, SubmitCommand.self, ExplainCommand.self, ListCommand.self, InfoCommand.self, CancelCommand.self, StopCommand.self, RescaleCommand.self,
            SavepointCommand.self, CheckpointsCommand.self, DatagenCommand.self, LoadTestCommand.self, VerifyCommand.self,
        ])

    /// Turns our errors into words and exit codes; the parser's own keep theirs, with 2 for usage.
    static func main() async {
        do {
            var command = try parseAsRoot(commandLineArguments())
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as CommandError {
            Terminal.error(error.description)
            Terminal.exit(error.code)
        } catch {
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if code == .success { Terminal.line(text) } else { Terminal.error(text) }
            Terminal.exit(code == .success ? 0 : code == .validationFailure ? 2 : code.rawValue)
        }
    }
}
