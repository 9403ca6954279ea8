import SQL
import Testing

/// Whatever the bytes, parsing ends with statements or with an error that points into the script; and what parses, prints as
/// something that parses to the same.
private func check(_ script: String) {
    do {
        let text = try parse(script: script).map(\.description).joined(separator: ";\n")
        let again = try parse(script: text).map(\.description).joined(separator: ";\n")
        #expect(again == text, "\(script)")
    } catch {
        #expect(error.line >= 1 && error.column >= 1 && error.length >= 1, "\(script)")
        #expect(error.range.start <= script.utf8.count, "\(script)")
        #expect(!error.description.isEmpty)
    }
}

struct ParserFuzzing {
    private static let words = [
        "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "(", ")", ",", "*", "+", "-", "a", "b.c", "1", "2.5", "'s'", "AS", "AND", "OR", "NOT", "IN",
        "BETWEEN", "CASE", "WHEN", "THEN", "END", "CAST(", "INT", "ARRAY[", "]", "TABLE", "TUMBLE(", "DESCRIPTOR(", "INTERVAL '1' SECOND", "JOIN", "ON",
        "UNION", "WITH", "CREATE TABLE t", "CREATE VIEW v AS", "INSERT INTO", "VALUES", ";", "EXTRACT(", "DAY", "TRIM(", "JSON_VALUE(", "OVER (", "IS",
        "NULL", "EXISTS", "`q`", "=", "<", ">", "ROW<", "MAP<", "/*+", "*/", "--", ".", "[", "LIMIT", "FOR", "LATERAL", "UNNEST(", "SET", "EXPLAIN", "=>",
    ]

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func wordSoup(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        for _ in 0..<250 {
            let count = Int.random(in: 1...40, using: &random)
            check((0..<count).map { _ in Self.words.randomElement(using: &random)! }.joined(separator: " "))
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func damagedStatements(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let scripts = (ReferenceScript.cases + ReferenceScript.nexmark).map { Array($0.query.utf8) }
        for _ in 0..<250 {
            var bytes = scripts.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                case 2: bytes.removeSubrange(place..<min(bytes.count, place + 12))
                case 3: bytes.insert(contentsOf: Self.words.randomElement(using: &random)!.utf8, at: place)
                default: bytes.removeSubrange(place...)
                }
            }
            check(String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test func anyBytes() {
        var random = SeededGenerator(state: 99)
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            check(String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test func everyPrefixOfAScript() {
        let script = ReferenceScript.nexmark.first { $0.name == "q14.sql" }?.query ?? ""
        for length in 0..<script.count { check(String(script.prefix(length))) }
    }
}
