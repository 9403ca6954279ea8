/// Base 64 of RFC 4648 with padding.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: Text.Slice, into out: inout TextBuilder) {
        var at = 0
        while at < bytes.count {
            let left = bytes.count - at
            let word = UInt32(bytes[at]) << 16 | (left > 1 ? UInt32(bytes[at + 1]) << 8 : 0) | (left > 2 ? UInt32(bytes[at + 2]) : 0)
            out.put(alphabet[Int(word >> 18)])
            out.put(alphabet[Int(word >> 12 & 63)])
            out.put(left > 1 ? alphabet[Int(word >> 6 & 63)] : 0x3D)
            out.put(left > 2 ? alphabet[Int(word & 63)] : 0x3D)
            at += 3
        }
    }

    /// False when the text is malformed.
    static func decode(_ text: Text.Slice, into out: inout TextBuilder) -> Bool {
        var end = text.count
        while end > 0, text.count - end < 2, text[end - 1] == 0x3D { end -= 1 }
        guard end & 3 != 1 else { return false }
        var word: UInt32 = 0, bits: UInt32 = 0
        for byte in text[..<end] {
            let digit: UInt8
            switch byte {
            case 0x41...0x5A: digit = byte - 0x41
            case 0x61...0x7A: digit = byte - 0x61 + 26
            case 0x30...0x39: digit = byte - 0x30 + 52
            case 0x2B: digit = 62
            case 0x2F: digit = 63
            default: return false
            }
            word = word << 6 | UInt32(digit)
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.put(UInt8(truncatingIfNeeded: word >> bits))
            }
        }
        return true
    }
}
