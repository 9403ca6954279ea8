import Glibc

/// Walks over JSON without building values. Strings are slices of the input.
struct AnswerScanner {
    struct Slice {
        let start: UnsafePointer<UInt8>
        let count: Int
        let hasNoEscapes: Bool

        @inline(__always) func equals(_ name: StaticString) -> Bool {
            count == name.utf8CodeUnitCount && memcmp(start, name.utf8Start, count) == 0
        }

        /// Unescaped.
        var text: String? {
            let bytes = UnsafeBufferPointer(start: start, count: count)
            if hasNoEscapes { return String(decoding: bytes, as: UTF8.self) }
            return JSON([0x22] + bytes + [0x22])?.text
        }
    }

    private var at: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>

    init(_ start: UnsafePointer<UInt8>, _ count: Int) { (at, end) = (start, start + count) }

    @inline(__always) private mutating func skipSpace() {
        while at < end, at[0] == 0x20 || at[0] == 0x0A || at[0] == 0x0D || at[0] == 0x09 { at += 1 }
    }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return at == end
        }
    }

    /// The next sign, if it is this one.
    @inline(__always) mutating func take(_ sign: UInt8) -> Bool {
        if at < end, at[0] <= 0x20 { skipSpace() }
        guard at < end, at[0] == sign else { return false }
        at += 1
        return true
    }

    var isNullNext: Bool {
        mutating get {
            skipSpace()
            return end - at >= 4 && memcmp(at, "null", 4) == 0
        }
    }

    mutating func takeNull() -> Bool {
        guard isNullNext else { return false }
        at += 4
        return true
    }

    @inline(__always) mutating func string() -> Slice? {
        guard take(0x22) else { return nil }
        let start = at
        guard let found = memchr(at, 0x22, end - at) else { return nil }
        var quote = UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
        if quote == start || memchr(start, 0x5C, quote - start) == nil {
            at = quote + 1
            return Slice(start: start, count: quote - start, hasNoEscapes: true)
        }
        quote = start
        while quote < end, quote[0] != 0x22 { quote += quote[0] == 0x5C ? 2 : 1 }
        guard quote < end else { return nil }
        at = quote + 1
        return Slice(start: start, count: quote - start, hasNoEscapes: false)
    }

    /// `1593816839.236`, `1.593816839236E9`, `0`.
    mutating func number() -> Double? {
        skipSpace()
        let start = at
        let isNegative = at < end && at[0] == 0x2D
        if isNegative { at += 1 }
        var digits: UInt64 = 0
        var scale = 0
        var seen = 0
        var behindPoint = false
        while at < end {
            let byte = at[0]
            if byte >= 0x30, byte <= 0x39 {
                if seen < 18 {
                    digits = digits &* 10 &+ UInt64(byte &- 0x30)
                    seen += 1
                    if behindPoint { scale -= 1 }
                } else if !behindPoint {
                    scale += 1
                }
            } else if byte == 0x2E, !behindPoint {
                behindPoint = true
            } else { break }
            at += 1
        }
        guard seen > 0 else {
            at = start
            return nil
        }
        if at < end, at[0] | 0x20 == 0x65 {
            at += 1
            var isDown = false
            if at < end, at[0] == 0x2B || at[0] == 0x2D {
                isDown = at[0] == 0x2D
                at += 1
            }
            var exponent = 0
            while at < end, at[0] >= 0x30, at[0] <= 0x39, exponent < 400 {
                exponent = exponent * 10 + Int(at[0] - 0x30)
                at += 1
            }
            scale += isDown ? -exponent : exponent
        }
        var value = Double(digits)
        var power = 1.0
        for _ in 0..<min(abs(scale), 308) { power *= 10 }
        value = scale < 0 ? value / power : value * power
        return isNegative ? -value : value
    }

    mutating func skipValue() -> Bool {
        skipSpace()
        guard at < end else { return false }
        switch at[0] {
        case 0x22: return string() != nil
        case 0x7B, 0x5B:
            var depth = 0
            while at < end {
                switch at[0] {
                case 0x22:
                    guard string() != nil else { return false }
                    continue
                case 0x7B, 0x5B: depth += 1
                case 0x7D, 0x5D: depth -= 1
                default: break
                }
                at += 1
                if depth == 0 { return true }
            }
            return false
        default:
            let start = at
            while at < end, at[0] != 0x2C, at[0] != 0x7D, at[0] != 0x5D, at[0] > 0x20 { at += 1 }
            return at > start
        }
    }
}
