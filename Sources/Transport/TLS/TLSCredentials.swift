import NIOSSL

/// Where certificates come from: PEM files, or PKCS#12 stores under Flink's keys. Both sides of a connection show one (mutual TLS).
package struct TLSSettings: Sendable {
    package enum Identity: Sendable {
        /// `certificate`: the certificate, then its chain.
        case pem(certificate: String, key: String, keyPassword: String?)
        case pkcs12(path: String, password: String?)
    }

    package enum Trust: Sendable {
        case pem(path: String)
        case pkcs12(path: String, password: String?)
    }

    package var identity: Identity
    package var trust: Trust

    package init(identity: Identity, trust: Trust) {
        self.identity = identity
        self.trust = trust
    }
}

/// In words for an administrator; never contains a password.
package struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
}

/// Loaded certificates, for any number of servers and connections.
///
/// Certificates are verified against the trusted ones, host names are not compared: as Flink does it between its own processes, where pods come and go and
/// a certificate of the cluster's own authority is the password.
package struct TLSCredentials: Sendable {
    let server: NIOSSLContext
    let client: NIOSSLContext
    /// When the certificate that is shown begins and ceases to hold, in seconds since the epoch.
    package let validFrom: Int
    package let validUntil: Int

    package init(_ settings: TLSSettings) throws(TLSError) {
        let (chain, key) = try loadIdentity(settings.identity)
        (validFrom, validUntil) = chain.first.map { ($0.notValidBefore, $0.notValidAfter) } ?? (.min, .max)
        let trusted = try loadTrust(settings.trust, with: (chain, key))
        let sources = chain.map { NIOSSLCertificateSource.certificate($0) }

        var server = TLSConfiguration.makeServerConfiguration(certificateChain: sources, privateKey: .privateKey(key))
        server.certificateVerification = .noHostnameVerification
        server.trustRoots = .certificates(trusted)
        server.minimumTLSVersion = .tlsv12

        var client = TLSConfiguration.makeClientConfiguration()
        client.certificateChain = sources
        client.privateKey = .privateKey(key)
        client.certificateVerification = .noHostnameVerification
        client.trustRoots = .certificates(trusted)
        client.minimumTLSVersion = .tlsv12

        do {
            self.server = try NIOSSLContext(configuration: server)
            self.client = try NIOSSLContext(configuration: client)
        } catch {
            throw TLSError(description: "certificate and private key do not go together: \(error)")
        }
    }
}

/// For a server that anybody may connect to, or, with `clients`, whoever shows a certificate that these vouch for.
package func serverTLS(_ identity: TLSSettings.Identity, clients: TLSSettings.Trust?) throws(TLSError) -> TLSConfiguration {
    let (chain, key) = try loadIdentity(identity)
    var server = TLSConfiguration.makeServerConfiguration(certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    server.minimumTLSVersion = .tlsv12
    if let clients {
        server.certificateVerification = .noHostnameVerification
        server.trustRoots = .certificates(try loadTrust(clients, with: (chain, key)))
    }
    do { _ = try NIOSSLContext(configuration: server) } catch {
        throw TLSError(description: "certificate and private key do not go together: \(error)")
    }
    return server
}

/// For a client of such a server. Without `identity` it has no certificate to show; without `trust` the system's authorities are trusted.
package func clientTLS(_ identity: TLSSettings.Identity?, trust: TLSSettings.Trust?, verifiesName: Bool) throws(TLSError) -> TLSConfiguration {
    var client = TLSConfiguration.makeClientConfiguration()
    client.minimumTLSVersion = .tlsv12
    if !verifiesName { client.certificateVerification = .noHostnameVerification }
    var ours: (chain: [NIOSSLCertificate], key: NIOSSLPrivateKey)?
    if let identity {
        let (chain, key) = try loadIdentity(identity)
        client.certificateChain = chain.map { .certificate($0) }
        client.privateKey = .privateKey(key)
        ours = (chain, key)
    }
    if let trust { client.trustRoots = .certificates(try loadTrust(trust, with: ours)) }
    do { _ = try NIOSSLContext(configuration: client) } catch {
        throw TLSError(description: ours == nil ? "the system's authorities cannot be read: \(error)" : "certificate and private key do not go together: \(error)")
    }
    return client
}
