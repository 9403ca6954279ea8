import Glibc
import Testing

/// A script that Flink itself has run on a small input, with its final rows (Tests/Fixtures/flink-sql/cases).
struct GoldenCase: CustomTestStringConvertible {
    let name: String

    var testDescription: String { name }

    /// Watermarks follow every row, so what is late follows from the order of the lines alone.
    var script: String {
        let text = "SET 'pipeline.auto-watermark-interval' = '0 ms';\n" + read("setup.sql") + "\n" + read("query.sql")
        return text.split(separator: "${DIR}", omittingEmptySubsequences: false).joined(separator: folder + "data")
    }

    /// The header, then the rows in the order of their bytes.
    var expected: [String] { read("expected.csv").split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }

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
