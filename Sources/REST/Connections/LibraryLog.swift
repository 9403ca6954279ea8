import Hosts
import Logging

/// What the HTTP library has to say goes to our log, from errors on.
///
/// It gives each request a logger with an id of its own, which the library's usual handler would write out each time; nobody reads it here.
struct LibraryLog: LogHandler {
    let log: Log
    var logLevel = Logger.Level.error
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) { log(.error, "RESTServer", "\(event.message)") }
}
