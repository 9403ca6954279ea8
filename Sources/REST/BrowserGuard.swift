/// Keeps web pages of others from using a REST API that asks for no token, through the browser of somebody who reaches it.
///
/// A page may send simple requests to any address, and a name that is made to point at 127.0.0.1 lets it read the answers too (DNS rebinding). Browsers tell on it:
/// what writes carries an `Origin`, and `Host` is the name that the page used.
package struct BrowserGuard: Sendable {
    /// What `Host` may name besides localhost and IP addresses, in lower case; nil: anything.
    private let names: Set<String>?

    /// `names`: the configured addresses of this API. Off loopback any name will do: nothing can be written there without a token.
    package init(isLoopback: Bool, names: [String]) {
        self.names = isLoopback ? Set(names.map(BrowserGuard.name(of:))) : nil
    }

    /// Why a request is not answered; nil: it is. `host` and `origin` are the headers; who is no browser sends no origin.
    package func refusal(isWriting: Bool, host: String?, origin: String?) -> String? {
        if let names, let host {
            let name = BrowserGuard.name(of: host)
            if name != "localhost", !BrowserGuard.isAddress(name), !names.contains(name) {
                return "the request is for '\(name)', which is no name of this API: set rest.address to it, or rest.authentication.token"
            }
        }
        if isWriting, let origin, BrowserGuard.place(of: origin) != BrowserGuard.withoutDefaultPort(host ?? "") {
            return "a page of \(origin) may change nothing here without a token: set rest.authentication.token, or send the request without Origin"
        }
        return nil
    }

    /// `https://Host:8081` is `host:8081`; nil for `null`, the origin of files and of frames without one.
    private static func place(of origin: String) -> String? {
        let text = origin.lowercased()
        for scheme in ["http://", "https://"] where text.hasPrefix(scheme) { return withoutDefaultPort(String(text.dropFirst(scheme.count))) }
        return nil
    }

    /// Clients may or may not say the port that a scheme has anyway.
    private static func withoutDefaultPort(_ host: String) -> String {
        let text = host.lowercased()
        for port in [":80", ":443"] where text.hasSuffix(port) { return String(text.dropLast(port.count)) }
        return text
    }

    /// `Localhost.:8081` is `localhost`, `[::1]:8081` is `[::1]`.
    private static func name(of host: String) -> String {
        var text = host.lowercased()
        if text.hasPrefix("[") { return text.firstIndex(of: "]").map { String(text[...$0]) } ?? text }
        if let colon = text.firstIndex(of: ":") { text = String(text[..<colon]) }
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    /// Nobody can make an address point elsewhere.
    private static func isAddress(_ name: String) -> Bool {
        if name.hasPrefix("[") { return name.hasSuffix("]") }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }
}
