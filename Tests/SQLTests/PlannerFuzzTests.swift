import Columnar
import SQL
import Testing

/// Makes queries that parse and often have a meaning: columns that exist or nearly, types that fit or not.
private struct QueryWriter {
    var random: SeededGenerator

    private mutating func column() -> String {
        random.pick(["k", "v", "p", "ts", "d", "b", "s", "t.k", "t.v", "window_start", "window_end", "window_time", "n", "missing", "x.k"])
    }

    mutating func expression(_ depth: Int) -> String {
        if depth == 0 { return random.pick([column(), column(), column(), "1", "2.5", "'a'", "NULL", "TRUE", "INTERVAL '1' SECOND", "DATE '2026-01-01'", "-7"]) }
        let a = expression(depth - 1), b = expression(depth - 1)
        switch random.below(16) {
        case 0, 1: return "(\(a) \(random.pick(["+", "-", "*", "/", "%", "||"])) \(b))"
        case 2: return "(\(a) \(random.pick(["=", "<>", "<", ">="])) \(b))"
        case 3: return "(\(a) \(random.pick(["AND", "OR"])) \(b))"
        case 4: return "(\(a) IS \(random.pick(["NULL", "NOT NULL", "TRUE", "NOT FALSE"])))"
        case 5: return "CASE WHEN \(a) THEN \(b) ELSE \(a) END"
        case 6: return "CAST(\(a) AS \(random.pick(["INT", "BIGINT", "STRING", "DECIMAL(5, 2)", "TIMESTAMP(3)", "BOOLEAN"])))"
        case 7: return "\(random.pick(["UPPER", "ABS", "COALESCE", "FLOOR", "CHAR_LENGTH", "YEAR", "IF", "NOW", "CONCAT"]))(\(a))"
        case 8: return "\(random.pick(["COUNT", "SUM", "MIN", "MAX", "AVG"]))(\(random.pick(["", "DISTINCT "]))\(a))\(random.pick(["", "", " FILTER (WHERE \(b))"]))"
        case 9: return "COUNT(*)"
        case 10: return "(\(a) \(random.pick(["IN", "NOT IN"])) (\(b), \(a)))"
        case 11: return "(\(a) BETWEEN \(b) AND \(a))"
        case 12: return "NOT \(a)"
        case 13: return "EXTRACT(\(random.pick(["DAY", "YEAR", "EPOCH"])) FROM \(a))"
        default: return column()
        }
    }

    private mutating func expressions() -> String { (0...random.below(3)).map { _ in expression(random.below(3)) }.joined(separator: ", ") }

    mutating func table(_ depth: Int) -> String {
        switch random.below(depth > 0 ? 7 : 3) {
        case 0, 1: return "t"
        case 2: return "TABLE(TUMBLE(TABLE t, DESCRIPTOR(\(random.pick(["ts", "ts", "k"]))), INTERVAL '10' SECOND))"
        case 3: return "TABLE(HOP(TABLE v1, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND))"
        case 4: return "w"
        default: return "(\(query(depth - 1))) AS t"
        }
    }

    mutating func query(_ depth: Int) -> String {
        var text = "SELECT \(random.pick(["", "", "DISTINCT "]))\(random.pick(["*", expressions(), expressions()])) FROM \(table(depth))"
        if random.below(3) == 0 { text += " WHERE \(expression(2))" }
        switch random.below(4) {
        case 0: text += " GROUP BY \(expressions())"
        case 1: text += " GROUP BY window_start, window_end\(random.pick(["", ", k", ", window_time", ", k, v"]))"
        default: break
        }
        if random.below(6) == 0 { text += " HAVING \(expression(2))" }
        if depth > 0, random.below(5) == 0 { text += " UNION \(random.pick(["", "ALL "]))\(query(depth - 1))" }
        return text
    }
}

struct PlannerFuzzing {
    private static let setup = """
        CREATE TABLE t (k STRING, v INT, p DOUBLE, d DECIMAL(10, 2), b BOOLEAN, s AS v + 1, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
          WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json');
        CREATE VIEW v1 AS SELECT k, v * 2 AS v, ts FROM t WHERE b;
        CREATE VIEW w AS SELECT window_start, window_end, window_time, k, COUNT(*) AS n
          FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, window_time, k;

        """

    /// Planning ends with jobs or with an error that points into the script; graphs are sound.
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func anyQueryIsPlannedOrRefused(seed: UInt64) {
        var writer = QueryWriter(random: SeededGenerator(state: seed))
        var planned = 0
        for _ in 0..<250 {
            let script = Self.setup + writer.query(2)
            do {
                for job in try compile(script: script).jobs {
                    planned += 1
                    for edge in job.graph.edges {
                        #expect(edge.source < edge.target, "\(script)")
                        #expect(edge.schema.types.map(\.kind) == job.graph.vertices[edge.source].output.types.map(\.kind), "\(script)")
                    }
                    #expect(job.graph.sinks.count == 1, "\(script)")
                }
            } catch {
                #expect(error.line >= 1 && error.column >= 1 && !error.sourceLine.isEmpty, "\(script)")
            }
        }
        #expect(planned > 10)
    }

    /// Work grows with the script, not with the number of ways through it.
    @Test func deepPlansArePlannedAtOnce() throws {
        let union = Self.setup + "EXPLAIN SELECT k FROM t" + String(repeating: " UNION ALL SELECT k FROM t WHERE v > 1", count: 150)
        #expect(try compile(script: union).steps.count == 1)
        var nested = "SELECT k, v FROM t"
        for level in 0..<40 { nested = "SELECT k, MAX(v) AS v FROM (\(nested)) WHERE k <> '\(level)' AND v > \(level) GROUP BY k" }
        #expect(try compile(script: Self.setup + nested).jobs.count == 1)
        let wide = (0..<400).map { "SUM(v + \($0)) AS s\($0)" }.joined(separator: ", ")
        #expect(try compile(script: Self.setup + "SELECT k, \(wide) FROM t GROUP BY k").jobs.first?.output?.count == 401)
        #expect(throws: SQLError.self) { try compile(script: String(repeating: " ", count: 5 << 20)) }
    }

    @Test func damagedReferenceScripts() {
        var random = SeededGenerator(state: 7)
        for script in ReferenceScript.cases + ReferenceScript.nexmark {
            for _ in 0..<8 {
                var words = script.script.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
                for _ in 0..<2 {
                    let place = random.below(words.count)
                    switch random.below(3) {
                    case 0: words.remove(at: place)
                    case 1: words.swapAt(place, random.below(words.count))
                    default: words[place] = random.pick(words)
                    }
                    if words.isEmpty { break }
                }
                do { _ = try compile(script: words.joined(separator: " ")) } catch { #expect(error.line >= 1) }
            }
        }
    }
}
