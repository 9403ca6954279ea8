import Columnar
import Dataflow
import Expressions
import Operators
import Testing

/// Windows on the clock of a zone, where hours are left out and come twice. Expected as in Flink's `TimeWindowUtil`.
@Suite struct ZonedWindowTests {
    private static let hour: Int64 = 3_600_000
    /// 2026-10-24 22:00 UTC: midnight in Berlin, on the day of 25 hours.
    private static let autumn: Int64 = 1_792_879_200_000
    /// 2026-03-28 23:00 UTC: midnight in Berlin, on the day of 23 hours.
    private static let spring: Int64 = 1_774_738_800_000

    private static func spec(_ window: WindowSpec, zone: String = "Europe/Berlin") -> WindowAggregateSpec {
        WindowAggregateSpec(
            input: Schema([.init("local", DataType(.timestamp(3)))]), keys: [],
            aggregates: [.init(function: .countStar, argument: nil, type: DataType(.bigint, nullable: false))], window: window, timeColumn: 0, zone: zone)
    }

    /// One row at the beginning of each hour of the day, the watermark right behind it. Answers count, first and last hour of each window,
    /// in hours behind the day's beginning on the clock, and how many hours of real time had passed when it came.
    private static func counts(_ window: WindowSpec, day: Int64, hours: Int64, offset: Int64, isLocal: Bool) throws -> [[Int64]] {
        let spec = spec(window), output = Recorder()
        var merging = spec
        merging.mergesPartials = true
        let last: any Operator = WindowAggregateOperator(isLocal ? merging : spec, context: context())
        let first: any Operator = isLocal ? LocalWindowAggregateOperator(spec, context: context()) : last
        let link: any Output = isLocal ? Link(last, output) : output
        var log: [[Int64]] = []
        func step(_ watermark: Int64, _ passed: Int64) throws {
            let before = output.rows.count
            try first.advance(to: watermark, to: link)
            for row in output.rows[before...] {
                guard case .integer(let count) = row[0], case .integer(let start) = row[1], case .integer(let end) = row[2] else { continue }
                log.append([count, (start - day - offset) / hour, (end - day - offset) / hour, passed])
            }
        }
        for number in 0..<hours {
            let instant = day + number * hour
            // What a cast to TIMESTAMP makes of the instant: summer time is two hours ahead of UTC, winter time one.
            let isSummer = day == autumn ? number < 3 : number >= 2
            let local = instant + (isSummer ? 2 : 1) * hour
            try first.process(Batch.of(spec.input.types, [[.integer(local)]]), to: link)
            try step(instant, number)
        }
        try step(day + hours * hour - 1, hours)
        return log
    }

    @Test(arguments: [false, true]) func aDayHasAsManyHoursAsTheClockGoesThrough(isLocal: Bool) throws {
        let day = WindowSpec.tumble(size: 24 * Self.hour, offset: 0)
        #expect(try Self.counts(day, day: Self.autumn, hours: 25, offset: 2 * Self.hour, isLocal: isLocal) == [[25, 0, 24, 25]])
        #expect(try Self.counts(day, day: Self.spring, hours: 23, offset: Self.hour, isLocal: isLocal) == [[23, 0, 24, 23]])
    }

    @Test(arguments: [false, true]) func theHourThatComesTwiceIsOneWindowAndIsOverAfterTheSecondTime(isLocal: Bool) throws {
        let hours = WindowSpec.tumble(size: Self.hour, offset: 0)
        let log = try Self.counts(hours, day: Self.autumn, hours: 6, offset: 2 * Self.hour, isLocal: isLocal)
        // Hour 2 of the clock is shown for the third and the fourth hour of the day.
        #expect(log == [[1, 0, 1, 1], [1, 1, 2, 2], [2, 2, 3, 4], [1, 3, 4, 5], [1, 4, 5, 6]])
    }

    @Test(arguments: [false, true]) func theHourThatIsLeftOutHasNoWindow(isLocal: Bool) throws {
        let hours = WindowSpec.tumble(size: Self.hour, offset: 0)
        let log = try Self.counts(hours, day: Self.spring, hours: 4, offset: Self.hour, isLocal: isLocal)
        #expect(log == [[1, 0, 1, 1], [1, 1, 2, 2], [1, 3, 4, 3], [1, 4, 5, 4]])
    }

    @Test func theEndOfTheStreamClosesEverything() throws {
        let window = WindowAggregateOperator(Self.spec(.tumble(size: Self.hour, offset: 0)), context: context()), output = Recorder()
        try window.process(Batch.of([DataType(.timestamp(3))], [[.integer(0)]]), to: output)
        try window.advance(to: Watermark.minimum, to: output)
        #expect(output.rows.isEmpty)
        try window.advance(to: Watermark.maximum, to: output)
        #expect(output.rows.count == 1 && output.watermarks == [Watermark.minimum, Watermark.maximum])
    }

    @Test func stateOfAnotherZoneIsRefused() throws {
        let window = WindowAggregateOperator(Self.spec(.tumble(size: Self.hour, offset: 0)), context: context())
        try window.process(Batch.of([DataType(.timestamp(3))], [[.integer(0)]]), to: Recorder())
        let segments = try #require(try window.snapshot().keyed).segments()
        let other = WindowAggregateOperator(Self.spec(.tumble(size: Self.hour, offset: 0), zone: "Asia/Tokyo"), context: context())
        let error = #expect(throws: StreamError.self) { try other.restore(.init(uid: "op", segments: segments)) }
        #expect(error?.kind == .user && error?.retry == false && error?.message.contains("Europe/Berlin") == true)
    }

    @Test func aZoneThatDoesNotExistIsRefused() {
        #expect(throws: StreamError(.user, retry: false, "table.local-time-zone: there is no zone Europe/Nowhere")) {
            _ = try OperatorFactory.make(
                .windowAggregate(Self.spec(.tumble(size: 1, offset: 0), zone: "Europe/Nowhere")), context: context(), evaluation: { .init(now: 0) })
        }
    }
}
