import Columnar

/// MD5, SHA-1 and SHA-256 as hexadecimal text. Sources: RFC 1321, FIPS 180-4.
enum Digest {
    static func kernel(_ name: String) -> Kernel {
        TextFunctions.texts { call, row, out in
            let bytes = call.arguments[0].slice(row)
            let digest = switch name {
            case "MD5": md5(bytes)
            case "SHA1": sha1(bytes)
            default: sha256(bytes)
            }
            for byte in digest { put(byte, uppercase: false, into: &out) }
            return true
        }.costly
    }

    static func put(_ byte: UInt8, uppercase: Bool, into out: inout TextBuilder) {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : (uppercase ? 0x41 : 0x61) + value - 10 }
        out.put(digit(byte >> 4))
        out.put(digit(byte & 15))
    }

    /// The message with its end mark and length in bits, in blocks of 64 bytes.
    private static func padded(_ bytes: Text.Slice, bigEndian: Bool) -> [UInt8] {
        var message = Array(bytes)
        message.append(0x80)
        while message.count & 63 != 56 { message.append(0) }
        let bits = UInt64(bytes.count) * 8
        withUnsafeBytes(of: bigEndian ? bits.bigEndian : bits.littleEndian) { message.append(contentsOf: $0) }
        return message
    }

    private static func words(_ message: [UInt8], _ block: Int, bigEndian: Bool) -> [UInt32] {
        message.withUnsafeBytes { raw in
            (0..<16).map { index in
                let word = raw.loadUnaligned(fromByteOffset: block + index * 4, as: UInt32.self)
                return bigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
            }
        }
    }

    private static func bytes(_ state: [UInt32], bigEndian: Bool) -> [UInt8] {
        state.flatMap { word in withUnsafeBytes(of: bigEndian ? word.bigEndian : word.littleEndian) { Array($0) } }
    }

    private static func left(_ value: UInt32, _ bits: UInt32) -> UInt32 { value << bits | value >> (32 - bits) }

    private static let sines: [UInt32] = [
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1,
        0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453,
        0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942,
        0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
        0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d,
        0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
    ]
    private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

    static func md5(_ text: Text.Slice) -> [UInt8] {
        let message = padded(text, bigEndian: false)
        var state: [UInt32] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
        for block in stride(from: 0, to: message.count, by: 64) {
            let word = words(message, block, bigEndian: false)
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            for round in 0..<64 {
                let mixed: UInt32, index: Int
                switch round >> 4 {
                case 0: (mixed, index) = (b & c | ~b & d, round)
                case 1: (mixed, index) = (d & b | ~d & c, (5 * round + 1) & 15)
                case 2: (mixed, index) = (b ^ c ^ d, (3 * round + 5) & 15)
                default: (mixed, index) = (c ^ (b | ~d), 7 * round & 15)
                }
                let sum = mixed &+ a &+ sines[round] &+ word[index]
                (a, d, c) = (d, c, b)
                b = b &+ left(sum, shifts[(round >> 4) * 4 + round & 3])
            }
            for (index, value) in [a, b, c, d].enumerated() { state[index] = state[index] &+ value }
        }
        return bytes(state, bigEndian: false)
    }

    static func sha1(_ text: Text.Slice) -> [UInt8] {
        let message = padded(text, bigEndian: true)
        var state: [UInt32] = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0]
        for block in stride(from: 0, to: message.count, by: 64) {
            var word = words(message, block, bigEndian: true)
            for index in 16..<80 { word.append(left(word[index - 3] ^ word[index - 8] ^ word[index - 14] ^ word[index - 16], 1)) }
            var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
            for round in 0..<80 {
                let mixed: UInt32, constant: UInt32
                switch round / 20 {
                case 0: (mixed, constant) = (b & c | ~b & d, 0x5A827999)
                case 1: (mixed, constant) = (b ^ c ^ d, 0x6ED9EBA1)
                case 2: (mixed, constant) = (b & c | b & d | c & d, 0x8F1BBCDC)
                default: (mixed, constant) = (b ^ c ^ d, 0xCA62C1D6)
                }
                let next = left(a, 5) &+ mixed &+ e &+ constant &+ word[round]
                (e, d, c, b, a) = (d, c, left(b, 30), a, next)
            }
            for (index, value) in [a, b, c, d, e].enumerated() { state[index] = state[index] &+ value }
        }
        return bytes(state, bigEndian: true)
    }

    private static let cubes: [UInt32] = [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
        0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
        0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
        0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
        0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
        0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ]

    static func sha256(_ text: Text.Slice) -> [UInt8] {
        let message = padded(text, bigEndian: true)
        var state: [UInt32] = [
            0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
        ]
        func right(_ value: UInt32, _ bits: UInt32) -> UInt32 { value >> bits | value << (32 - bits) }
        for block in stride(from: 0, to: message.count, by: 64) {
            var word = words(message, block, bigEndian: true)
            for index in 16..<64 {
                let x = word[index - 15], y = word[index - 2]
                let low = right(x, 7) ^ right(x, 18) ^ x >> 3, high = right(y, 17) ^ right(y, 19) ^ y >> 10
                word.append(word[index - 16] &+ low &+ word[index - 7] &+ high)
            }
            var v = state
            for round in 0..<64 {
                let s1 = right(v[4], 6) ^ right(v[4], 11) ^ right(v[4], 25), choice = v[4] & v[5] ^ ~v[4] & v[6]
                let first = v[7] &+ s1 &+ choice &+ cubes[round] &+ word[round]
                let s0 = right(v[0], 2) ^ right(v[0], 13) ^ right(v[0], 22), majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2]
                v = [first &+ s0 &+ majority, v[0], v[1], v[2], v[3] &+ first, v[4], v[5], v[6]]
            }
            for index in 0..<8 { state[index] = state[index] &+ v[index] }
        }
        return bytes(state, bigEndian: true)
    }
}
