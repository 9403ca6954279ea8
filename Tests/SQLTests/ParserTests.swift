import SQL
import Testing

/// The script in its one fixed form, or the error as a user reads it.
private func shape(_ script: String) -> String {
    do {
        return try parse(script: script).map(\.description).joined(separator: ";\n")
    } catch {
        return error.description
    }
}

private func expression(_ text: String) -> String {
    let text = shape("SELECT " + text)
    return text.hasPrefix("SELECT ") ? String(text.dropFirst("SELECT ".count)) : text
}

struct ExpressionParsing {
    @Test(arguments: [
        ("a + b * c", "(a + (b * c))"),
        ("(a + b) * c", "((a + b) * c)"),
        ("a - b - c", "((a - b) - c)"),
        ("-a * b", "((- a) * b)"),
        ("a = b AND c <> d OR NOT e", "(((a = b) AND (c <> d)) OR (NOT e))"),
        ("NOT a = b", "(NOT (a = b))"),
        ("a = b IS NULL", "((a = b) IS NULL)"),
        ("a != 1 % 2", "(a <> (1 % 2))"),
        ("x BETWEEN 1 AND 2 AND y", "((x BETWEEN 1 AND 2) AND y)"),
        ("x NOT BETWEEN SYMMETRIC 1 + 1 AND 2", "(x NOT BETWEEN SYMMETRIC (1 + 1) AND 2)"),
        ("a || 'x' LIKE 'b%' ESCAPE '\\'", "((a || 'x') LIKE 'b%' ESCAPE '\\')"),
        ("s NOT SIMILAR TO '%@%'", "(s NOT SIMILAR TO '%@%')"),
        ("x NOT IN (1, NULL)", "(x NOT IN (1, NULL))"),
        ("a IS NOT DISTINCT FROM b + 1", "(a IS NOT DISTINCT FROM (b + 1))"),
        ("j IS NOT JSON SCALAR", "(j IS NOT JSON SCALAR)"),
        ("a OR b OR c", "(a OR b OR c)"),
        ("x > ALL (SELECT 1)", "(x > ALL (SELECT 1))"),
    ])
    func operatorsBindAsInFlink(text: String, meant: String) { #expect(expression(text) == meant) }

    @Test(arguments: [
        ("1, 1.5, .5, 1E3, 1.5e-2", "1, 1.5, .5, 1E3, 1.5e-2"),
        ("'it''s' 'joined'", "'it''sjoined'"),
        (#"U&'\00e9\+01F600\\'"#, #"'é😀\'"#),
        ("x'4869'", "X'4869'"),
        ("DATE '2026-01-02', TIME '01:02:03', TIMESTAMP '2026-01-02 03:04:05.678'", "DATE '2026-01-02', TIME '01:02:03', TIMESTAMP '2026-01-02 03:04:05.678'"),
        ("INTERVAL -'1-2' YEAR TO MONTH", "INTERVAL -'1-2' YEAR TO MONTH"),
        ("interval '1 02:03:04.5' day(3) to second(6), INTERVAL '2' HOURS", "INTERVAL '1 02:03:04.5' DAY(3) TO SECOND(6), INTERVAL '2' HOUR"),
        ("true, FALSE, null", "TRUE, FALSE, NULL"),
        ("`a``b`.`select`.c", "`a``b`.`select`.c"),
    ])
    func literalsAndNames(text: String, meant: String) { #expect(expression(text) == meant) }

    @Test(arguments: [
        ("EXTRACT(DAY FROM t)", "EXTRACT(DAY FROM t)"),
        ("TRIM(BOTH 'e' FROM s), TRIM(s), TRIM('x' FROM s)", "TRIM(BOTH 'e' FROM s), TRIM(BOTH ' ' FROM s), TRIM(BOTH 'x' FROM s)"),
        ("SUBSTRING(s FROM 2 FOR 3), SUBSTRING(s, 2)", "SUBSTRING(s, 2, 3), SUBSTRING(s, 2)"),
        ("POSITION('a' IN b)", "POSITION('a', b)"),
        ("OVERLAY(s PLACING 'XX' FROM 2 FOR 3)", "OVERLAY(s, 'XX', 2, 3)"),
        ("FLOOR(t TO HOUR), CEIL(d)", "FLOOR(t TO HOUR), CEIL(d)"),
        ("TIMESTAMPADD(WEEK, 2, t)", "TIMESTAMPADD(WEEK, 2, t)"),
        ("CURRENT_TIMESTAMP, LOCALTIME, PROCTIME()", "CURRENT_TIMESTAMP(), LOCALTIME(), PROCTIME()"),
        ("COUNT(*), COUNT(DISTINCT a) FILTER (WHERE b > 1)", "COUNT(*), COUNT(DISTINCT a) FILTER (WHERE (b > 1))"),
        ("LISTAGG(a, ',') WITHIN GROUP (ORDER BY b DESC)", "LISTAGG(a, ',') WITHIN GROUP (ORDER BY b DESC)"),
        (
            "SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW)",
            "SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW)"
        ),
        ("LAG(v, 2) OVER w", "LAG(v, 2) OVER w"),
        ("JSON_VALUE(j, '$.a' RETURNING INT DEFAULT 0 ON EMPTY NULL ON ERROR)", "JSON_VALUE(j, '$.a' RETURNING INT DEFAULT 0 ON EMPTY NULL ON ERROR)"),
        ("JSON_OBJECT('k': 1, KEY 'l' VALUE b NULL ON NULL)", "JSON_OBJECT(KEY 'k' VALUE 1, KEY 'l' VALUE b NULL ON NULL)"),
        ("CASE a WHEN 1 THEN 'x' ELSE 'y' END", "CASE a WHEN 1 THEN 'x' ELSE 'y' END"),
        ("CASE WHEN a > 1 THEN 'x' WHEN b THEN NULL END", "CASE WHEN (a > 1) THEN 'x' WHEN b THEN NULL END"),
        ("LEFT(s, 2), IF(a, b, c), db.f(1)", "`LEFT`(s, 2), IF(a, b, c), db.f(1)"),
        ("ARRAY[1, 2][2], MAP['k', 1]['k'], l[1].s", "ARRAY[1, 2][2], MAP['k', 1]['k'], l[1].s"),
        ("ROW(1, 'x'), (1, 2), CAST(r AS ROW<p INT, q STRING>).q", "ROW(1, 'x'), ROW(1, 2), CAST(r AS ROW<p INT, q STRING>).q"),
        ("f(a => 1, b => DEFAULT)", "f(a => 1, b => DEFAULT)"),
    ])
    func callsAndConstructors(text: String, meant: String) { #expect(expression(text) == meant) }

    @Test(arguments: [
        ("INTEGER NOT NULL", "INT NOT NULL"),
        ("CHARACTER VARYING(3)", "VARCHAR(3)"),
        ("NUMERIC(10, 2)", "DECIMAL(10, 2)"),
        ("DOUBLE PRECISION", "DOUBLE"),
        ("TIMESTAMP(3) WITHOUT TIME ZONE", "TIMESTAMP(3)"),
        ("TIMESTAMP(3) WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(3)"),
        ("ARRAY<ROW<a INT NOT NULL, b MAP<STRING, BYTES>>>", "ARRAY<ROW<a INT NOT NULL, b MAP<STRING, BYTES>>>"),
        ("INT ARRAY", "ARRAY<INT>"),
        ("INTERVAL DAY TO SECOND(3)", "INTERVAL DAY TO SECOND(3)"),
        ("MULTISET<VARBINARY(2)>", "MULTISET<VARBINARY(2)>"),
    ])
    func types(text: String, meant: String) { #expect(expression("CAST(a AS \(text))") == "CAST(a AS \(meant))") }
}

struct StatementParsing {
    @Test func createTable() {
        let text = shape(
            """
            -- a comment; with a semicolon
            CREATE TEMPORARY TABLE IF NOT EXISTS db.t (
              a INT NOT NULL COMMENT 'the a', b AS a + 1, c STRING METADATA FROM 'k' VIRTUAL, /* and
              another */ ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (a) NOT ENFORCED
            ) COMMENT 'it''s' PARTITIONED BY (a) WITH ('connector' = 'filesystem', 'path' = '/x');
            """)
        #expect(
            text == "CREATE TEMPORARY TABLE IF NOT EXISTS db.t (a INT NOT NULL COMMENT 'the a', b AS (a + 1), c STRING METADATA FROM 'k' VIRTUAL, "
                + "ts TIMESTAMP(3), WATERMARK FOR ts AS (ts - INTERVAL '5' SECOND), PRIMARY KEY (a) NOT ENFORCED) "
                + "COMMENT 'it''s' PARTITIONED BY (a) WITH ('connector' = 'filesystem', 'path' = '/x')")
    }

    @Test func statementsInOrder() {
        let text = shape(
            """
            SET 'a' = 'b';; RESET 'a'; DROP TABLE IF EXISTS t; CREATE VIEW v (x) AS SELECT 1;
            INSERT INTO t PARTITION (d = '1') (a, b) VALUES (1, 2), (3, 4); EXPLAIN CHANGELOG_MODE INSERT INTO t TABLE_1;
            """)
        #expect(text.contains("unexpected 'TABLE_1'"))
        #expect(shape("SET 'a' = 'b';; RESET; DROP VIEW v") == "SET 'a' = 'b';\nRESET;\nDROP VIEW v")
        #expect(
            shape("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b (c) SELECT 2; END; SELECT 3")
                == "EXECUTE STATEMENT SET BEGIN\nINSERT INTO a SELECT 1;\nINSERT INTO b (c) SELECT 2;\nEND;\nSELECT 3")
        #expect(shape("EXPLAIN PLAN FOR SELECT 1; SHOW TABLES; DESC t") == "EXPLAIN PLAN FOR SELECT 1;\nSHOW TABLES;\nDESCRIBE t")
    }

    @Test(arguments: [
        ("SELECT * FROM a, b AS c (x, y)", "SELECT * FROM a CROSS JOIN b AS c (x, y)"),
        (
            "SELECT a.*, 1 one FROM a LEFT OUTER JOIN b USING (k) JOIN c ON a.x = c.x",
            "SELECT a.*, 1 AS one FROM a LEFT JOIN b USING (k) INNER JOIN c ON (a.x = c.x)"
        ),
        ("SELECT 1 FROM a JOIN d FOR SYSTEM_TIME AS OF a.pt AS e ON a.i = e.i", "SELECT 1 FROM a INNER JOIN d FOR SYSTEM_TIME AS OF a.pt AS e ON (a.i = e.i)"),
        (
            "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))",
            "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))"
        ),
        (
            "SELECT * FROM HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '5' SECOND, SIZE => INTERVAL '10' SECOND) w",
            "SELECT * FROM TABLE(HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '5' SECOND, SIZE => INTERVAL '10' SECOND)) AS w"
        ),
        (
            "SELECT * FROM TABLE(SESSION(TABLE t PARTITION BY k, j, DESCRIPTOR(ts), INTERVAL '6' SECOND))",
            "SELECT * FROM TABLE(SESSION(TABLE t PARTITION BY (k, j), DESCRIPTOR(ts), INTERVAL '6' SECOND))"
        ),
        ("SELECT t.s FROM c CROSS JOIN UNNEST(l) AS t (s)", "SELECT t.s FROM c CROSS JOIN UNNEST(l) AS t (s)"),
        ("SELECT 1 FROM c, LATERAL TABLE(f(c.a)) AS t (x)", "SELECT 1 FROM c CROSS JOIN LATERAL TABLE(f(c.a)) AS t (x)"),
        ("SELECT 1 FROM ((SELECT 2) UNION ALL (SELECT 3)) x", "SELECT 1 FROM ((SELECT 2) UNION ALL (SELECT 3)) AS x"),
        ("SELECT 1 FROM (a JOIN b ON TRUE)", "SELECT 1 FROM a INNER JOIN b ON TRUE"),
        ("SELECT 1 UNION SELECT 2 INTERSECT ALL SELECT 3", "(SELECT 1) UNION ((SELECT 2) INTERSECT ALL (SELECT 3))"),
        ("(SELECT 1 LIMIT 5) LIMIT 3", "(SELECT 1 LIMIT 5) LIMIT 3"),
        ("SELECT a FROM t ORDER BY a DESC NULLS LAST, b OFFSET 2 ROWS FETCH NEXT 3 ROWS ONLY", "SELECT a FROM t ORDER BY a DESC NULLS LAST, b LIMIT 3 OFFSET 2"),
        ("SELECT a FROM t GROUP BY GROUPING SETS ((a, b), (a), ()), ROLLUP (c)", "SELECT a FROM t GROUP BY GROUPING SETS (ROW(a, b), a, ()), ROLLUP (c)"),
        ("WITH a AS (SELECT 1), b (x) AS (VALUES 1, 2) SELECT * FROM a, b", "WITH a AS (SELECT 1), b (x) AS (VALUES ROW(1), ROW(2)) SELECT * FROM a CROSS JOIN b"),
        ("SELECT SUM(a) OVER w FROM t WINDOW w AS (PARTITION BY b)", "SELECT SUM(a) OVER w FROM t WINDOW w AS (PARTITION BY b)"),
        ("SELECT * FROM t /*+ OPTIONS('k' = 'v') */ AS u", "SELECT * FROM t /*+ OPTIONS('k' = 'v') */ AS u"),
        ("SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u) AND x IN (SELECT y FROM u)", "SELECT 1 FROM t WHERE (EXISTS (SELECT 1 FROM u) AND (x IN (SELECT y FROM u)))"),
    ])
    func queries(text: String, meant: String) {
        #expect(shape(text) == meant)
        #expect(shape(meant) == meant)
    }
}

struct SyntaxErrors {
    @Test func aMisspeltKeywordIsPointedAt() {
        #expect(
            shape("SELECT oid\nFORM orders") == """
                line 2, column 1: unexpected 'FORM'
                  FORM orders
                  ^^^^
                expected FROM
                did you mean FROM?
                """)
        #expect(shape("SELCT 1").hasSuffix("did you mean SELECT?"))
        #expect(shape("SELECT a FROM t GRUOP BY a").hasSuffix("did you mean GROUP?"))
    }

    @Test func theColumnCountsCharacters() {
        #expect(
            shape("SELECT 'zé😀' AS `ü`, , x") == """
                line 1, column 22: unexpected ','
                  SELECT 'zé😀' AS `ü`, , x
                                       ^
                expected '*' or an expression
                """)
    }

    @Test(arguments: [
        ("SELECT 'abc", "string is not closed"),
        ("SELECT `abc", "name is not closed"),
        ("SELECT 1 /* x", "comment is not closed"),
        ("SELECT \"a\" FROM t", "backticks"),
        ("SELECT 1a", "neither a number nor a name"),
        ("SELECT X'123'", "even number"),
        ("SELECT ?", "unexpected '?'"),
        ("SELECT order FROM t", "unexpected 'order'"),
        ("CREATE TABLE t (order INT)", "`order`"),
        ("CREATE TABLE t (a INTT)", "did you mean INT?"),
        ("CREATE TABLE t (a INT PRIMARY KEY)", "NOT ENFORCED"),
        ("CREATE TABLE t LIKE u", "LIKE is not supported"),
        ("CREATE TABLE t AS SELECT 1", "then INSERT INTO it"),
        ("SET a = b", "SET 'key' = 'value'"),
        ("SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a)", "MATCH_RECOGNIZE is not supported"),
        ("VALUES (1, 2), (3)", "this row has 1 values, the first has 2"),
        ("SELECT INTERVAL '1' DAY TO MONTH", "no interval goes from DAY to MONTH"),
        ("STATEMENT SET BEGIN END", "at least one INSERT"),
        ("SELECT CASE WHEN a THEN b", "expected WHEN, ELSE or END"),
        ("SELECT 1 2", "unexpected '2'"),
    ])
    func errorsSayWhatIsWrong(script: String, words: String) { #expect(shape(script).contains(words), "\(shape(script))") }

    @Test func nestingIsBounded() {
        let deep = String(repeating: "(", count: 5_000) + "1" + String(repeating: ")", count: 5_000)
        #expect(shape("SELECT " + deep).contains("nested more than 200 levels"))
        #expect(!shape("SELECT " + deep.dropFirst(4_850).dropLast(4_850)).contains("nested"))
        #expect(shape("SELECT " + String(repeating: "- ", count: 5_000) + "1").contains("nested more than 200 levels"))
        #expect(shape("SELECT " + Array(repeating: "a", count: 5_000).joined(separator: " || ")).contains("more than 400 levels"))
        #expect(shape("SELECT CAST(1 AS " + String(repeating: "ARRAY<", count: 5_000)).contains("nested more than 200 levels"))
        #expect(shape("SELECT 1" + String(repeating: " UNION ALL SELECT 1", count: 5_000)).contains("more than 400 levels"))
        #expect(shape(String(repeating: "EXPLAIN ", count: 5_000) + "SELECT 1").contains("nested more than 200 levels"))
    }

    @Test func longConditionsAreNotDeep() {
        let condition = (0..<20_000).map { "a = \($0)" }.joined(separator: " OR ")
        #expect(shape("SELECT * FROM t WHERE " + condition).hasPrefix("SELECT * FROM t WHERE ((a = 0) OR"))
    }
}
