/// Counts of whole numbers ≥ 0 by size, exact to 1/32 of the value; for latencies in whatever unit the name says.
///
/// Values below 32 have a bucket each; above, every power of two is cut into 32 buckets. Memory grows with the largest value: 15 KiB for all of Int64.
/// Merging adds buckets, so the quantiles of a sum are as exact as those of its parts.
package struct Histogram: Equatable, Sendable {
    package private(set) var count: UInt64 = 0
    package private(set) var sum: Double = 0
    package private(set) var min: Int64 = 0
    package private(set) var max: Int64 = 0
    private var buckets: [UInt64] = []

    private static let bits = 5
    private static let perPower = 1 << bits

    package init() {}

    /// Negative values count as 0: they come from clocks that disagree.
    package mutating func record(_ value: Int64) {
        let value = Swift.max(0, value)
        let index = Self.bucket(of: value)
        if index >= buckets.count { buckets.append(contentsOf: repeatElement(0, count: index + 1 - buckets.count)) }
        buckets[index] += 1
        min = count == 0 ? value : Swift.min(min, value)
        max = Swift.max(max, value)
        count += 1
        sum += Double(value)
    }

    package mutating func merge(_ other: Histogram) {
        if other.count == 0 { return }
        if other.buckets.count > buckets.count { buckets.append(contentsOf: repeatElement(0, count: other.buckets.count - buckets.count)) }
        for index in other.buckets.indices { buckets[index] += other.buckets[index] }
        min = count == 0 ? other.min : Swift.min(min, other.min)
        max = Swift.max(max, other.max)
        count += other.count
        sum += other.sum
    }

    package var mean: Double { count == 0 ? 0 : sum / Double(count) }

    /// The least value that `share` (0…1) of all values do not pass; at most 1/32 too large. 0 when nothing was recorded.
    package func quantile(_ share: Double) -> Int64 {
        if count == 0 { return 0 }
        let rank = Swift.max(1, UInt64((share * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, inBucket) in buckets.enumerated() {
            seen += inBucket
            if seen >= rank { return Swift.min(Swift.max(Self.upperEnd(of: index), min), max) }
        }
        return max
    }

    private static func bucket(of value: Int64) -> Int {
        if value < perPower { return Int(value) }
        let power = 63 - value.leadingZeroBitCount
        let shift = power - bits
        return (shift + 1) << bits + Int(value >> Int64(shift)) - perPower
    }

    /// The largest value in the bucket.
    private static func upperEnd(of bucket: Int) -> Int64 {
        if bucket < perPower { return Int64(bucket) }
        let shift = bucket >> bits - 1
        let first = UInt64(bucket & (perPower - 1) + perPower) << UInt64(shift)
        return Int64(first + (1 << UInt64(shift) - 1))
    }
}
