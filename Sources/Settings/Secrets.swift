/// Values that no rendering, log or error may show.
package enum Secrets {
    package static let mask = "******"

    /// Parts of keys, in lower case. Source: Flink's `GlobalConfiguration.SENSITIVE_KEYS`; the last row is ours.
    private static let parts = [
        "password", "secret", "fs.azure.account.key", "apikey", "api-key", "auth-params", "service-key", "token", "basic-auth", "jaas.config", "http-headers",
        "access-key", "access.key", "credential", "private-key", "passphrase",
    ]

    package static func holds(_ key: String) -> Bool {
        let key = key.lowercased()
        return parts.contains { part in
            key.utf8.indices.contains { key.utf8[$0...].starts(with: part.utf8) }
        }
    }

    package static func masked(_ value: String, of key: String) -> String { holds(key) ? mask : value }
}
