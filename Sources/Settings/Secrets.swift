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

    package static func masked(_ value: String, of key: String) -> String { holds(key) ? mask : withoutSecrets(value) }

    /// A value under a harmless name may hold others: `scheme://user:password@host`, `-Dname.of.a.secret=value`, `…?password=value`.
    private static func withoutSecrets(_ value: String) -> String {
        guard value.contains("@") || value.contains("=") else { return value }
        var out = ""
        var word = ""
        func add(_ word: String) {
            if let sign = word.firstIndex(of: "="), holds(String(word[..<sign])) {
                out += word[...sign] + mask
            } else if let scheme = word.firstRange(of: "://"), let at = word[scheme.upperBound...].lastIndex(of: "@"),
                let colon = word[scheme.upperBound..<at].firstIndex(of: ":")
            {
                out += word[...colon] + mask + word[at...]
            } else {
                out += word
            }
        }
        for character in value {
            if character.isWhitespace || ",;&?".contains(character) {
                add(word)
                out.append(character)
                word = ""
            } else {
                word.append(character)
            }
        }
        add(word)
        return out
    }
}
