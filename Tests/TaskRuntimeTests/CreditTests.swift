import TaskRuntime
import Testing

@Suite struct CreditTests {
    @Test func announcesInPortionsOfHalf() {
        var ledger = CreditLedger(capacity: 4)
        for _ in 0..<4 { #expect(ledger.batchArrived() == true) }
        #expect(ledger.batchConsumed() == nil)
        #expect(ledger.batchConsumed() == 2)
        ledger.checkInvariants()
        #expect(ledger.granted == 2)
        #expect(ledger.queued == 2)
    }

    @Test func refusesABatchWithoutCredit() {
        var ledger = CreditLedger(capacity: 2)
        for isTaken in [true, true, false] { #expect(ledger.batchArrived() == isTaken) }
    }

    @Test(arguments: [1, 2, 3, 8, 9]) func senderAndReceiverAgreeForEver(capacity: Int) {
        var ledger = CreditLedger(capacity: capacity)
        var window = CreditWindow(capacity: capacity)
        var generator = SplitMix(seed: UInt64(capacity))
        var (sent, consumed) = (0, 0)
        for _ in 0..<10_000 {
            if generator.chance(50), window.spend() {
                #expect(ledger.batchArrived() == true)
                sent += 1
            } else if ledger.queued > 0, let credits = ledger.batchConsumed() {
                consumed += 1
                #expect(window.add(credits) == true)
            }
            ledger.checkInvariants()
            #expect(window.available == ledger.granted)
        }
        #expect(sent > 1000)
    }

    @Test func aWindowRefusesMoreThanTheReceiverHas() {
        var window = CreditWindow(capacity: 2)
        #expect(window.spend() == true)
        #expect(window.add(2) == false)
        #expect(window.add(1) == true)
    }
}

/// A small seeded generator.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int(next() % 100) < percent }
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
