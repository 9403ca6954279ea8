import Columnar
import Dataflow

/// What SUM, MIN, MAX and AVG do with two numbers, for each kind of cell. A cell holds every type of its family: integers,
/// booleans, dates and times in 64 bits, floating point in a DOUBLE, decimals in 128 bits.
protocol NumberCell: BitwiseCopyable {
    static var lowest: Self { get }
    static var highest: Self { get }
    static var zero: Self { get }
    static func lesser(_ a: Self, _ b: Self) -> Self
    static func greater(_ a: Self, _ b: Self) -> Self
    static func sum(_ a: Self, _ b: Self) -> Self
    static func difference(_ a: Self, _ b: Self) -> Self
}

extension Int64: NumberCell {
    static var lowest: Int64 { .min }
    static var highest: Int64 { .max }
    @inline(__always) static func lesser(_ a: Int64, _ b: Int64) -> Int64 { b < a ? b : a }
    @inline(__always) static func greater(_ a: Int64, _ b: Int64) -> Int64 { b > a ? b : a }
    /// Wraps, as Flink's does; so a narrower result type may cut off the high bits at the end.
    @inline(__always) static func sum(_ a: Int64, _ b: Int64) -> Int64 { a &+ b }
    @inline(__always) static func difference(_ a: Int64, _ b: Int64) -> Int64 { a &- b }
}

extension Int128: NumberCell {
    static var lowest: Int128 { .min }
    static var highest: Int128 { .max }
    @inline(__always) static func lesser(_ a: Int128, _ b: Int128) -> Int128 { b < a ? b : a }
    @inline(__always) static func greater(_ a: Int128, _ b: Int128) -> Int128 { b > a ? b : a }
    @inline(__always) static func sum(_ a: Int128, _ b: Int128) -> Int128 { a &+ b }
    @inline(__always) static func difference(_ a: Int128, _ b: Int128) -> Int128 { a &- b }

    /// Beyond ± this no DECIMAL(38, s) goes.
    static let decimalBound: Int128 = {
        var bound: Int128 = 1
        for _ in 0..<38 { bound *= 10 }
        return bound
    }()
}

/// NaN is above every number, whatever the order of the rows.
extension Double: NumberCell {
    static var lowest: Double { -.infinity }
    static var highest: Double { .nan }
    @inline(__always) static func lesser(_ a: Double, _ b: Double) -> Double { b < a || a.isNaN ? b : a }
    @inline(__always) static func greater(_ a: Double, _ b: Double) -> Double { b > a || b.isNaN ? b : a }
    @inline(__always) static func sum(_ a: Double, _ b: Double) -> Double { a + b }
    @inline(__always) static func difference(_ a: Double, _ b: Double) -> Double { a - b }
}

/// `sum / count`, rounded half away from zero at `digits` more decimals than the sum has; nil when 38 digits do not hold it.
func averageDecimal(_ sum: Int128, count: Int64, digits: Int) -> Int128? {
    let divisor = UInt128(count.magnitude)
    var (quotient, remainder) = sum.magnitude.quotientAndRemainder(dividingBy: divisor)
    for _ in 0..<digits {
        let digit = remainder * 10
        let (scaled, overflow) = quotient.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        quotient = scaled &+ digit / divisor
        remainder = digit % divisor
    }
    if remainder * 2 >= divisor { quotient += 1 }
    guard quotient < UInt128(Int128.decimalBound) else { return nil }
    return (sum < 0) != (count < 0) ? -Int128(quotient) : Int128(quotient)
}
