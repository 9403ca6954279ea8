/// The token that a request shows.
package enum BearerToken {
    /// Why `header`, the value of `Authorization`, does not do; nil: it does.
    package static func refusal(of header: String?, token: String) -> String? {
        // The scheme's name may be written in either case (RFC 9110, section 11.1).
        let scheme = "bearer "
        guard let header, header.lowercased().hasPrefix(scheme) else { return "a token is needed: Authorization: Bearer …" }
        let shown = Array(header.utf8.dropFirst(scheme.utf8.count))
        let right = Array(token.utf8)
        // In the same time wherever they differ.
        let differing = zip(shown, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        return shown.count == right.count && differing == 0 ? nil : "wrong token"
    }
}
