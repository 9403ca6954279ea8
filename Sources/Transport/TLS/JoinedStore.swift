/// Two PKCS#12 stores made into one, in memory.
///
/// The TLS library opens only stores that hold a private key, and truststores hold none. Ours and the truststore joined do. Both must have the same
/// password. Nil when the bytes are no stores in DER. Source: RFC 7292.
func joinedStore(_ first: [UInt8], _ second: [UInt8], password: String) -> [UInt8]? {
    guard let firstParts = authenticatedSafe(first), let secondParts = authenticatedSafe(second) else { return nil }
    let safe = der(0x30, firstParts + secondParts)
    let data = der(0x06, [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01])
    let sha256 = der(0x30, der(0x06, [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]) + der(0x05, []))
    // The store never leaves this process: its checksum proves nothing to anybody, it only has to be right.
    let salt = [UInt8](repeating: 0x53, count: 8)
    let checksum = SHA256.authentication(of: safe, key: checksumKey(password, salt: salt))
    return der(
        0x30,
        der(0x02, [3]) + der(0x30, data + der(0xA0, der(0x04, safe)))
            + der(0x30, der(0x30, sha256 + der(0x04, checksum)) + der(0x04, salt)))
}

/// RFC 7292 appendix B.2 with SHA-256, purpose 3 (a MAC's key), one iteration, and a key as long as the digest.
private func checksumKey(_ password: String, salt: [UInt8]) -> [UInt8] {
    let characters: [UInt8] = password.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } + [0, 0]
    func filled(_ bytes: [UInt8]) -> [UInt8] {
        let length = (bytes.count + SHA256.blockBytes - 1) / SHA256.blockBytes * SHA256.blockBytes
        return (0..<length).map { bytes[$0 % bytes.count] }
    }
    return SHA256.digest([UInt8](repeating: 3, count: SHA256.blockBytes) + filled(salt) + filled(characters))
}

/// What stands inside the sequence of a store's content infos.
private func authenticatedSafe(_ store: [UInt8]) -> [UInt8]? {
    var file = DERReader(store)
    guard var pfx = file.enter(0x30), pfx.enter(0x02) != nil, var content = pfx.enter(0x30), content.enter(0x06) != nil,
        var explicit = content.enter(0xA0), var octets = explicit.enter(0x04), let parts = octets.enter(0x30) else { return nil }
    return Array(parts.bytes)
}

func der(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    if content.count < 0x80 { return [tag, UInt8(content.count)] + content }
    let length = stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: content.count >> $0) }.drop { $0 == 0 }
    return [tag, 0x80 | UInt8(length.count)] + length + content
}

/// Reads one element after the other.
private struct DERReader {
    private(set) var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    /// Passes an element with this tag and returns a reader of its content; nil for another tag or broken lengths.
    mutating func enter(_ tag: UInt8) -> DERReader? {
        guard bytes.popFirst() == tag, let first = bytes.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7F)
            guard (1...4).contains(count), bytes.count >= count else { return nil }
            length = bytes.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            bytes = bytes.dropFirst(count)
        }
        guard bytes.count >= length else { return nil }
        var content = self
        content.bytes = bytes.prefix(length)
        bytes = bytes.dropFirst(length)
        return content
    }
}
