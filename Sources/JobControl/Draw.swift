/// Chance that repeats from a seed (SplitMix64; Steele, Lea, Flood 2014).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// Where a JobManager's machines draw what must not repeat: tickets, nonces, jitter.
package struct Draw: Sendable {
    private var lastTicket: Ticket = 0
    private var generator: SeededGenerator

    package init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    package mutating func ticket() -> Ticket {
        lastTicket += 1
        return lastTicket
    }

    package mutating func nonce() -> UInt64 { generator.next() }

    /// In 0..<1.
    package mutating func fraction() -> Double { Double(generator.next() >> 11) * 0x1p-53 }
}

/// Pauses between attempts at something outside that fails: doubling, bounded.
package struct Backoff: Hashable, Sendable {
    private let first: Duration
    private let maximum: Duration
    private var current: Duration

    package init(first: Duration, maximum: Duration) {
        self.first = first
        self.maximum = maximum
        current = first
    }

    package mutating func next() -> Duration {
        defer { current = min(current * 2, maximum) }
        return current
    }

    package mutating func reset() { current = first }
}
