/// Text of `DECIMAL(precision, scale)` values: unscaled 128-bit integers of at most 38 digits.
package enum DecimalText {
    /// Bytes that `write` may use.
    package static let maximumLength = 48

    /// 10^n for n in 0…38.
    package static let powers: [Int128] = {
        var powers: [Int128] = [1]
        for _ in 0..<38 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    /// Divides by 10^n and rounds half away from zero, as Java's HALF_UP.
    package static func dividedByPower(_ value: Int128, _ n: Int) -> Int128 {
        guard n > 0 else { return value }
        guard n <= 38 else { return 0 }
        let unit = powers[n]
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: unit)
        guard rest.magnitude >= unit.magnitude - rest.magnitude else { return quotient }
        return value < 0 ? quotient - 1 : quotient + 1
    }

    /// The same number at another scale, or nil when it needs more than `precision` digits.
    package static func rescale(_ value: Int128, from: Int, to scale: Int, precision: Int) -> Int128? {
        let moved: Int128
        if scale > from {
            if value == 0 { return 0 }
            guard scale - from <= 38 else { return nil }
            let (product, over) = value.multipliedReportingOverflow(by: powers[scale - from])
            guard !over else { return nil }
            moved = product
        } else {
            moved = dividedByPower(value, from - scale)
        }
        return moved.magnitude < powers[min(precision, 38)].magnitude ? moved : nil
    }

    /// `[+-]digits[.digits][e[+-]digits]`, rounded half up to the scale. Nil when malformed or too large for the precision.
    package static func parse(_ text: UnsafePointer<UInt8>, count: Int, precision: Int, scale: Int) -> Int128? {
        guard count > 0 else { return nil }
        let negative = text[0] == 0x2D
        var at = negative || text[0] == 0x2B ? 1 : 0
        var unscaled: Int128 = 0
        var digits = 0, kept = 0, decimals = 0
        var seenPoint = false
        // Digits past 38 significant ones cannot change a value of at most 38 digits, but for whole ones, which count as powers of ten.
        while at < count {
            let byte = text[at]
            if byte == 0x2E, !seenPoint { seenPoint = true; at += 1; continue }
            guard byte &- 0x30 < 10 else { break }
            digits += 1
            if kept < 38 {
                unscaled = unscaled * 10 + Int128(byte - 0x30)
                if unscaled != 0 { kept += 1 }
                if seenPoint { decimals += 1 }
            } else if !seenPoint { decimals -= 1 }
            at += 1
        }
        guard digits > 0 else { return nil }
        if at < count {
            guard text[at] | 0x20 == 0x65, let exponent = DoubleText.parseExponent(text + at + 1, count: count - at - 1) else { return nil }
            decimals -= exponent
        }
        return rescale(negative ? -unscaled : unscaled, from: decimals, to: scale, precision: precision)
    }

    /// All digits of the scale: 150 at scale 2 is `1.50`. Returns the bytes written.
    package static func write(_ value: Int128, scale: Int, into target: UnsafeMutablePointer<UInt8>) -> Int {
        var at = 0
        if value < 0 { target[0] = 0x2D; at = 1 }
        let size = value.magnitude
        guard scale > 0 else { return at + writeWhole(size, into: target + at) }
        if let small = UInt64(exactly: size), scale <= 18 {
            let unit = UInt64(powers[scale])
            at += IntegerText.write(small / unit, into: target + at)
            target[at] = 0x2E
            IntegerText.writePadded(small % unit, digits: scale, into: target + at + 1)
            return at + 1 + scale
        }
        let (whole, rest) = size.quotientAndRemainder(dividingBy: UInt128(powers[scale]))
        at += writeWhole(whole, into: target + at)
        target[at] = 0x2E
        writePadded(rest, digits: scale, into: target + at + 1)
        return at + 1 + scale
    }

    private static func writeWhole(_ value: UInt128, into target: UnsafeMutablePointer<UInt8>) -> Int {
        if let small = UInt64(exactly: value) { return IntegerText.write(small, into: target) }
        var digits = 19
        while digits < 38, value >= UInt128(powers[digits]) { digits += 1 }
        writePadded(value, digits: digits, into: target)
        return digits
    }

    private static func writePadded(_ value: UInt128, digits: Int, into target: UnsafeMutablePointer<UInt8>) {
        var rest = value
        for at in stride(from: digits - 1, through: 0, by: -1) {
            let (next, digit) = rest.quotientAndRemainder(dividingBy: 10)
            target[at] = 0x30 + UInt8(truncatingIfNeeded: digit)
            rest = next
        }
    }
}
