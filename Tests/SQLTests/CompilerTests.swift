import Columnar
import Dataflow
import Expressions
import SQL
import Settings
import Testing

/// Tables for short stories.
private let tables = """
    CREATE TABLE ticks (
      event_time TIMESTAMP(3), ticker STRING, price DOUBLE, id STRING, size INT,
      doubled AS size * 2, WATERMARK FOR event_time AS event_time - INTERVAL '2' SECOND
    ) WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json');
    CREATE TABLE files (ticker STRING, total BIGINT) WITH ('connector' = 'filesystem', 'path' = '/out', 'format' = 'csv');
    CREATE TABLE printed (ticker STRING, total BIGINT) WITH ('connector' = 'print');
    CREATE TABLE hole (ticker STRING, total BIGINT) WITH ('connector' = 'blackhole');

    """

/// The part `section` of what EXPLAIN answers, or the error as a user reads it.
private func explained(_ statement: String, _ section: String = "Optimized Physical Plan") -> String {
    do {
        let script = try compile(script: tables + "EXPLAIN " + statement)
        guard case .text(let text)? = script.steps.last, let start = text.range(of: "== \(section) ==\n") else { return "no such section" }
        let rest = text[start.upperBound...]
        return String(rest[..<(rest.range(of: "\n\n")?.lowerBound ?? rest.endIndex)])
    } catch {
        return error.description
    }
}

