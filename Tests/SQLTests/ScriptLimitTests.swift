import SQL
import Testing

/// What a script may cost who compiles it, and how much of it an error repeats.
struct ScriptLimitTests {
    private static let table = "CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'datagen');\n"

    private func problem(_ script: String, patience: Duration = .seconds(600)) -> String {
        do {
            return "\(try compile(script: ScriptLimitTests.table + script, patience: patience).steps.count) steps"
        } catch {
            return error.message
        }
    }

    private func list(_ count: Int, _ item: (Int) -> String) -> String { (0..<count).map(item).joined(separator: ",") }

    /// Each names the one before twice: 2 to the 30th scans, were they all planned.
    @Test func viewsOfViewsDoNotGrowByDoubling() {
        let views = (1...30).map { "CREATE VIEW v\($0) AS SELECT a FROM v\($0 - 1) UNION ALL SELECT a FROM v\($0 - 1);" }.joined()
        #expect(problem("CREATE VIEW v0 AS SELECT a FROM t;" + views) == "a query of more than 1000 steps, its views counted")
    }

    @Test func tablesResultsAndAggregatesHaveABoundedWidth() {
        let wide = "CREATE TABLE wide (\(list(2_000) { "c\($0) INT" })) WITH ('connector' = 'datagen');"
        #expect(problem(wide) == "0 steps")
        #expect(problem("CREATE TABLE wider (\(list(2_001) { "c\($0) INT" })) WITH ('connector' = 'datagen');") == "more than 2000 columns")
        #expect(problem(wide + "SELECT * FROM wide;") == "1 steps")
        #expect(problem(wide + "SELECT *, * FROM wide;") == "more than 2000 columns")
        #expect(problem("SELECT \(list(2_001) { "a + \($0)" }) FROM t;") == "more than 2000 columns")
        #expect(problem("SELECT COALESCE(\(list(2_001) { "SUM(a + \($0))" })) FROM t GROUP BY b;") == "more than 2000 columns")
        #expect(problem("SELECT 1 FROM t GROUP BY \(list(2_001) { "a + \($0)" });") == "more than 2000 columns")
    }

    @Test func insertsThatMakeOneJobAreCounted() {
        let sink = "CREATE TABLE hole (a INT) WITH ('connector' = 'blackhole');"
        #expect(problem(sink + String(repeating: "INSERT INTO hole SELECT a FROM t;", count: 1_001)) == "a job of more than 1000 steps")
    }

    @Test func wordsAnswersAndTimeAreBounded() {
        #expect(problem("SELECT a FROM t WHERE a IN (\(list(50_000) { "\($0)" }));") == "a script has at most 100000 words and signs")
        #expect(problem(String(repeating: " ", count: 1 << 20)) == "a script has at most 1 MiB")
        #expect(problem(String(repeating: "SHOW FUNCTIONS;\n", count: 2_000)) == "the script's answers have more than 4 MiB")
        #expect(problem("SELECT 1;", patience: .zero).hasPrefix("the script takes more than"))
    }

    /// Of a long line, what is around the place; the caret stands under the same sign as in a short one.
    @Test func anErrorInALongLineShowsItsSurroundings() throws {
        let spaces = String(repeating: " ", count: 5_000)
        let script = "SELECT \(spaces) /* x */ pric \(spaces) FROM t;"
        let error = #expect(throws: SQLError.self) { try compile(script: ScriptLimitTests.table + script) }
        let lines = try #require(error).description.split(separator: "\n")
        #expect(lines[0] == "line 2, column 5017: column 'pric' not found")
        #expect(lines[1].hasPrefix("  …") && lines[1].hasSuffix("…") && lines[1].count < 210)
        let caret = try #require(lines[2].firstIndex(of: "^")), place = lines[2].distance(from: lines[2].startIndex, to: caret)
        #expect(lines[1].dropFirst(place).prefix(4) == "pric" && lines[2].dropFirst(place) == "^^^^")
    }

    @Test func anErrorRepeatsNoNameOfAnyLength() {
        let name = String(repeating: "x", count: 500_000)
        for script in ["SELECT \(name) FROM t;", "SELECT a FROM \(name);", "SELECT a AS a \(name) FROM t;", "CREATE TABLE \(name) (\(name) \(name));", "SELECT \(name)(a) FROM t;"] {
            let error = #expect(throws: SQLError.self) { try compile(script: ScriptLimitTests.table + script) }
            #expect((error?.description.utf8.count ?? .max) < 10_000)
        }
    }
}
