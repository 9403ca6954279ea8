import Dataflow

/// All chance of a run: xoshiro256** from one seed. Nothing comes from the system, so a seed repeats its run on every machine.
package struct Chance: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    package init(seed: UInt64) {
        var word = seed
        func next() -> UInt64 {
            word &+= 0x9E37_79B9_7F4A_7C15
            return Chance.mix(word)
        }
        state = (next(), next(), next(), next())
    }

    package mutating func next() -> UInt64 {
        let result = Chance.rotate(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = Chance.rotate(state.3, 45)
        return result
    }

    /// A number of the range; the standard library's algorithm may change between releases, this one does not.
    package mutating func int(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next().multipliedFullWidth(by: UInt64(range.count)).high)
    }

    /// In 0 ..< 1.
    package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    package mutating func chance(_ probability: Double) -> Bool { unit() < probability }

    package mutating func pick<T>(_ choices: [T]) -> T { choices[int(0...choices.count - 1)] }

    /// Uniform between two durations.
    package mutating func duration(_ least: Duration, _ most: Duration) -> Duration {
        least + .nanoseconds(Int64(unit() * Double((most - least).nanoseconds)))
    }

    /// A generator of its own for one purpose, so that a change elsewhere does not shift its numbers.
    package mutating func fork() -> Chance { Chance(seed: next()) }

    /// SplitMix64's finishing step: a good hash of a small number.
    package static func mix(_ word: UInt64) -> UInt64 {
        var word = word
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
}
