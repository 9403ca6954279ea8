import Dataflow
import NIOSSL
import Settings
import Transport

/// TLS between the cluster's processes as `security.ssl.internal.*` asks for it; nil when it is off.
package func internalTLS(_ configuration: Configuration) throws(StreamError) -> TLSCredentials? {
    guard configuration.get(SecurityOptions.internal.enabled) else { return nil }
    let identity = try identity(SecurityOptions.internal, "security.ssl.internal", configuration)
    let trust = try trust(SecurityOptions.internal, "security.ssl.internal", configuration)
    do throws(TLSError) { return try TLSCredentials(TLSSettings(identity: identity, trust: trust)) } catch {
        throw named(error, SecurityOptions.internal, "security.ssl.internal", configuration)
    }
}

/// TLS of the REST API as `security.ssl.rest.*` asks for it; nil when it is off.
package func restTLS(_ configuration: Configuration) throws(StreamError) -> TLSConfiguration? {
    guard configuration.get(SecurityOptions.rest.enabled) else { return nil }
    let identity = try identity(SecurityOptions.rest, "security.ssl.rest", configuration)
    let clients = configuration.get(SecurityOptions.restAuthentication) ? try trust(SecurityOptions.rest, "security.ssl.rest", configuration) : nil
    do throws(TLSError) { return try serverTLS(identity, clients: clients) } catch {
        throw named(error, SecurityOptions.rest, "security.ssl.rest", configuration)
    }
}

/// TLS of a client of the REST API, by the same keys: it shows the certificate when one is configured, and trusts what `ca` or `truststore` hold, else the
/// system's authorities.
package func restClientTLS(_ configuration: Configuration) throws(StreamError) -> TLSConfiguration {
    let (keys, scope) = (SecurityOptions.rest, "security.ssl.rest")
    let showsCertificate = [keys.certificate, keys.privateKey, keys.keystore, keys.fingerprint].contains { configuration.get($0) != nil }
    let identity = showsCertificate ? try identity(keys, scope, configuration) : nil
    let trust = [keys.authority, keys.truststore].contains { configuration.get($0) != nil } ? try trust(keys, scope, configuration) : nil
    do throws(TLSError) { return try clientTLS(identity, trust: trust, verifiesName: configuration.get(SecurityOptions.verifyHostname)) } catch {
        throw named(error, keys, scope, configuration)
    }
}

private func identity(_ keys: SSLKeys, _ scope: String, _ configuration: Configuration) throws(StreamError) -> TLSSettings.Identity {
    // A pinned certificate that is not compared would be a lock that is painted on.
    if configuration.isSet(keys.fingerprint) {
        throw StreamError(.user, retry: false, "\(scope).cert.fingerprint is not supported: trust is what \(scope).ca holds")
    }
    if let certificate = configuration.get(keys.certificate) {
        guard let key = configuration.get(keys.privateKey) else {
            throw StreamError(.user, retry: false, "\(scope).cert is set, but \(scope).key is not")
        }
        return .pem(certificate: certificate, key: key, keyPassword: configuration.get(keys.keyPassword))
    }
    guard let keystore = configuration.get(keys.keystore) else { throw missing("\(scope).cert or \(scope).keystore", scope) }
    try checkType(keys.keystoreType, of: keys.keystore, at: keystore, configuration)
    return .pkcs12(path: keystore, password: configuration.get(keys.keystorePassword))
}

private func trust(_ keys: SSLKeys, _ scope: String, _ configuration: Configuration) throws(StreamError) -> TLSSettings.Trust {
    if let authority = configuration.get(keys.authority) { return .pem(path: authority) }
    guard let truststore = configuration.get(keys.truststore) else { throw missing("\(scope).ca or \(scope).truststore", scope) }
    try checkType(keys.truststoreType, of: keys.truststore, at: truststore, configuration)
    return .pkcs12(path: truststore, password: configuration.get(keys.truststorePassword))
}

/// Refuses stores whose configuration says that they have another form than the one that is read.
private func checkType(_ key: ConfigKey<String?>, of store: ConfigKey<String?>, at path: String, _ configuration: Configuration) throws(StreamError) {
    guard let type = configuration.get(key), !["pkcs12", "pkcs#12"].contains(type.lowercased()) else { return }
    throw StreamError(
        .user, retry: false,
        "\(key.name): '\(type)' is not read, only PKCS12: convert the store (keytool -importkeystore -srckeystore \(path) -destkeystore \(path).p12 "
            + "-deststoretype PKCS12), name the new file as \(store.name), and set \(key.name) to PKCS12")
}

private func missing(_ name: String, _ scope: String) -> StreamError {
    StreamError(.user, retry: false, "TLS by \(scope).* needs \(name), which is not set")
}

/// With the key that names the file, which stands first in the error.
private func named(_ error: TLSError, _ keys: SSLKeys, _ scope: String, _ configuration: Configuration) -> StreamError {
    let files = [keys.certificate, keys.privateKey, keys.authority, keys.keystore, keys.truststore]
    let key = files.first { key in configuration.get(key).map { error.description.hasPrefix($0 + ": ") } ?? false }
    return StreamError(.user, retry: false, "\(key?.name ?? scope + ".*"): \(error)")
}
