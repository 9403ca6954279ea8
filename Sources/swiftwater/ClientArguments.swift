import ArgumentParser
import Glibc
import Hosts
import NIOSSL
import REST
import Settings

/// Which cluster a command talks to, and how it prints.
struct ClientArguments: ParsableArguments {
    @OptionGroup var configuration: ConfigurationArguments

    @Option(name: [.customShort("m"), .long], help: "Where the JobManager's REST API is; by default from rest.address and rest.port.")
    var jobmanager: String?

    @Option(help: "What REST asks for (rest.authentication.token); by default SWIFTWATER_TOKEN, then the configuration. Others of this machine see arguments.")
    var token: String?

    func client() throws -> JobManagerClient {
        let settings = try configuration.load()
        let hasTLS = settings.get(SecurityOptions.rest.enabled)
        let address = "\(settings.get(RestOptions.address) ?? "localhost"):\(settings.get(RestOptions.port))"
        let named = jobmanager ?? address
        let url = named.contains("://") ? named : (hasTLS ? "https://" : "http://") + named
        let tls: TLSConfiguration?
        do { tls = url.lowercased().hasPrefix("https://") ? try restClientTLS(settings) : nil } catch { throw CommandError(error.message, code: 2) }
        return JobManagerClient(
            url: url, token: token ?? getenv("SWIFTWATER_TOKEN").map { String(cString: $0) } ?? settings.get(RestOptions.token), tls: tls)
    }
}

enum PrintFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}
