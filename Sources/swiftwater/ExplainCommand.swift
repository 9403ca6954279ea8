import ArgumentParser
import SQL

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "explain", abstract: "Shows the plan of each statement; runs nothing.")

    @OptionGroup var configuration: ConfigurationArguments
    @OptionGroup var script: ScriptArgument

    func run() async throws {
        let compiled = try script.compile(try configuration.load())
        for step in compiled.steps {
            switch step {
            case .text(let text): Terminal.line(text)
            case .job(let job): Terminal.line(explain(job))
            }
        }
    }
}
