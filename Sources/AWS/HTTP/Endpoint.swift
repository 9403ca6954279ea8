/// Where a service listens: scheme, host, port, and a path in front of all others.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    package var isTLS: Bool
    package var host: String
    /// Nil: the scheme's own.
    package var port: Int?
    /// Empty, or with a slash in front and none at the end.
    package var basePath: String

    package init(isTLS: Bool = true, host: String, port: Int? = nil, basePath: String = "") {
        (self.isTLS, self.host, self.port, self.basePath) = (isTLS, host, port, basePath)
    }

    /// `https://host`, `http://127.0.0.1:9000/`, `host:9000` (https). Nil when it is no such thing.
    package init?(_ text: String) {
        var rest = Substring(text)
        isTLS = true
        if rest.hasPrefix("https://") {
            rest = rest.dropFirst(8)
        } else if rest.hasPrefix("http://") {
            isTLS = false
            rest = rest.dropFirst(7)
        } else if rest.contains("://") {
            return nil
        }
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@") else { return nil }  // Names and passwords have no place here, and would come to logs.
        basePath = String(rest.dropFirst(authority.count))
        while basePath.hasSuffix("/") { basePath.removeLast() }
        var name = authority
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else { return nil }
            port = number == (isTLS ? 443 : 80) ? nil : number
            name = authority[..<colon]
        }
        guard !name.isEmpty, !name.contains(where: { " @?#%\\".contains($0) || $0.isNewline }) else { return nil }
        host = String(name)
    }

    /// As the `Host` header has it.
    package var authority: String { port.map { "\(host):\($0)" } ?? host }

    package var description: String { (isTLS ? "https://" : "http://") + authority + basePath }

    /// True where a bucket's name cannot be put in front of the host: an address, `localhost`, a name without a dot.
    package var isBare: Bool {
        host.hasPrefix("[") || !host.contains(".") || host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E } || host.hasSuffix(".localhost")
    }
}