private func graph(_ script: String) throws -> JobGraph { try #require(try compile(script: tables + script).jobs.last).graph }

/// The message and hint of the error, or what went well.
private func problem(_ script: String) -> String {
    do {
        return "\(try compile(script: tables + script).jobs.map(\.graph.name))"
    } catch {
        return error.description
    }
}

extension String {
    fileprivate func range(of words: String) -> Range<Index>? { self[...].range(of: words) }
}

extension Substring {
    fileprivate func range(of words: String) -> Range<Index>? {
        indices.first { self[$0...].hasPrefix(words) }.map { $0..<index($0, offsetBy: words.count) }
    }
}

struct Optimizing {
    @Test func onlyWhatIsNeededIsReadAndFiltersStandNextToTheSource() {
        #expect(
            explained("INSERT INTO files SELECT t, n + 1 FROM (SELECT UPPER(ticker) AS t, CAST(size AS BIGINT) AS n, price, id FROM ticks) WHERE price > 1.5") == """
                Sink(table=[files], fields=[ticker, total])
                +- Calc(select=[UPPER(ticker) AS ticker, (CAST(size AS BIGINT) + 1) AS total], where=[(price > 1.5)])
                   +- TableSourceScan(table=[[default_catalog, default_database, ticks]], fields=[event_time, ticker, price, size], watermark=[(event_time - 2000:INTERVAL MILLISECOND)])
                """)
    }

    @Test func groupingByWindowReadsTheInputItself() {
        #expect(
            explained(
                """
                SELECT window_start, window_end, ticker, MAX(price) AS top
                FROM TABLE(HOP(TABLE ticks, DESCRIPTOR(event_time), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
                WHERE size > 1 GROUP BY window_start, window_end, ticker HAVING COUNT(*) > 2
                """) == """
                Sink(table=[collect], fields=[window_start, window_end, ticker, top])
                +- Calc(select=[window_start, window_end, ticker, $agg0 AS top], where=[($agg1 > 2)])
                   +- WindowAggregate(groupBy=[ticker], window=[HOP(time_col=[event_time], size=[10 s], slide=[5 s])], select=[ticker, MAX(price) AS $agg0, COUNT(*) AS $agg1, window_start, window_end, window_time])
                      +- Calc(select=[ticker, price, event_time], where=[(size > 1)])
                         +- TableSourceScan(table=[[default_catalog, default_database, ticks]], fields=[event_time, ticker, price, size], watermark=[(event_time - 2000:INTERVAL MILLISECOND)])
                """)
    }

    @Test func windowsOverWindowsGroupByTheEndOfTheirRows() {
        let perTicker = """
            SELECT window_start, window_end, ticker, COUNT(*) AS n
            FROM TABLE(HOP(TABLE ticks, DESCRIPTOR(event_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end, ticker
            """
        let text = explained("WITH w AS (\(perTicker)) SELECT window_start, window_end, MAX(n) AS most FROM w GROUP BY window_start, window_end")
        #expect(text.contains("Calc(select=[(window_end - 10000:INTERVAL MILLISECOND) AS window_start, window_end, $agg0 AS most])"))
        #expect(text.contains("WindowAggregate(window=[TUMBLE(time_col=[$time], size=[2 s])], select=[MAX(n) AS $agg0"))
        #expect(text.contains("(window_end - 1:INTERVAL MILLISECOND) AS $time"))
    }

    @Test func theOlderGroupWindowsMeanTheSame() {
        let old = explained(
            """
            SELECT HOP_START(event_time, INTERVAL '5' SECOND, INTERVAL '10' SECOND) AS window_start, ticker, MAX(price) AS top FROM ticks
            GROUP BY HOP(event_time, INTERVAL '5' SECOND, INTERVAL '10' SECOND), ticker
            """)
        let new = explained(
            """
            SELECT window_start, ticker, MAX(price) AS top
            FROM TABLE(HOP(TABLE ticks, DESCRIPTOR(event_time), INTERVAL '5' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end, ticker
            """)
        #expect(old == new)
        #expect(
            explained("SELECT TUMBLE_END(event_time, INTERVAL '2' SECOND) FROM ticks GROUP BY TUMBLE(event_time, INTERVAL '1' SECOND)")
                .contains("TUMBLE_END must name the window of GROUP BY"))
    }

    @Test func conditionsOnKeysMoveBelowTheGrouping() {
        let text = explained("SELECT * FROM (SELECT ticker, SUM(size) AS s FROM ticks GROUP BY ticker) WHERE ticker <> 'X' AND s > 1")
        #expect(text.contains("Calc(select=[ticker, $agg0 AS s], where=[($agg0 > 1)])"))
        #expect(text.contains("where=[(ticker <> 'X')])"))
    }

    @Test func aConditionThatMayFailStaysBehindTheFilterBelow() {
        let text = explained("SELECT a FROM (SELECT size AS a FROM ticks WHERE size <> 0) WHERE 10 / a > 1")
        #expect(text.contains("where=[((10 / a) > 1)]"))
        #expect(text.contains("where=[(size <> 0)]"))
    }

    @Test func anExpressionReadTwiceIsComputedOnce() {
        #expect(explained("SELECT u || u FROM (SELECT UPPER(ticker) AS u FROM ticks)").components(of: "UPPER") == 1)
    }

    @Test func typesAreKnownBeforeAnyRowIs() {
        let text = explained("SELECT TYPEOF(size) AS a, TYPEOF(1) AS b, TYPEOF('ab') AS c, TYPEOF(price, TRUE) AS d FROM ticks")
        #expect(text.contains("'INT' AS a, 'INT NOT NULL' AS b, 'CHAR(2) NOT NULL' AS c, 'DOUBLE' AS d"), "\(text)")
    }

    @Test func aCastOfValuesIsOfEachValueAlone() {
        let text = explained("SELECT CAST(v AS INT) AS n FROM (VALUES ('1'), ('x'), ('3')) AS t (v)")
        #expect(text.contains("THEN 1 WHEN") && text.contains("CAST('x' AS INT)") && text.contains("ELSE 3 END"), "\(text)")
    }

    @Test func constantsAreComputed() {
        let text = explained("SELECT CASE WHEN TRUE THEN price ELSE 0 END AS p, CAST(1 AS BIGINT) AS one FROM ticks WHERE TRUE")
        #expect(text.contains("Calc(select=[price AS p, 1 AS one])"))
    }
}

extension String {
    fileprivate func components(of word: String) -> Int { indices.count { self[$0...].hasPrefix(word) } }
}

