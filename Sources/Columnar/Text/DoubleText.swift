import Glibc

/// Text of floating-point numbers, to and from raw bytes: read as Java's `Double.parseDouble` reads decimal text, written as
/// `Double.toString` writes (`987.0`, `1.0E7`, `1.0E-4`, `NaN`, `Infinity`), with the fewest digits that read back as the same number.
package enum DoubleText {
    /// Bytes that `write` may use.
    package static let maximumLength = 32

    @usableFromInline static let powers: InlineArray<23, Double> = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// `[+-]digits[.digits][e[+-]digits]`, also `NaN` and `[+-]Infinity`. Nil when malformed.
    ///
    /// Up to 15 digits and a power of ten up to 22 are exact in doubles, so one multiplication or division rounds rightly
    /// (Clinger); everything else goes through `strtod`.
    @inlinable package static func parse(_ text: UnsafePointer<UInt8>, count: Int) -> Double? {
        guard count > 0 else { return nil }
        let negative = text[0] == 0x2D
        var at = negative || text[0] == 0x2B ? 1 : 0
        var mantissa: UInt64 = 0
        let start = at
        while at < count, text[at] &- 0x30 < 10 { mantissa = mantissa &* 10 &+ UInt64(text[at] &- 0x30); at += 1 }
        var digits = at - start
        var exponent = 0
        if at < count, text[at] == 0x2E {
            at += 1
            let point = at
            while at < count, text[at] &- 0x30 < 10 { mantissa = mantissa &* 10 &+ UInt64(text[at] &- 0x30); at += 1 }
            exponent = point - at
            digits += at - point
        }
        guard digits > 0 else { return parseWord(text + start, count: count - start, negative: negative) }
        if at < count {
            guard text[at] | 0x20 == 0x65, let written = parseExponent(text + at + 1, count: count - at - 1) else { return nil }
            exponent += written
        }
        // Leading zeros may push digits over 15 needlessly; `strtod` then gives the same answer, only slower.
        guard digits <= 15, exponent >= -22, exponent <= 22 else { return slowParse(text, count: count) }
        let exact = Double(Int64(bitPattern: mantissa))
        let value = exponent < 0 ? exact / powers[-exponent] : exact * powers[exponent]
        return negative ? -value : value
    }

    @usableFromInline static func parseExponent(_ text: UnsafePointer<UInt8>, count: Int) -> Int? {
        guard count > 0 else { return nil }
        let signed = text[0] == 0x2D || text[0] == 0x2B
        guard count > (signed ? 1 : 0) else { return nil }
        var value = 0
        for at in (signed ? 1 : 0)..<count {
            guard text[at] &- 0x30 < 10 else { return nil }
            value = min(value * 10 + Int(text[at] - 0x30), 100_000)
        }
        return text[0] == 0x2D ? -value : value
    }

    @usableFromInline static func parseWord(_ text: UnsafePointer<UInt8>, count: Int, negative: Bool) -> Double? {
        if count == 3, memcmp(text, "NaN", 3) == 0 { return .nan }
        if count == 8, memcmp(text, "Infinity", 8) == 0 { return negative ? -.infinity : .infinity }
        return nil
    }

    /// The text is known to be well formed; `strtod` needs it to end in zero.
    @usableFromInline static func slowParse(_ text: UnsafePointer<UInt8>, count: Int) -> Double? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { copy in
            memcpy(copy.baseAddress.unsafelyUnwrapped, text, count)
            copy[count] = 0
            return strtod(copy.baseAddress.unsafelyUnwrapped, nil)
        }
    }

    /// Returns the bytes written (at most `maximumLength`).
    package static func write(_ value: Double, into target: UnsafeMutablePointer<UInt8>) -> Int {
        guard value.isFinite else { return writeWord(value, into: target) }
        var at = 0
        if value.sign == .minus { target[0] = 0x2D; at = 1 }
        let size = value.magnitude
        if size == 0 { return at + put("0.0", into: target + at) }
        // One digit would do; Java writes the nearest two.
        if size == .leastNonzeroMagnitude { return at + put("4.9E-324", into: target + at) }
        if size >= 1e-3, size < 1e7, let written = writeShort(size, into: target + at) { return at + written }
        return at + writeDigits(size.description, into: target + at)
    }

    /// As `Float.toString`: the digits that tell it from other floats.
    package static func write(_ value: Float, into target: UnsafeMutablePointer<UInt8>) -> Int {
        guard value.isFinite else { return writeWord(Double(value), into: target) }
        var at = 0
        if value.sign == .minus { target[0] = 0x2D; at = 1 }
        if value == 0 { return at + put("0.0", into: target + at) }
        return at + writeDigits(value.magnitude.description, into: target + at)
    }

    /// Numbers of few decimals: the first number of decimals at which the number reads back. Decimals of at most 15 digits that
    /// read as the same double are the same, so the first found is the shortest and the nearest.
    private static func writeShort(_ size: Double, into target: UnsafeMutablePointer<UInt8>) -> Int? {
        for decimals in 0...8 {
            let scaled = size * powers[decimals]
            let rounded = scaled.rounded(.toNearestOrEven)
            guard rounded < 1e15 else { return nil }
            guard abs(scaled - rounded) <= scaled * 4e-16, rounded / powers[decimals] == size else { continue }
            let number = UInt64(rounded)
            if decimals == 0 {
                let length = IntegerText.write(number, into: target)
                return length + put(".0", into: target + length)
            }
            let unit = UInt64(powers[decimals])
            let length = IntegerText.write(number / unit, into: target)
            target[length] = 0x2E
            IntegerText.writePadded(number % unit, digits: decimals, into: target + length + 1)
            return length + 1 + decimals
        }
        return nil
    }

    /// Lays out the digits of Swift's shortest form (`12345.678`, `1e-05`, `1.5e+16`) as Java does.
    private static func writeDigits(_ description: String, into target: UnsafeMutablePointer<UInt8>) -> Int {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { digits in
            var count = 0, point: Int?, exponent = 0
            var text = description
            text.withUTF8 { utf8 in
                var at = 0
                while at < utf8.count {
                    let byte = utf8[at]
                    if byte == 0x2E { point = count } else if byte == 0x65 {
                        exponent = parseExponent(utf8.baseAddress.unsafelyUnwrapped + at + 1, count: utf8.count - at - 1) ?? 0
                        break
                    } else { digits[count] = byte; count += 1 }
                    at += 1
                }
            }
            // 0.digits × 10^exponent, without zeros at either end.
            exponent += point ?? count
            var first = 0
            while first < count - 1, digits[first] == 0x30 { first += 1; exponent -= 1 }
            while count > first + 1, digits[count - 1] == 0x30 { count -= 1 }
            return layOut(digits.baseAddress.unsafelyUnwrapped + first, count: count - first, exponent: exponent, into: target)
        }
    }

    private static func layOut(_ digits: UnsafePointer<UInt8>, count: Int, exponent: Int, into target: UnsafeMutablePointer<UInt8>) -> Int {
        var at = 0
        func put(_ byte: UInt8) { target[at] = byte; at += 1 }
        func digit(_ index: Int) { put(index < count ? digits[index] : 0x30) }
        if exponent > -3, exponent <= 7 {
            if exponent <= 0 { put(0x30) } else { for index in 0..<exponent { digit(index) } }
            put(0x2E)
            for _ in 0..<max(0, -exponent) { put(0x30) }
            let from = max(0, exponent)
            for index in from..<max(count, from + 1) { digit(index) }
            return at
        }
        digit(0)
        put(0x2E)
        for index in 1..<max(count, 2) { digit(index) }
        put(0x45)
        return at + IntegerText.write(Int64(exponent - 1), into: target + at)
    }

    private static func writeWord(_ value: Double, into target: UnsafeMutablePointer<UInt8>) -> Int {
        value.isNaN ? put("NaN", into: target) : value < 0 ? put("-Infinity", into: target) : put("Infinity", into: target)
    }

    private static func put(_ text: StaticString, into target: UnsafeMutablePointer<UInt8>) -> Int {
        memcpy(target, text.utf8Start, text.utf8CodeUnitCount)
        return text.utf8CodeUnitCount
    }
}
