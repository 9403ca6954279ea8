/// What signs a request. Printing it in any way shows no secret.
package struct Credentials: Hashable, Sendable {
    package let accessKey: String
    package let secretKey: String
    /// Of temporary credentials.
    package let sessionToken: String?
    /// Nil: until somebody changes them.
    package let expires: UnixTime?
    /// Where they came from, for people: `environment`, `profile analytics`, `web identity`.
    package let origin: String

    package init(accessKey: String, secretKey: String, sessionToken: String? = nil, expires: UnixTime? = nil, origin: String) {
        (self.accessKey, self.secretKey, self.expires, self.origin) = (accessKey, secretKey, expires, origin)
        self.sessionToken = sessionToken.flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "credentials \(accessKey.prefix(4))… from \(origin)" }
    package var debugDescription: String { description }
    /// `dump` and string interpolation of what holds them go by the mirror.
    package var customMirror: Mirror { Mirror(self, children: ["origin": origin]) }
}
