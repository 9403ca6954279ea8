/// Decimal text of integers, to and from raw bytes.
package enum IntegerText {
    /// Bytes that `write` may use.
    package static let maximumLength = 20

    /// "000102…99": two digits at once.
    @inlinable static var pairs: UnsafePointer<UInt8> {
        // One literal: a StaticString has no "+".
        ("00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899" as StaticString)
            .utf8Start
    }

    /// `[+-]digits`, nothing else around it. Nil when malformed or out of the range of 64 bits.
    @inlinable package static func parse(_ text: UnsafePointer<UInt8>, count: Int) -> Int64? {
        guard count > 0 else { return nil }
        let negative = text[0] == 0x2D
        var at = negative || text[0] == 0x2B ? 1 : 0
        guard at < count else { return nil }
        // 18 digits fit for certain.
        let safe = min(count, at + 18)
        var value: Int64 = 0
        while at < safe {
            let digit = text[at] &- 0x30
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
            at += 1
        }
        if at == count { return negative ? 0 &- value : value }
        var signed = negative ? 0 &- value : value
        while at < count {
            let digit = text[at] &- 0x30
            guard digit < 10 else { return nil }
            let (ten, far) = signed.multipliedReportingOverflow(by: 10)
            let (next, farther) = negative
                ? ten.subtractingReportingOverflow(Int64(digit)) : ten.addingReportingOverflow(Int64(digit))
            guard !far, !farther else { return nil }
            signed = next
            at += 1
        }
        return signed
    }

    /// Writes the number; returns how many bytes it took (at most `maximumLength`).
    @inlinable package static func write(_ value: Int64, into target: UnsafeMutablePointer<UInt8>) -> Int {
        guard value < 0 else { return write(UInt64(bitPattern: value), into: target) }
        target[0] = 0x2D
        return write(value.magnitude, into: target + 1) + 1
    }

    @inlinable package static func write(_ value: UInt64, into target: UnsafeMutablePointer<UInt8>) -> Int {
        let length = digits(value)
        writePadded(value, digits: length, into: target)
        return length
    }

    /// Writes exactly `digits` digits, with zeros in front.
    @inlinable package static func writePadded(_ value: UInt64, digits: Int, into target: UnsafeMutablePointer<UInt8>) {
        var value = value
        var at = digits
        while at >= 2 {
            let rest = Int(truncatingIfNeeded: value % 100)
            value /= 100
            at -= 2
            UnsafeMutableRawPointer(target + at).storeBytes(
                of: UnsafeRawPointer(pairs + rest * 2).loadUnaligned(as: UInt16.self), as: UInt16.self)
        }
        if at == 1 { target[0] = 0x30 &+ UInt8(truncatingIfNeeded: value % 10) }
    }

    /// Writes two digits of a number below 100.
    @inlinable package static func writeTwo(_ value: Int, into target: UnsafeMutablePointer<UInt8>) {
        UnsafeMutableRawPointer(target).storeBytes(of: UnsafeRawPointer(pairs + value * 2).loadUnaligned(as: UInt16.self), as: UInt16.self)
    }

    /// Decimal digits of a number; 1 for zero.
    @inlinable package static func digits(_ value: UInt64) -> Int {
        var count = 1
        var bound: UInt64 = 10
        while value >= bound {
            count += 1
            let (next, over) = bound.multipliedReportingOverflow(by: 10)
            if over { return 20 }
            bound = next
        }
        return count
    }
}