struct BuildingGraphs {
    @Test func theStockTickerJob() throws {
        let graph = try graph(
            """
            CREATE TABLE top (window_start TIMESTAMP(3), window_end TIMESTAMP(3), ticker STRING, max_price DOUBLE)
              WITH ('connector' = 'filesystem', 'path' = '/out', 'format' = 'csv');
            INSERT INTO top SELECT window_start, window_end, ticker, MAX(price)
            FROM TABLE(HOP(TABLE ticks, DESCRIPTOR(event_time), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
            GROUP BY window_start, window_end, ticker;
            """)
        #expect(graph.name == "insert-into_default_catalog.default_database.top")
        #expect(graph.vertices.map(\.name) == ["Source: ticks[1] -> LocalWindowAggregate[2]", "GlobalWindowAggregate[4] -> Calc[5] -> Sink: top[6]"])
        #expect(graph.edges.map(\.partitioning) == [.hash([0])])
        let source = try #require(graph.vertices[0].source)
        #expect(source.physical.names == ["event_time", "ticker", "price"])
        #expect(source.tableColumns == ["event_time", "ticker", "price", "id", "size"])
        #expect(source.projections == nil)
        #expect(!source.watermarkAfterEveryRow)
        guard case .localWindowAggregate(let local) = graph.vertices[0].chain[1].spec, case .windowAggregate(let global) = graph.vertices[1].chain[0].spec else {
            Issue.record("two phases")
            return
        }
        #expect(local.window == .hop(size: 10_000, slide: 5_000, offset: 0))
        #expect(local.keys == [1] && local.timeColumn == 0)
        #expect(local.aggregates == [AggregateCall(function: .max, argument: 2, type: DataType(.double))])
        #expect(global.mergesPartials && global.aggregates == local.aggregates)
        #expect(graph.edges[0].schema == local.partialSchema)
        guard case .calc(let calc) = graph.vertices[1].chain[1].spec else { return }
        #expect(calc.projections.map(\.columns) == [[2], [3], [0], [1]])
    }

    @Test func idsStayTheSameForTheSameStatements() throws {
        let script = "INSERT INTO printed SELECT ticker, SUM(size) FROM ticks GROUP BY ticker"
        let first = try graph(script), second = try graph(script)
        #expect(first == second)
        #expect(Set(first.vertices.map(\.id)).count == 2)
        #expect(first.vertices.allSatisfy { $0.id.count == 32 })
        #expect(first.vertices.map(\.id) == (try graph(script.replacing("SUM(size)", with: "SUM(size + 1)"))).vertices.map(\.id))
    }

    @Test func aChangelogIsHashedByItsKeys() throws {
        let graph = try graph("INSERT INTO printed SELECT ticker, SUM(size) FROM ticks GROUP BY ticker")
        #expect(graph.edges.map(\.partitioning) == [.hash([0])])
        guard case .groupAggregate(let spec) = graph.vertices[1].chain[0].spec else { return }
        #expect(spec.emitsUpdateBefore && !spec.consumesRetractions)
    }

    @Test func aSinkWithoutUseForOldRowsDoesNotGetThem() throws {
        let graph = try graph("INSERT INTO hole SELECT ticker, SUM(size) FROM ticks GROUP BY ticker")
        guard case .groupAggregate(let spec) = graph.vertices[1].chain[0].spec else { return }
        #expect(!spec.emitsUpdateBefore)
    }

    @Test func whatAFilterReadsComesWithOldRows() throws {
        let graph = try graph("INSERT INTO hole SELECT * FROM (SELECT ticker, COUNT(*) AS n FROM ticks GROUP BY ticker) WHERE n > 1")
        guard case .groupAggregate(let spec) = graph.vertices[1].chain[0].spec else { return }
        #expect(spec.emitsUpdateBefore)
    }

    @Test func anAggregateOfAnAggregateTakesRowsBack() throws {
        let graph = try graph("SELECT n, COUNT(*) FROM (SELECT ticker, COUNT(*) AS n FROM ticks GROUP BY ticker) GROUP BY n")
        guard case .groupAggregate(let spec)? = graph.vertices.last?.chain.first?.spec else { return }
        #expect(spec.consumesRetractions)
    }

