import Dataflow
import Settings
import Transport

/// TLS between the cluster's processes as `security.ssl.internal.*` asks for it; nil when it is off.
package func internalTLS(_ configuration: Configuration) throws(StreamError) -> TLSCredentials? {
    let keys = SecurityOptions.internal
    guard configuration.get(keys.enabled) else { return nil }
    func missing(_ name: String) -> StreamError {
        StreamError(.user, retry: false, "security.ssl.internal.enabled is true, but \(name) is not set")
    }
    // A pinned certificate that is not compared would be a lock that is painted on.
    if configuration.isSet(keys.fingerprint) {
        throw StreamError(.user, retry: false, "security.ssl.internal.cert.fingerprint is not supported: trust is what security.ssl.internal.ca holds")
    }
    let identity: TLSSettings.Identity
    if let certificate = configuration.get(keys.certificate) {
        guard let key = configuration.get(keys.privateKey) else { throw missing("security.ssl.internal.key") }
        identity = .pem(certificate: certificate, key: key, keyPassword: configuration.get(keys.keyPassword))
    } else if let keystore = configuration.get(keys.keystore) {
        identity = .pkcs12(path: keystore, password: configuration.get(keys.keystorePassword))
    } else {
        throw missing("security.ssl.internal.cert or security.ssl.internal.keystore")
    }
    let trust: TLSSettings.Trust
    if let authority = configuration.get(keys.authority) {
        trust = .pem(path: authority)
    } else if let truststore = configuration.get(keys.truststore) {
        trust = .pkcs12(path: truststore, password: configuration.get(keys.truststorePassword))
    } else {
        throw missing("security.ssl.internal.ca or security.ssl.internal.truststore")
    }
    do throws(TLSError) {
        return try TLSCredentials(TLSSettings(identity: identity, trust: trust))
    } catch {
        throw StreamError(.user, retry: false, error.description)
    }
}
