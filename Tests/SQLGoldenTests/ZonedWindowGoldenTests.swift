import JobControl
import Testing

/// Windows over TIMESTAMP_LTZ on Berlin's clock over both of its changes in 2026; the rows are what Flink 2.3 wrote for the same script.
@Suite struct ZonedWindowGoldenTests {
    private let folder = ScratchFolder()

    /// A row each half hour: 60 from 2026-03-28 22:00 UTC, 70 from 2026-10-24 20:00 UTC.
    private func rows(_ size: String) async throws -> [String] {
        let times = [(1_774_735_200, 60), (1_792_872_000, 70)].flatMap { start, count in (0..<count).map { start + $0 * 1_800 } }
        folder.write(times.map { "\($0)000\n" }.joined(), to: "t.csv")
        let (status, rows) = try await GoldenCluster.run(
            """
            SET 'table.local-time-zone' = 'Europe/Berlin';
            CREATE TABLE t (ms BIGINT, rt AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR rt AS rt)
              WITH ('connector' = 'filesystem', 'path' = '\(folder.path)/t.csv', 'format' = 'csv');
            SELECT window_start, window_end, window_time, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(rt), INTERVAL '1' \(size)))
            GROUP BY window_start, window_end, window_time;
            """)
        #expect(status == .finished)
        return rows
    }

    @Test func daysOf23And25Hours() async throws {
        #expect(try await rows("DAY") == [
            "window_start,window_end,window_time,n",
            "2026-03-28 00:00:00.000,2026-03-29 00:00:00.000,2026-03-28 23:59:59.999,2",
            "2026-03-29 00:00:00.000,2026-03-30 00:00:00.000,2026-03-29 23:59:59.999,46",
            "2026-03-30 00:00:00.000,2026-03-31 00:00:00.000,2026-03-30 23:59:59.999,12",
            "2026-10-24 00:00:00.000,2026-10-25 00:00:00.000,2026-10-24 23:59:59.999,4",
            "2026-10-25 00:00:00.000,2026-10-26 00:00:00.000,2026-10-25 23:59:59.999,50",
            "2026-10-26 00:00:00.000,2026-10-27 00:00:00.000,2026-10-26 23:59:59.999,16",
        ])
    }

    @Test func hoursThatAreLeftOutAndThatComeTwice() async throws {
        let rows = try await rows("HOUR")
        #expect(rows.count == 65)
        #expect(!rows.contains { $0.hasPrefix("2026-03-29 02:") })
        #expect(rows.filter { $0.hasPrefix("2026-10-25 02:") } == ["2026-10-25 02:00:00.000,2026-10-25 03:00:00.000,2026-10-25 02:59:59.999,4"])
        #expect(rows.filter { $0.hasSuffix(",2") }.count == 63)
    }
}

@Suite struct NotNullGoldenTests {
    private func script(_ folder: ScratchFolder, _ mode: String) -> String {
        folder.write("a,1\nb,\nc,3\n", to: "in.csv")
        return """
            SET 'table.exec.sink.not-null-enforcer' = '\(mode)'; SET 'restart-strategy.type' = 'none';
            CREATE TABLE t (a STRING, b INT) WITH ('connector' = 'filesystem', 'path' = '\(folder.path)/in.csv', 'format' = 'csv', 'csv.null-literal' = '');
            CREATE TABLE o (a STRING, b INT NOT NULL) WITH ('connector' = 'filesystem', 'path' = '\(folder.path)/out', 'format' = 'csv');
            INSERT INTO o SELECT a, b FROM t;
            """
    }

    @Test func nullForANotNullColumnFailsTheJob() async throws {
        let folder = ScratchFolder()
        let (status, _) = try await GoldenCluster.run(script(folder, "ERROR"))
        #expect(status == .failed)
        #expect(folder.lines(in: "out").isEmpty)
    }

    @Test func orItsRowIsDropped() async throws {
        let folder = ScratchFolder()
        let (status, _) = try await GoldenCluster.run(script(folder, "DROP"))
        #expect(status == .finished)
        #expect(folder.lines(in: "out") == ["a,1", "c,3"])
    }
}