    @Test func withoutKeysThereIsOneSubtask() throws {
        let graph = try graph("SELECT COUNT(*) FROM ticks")
        #expect(graph.edges.map(\.partitioning) == [.single])
        #expect(graph.vertices[1].parallelism == 1)
    }

    @Test func distinctAggregatesHaveOnePhase() throws {
        let graph = try graph(
            """
            SELECT window_end, COUNT(DISTINCT id) FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(event_time), INTERVAL '1' MINUTE))
            GROUP BY window_start, window_end
            """)
        #expect(graph.vertices.map(\.name) == ["Source: ticks[1] -> Calc[2]", "WindowAggregate[4] -> Calc[5] -> Sink: collect[6]"])
    }

    @Test func unionedTablesMeetInTheSink() throws {
        let graph = try graph("INSERT INTO files SELECT ticker, size FROM ticks UNION ALL SELECT id, 1 FROM ticks")
        #expect(graph.vertices.map { $0.chain.count } == [2, 2, 2])
        #expect(graph.edges.map(\.partitioning) == [.forward, .forward])
    }

    private static let strict = """
        CREATE TABLE strict (ticker STRING NOT NULL, total BIGINT, id STRING NOT NULL) WITH ('connector' = 'print');
        INSERT INTO strict SELECT ticker, size, id FROM ticks;
        """

    @Test func nullInANotNullColumnOfASinkFailsTheJob() throws {
        let graph = try graph(Self.strict)
        #expect(graph.vertices.map(\.name) == ["Source: ticks[1] -> Calc[2] -> ConstraintEnforcer[3] -> Sink: strict[4]"])
        guard case .calc(let calc) = graph.vertices[0].chain[2].spec else { return }
        #expect(calc.condition == nil)
        #expect(calc.projections.map { if case .call(Expression.notNull, _, _) = $0 { true } else { false } } == [true, false, true])
    }

    @Test func nullInANotNullColumnOfASinkIsDroppedWhenSaid() throws {
        let graph = try graph("SET 'table.exec.sink.not-null-enforcer' = 'DROP';\n" + Self.strict)
        guard case .calc(let calc) = graph.vertices[0].chain[2].spec else { return }
        #expect(calc.condition?.description == "($0 IS NOT NULL AND $2 IS NOT NULL)")
        #expect(calc.projections.map(\.columns) == [[0], [1], [2]])
    }

    private static let zoned = """
        CREATE TABLE zoned (ms BIGINT, ticker STRING, rt AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR rt AS rt) WITH ('connector' = 'datagen');
        SELECT window_start, window_time, ticker, COUNT(*) AS n
        FROM TABLE(TUMBLE(TABLE zoned, DESCRIPTOR(rt), INTERVAL '1' DAY)) GROUP BY window_start, window_end, window_time, ticker;
        """

    private func windows(_ script: String) throws -> [WindowAggregateSpec] {
        try graph(script).vertices.flatMap(\.chain).compactMap {
            switch $0.spec {
            case .localWindowAggregate(let spec), .windowAggregate(let spec): spec
            default: nil
            }
        }
    }

    @Test func windowsOverInstantsLieOnTheSessionsClock() throws {
        let berlin = try windows("SET 'table.local-time-zone' = 'Europe/Berlin';\n" + Self.zoned)
        #expect(berlin.map(\.zone) == ["Europe/Berlin", "Europe/Berlin"])
        #expect(berlin[0].input.fields[berlin[0].timeColumn].type.kind == .timestamp(3))
        let script = try compile(script: tables + "SET 'table.local-time-zone' = 'Europe/Berlin';\n" + Self.zoned)
        #expect(script.jobs.last?.output?.types.prefix(2).map(\.kind) == [.timestamp(3), .timestampLTZ(3)])
    }

    @Test func inUTCTheClockShowsTheInstantsThemselves() throws {
        let utc = try windows(Self.zoned)
        #expect(utc.map(\.zone) == [nil, nil])
        #expect(utc[0].input.fields[utc[0].timeColumn].type.kind == .timestampLTZ(3))
    }

