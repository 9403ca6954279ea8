import Columnar
import Connectors
import Glibc
import Testing

/// Started by `scripts/fuzz-json`, which lets simdjson read the same lines.
@Suite struct JSONOracleTests {
    private static let files = [getenv("JSON_ORACLE_LINES"), getenv("JSON_ORACLE_ANSWERS")].compactMap { $0.map { String(cString: $0) } }

    @Test(.enabled(if: files.count == 2, "needs lines and answers from scripts/fuzz-json"))
    func readsWhatSimdjsonReads() throws {
        let fields = schema(("s", .string), ("d", .double), ("n", .bigint))
        var options = JSONOptions()
        options.ignoreParseErrors = true
        let reader = JSONReader(fields, options: options)
        let lines = try content(of: Self.files[0]), answers = try content(of: Self.files[1])
        #expect(lines.count == answers.count && !lines.isEmpty)
        var compared = 0, differences = 0
        for (line, answer) in zip(lines, answers) where differences < 10 {
            let skipped = reader.skippedRows
            let row = try rows(reader, fields.types, line + [0x0A]).first
            let isRefused = reader.skippedRows > skipped
            let text = String(decoding: line, as: UTF8.self), expected = String(decoding: answer, as: UTF8.self)
            if isExcused(line, text) { continue }
            compared += 1
            guard isRefused == (expected == "error") else {
                differences += 1
                Issue.record("\(text): \(isRefused ? "refused" : "read") by us, simdjson says \(expected)")
                continue
            }
            guard let row, !isRefused else { continue }
            let parts = expected.split(separator: "\t")
            for (value, part) in zip(row, parts) where part != "?" && shown(value) != String(part) && !isZero(value, part) {
                differences += 1
                Issue.record("\(text): \(shown(value)) for us, simdjson says \(part)")
            }
        }
        print("\(compared) of \(lines.count) lines compared")
        #expect(compared > lines.count / 2)
    }

    /// -0 without decimals is an integer for simdjson, and loses its sign.
    private func isZero(_ value: Value, _ part: Substring) -> Bool { value == .double(0) && part == "0" }

    private func shown(_ value: Value) -> String {
        switch value {
        case .bytes(let bytes): "=" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case .double(let number): "\(number.bitPattern)"
        case .integer(let number): "\(number)"
        default: "-"
        }
    }

    /// Where the two differ by decision: half surrogate pairs, numbers that fit no machine type (simdjson refuses both), and
    /// lines of white space (no row and no error for us).
    private func isExcused(_ line: [UInt8], _ text: String) -> Bool {
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return true }
        let lower = text.replacing("\\\\", with: ".").lowercased()
        for half in ["\\ud8", "\\ud9", "\\uda", "\\udb", "\\udc", "\\udd", "\\ude", "\\udf"] where lower.contains(half) {
            if !lower.contains("\\ud83d\\ude00") || lower.replacing("\\ud83d\\ude00", with: "").contains(half) { return true }
        }
        var digits = 0, exponent = 0, inExponent = false
        for byte in line {
            if byte &- 0x30 < 10 {
                digits += 1
                exponent += inExponent ? 1 : 0
            } else {
                inExponent = byte | 0x20 == 0x65 || inExponent && (byte == 0x2B || byte == 0x2D)
                digits = 0
                exponent = 0
            }
            if digits > 18 || exponent > 2 { return true }
        }
        return false
    }

    private func content(of path: String) throws -> [[UInt8]] {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast().map(Array.init)
    }
}
