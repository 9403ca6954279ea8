import JobControl
import Testing

/// The job that everything is measured by, against a naive evaluation of the same rows.
@Suite(.serialized)
struct StockTicker {
    /// Row i is at 10:00:00 plus 50 ms · i, less up to 2 s, so that no row is late for a watermark of −2 s.
    private struct Tick {
        let milliseconds: Int
        let ticker: String
        let cents: Int
    }

    private static func ticks(_ count: Int, tickers: Int, seed: UInt64) -> [Tick] {
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        return (0..<count).map { row in
            Tick(milliseconds: max(0, 50 * row - next(2_000)), ticker: "T\(next(tickers))", cents: 10_000 + next(90_000))
        }
    }

    private static func clock(_ milliseconds: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let seconds = (36_000_000 + milliseconds) / 1_000, fraction = (36_000_000 + milliseconds) % 1_000
        let text = "2026-11-22 \(two(seconds / 3_600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        return fraction == 0 ? text : text + "." + String(1_000 + fraction).dropFirst()
    }

    private static func json(_ ticks: [Tick]) -> String {
        ticks.map { tick in
            "{\"EVENT_TIME\":\"\(clock(tick.milliseconds))\",\"TICKER\":\"\(tick.ticker)\",\"PRICE\":\(Double(tick.cents) / 100),\"ID\":\"x\"}\n"
        }.joined()
    }

    /// Every row in each of the windows that it belongs to.
    private static func naive(_ ticks: [Tick]) -> [String] {
        var highest: [String: Int] = [:]
        for tick in ticks {
            let last = tick.milliseconds / 5_000 * 5_000
            for start in [last - 5_000, last] {
                highest["\"\(clock(start))\",\"\(clock(start + 10_000))\",\(tick.ticker)", default: 0].formMaximum(tick.cents)
            }
        }
        return highest.map { "\($0.key),\(Double($0.value) / 100)" }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The file is cut into splits, which two subtasks read side by side.
    @Test(arguments: [(5, 1), (5, 2), (3_000, 1), (3_000, 2)])
    func highestPriceInSlidingWindows(tickers: Int, parallelism: Int) async throws {
        let folder = ScratchFolder()
        let ticks = Self.ticks(10_000, tickers: tickers, seed: UInt64(tickers))
        folder.write(Self.json(ticks), to: "ticks.json")
        let script = """
            SET 'parallelism.default' = '\(parallelism)';
            CREATE TABLE ticks (EVENT_TIME TIMESTAMP(3), TICKER STRING, PRICE DOUBLE, ID STRING, WATERMARK FOR EVENT_TIME AS EVENT_TIME - INTERVAL '2' SECOND)
              WITH ('connector' = 'filesystem', 'path' = '\(folder.path)/ticks.json', 'format' = 'json', 'source.split.size' = '100 kb');
            CREATE TABLE highest (window_start TIMESTAMP(3), window_end TIMESTAMP(3), TICKER STRING, max_price DOUBLE)
              WITH ('connector' = 'filesystem', 'path' = '\(folder.path)/out', 'format' = 'csv');
            INSERT INTO highest SELECT window_start, window_end, TICKER, MAX(PRICE)
            FROM TABLE(HOP(TABLE ticks, DESCRIPTOR(EVENT_TIME), INTERVAL '5' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end, TICKER;
            """
        let (status, _) = try await GoldenCluster.run(script)
        #expect(status == .finished)
        #expect(folder.lines(in: "out") == Self.naive(ticks))
    }

    /// Stopped behind a savepoint and started again with another parallelism, the job writes each row once.
    @Test(arguments: [(1, 2), (2, 1)])
    func stoppedAndStartedAgain(before: Int, after: Int) async throws {
        let folder = ScratchFolder()
        let ticks = Self.ticks(6_000, tickers: 50, seed: 3)
        folder.write(Self.json(ticks), to: "ticks.json")
        func script(parallelism: Int, rate: Int) -> String {
            """
            SET 'parallelism.default' = '\(parallelism)';
            CREATE TABLE ticks (EVENT_TIME TIMESTAMP(3), TICKER STRING, PRICE DOUBLE, ID STRING, WATERMARK FOR EVENT_TIME AS EVENT_TIME - INTERVAL '2' SECOND)
              WITH ('connector' = 'filesystem', 'path' = '\(folder.path)/ticks.json', 'format' = 'json', 'source.split.size' = '50 kb',
                'scan.rows-per-second' = '\(rate)');
            CREATE TABLE highest (window_start TIMESTAMP(3), window_end TIMESTAMP(3), TICKER STRING, max_price DOUBLE)
              WITH ('connector' = 'filesystem', 'path' = '\(folder.path)/out', 'format' = 'csv');
            INSERT INTO highest SELECT window_start, window_end, TICKER, MAX(PRICE)
            FROM TABLE(HOP(TABLE ticks, DESCRIPTOR(EVENT_TIME), INTERVAL '5' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end, TICKER;
            """
        }
        let first = try GoldenCluster(script(parallelism: before, rate: 3_000))
        let id = try await first.submit()
        try await first.wait(for: id) { view in view.vertices[0].subtasks.contains { ($0.metrics?.rowsOut ?? 0) > 50 } }
        let savepoint = try await first.stop(id, savepointIn: folder.path + "/savepoints")
        let half = folder.lines(in: "out")
        #expect(half.count < Self.naive(ticks).count)
        let (status, _) = try await GoldenCluster.run(script(parallelism: after, rate: 1_000_000), restore: savepoint)
        #expect(status == .finished)
        #expect(folder.lines(in: "out") == Self.naive(ticks))
    }

    /// COUNT, SUM, MIN and AVG with a filter, over minutes without keys.
    @Test func everyAggregateOverMinutes() async throws {
        let folder = ScratchFolder()
        let ticks = Self.ticks(20_000, tickers: 5, seed: 9)
        folder.write(Self.json(ticks), to: "ticks.json")
        let script = """
            CREATE TABLE ticks (EVENT_TIME TIMESTAMP(3), TICKER STRING, PRICE DOUBLE, cents AS CAST(ROUND(PRICE * 100, 0) AS BIGINT),
              WATERMARK FOR EVENT_TIME AS EVENT_TIME - INTERVAL '2' SECOND)
              WITH ('connector' = 'filesystem', 'path' = '\(folder.path)/ticks.json', 'format' = 'json');
            SELECT window_end, COUNT(*) AS n, SUM(cents) AS s, MIN(cents) AS lowest, AVG(cents) AS mean, COUNT(DISTINCT TICKER) AS d,
              COUNT(*) FILTER (WHERE TICKER = 'T1') AS ones
            FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(EVENT_TIME), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
            """
        let (status, rows) = try await GoldenCluster.run(script)
        #expect(status == .finished)
        let minutes = Dictionary(grouping: ticks) { $0.milliseconds / 60_000 }
        let expected = minutes.map { minute, ticks in
            let cents = ticks.map(\.cents), sum = cents.reduce(0, +)
            return "\(Self.clock((minute + 1) * 60_000)).000,\(ticks.count),\(sum),\(cents.min()!),\(sum / ticks.count),\(Set(ticks.map(\.ticker)).count),"
                + "\(ticks.count { $0.ticker == "T1" })"
        }
        #expect(Array(rows.dropFirst()) == expected.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }
}

extension Int {
    fileprivate mutating func formMaximum(_ other: Int) { self = Swift.max(self, other) }
}