    @Test func windowsOverZonedWindowsFollowTheSameClock() throws {
        let inner = "SELECT window_start, window_end, ticker, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE zoned, DESCRIPTOR(rt), INTERVAL '1' HOUR)) GROUP BY window_start, window_end, ticker"
        let table = Self.zoned.prefix { $0 != ";" } + ";"
        let all = try windows(
            "SET 'table.local-time-zone' = 'Europe/Berlin';\n\(table)\nSELECT window_end, MAX(n) FROM (\(inner)) GROUP BY window_start, window_end")
        #expect(all.count == 4 && all.allSatisfy { $0.zone == "Europe/Berlin" })
    }

    @Test func computedColumnsAreMadeAtTheSource() throws {
        let source = try #require(try graph("SELECT doubled FROM ticks").vertices[0].source)
        #expect(source.physical.names == ["event_time", "size"])
        #expect(source.output.names == ["event_time", "doubled"])
        #expect(source.projections?.count == 2)
        #expect(source.watermark?.columns == [0])
    }

    @Test func settingsReachTheSource() throws {
        let script = try compile(
            script: "SET 'pipeline.auto-watermark-interval' = '0 ms'; SET 'table.exec.source.idle-timeout' = '3 s'; SET 'pipeline.max-parallelism' = '12';" + tables
                + "SELECT ticker FROM ticks /*+ OPTIONS('scan.rows-per-second' = '50') */")
        let job = try #require(script.jobs.first)
        let source = try #require(job.graph.vertices[0].source)
        #expect(source.watermarkAfterEveryRow && source.idleTimeoutMilliseconds == 3_000 && source.rowsPerSecond == 50)
        #expect(job.graph.maxParallelism == 12)
        #expect(job.output?.names == ["ticker"])
    }
}

struct Scripts {
    @Test func insertsThatFollowEachOtherAreOneJob() throws {
        let script = try compile(
            script: tables + """
                INSERT INTO files SELECT ticker, size FROM ticks;
                INSERT INTO printed SELECT ticker, size FROM ticks;
                SET 'pipeline.name' = 'second';
                INSERT INTO printed SELECT id, size FROM ticks;
                SELECT 1;
                EXECUTE STATEMENT SET BEGIN INSERT INTO hole SELECT id, 1 FROM ticks; INSERT INTO hole SELECT id, 2 FROM ticks; END;
                """)
        #expect(script.jobs.map { $0.graph.sinks.count } == [2, 1, 1, 2])
        #expect(script.jobs.map(\.graph.name) == [
            "insert-into_default_catalog.default_database.files,default_catalog.default_database.printed", "second", "second", "second",
        ])
        #expect(script.jobs.map { $0.output != nil } == [false, false, true, false])
    }

    @Test func viewsKeepTheirMeaning() throws {
        let graph = try graph(
            """
            CREATE VIEW v (who, much) AS SELECT ticker, price FROM ticks WHERE size > 0;
            DROP TABLE ticks;
            INSERT INTO printed SELECT who, CAST(much AS BIGINT) FROM v;
            """)
        #expect(graph.vertices.map(\.name) == ["Source: ticks[1] -> Calc[2] -> Sink: printed[3]"])
    }

    @Test func questionsAreAnswered() throws {
        let script = try compile(script: tables + "CREATE VIEW v AS SELECT 1 AS one; SHOW TABLES; SHOW VIEWS; DESCRIBE ticks; SHOW FUNCTIONS")
        let texts = script.steps.compactMap { if case .text(let text) = $0 { text } else { nil } }
        #expect(texts[0] == "files\nhole\nprinted\nticks\nv")
        #expect(texts[1] == "v")
        #expect(texts[3].hasPrefix("ABS(<NUMERIC>)\nACOS(<NUMERIC>)\n"))
        #expect(texts[2].hasPrefix("event_time\tTIMESTAMP(3) *ROWTIME*\nticker\tVARCHAR(2147483647)"))
    }
}

