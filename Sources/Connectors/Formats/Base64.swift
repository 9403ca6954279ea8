/// Base64 with padding and without line breaks, as Jackson reads and writes binary values.
enum Base64 {
    private static let alphabet: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    /// Hands the decoded bytes to `body`. False when the text is no Base64.
    static func decode(_ text: UnsafePointer<UInt8>, _ count: Int, _ body: (UnsafePointer<UInt8>, Int) -> Void) -> Bool {
        guard count % 4 == 0 else { return false }
        var length = count
        while length > 0, count - length < 2, text[length - 1] == 0x3D { length -= 1 }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count / 4 * 3 + 1) { target in
            var written = 0, bits: UInt32 = 0
            for index in 0..<length {
                let value = values[Int(text[index])]
                guard value != 0xFF else { return false }
                bits = bits << 6 | UInt32(value)
                switch index & 3 {
                case 1: target[written] = UInt8(truncatingIfNeeded: bits >> 4); written += 1
                case 2: target[written] = UInt8(truncatingIfNeeded: bits >> 2); written += 1
                case 3: target[written] = UInt8(truncatingIfNeeded: bits); written += 1
                default: break
                }
            }
            body(UnsafePointer(target.baseAddress.unsafelyUnwrapped), written)
            return true
        }
    }

    static func write(_ bytes: UnsafeBufferPointer<UInt8>, to target: TextBuffer) {
        let out = target.reserve((bytes.count + 2) / 3 * 4)
        var written = 0
        for index in stride(from: 0, to: bytes.count, by: 3) {
            let left = bytes.count - index
            let word = UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0) | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            out[written] = alphabet[Int(word >> 18)]
            out[written + 1] = alphabet[Int(word >> 12 & 63)]
            out[written + 2] = left > 1 ? alphabet[Int(word >> 6 & 63)] : 0x3D
            out[written + 3] = left > 2 ? alphabet[Int(word & 63)] : 0x3D
            written += 4
        }
        target.count += written
    }
}
