import Dataflow
import REST
import Testing

struct MachineHoursTests {
    private let hour: Int64 = 3_600_000

    @Test func hoursOfAMachineAreThoseOfItsKindAsSoonAsItIsKnown() {
        var hours = MachineHours()
        hours.note([(WorkerID("a"), 0), (WorkerID("b"), 0), (WorkerID("c"), 0)], at: hour)
        #expect(hours.hours(.unknown) == 3)
        hours.found(WorkerID("a"), isSpot: true)
        hours.found(WorkerID("b"), isSpot: false)
        hours.note([(WorkerID("a"), 0), (WorkerID("b"), 0), (WorkerID("c"), 0)], at: 2 * hour)
        #expect(hours.hours(.spot) == 2)
        #expect(hours.hours(.onDemand) == 2)
        #expect(hours.hours(.unknown) == 2)
        // What left is still counted, and one of the same name is another machine.
        hours.note([], at: 3 * hour)
        #expect(hours.hours(.spot) == 2)
        #expect(hours.hours(.unknown) == 2)
        #expect(hours.kind(of: WorkerID("a")) == .unknown)
    }

    @Test func aMachineCountsFromWhenItCame() {
        var hours = MachineHours()
        hours.note([], at: hour)
        hours.found(WorkerID("a"), isSpot: true)
        hours.note([(WorkerID("a"), 2 * hour - hour / 2)], at: 2 * hour)
        #expect(hours.hours(.spot) == 0.5)
    }

    @Test func moneyIsToldWhereBothPricesAreKnown() {
        var hours = MachineHours()
        hours.found(WorkerID("a"), isSpot: true)
        hours.found(WorkerID("b"), isSpot: false)
        hours.note([(WorkerID("a"), 0), (WorkerID("b"), 0)], at: 10 * hour)
        let savings = JSON(savedIn: hours, since: 0, price: 0.03, onDemand: 0.1, currency: "EUR")
        #expect(savings["saved"] == 0.7)
        #expect(savings["saved-share"] == 0.35)
        #expect(JSON(savedIn: hours, since: 0, price: nil, onDemand: 0.1, currency: "EUR")["saved"] == nil)
    }
}

struct LayoutLatencyTests {
    @Test func aChangeCostsWhatTheWatermarkFellBehind() {
        var latency = LayoutLatency()
        for second in 1...30 as ClosedRange<Int64> { latency.note(job, watermark: second * 1000 - 200, changing: nil, at: second * 1000) }
        // The watermark stands still; tasks that begin have none at first.
        latency.note(job, watermark: 29_800, changing: 2, at: 30_500)
        latency.note(job, watermark: nil, changing: 2, at: 31_500)
        latency.note(job, watermark: 31_900, changing: nil, at: 32_000)
        #expect(latency.cost(job, 2) == nil, "rows may still be late")
        latency.note(job, watermark: 37_900, changing: nil, at: 38_000)
        #expect(latency.cost(job, 2) == LayoutLatency.Cost(before: 200, during: 1700))
        #expect(latency.cost(job, 3) == nil)
    }

    @Test func jobsWithoutWatermarksOrWithOldRowsHaveNone() {
        var latency = LayoutLatency()
        let day: Int64 = 86_400_000
        for second in 1...20 as ClosedRange<Int64> { latency.note(job, watermark: second, changing: second == 10 ? 2 : nil, at: day + second * 1000) }
        #expect(latency.cost(job, 2) == nil)
        for second in 1...20 as ClosedRange<Int64> { latency.note(other, watermark: nil, changing: second == 10 ? 2 : nil, at: second * 1000) }
        #expect(latency.cost(other, 2) == nil)
    }

    private let job = JobID("00000000000000000000000000000001")!
    private let other = JobID("00000000000000000000000000000002")!
}
