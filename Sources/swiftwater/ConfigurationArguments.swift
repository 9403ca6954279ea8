import ArgumentParser
import Connectors
import Glibc
import Hosts
import REST
import Settings
import SQL

/// `-D` and the configuration folder, as every command takes them.
struct ConfigurationArguments: ParsableArguments {
    @Option(name: .customShort("D"), help: ArgumentHelp("Sets a configuration key; beats the files, SET in the script beats it.", valueName: "key=value"))
    var dynamic: [String] = []

    func load() throws -> Configuration {
        do {
            let configuration = try Configuration.load(dynamic: dynamic)
            for warning in configuration.warnings { Terminal.warning(warning) }
            return configuration
        } catch {
            throw CommandError("\(error)", code: 2)
        }
    }

    /// Only what `-D` says: a cluster has its own files.
    func dynamicSettings() throws -> [(String, JSON)] {
        try dynamic.map { setting in
            guard let sign = setting.firstIndex(of: "=") else { throw CommandError("-D \(setting): expected key=value", code: 2) }
            return (String(setting[..<sign]), .string(String(setting[setting.index(after: sign)...])))
        }
    }
}

/// The script a command is about.
struct ScriptArgument: ParsableArguments {
    @Argument(help: "A Flink SQL script; - for standard input.")
    var file: String

    func read() throws -> String {
        let descriptor = file == "-" ? STDIN_FILENO : open(file, O_RDONLY)
        guard descriptor >= 0 else { throw CommandError("\(file): \(String(cString: strerror(errno)))", code: 2) }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 { throw CommandError("\(file): \(String(cString: strerror(errno)))", code: 2) }
            if count == 0 { break }
            bytes += chunk[..<count]
            if bytes.count > 1 << 20 { throw CommandError("\(file): a script has at most 1 MiB", code: 2) }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw CommandError("\(file): not UTF-8", code: 2) }
        return text
    }

    /// Checked and planned, down to the options of its tables; problems are shown with their place in the script where it is known.
    func compile(_ configuration: Configuration) throws -> CompiledScript {
        let text = try read()
        let compiled: CompiledScript
        do throws(SQLError) {
            compiled = try SQL.compile(script: text, configuration: configuration)
        } catch {
            throw CommandError("\(file): \(error)", code: 2)
        }
        for warning in compiled.warnings(beyond: configuration) { Terminal.warning(warning) }
        let connectors = StandardConnectors(collectors: ["": { _ in }])
        for job in compiled.jobs {
            if let problem = connectors.problem(with: job) { throw CommandError("\(file): \(problem)", code: 2) }
        }
        return compiled
    }
}
