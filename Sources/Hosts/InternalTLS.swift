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
        throw StreamError(.user, retry: false, error.description)
    }
}

/// TLS of the REST API as `security.ssl.rest.*` asks for it; nil when it is off.
package func restTLS(_ configuration: Configuration) throws(StreamError) -> TLSConfiguration? {
    guard configuration.get(SecurityOptions.rest.enabled) else { return nil }
    let identity = try identity(SecurityOptions.rest, "security.ssl.rest", configuration)
    let clients = configuration.get(SecurityOptions.restAuthentication) ? try trust(SecurityOptions.rest, "security.ssl.rest", configuration) : nil
    do throws(TLSError) { return try serverTLS(identity, clients: clients) } catch {
        throw StreamError(.user, retry: false, error.description)
    }
}

private func identity(_ keys: SSLKeys, _ scope: String, _ configuration: Configuration) throws(StreamError) -> TLSSettings.Identity {
    // A pinned certificate that is not compared would be a lock that is painted on.
    if configuration.isSet(keys.fingerprint) {
        throw StreamError(.user, retry: false, "\(scope).cert.fingerprint is not supported: trust is what \(scope).ca holds")
    }
    if let certificate = configuration.get(keys.certificate) {
        guard let key = configuration.get(keys.privateKey) else { throw missing("\(scope).key", scope) }
        return .pem(certificate: certificate, key: key, keyPassword: configuration.get(keys.keyPassword))
    }
    guard let keystore = configuration.get(keys.keystore) else { throw missing("\(scope).cert or \(scope).keystore", scope) }
    return .pkcs12(path: keystore, password: configuration.get(keys.keystorePassword))
}

private func trust(_ keys: SSLKeys, _ scope: String, _ configuration: Configuration) throws(StreamError) -> TLSSettings.Trust {
    if let authority = configuration.get(keys.authority) { return .pem(path: authority) }
    guard let truststore = configuration.get(keys.truststore) else { throw missing("\(scope).ca or \(scope).truststore", scope) }
    return .pkcs12(path: truststore, password: configuration.get(keys.truststorePassword))
}

private func missing(_ name: String, _ scope: String) -> StreamError {
    StreamError(.user, retry: false, "\(scope).enabled is true, but \(name) is not set")
}
