import Glibc
import Testing

/// A script that Flink itself has run on a small input, with its final rows (Tests/Fixtures/flink-sql/cases).
struct GoldenCase: CustomTestStringConvertible {
    let name: String

    var testDescription: String { name }

    /// Watermarks follow every row, so what is late follows from the order of the lines alone.
    var script: String { script(writingTo: "/nowhere", query: read("query.sql")) }

    /// The script with its tables below a folder of the test's, and perhaps another query at its end.
    func script(writingTo out: String, query: String? = nil) -> String {
        "SET 'pipeline.auto-watermark-interval' = '0 ms';\n"
            + (read("setup.sql") + "\n" + (query ?? read("query.sql"))).replacing("${DIR}", with: folder + "data").replacing("${OUT}", with: out)
    }

    /// The header, then the rows in the order of their bytes.
    var expected: [String] { lines(of: "expected.csv") }

    /// What the table holds after an INSERT.
    func expected(in table: String) -> [String] { lines(of: "expected.\(table).csv") }

    private func lines(of file: String) -> [String] { read(file).split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }

    private var folder: String {
        let file = "SQLGoldenTests/GoldenCase.swift"
        return String(#filePath.dropLast(file.count)) + "Fixtures/flink-sql/cases/\(name)/"
    }

    private func read(_ file: String) -> String {
        guard let handle = fopen(folder + file, "rb") else { return "" }
        defer { fclose(handle) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, handle)], as: UTF8.self)
    }
}

extension String {
    fileprivate func replacing(_ words: String, with other: String) -> String {
        split(separator: words, omittingEmptySubsequences: false).joined(separator: other)
    }
}
