import Glibc
import NIOSSL

func loadIdentity(_ identity: TLSSettings.Identity) throws(TLSError) -> (chain: [NIOSSLCertificate], key: NIOSSLPrivateKey) {
    switch identity {
    case .pem(let certificate, let key, let password):
        return (try readPEM(certificate), try readKey(key, password: password))
    case .pkcs12(let path, let password):
        let store = try readStore(path)
        guard holdsKey(store) else { throw TLSError(description: "\(path): this PKCS#12 store holds no private key") }
        let bundle = try open(store, path, password: password, wants: "a certificate with its private key")
        return (bundle.certificateChain, bundle.privateKey)
    }
}

/// `identity` helps to open stores that hold certificates only; without one the key that everybody knows does.
func loadTrust(
    _ trust: TLSSettings.Trust, with identity: (chain: [NIOSSLCertificate], key: NIOSSLPrivateKey)?
) throws(TLSError) -> [NIOSSLCertificate] {
    switch trust {
    case .pem(let path):
        return try readPEM(path)
    case .pkcs12(let path, let password):
        let bytes = try readStore(path)
        if holdsKey(bytes) { return try open(bytes, path, password: password, wants: "the certificates to trust").certificateChain }
        guard let identity = identity ?? knownIdentity() else { throw TLSError(description: "\(path): a PKCS#12 store of certificates cannot be read here") }
        let ours = NIOSSLPKCS12Bundle(certificateChain: identity.chain, privateKey: identity.key)
        guard let opened = try? ours.serialize(passphrase: Array((password ?? "").utf8)), let joined = joinedStore(opened, bytes, password: password ?? "") else {
            throw TLSError(description: """
                \(path): this PKCS#12 store cannot be read; convert it to PEM and name that file as security.ssl.internal.ca (or .rest.ca): \
                openssl pkcs12 -in \(path) -nokeys -out \(path).pem
                """)
        }
        var trusted = try open(joined, path, password: password ?? "", wants: "the certificates to trust").certificateChain
        for certificate in identity.chain {
            if let index = trusted.firstIndex(of: certificate) { trusted.remove(at: index) }
        }
        if trusted.isEmpty { throw TLSError(description: "\(path): this PKCS#12 store holds no certificate") }
        return trusted
    }
}

private func readPEM(_ path: String) throws(TLSError) -> [NIOSSLCertificate] {
    let bytes = try read(path)
    try refuseJavaKeyStore(bytes, path)
    do {
        let certificates = try NIOSSLCertificate.fromPEMBytes(bytes)
        if !certificates.isEmpty { return certificates }
    } catch {}
    throw TLSError(description: "\(path): no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
}

private func readKey(_ path: String, password: String?) throws(TLSError) -> NIOSSLPrivateKey {
    let bytes = try read(path)
    do {
        guard let password else { return try NIOSSLPrivateKey(bytes: bytes, format: .pem) }
        return try NIOSSLPrivateKey(bytes: bytes, format: .pem) { callback in callback(Array(password.utf8)) }
    } catch {
        // Both forms of encrypted keys say so in clear: in the first line (PKCS#8), or in a Proc-Type header.
        guard String(decoding: bytes, as: UTF8.self).contains("ENCRYPTED") else { throw TLSError(description: "\(path): no private key in PEM form") }
        throw TLSError(description: "\(path): \(password == nil ? "the private key wants a password" : "the password does not open the private key") (key-password)")
    }
}

private func readStore(_ path: String) throws(TLSError) -> [UInt8] {
    let bytes = try read(path)
    try refuseJavaKeyStore(bytes, path)
    guard bytes.first == 0x30 else { throw TLSError(description: "\(path): not a PKCS#12 store") }
    return bytes
}

/// The library ends the process over a store without a private key: it must not see one.
private func open(_ store: [UInt8], _ path: String, password: String?, wants: String) throws(TLSError) -> NIOSSLPKCS12Bundle {
    precondition(holdsKey(store), "a store without a private key")
    do {
        return try NIOSSLPKCS12Bundle(buffer: store, passphrase: password.map { Array($0.utf8) })
    } catch {
        throw TLSError(description: "\(path): cannot be opened as a PKCS#12 store with \(wants); is the password right?")
    }
}

/// The stores' key entries lie in the open part of the file: object identifier 1.2.840.113549.1.12.10.1.1 (plain) or .2 (encrypted).
private func holdsKey(_ bytes: [UInt8]) -> Bool {
    let prefix: [UInt8] = [0x06, 0x0B, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x0C, 0x0A, 0x01]
    return bytes.indices.contains { start in
        bytes[start] == 0x06 && bytes[start...].starts(with: prefix) && start + prefix.count < bytes.count && [1, 2].contains(bytes[start + prefix.count])
    }
}

/// Java's own formats are known by their first bytes, whatever the file is called: today's keytool writes PKCS#12 into a `.jks` as well.
private func refuseJavaKeyStore(_ bytes: [UInt8], _ path: String) throws(TLSError) {
    if bytes.starts(with: [0xFE, 0xED, 0xFE, 0xED]) || bytes.starts(with: [0xCE, 0xCE, 0xCE, 0xCE]) {
        throw TLSError(description: """
            \(path): a Java key store (JKS) is not read; convert it: \
            keytool -importkeystore -srckeystore \(path) -destkeystore \(path).p12 -deststoretype PKCS12
            """)
    }
}

private func read(_ path: String) throws(TLSError) -> [UInt8] {
    guard let file = fopen(path, "rbe") else { throw TLSError(description: "\(path): \(String(cString: strerror(errno)))") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { return bytes }
        bytes += chunk[..<count]
    }
}
