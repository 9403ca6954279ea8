import Settings

/// What `traces.reporters` asks for: where spans go, and what of the keys has no effect.
package struct TraceReporters {
    /// With the path, `http://collector:4318/v1/traces`; nil: spans go nowhere.
    package private(set) var url: String?
    /// Whose endpoint that is.
    package private(set) var reporter: String?
    /// A line each, without secrets.
    package private(set) var warnings: [String] = []

    package init(_ configuration: Configuration) {
        for name in (configuration.get(RestOptions.traceReporters) ?? "").split(separator: ",").map({ $0.filter { $0 != " " } }) where !name.isEmpty {
            let key = "traces.reporter.\(name).exporter.endpoint"
            guard let endpoint = configuration.text(key), !endpoint.isEmpty else {
                warnings.append("traces.reporters names '\(name)', which gets no spans: \(key) is not set (such as http://collector:4318)")
                continue
            }
            guard TraceReporters.isURL(endpoint) else {
                warnings.append("\(key): '\(Secrets.masked(endpoint, of: key))' is no URL such as http://collector:4318: '\(name)' gets no spans")
                continue
            }
            if let reporter {
                warnings.append("traces.reporters names '\(name)', which gets no spans: they go to one reporter, and '\(reporter)' comes first")
                continue
            }
            let protocolKey = "traces.reporter.\(name).exporter.protocol"
            if let wanted = configuration.text(protocolKey), !["http", "http/json"].contains(wanted.lowercased()) {
                warnings.append("\(protocolKey): '\(wanted)' is not spoken: there is http (OTLP in JSON, a collector's port 4318), and '\(name)' gets that")
            }
            reporter = name
            url = TraceReporters.withPath(endpoint)
        }
    }

    /// For people: a password in it is masked.
    package var shownURL: String? { url.map { Secrets.masked($0, of: "endpoint") } }

    private static func withPath(_ endpoint: String) -> String {
        var path = String(endpoint.prefix { $0 != "?" })
        let query = endpoint.dropFirst(path.count)
        while path.hasSuffix("/") { path.removeLast() }
        return (path.hasSuffix("/v1/traces") ? path : path + "/v1/traces") + query
    }

    /// `http` or `https`, a host, and a port if there is a colon.
    private static func isURL(_ text: String) -> Bool {
        let lowered = text.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lowered.hasPrefix), !text.contains(where: { $0.isWhitespace }) else { return false }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let place = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        // Of an IPv6 address the colons stand between brackets.
        let host = place.hasPrefix("[") ? place.prefix { $0 != "]" }.dropFirst() : place.prefix { $0 != ":" }
        let rest = place.hasPrefix("[") ? place.dropFirst(host.count + 2) : place.dropFirst(host.count)
        if host.isEmpty { return false }
        return rest.isEmpty || rest.hasPrefix(":") && UInt16(rest.dropFirst()).map { $0 > 0 } == true
    }
}