struct PlanningErrors {
    @Test(arguments: [
        ("SELECT pric FROM ticks", "column 'pric' not found", "did you mean 'price'?"),
        ("SELECT t.pric FROM ticks AS t", "column 'pric' not found in 't'", "did you mean 'price'?"),
        ("SELECT x.price FROM ticks AS t", "table 'x' is not in FROM", "known: 't'"),
        ("SELECT 1 FROM tick", "table 'tick' not found", "did you mean 'ticks'?"),
        ("SELECT UPER(ticker) FROM ticks", "unknown function 'UPER'", "did you mean 'UPPER'?"),
        ("SELECT price + ticker FROM ticks", "Cannot apply '+'", ""),
        ("SELECT 1 FROM ticks WHERE price", "WHERE needs a condition, this is DOUBLE", ""),
        ("SELECT 1 FROM ticks WHERE COUNT(*) > 1", "aggregate COUNT has no place in WHERE", "HAVING"),
        ("SELECT ticker, price FROM ticks GROUP BY ticker", "'price' is neither in GROUP BY nor in an aggregate", "MAX(price)"),
        ("SELECT UPPER(ticker) AS u FROM ticks GROUP BY u", "column 'u' not found", "repeat what 'u' stands for"),
        ("SELECT size + 1 AS more FROM ticks WHERE more > 1", "column 'more' not found", "WHERE does not see names given in SELECT"),
        ("SELECT ticker FROM ticks GROUP BY 1", "not positions", ""),
        ("SELECT ticker FROM ticks\nSELECT 1", "unexpected 'SELECT'", "each statement ends with ';'"),
        ("SELECT REGEXP_EXTRACT(ticker, '(') FROM ticks", "missing )", ""),
        ("SELECT CAST(event_time AS BOOLEAN) FROM ticks", "TIMESTAMP(3) cannot be cast to BOOLEAN", ""),
        ("SELECT CASE WHEN size > 1 THEN 1 ELSE 'x' END FROM ticks", "no common type", ""),
        ("INSERT INTO files SELECT ticker FROM ticks", "different number of columns", "sink: [ticker: VARCHAR(2147483647), total: BIGINT]"),
        ("INSERT INTO files SELECT ticker, id FROM ticks", "incompatible types for sink column 'total'", "write a CAST"),
        ("INSERT INTO files (tickr) SELECT ticker FROM ticks", "has no column 'tickr'", "did you mean 'ticker'?"),
        ("INSERT INTO files SELECT ticker, COUNT(*) FROM ticks GROUP BY ticker", "doesn't support consuming update changes which is produced by node GroupAggregate", "append"),
        ("SELECT 1 FROM printed", "cannot be read from", ""),
        ("SELECT a.ticker FROM ticks a JOIN files b ON TRUE", "joins are not supported", ""),
        ("SELECT * FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(event_time), INTERVAL '1' MINUTE))", "without GROUP BY window_start, window_end", ""),
        ("SELECT * FROM TABLE(TUMBL(TABLE ticks, DESCRIPTOR(event_time), INTERVAL '1' MINUTE))", "unknown table function 'TUMBL'", "did you mean 'TUMBLE'?"),
        ("SELECT 1 FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(price), INTERVAL '1' MINUTE))", "time attribute type, but is DOUBLE", "WATERMARK"),
        ("SELECT 1 FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(event_time), INTERVAL '1' MONTH))", "no fixed length", ""),
        ("SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(event_time), INTERVAL '1' DAY)) GROUP BY window_start", "needs both window_start and window_end", ""),
        ("SELECT 1 FROM ticks ORDER BY price", "Sort on a non-time-attribute field is not supported.", ""),
        ("SELECT SUM(ticker) FROM ticks", "Supported form(s): 'SUM(<NUMERIC>)'", ""),
        ("SELECT SUM(price) OVER (PARTITION BY ticker) FROM ticks", "OVER windows are not supported", ""),
        ("SELECT DATE '2026-13-01'", "'2026-13-01' is no DATE", ""),
        ("CREATE TABLE ticks (a INT) WITH ('connector' = 'print')", "table 'ticks' exists already", ""),
        ("CREATE TABLE t (a INT) WITH ('connector' = 'filesytem')", "unknown connector 'filesytem'", "did you mean 'filesystem'?"),
        ("CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'jsn')", "unknown format 'jsn'", "did you mean 'json'?"),
        ("CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'format' = 'csv')", "needs the option 'path'", ""),
        ("CREATE TABLE t (a INT) WITH ('connector' = 'print', 'prnt-identifier' = 'x')", "unknown option 'prnt-identifier'", "did you mean 'print-identifier'?"),
        (
            "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'csv', 'csv.ignore-parse-error' = 'true')",
            "unknown option", "did you mean 'csv.ignore-parse-errors'?"
        ),
        (
            "CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'csv', 'source.path.regex-pattern' = '.*')",
            "unknown option 'source.path.regex-pattern'", "'source.monitor-interval', 'source.report-statistics' or 'source.split.size'"
        ),
        ("CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '/x')", "needs the option 'format'", "'csv'"),
        ("CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'fields.b.min' = '1')", "unknown option 'fields.b.min'", "did you mean 'fields.a.min'?"),
        ("CREATE TABLE t (a INT) WITH ('connector' = 'datagen', 'sink.parallelism' = '1')", "unknown option 'sink.parallelism'", "'fields.<column>.kind'"),
        ("CREATE TABLE t (a INT) WITH ('connector' = 'collect')", "unknown connector 'collect'", "'print'"),
        ("CREATE TABLE t (a INT, s STRING METADATA FROM 'shard-di') WITH ('connector' = 'kinesis', 'stream' = 's', 'format' = 'json')", "no metadata 'shard-di'", "did you mean 'shard-id'?"),
        ("CREATE TABLE t (a INT, `timestamp` INT METADATA) WITH ('connector' = 'kinesis', 'stream' = 's', 'format' = 'json')", "metadata 'timestamp' is TIMESTAMP_LTZ(3)", ""),
        ("CREATE TABLE t (a INT, k STRING METADATA) WITH ('connector' = 'print')", "connector 'print' has no metadata 'k'", "it has none"),
        ("CREATE TABLE t (a INT, a INT) WITH ('connector' = 'print')", "column 'a' stands twice", ""),
        ("CREATE TABLE t (a STRING, WATERMARK FOR a AS a) WITH ('connector' = 'print')", "is VARCHAR(2147483647)", "TO_TIMESTAMP"),
        ("CREATE TABLE t (a DECIMAL(39)) WITH ('connector' = 'print')", "1 to 38 digits", ""),
        ("SET 'parallelism.default' = 'many'", "parallelism.default", ""),
        ("USE CATALOG x", "USE is not supported", ""),
        ("SELECT 1 FROM TABLE(HOP(TABLE ticks, DESCRIPTOR(event_time), INTERVAL '7' SECOND, INTERVAL '60' SECOND))", "requires size must be an integral multiple of slide", ""),
        ("SELECT CURRENT_WATERMARK(event_time) FROM ticks", "function CURRENT_WATERMARK is not supported", ""),
        ("SELECT JSON_VALUE(id, '$.a') FROM ticks", "function JSON_VALUE is not supported", ""),
        ("SELECT LISTAGG(id) FROM ticks GROUP BY ticker", "aggregate LISTAGG is not supported", "COUNT, SUM, MIN, MAX and AVG"),
        ("SELECT FIRST_VALUE(id) FROM ticks GROUP BY ticker", "aggregate FIRST_VALUE is not supported", ""),
        ("SELECT id FROM ticks LIMIT 3", "LIMIT, OFFSET and FETCH are not supported", ""),
        ("SELECT id FROM ticks INTERSECT SELECT id FROM ticks", "INTERSECT is not supported", ""),
        ("SELECT id FROM ticks EXCEPT SELECT id FROM ticks", "EXCEPT is not supported", ""),
        ("SELECT TIMESTAMP '9999-12-31 23:59:59.999999999'", "with 9 decimals times are kept in nanoseconds, which reach from the years 1677 to 2262", ""),
        ("SELECT CAST(id AS CHAR(2147483647)) FROM ticks", "more than 1048576 is not supported", "VARCHAR"),
        ("SELECT TYPEOF() FROM ticks", "Supported form(s): 'TYPEOF(<ANY>)'", ""),
        ("DROP TABLE ticks; DROP TABLE files; DROP TABLE printed; DROP TABLE hole; SELECT * FROM ticks", "table 'ticks' not found", "there is no table any more"),
    ])
    func theyNameTheThingAndWhatToDo(script: String, message: String, hint: String) {
        let text = problem(script)
        #expect(text.contains(message) && (hint.isEmpty || text.contains(hint)) && text.contains("^"), "\(text)")
    }

