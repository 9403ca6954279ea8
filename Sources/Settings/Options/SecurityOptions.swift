/// TLS between the cluster's processes (`internal`, always mutual) and of the REST API (`rest`). PEM files, or PKCS#12 under Flink's keystore keys.
package enum SecurityOptions {
    package static let `internal` = SSLKeys(scope: "internal", enabledFormerly: ["security.ssl.enabled"])
    package static let rest = SSLKeys(scope: "rest", enabledFormerly: ["security.ssl.enabled"])
    package static let restAuthentication = ConfigKey(
        "security.ssl.rest.authentication-enabled", false, "Whether REST clients must show a certificate of the truststore.")
    package static let verifyHostname = ConfigKey(
        "security.ssl.verify-hostname", true, "Whether REST clients compare the server's name with its certificate; never done between the cluster's processes.")

    static let all: [any AnyConfigKey] = `internal`.all + rest.all + [restAuthentication, verifyHostname]
}

/// The keys of one scope. A certificate comes from `cert` and `key`, or from `keystore`; trust from `ca`, or from `truststore`.
package struct SSLKeys: Sendable {
    package let enabled: ConfigKey<Bool>
    package let certificate, privateKey, authority: ConfigKey<String?>
    package let keystore, keystorePassword, keyPassword, truststore, truststorePassword: ConfigKey<String?>
    package let keystoreType, truststoreType: ConfigKey<String?>
    package let fingerprint: ConfigKey<String?>

    init(scope: String, enabledFormerly: [String]) {
        func text(_ name: String, shared: Bool = true, _ documentation: String) -> ConfigKey<String?> {
            ConfigKey("security.ssl.\(scope).\(name)", nil, formerly: shared ? ["security.ssl.\(name)"] : [], documentation)
        }
        enabled = ConfigKey("security.ssl.\(scope).enabled", false, formerly: enabledFormerly, "Whether these connections use TLS.")
        certificate = text("cert", shared: false, "PEM file with the certificate, then its chain.")
        privateKey = text("key", shared: false, "PEM file with the private key; key-password opens it.")
        authority = text("ca", shared: false, "PEM file with the certificates that are trusted.")
        keystore = text("keystore", "PKCS#12 file with certificate and private key.")
        keystorePassword = text("keystore-password", "Opens the keystore.")
        keyPassword = text("key-password", "Opens the private key; without it, the keystore's password.")
        truststore = text("truststore", "PKCS#12 file with the certificates that are trusted.")
        truststorePassword = text("truststore-password", "Opens the truststore.")
        keystoreType = text("keystore-type", shared: false, "PKCS12; JKS is not read.")
        truststoreType = text("truststore-type", shared: false, "PKCS12; JKS is not read.")
        fingerprint = text("cert.fingerprint", shared: false, "SHA-1 or SHA-256 of the only certificate that is trusted.")
    }

    var all: [any AnyConfigKey] {
        [
            enabled, certificate, privateKey, authority, keystore, keystorePassword, keyPassword, truststore, truststorePassword, keystoreType, truststoreType,
            fingerprint,
        ]
    }
}
