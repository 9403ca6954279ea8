import Dataflow
import TaskRuntime
import Testing

@Suite struct WatermarkMergerTests {
    @Test func theLeastOfAllChannelsCounts() {
        var merger = WatermarkMerger(channels: 2)
        #expect(merger.watermark(10, on: 0).isNothing)
        #expect(merger.watermark(7, on: 1).watermark == 7)
        #expect(merger.watermark(20, on: 1).watermark == 10)
        #expect(merger.watermark(15, on: 1).isNothing)
    }

    @Test func anIdleChannelHoldsNothingBack() {
        var merger = WatermarkMerger(channels: 2)
        _ = merger.watermark(10, on: 0)
        _ = merger.watermark(5, on: 1)
        #expect(merger.idle(on: 1) == .init(watermark: 10))
    }

    @Test func whoComesBackBehindIsLeftOutUntilItHasCaughtUp() {
        var merger = WatermarkMerger(channels: 2)
        _ = merger.watermark(5, on: 1)
        _ = merger.idle(on: 1)
        _ = merger.watermark(10, on: 0)
        #expect(merger.active(on: 1).isNothing)
        #expect(merger.watermark(20, on: 0).watermark == 20)
        #expect(merger.watermark(15, on: 1).isNothing)
        #expect(merger.watermark(20, on: 1).isNothing)
        #expect(merger.watermark(30, on: 0).isNothing)
        #expect(merger.watermark(25, on: 1).watermark == 25)
    }

    @Test func theLastToIdlePassesOnTheGreatest() {
        for order in [[0, 1], [1, 0]] {
            var merger = WatermarkMerger(channels: 2)
            _ = merger.watermark(10, on: 0)
            _ = merger.watermark(30, on: 1)
            _ = merger.idle(on: order[0])
            let last = merger.idle(on: order[1])
            #expect(merger.combined == 30)
            #expect(last.becameIdle)
        }
    }

    @Test func aRowEndsIdleness() {
        var merger = WatermarkMerger(channels: 1)
        #expect(merger.idle(on: 0).becameIdle)
        #expect(merger.batch(on: 0).becameActive)
        #expect(merger.batch(on: 0).isNothing)
    }

    @Test func anEndedChannelCountsAsTheMaximum() {
        var merger = WatermarkMerger(channels: 2)
        _ = merger.watermark(10, on: 0)
        #expect(merger.end(of: 1).watermark == 10)
        #expect(merger.end(of: 0).watermark == Watermark.maximum)
    }

    @Test func anEndDoesNotFireEverythingWhileOthersIdle() {
        var merger = WatermarkMerger(channels: 2)
        _ = merger.watermark(10, on: 0)
        _ = merger.end(of: 1)
        #expect(merger.idle(on: 0) == .init(becameIdle: true))
        #expect(merger.combined == 10)
        #expect(merger.watermark(12, on: 0) == .init(becameActive: true, watermark: 12))
    }

    @Test(arguments: 0..<20) func itNeverFalls(seed: Int) {
        var generator = SplitMix(seed: UInt64(seed))
        var merger = WatermarkMerger(channels: 3)
        var last = Watermark.minimum
        var isIdle = false
        for _ in 0..<2000 {
            let channel = generator.below(3)
            let change =
                switch generator.below(5) {
                case 0: merger.idle(on: channel)
                case 1: merger.active(on: channel)
                case 2: merger.batch(on: channel)
                default: merger.watermark(Int64(generator.below(1000)), on: channel)
                }
            if let watermark = change.watermark {
                #expect(watermark > last)
                last = watermark
            }
            if change.becameActive { #expect(isIdle); isIdle = false }
            if change.becameIdle { #expect(!isIdle); isIdle = true }
            #expect(merger.isIdle == isIdle)
        }
    }
}