    @Test(arguments: [
        "SELECT 1 FROM TABLE(TUMBLE(TABLE clocked, DESCRIPTOR(at), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end",
        "SELECT 1 FROM clocked GROUP BY TUMBLE(at, INTERVAL '1' MINUTE)",
        "SELECT 1 FROM (SELECT PROCTIME() AS at FROM clocked) GROUP BY TUMBLE(at, INTERVAL '1' MINUTE)",
    ])
    func windowsOfProcessingTimeAreRefusedByName(query: String) {
        let text = problem("CREATE TABLE clocked (a INT, at AS PROCTIME()) WITH ('connector' = 'datagen');\n" + query)
        #expect(text.contains("windows over processing time are not supported") && text.contains("WATERMARK FOR"), "\(text)")
    }

    @Test(arguments: [
        "CREATE TABLE t (a INT) WITH ('connector' = 'kinesis', 'aws.credentials.basic.secretkey' = 'SESAME', 'nonsense' = '1')",
        "CREATE TABLE t (a INT) WITH ('connector' = 'kinesis', 'aws.credentials.basic.secretkey'='SESAME' 'x'='y')",
        "CREATE TABLE t (a INT) WITH ('connector' = 'kinesis', 'aws.credentials.basic.secretkey' = 'SESAME",
        "CREATE TABLE t (a INT) WITH ('connector' = 'kinesis', 'aws.credentials.basic.secretkey' = 'it''s SESAME', 'nonsense' = '1')",
        "CREATE TABLE t (a INT) WITH ('connector' = 'kinesis', 'aws.credentials.basic.secretkey' 'SESAME')",
    ])
    func secretsAreNotRepeated(script: String) {
        let text = problem(script)
        #expect(text.contains("^") && !text.contains("SESAME"), "\(text)")
    }

