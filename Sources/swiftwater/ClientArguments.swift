import ArgumentParser
import REST
import Settings

/// Which cluster a command talks to, and how it prints.
struct ClientArguments: ParsableArguments {
    @OptionGroup var configuration: ConfigurationArguments

    @Option(name: [.customShort("m"), .long], help: "Where the JobManager's REST API is; by default from rest.address and rest.port.")
    var jobmanager: String?

    func client() throws -> JobManagerClient {
        if let jobmanager { return JobManagerClient(url: jobmanager.contains("://") ? jobmanager : "http://" + jobmanager) }
        let settings = try configuration.load()
        let host = settings.get(RestOptions.address) ?? "localhost"
        return JobManagerClient(url: "http://\(host):\(settings.get(RestOptions.port))")
    }
}

enum PrintFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}
