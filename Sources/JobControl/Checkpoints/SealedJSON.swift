import CKernels
import FoundationEssentials

/// The bytes of HEAD and manifests: JSON with the checksum of its own value, `{"crc32c":"0a1b2c3d","value":{…}}`.
///
/// Sorted keys, so that equal values have equal bytes. A flipped bit inside a number or a path is still JSON; the checksum is what tells.
package enum SealedJSON {
    package static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let data = try? encoder.encode(value) else { preconditionFailure("what is stored holds only values that JSON has") }
        let body = Array(data)
        return Array(seal(body).utf8) + body + [UInt8(ascii: "}")]
    }

    /// Nil when it is damaged, or none of ours.
    package static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) -> T? {
        let length = seal([]).utf8.count
        guard bytes.count > length, bytes.last == UInt8(ascii: "}") else { return nil }
        let body = Array(bytes[length..<(bytes.count - 1)])
        guard bytes.starts(with: seal(body).utf8) else { return nil }
        return try? JSONDecoder().decode(type, from: Data(body))
    }

    private static func seal(_ body: [UInt8]) -> String {
        let checksum = body.withUnsafeBytes { swiftwater_crc32c(0, $0.baseAddress, $0.count) }
        let digits = String(checksum, radix: 16)
        return #"{"crc32c":""# + String(repeating: "0", count: 8 - digits.count) + digits + #"","value":"#
    }
}
