/// Tells one content of an object from another. Opaque: compared, carried, and handed back in `PutCondition.ifMatch`.
package struct ETag: Hashable, Sendable, CustomStringConvertible {
    package let value: String

    package init(_ value: String) { self.value = value }

    package var description: String { value }
}

extension ETag {
    /// 128 bits over content and length, in hex. Two puts of the same bytes have the same tag: whoever must tell them apart (HEAD, leases) writes a nonce.
    ///
    /// Not cryptographic. Two lanes, each folding 8 bytes with a 64 × 64 → 128 bit multiplication.
    package init(of bytes: [UInt8]) {
        var low: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
        var high: UInt64 = 0xC2B2_AE3D_27D4_EB4F &+ UInt64(bytes.count)
        bytes.withUnsafeBytes { raw in
            var position = 0
            while position + 16 <= raw.count {
                low = Self.mix(low ^ UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)), 0xA076_1D64_78BD_642F)
                high = Self.mix(high ^ UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self)), 0xE703_7ED1_A0B4_28DB)
                (low, high) = (low &+ (high &<< 1 | high &>> 63), high ^ low)
                position += 16
            }
            while position < raw.count {
                low = Self.mix(low ^ UInt64(raw[position]) &+ 0x100, 0x8EBC_6AF0_9C88_C6E3)
                high = Self.mix(high ^ low, 0x5899_65CC_7537_4CC3)
                position += 1
            }
        }
        low = Self.mix(low ^ (high &<< 32 | high &>> 32), 0xA076_1D64_78BD_642F)
        high = Self.mix(high ^ low, 0xE703_7ED1_A0B4_28DB)
        value = Self.hex(low) + Self.hex(high)
    }

    /// Both halves of the product are kept, and the input itself: a zero factor does not swallow what came before.
    private static func mix(_ x: UInt64, _ factor: UInt64) -> UInt64 {
        let product = x.multipliedFullWidth(by: factor)
        return product.high ^ product.low ^ (x &<< 23 | x &>> 41)
    }

    private static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
