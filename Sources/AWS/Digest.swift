import CLibcrypto

/// Digests as AWS's protocols ask for them, carried out by OpenSSL.
package enum Digest {
    /// An algorithm that was looked up once: that takes longer than a short text's digest.
    struct Algorithm: @unchecked Sendable {  // Nothing changes it.
        let pointer: OpaquePointer?

        init(_ name: String, otherwise: OpaquePointer?) { pointer = EVP_MD_fetch(nil, name, nil) ?? otherwise }
    }

    private static let sha256Algorithm = Algorithm("SHA256", otherwise: EVP_sha256())

    /// 32 bytes.
    package static func sha256(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            var length: UInt32 = 0
            _ = EVP_Digest(bytes.baseAddress, bytes.count, buffer.baseAddress, &length, sha256Algorithm.pointer, nil)
            count = Int(length)
        }
    }

    package static func sha256(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { sha256($0) } }

    /// 20 bytes. Only where a name is made of it.
    static func sha1(_ text: String) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 20) { buffer, count in
            _ = SHA1(Array(text.utf8), text.utf8.count, buffer.baseAddress)
            count = 20
        }
    }

    /// 32 bytes.
    package static func hmacSHA256(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            var length: UInt32 = 0
            _ = HMAC(sha256Algorithm.pointer, key, Int32(key.count), bytes, bytes.count, buffer.baseAddress, &length)
            count = Int(length)
        }
    }
}