    @Test func aPatternIsPointedAt() {
        #expect(
            problem("SELECT id,\n  DATE_FORMAT(event_time, 'YYYY-ww') FROM ticks").contains(
                """
                    DATE_FORMAT(event_time, 'YYYY-ww') FROM ticks
                                            ^^^^^^^^^
                """))
        #expect(
            problem("SELECT UPPER(REGEXP_REPLACE(id, '(', 'x')) FROM ticks").contains(
                """
                  SELECT UPPER(REGEXP_REPLACE(id, '(', 'x')) FROM ticks
                                                  ^^^
                """))
    }

    @Test(arguments: ["SELECT 1 FROM ticks 5", "SELECT 1 FROM ticks WHERE size IS 5", "SELECT COUNT(*) FROM ticks GROUP BY size )", "SELECT SUM(size) 5 FROM ticks", "INSERT x"])
    func whatIsExpectedIsNothingThatIsThenRefused(script: String) {
        let text = problem(script)
        #expect(text.contains("expected "), "\(text)")
        for word in ["JOIN", "NATURAL", "CROSS", "LEFT", "LIMIT", "OFFSET", "FETCH", "EXCEPT", "INTERSECT", "WINDOW", "QUALIFY", "OVER", "CUBE", "ROLLUP", "JSON", "OVERWRITE", "FOR,"] {
            #expect(!text.contains(word), "\(text)")
        }
    }

    @Test func aMisspeltWordIsStillUnderstood() {
        #expect(problem("SELECT 1 FROM ticks LIMT 5").contains("did you mean LIMIT?"))
    }

    @Test func theyPointAtTheLine() {
        #expect(
            problem("SELECT ticker,\n  pric\nFROM ticks") == """
                line 9, column 3: column 'pric' not found
                    pric
                    ^^^^
                did you mean 'price'?
                """)
    }
}
