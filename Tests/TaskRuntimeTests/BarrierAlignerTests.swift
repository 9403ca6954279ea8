import Dataflow
import TaskRuntime
import Testing

@Suite struct BarrierAlignerTests {
    private let now = Instant.milliseconds(5)

    @Test func alignsWhenEveryChannelHasDelivered() {
        var aligner = BarrierAligner(channels: 3)
        #expect(aligner.receive(barrier(1), from: 2, at: .milliseconds(1)) == .waits(released: []))
        #expect(aligner.receive(barrier(1), from: 0, at: now) == .waits(released: []))
        aligner.checkInvariants()
        #expect(aligner.receive(barrier(1), from: 1, at: now) == .aligned(since: .milliseconds(1), released: [0, 1, 2]))
        #expect(!aligner.isPending)
    }

    @Test func oneChannelAlignsAtOnce() {
        var aligner = BarrierAligner(channels: 1)
        #expect(aligner.receive(barrier(1), from: 0, at: now) == .aligned(since: now, released: [0]))
    }

    @Test func aNewerBarrierTakesThePlaceOfAPendingOne() {
        var aligner = BarrierAligner(channels: 2)
        _ = aligner.receive(barrier(1), from: 0, at: now)
        #expect(aligner.receive(barrier(2), from: 1, at: now) == .waits(released: [0]))
        #expect(aligner.receive(barrier(2), from: 0, at: now) == .aligned(since: now, released: [0, 1]))
    }

    @Test func aLateBarrierBlocksNothing() {
        var aligner = BarrierAligner(channels: 2)
        _ = aligner.receive(barrier(1), from: 0, at: now)
        _ = aligner.receive(barrier(2), from: 1, at: now)
        #expect(aligner.receive(barrier(1), from: 0, at: now) == .late)
        _ = aligner.receive(barrier(2), from: 0, at: now)
        #expect(aligner.receive(barrier(2), from: 1, at: now) == .late)
    }

    @Test func anAbortReleasesTheChannelsThatWait() {
        var aligner = BarrierAligner(channels: 3)
        _ = aligner.receive(barrier(4), from: 1, at: now)
        #expect(aligner.abort(4) == [1])
        #expect(aligner.receive(barrier(4), from: 0, at: now) == .late)
        #expect(aligner.receive(barrier(5), from: 0, at: now) == .waits(released: []))
    }

    @Test func anAbortMayComeBeforeAnyBarrier() {
        var aligner = BarrierAligner(channels: 2)
        #expect(aligner.abort(7) == [])
        #expect(aligner.receive(barrier(7), from: 0, at: now) == .late)
        #expect(aligner.receive(barrier(7), from: 1, at: now) == .late)
        aligner.checkInvariants()
    }

    @Test func anAbortOfALaterOneLeavesThePendingOneAlone() {
        var aligner = BarrierAligner(channels: 2)
        _ = aligner.receive(barrier(5), from: 0, at: now)
        #expect(aligner.abort(6) == [])
        #expect(aligner.receive(barrier(5), from: 1, at: now) == .aligned(since: now, released: [0, 1]))
        #expect(aligner.receive(barrier(6), from: 1, at: now) == .late)
    }
}
