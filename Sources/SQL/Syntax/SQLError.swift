import Settings

/// What is wrong with a script, and where. Nothing of a script that has an error is run.
///
/// `description` is what a user reads:
/// ```
/// line 2, column 8: column 'pric' not found
///   SELECT pric FROM orders
///          ^^^^
/// did you mean 'price'?
/// ```
package struct SQLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One sentence without position, in lower case, without a full stop.
    package var message: String
    /// What could have stood there instead, as the user would write it; empty where that says nothing.
    package var expected: [String]
    /// A further sentence: a near name, or what to do instead.
    package var hint: String?
    /// Where in the script, in bytes.
    package var range: SourceRange
    /// Both from 1; the column counts characters. 0 until the error is located.
    package private(set) var line = 0
    package private(set) var column = 0
    /// Characters to underline, at least 1, all on `line`.
    package private(set) var length = 1
    /// What is shown of the line: all of it, or what is around the underlined part.
    package private(set) var sourceLine = ""
    /// Characters of `sourceLine` before the underlined part.
    private var margin = 0

    package init(_ message: String, at range: SourceRange, expected: [String] = [], hint: String? = nil) {
        self.message = message
        self.range = range
        self.expected = expected
        self.hint = hint
    }

    /// The same error with line, column and source line filled in. The innermost location wins.
    func located(in script: String) -> SQLError {
        guard line == 0 else { return self }
        var located = self
        let bytes = Array(script.utf8)
        let start = min(range.start, bytes.count)
        let lineStart = bytes[..<start].lastIndex(of: newline).map { $0 + 1 } ?? 0
        let lineEnd = bytes[start...].firstIndex(of: newline) ?? bytes.count
        located.line = bytes[..<start].count(where: { $0 == newline }) + 1
        located.column = characters(bytes[lineStart..<start]) + 1
        located.length = max(1, characters(bytes[start..<max(start, min(range.end, lineEnd))]))
        located.sourceLine = String(decoding: bytes[lineStart..<lineEnd], as: UTF8.self)
        located.margin = located.column - 1
        located.hideSecrets()
        located.clip()
        return located
    }

    /// A script that a program wrote may be one line of a megabyte, and a name as long.
    private mutating func clip() {
        let before = 120, behind = 80, longest = 4000
        if message.utf8.count > longest { message = message.prefix(longest - 1) + "…" }
        if let words = hint, words.utf8.count > longest { hint = words.prefix(longest - 1) + "…" }
        length = min(length, behind)
        let end = sourceLine.index(sourceLine.startIndex, offsetBy: margin + behind, limitedBy: sourceLine.endIndex) ?? sourceLine.endIndex
        let isCut = end < sourceLine.endIndex
        sourceLine = String(sourceLine[..<end]) + (isCut ? "…" : "")
        guard margin > before else { return }
        sourceLine = "…" + sourceLine.dropFirst(margin - before + 1)
        margin = before
    }

    /// Hides what follows a quoted key that speaks of secrets, character by character, so that the caret still stands right. An unclosed
    /// string ends with its line; two quotes are one quote inside a string.
    private mutating func hideSecrets() {
        var shown = ""
        var key = ""
        var isHidden = false
        var isSameString = false
        for (index, part) in sourceLine.split(separator: "'", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { shown += "'" }
            let isQuoted = index % 2 == 1
            if isQuoted, !isSameString { (isHidden, key) = (Secrets.holds(key), String(part)) }
            shown += isQuoted && isHidden ? String(repeating: "*", count: part.count) : String(part)
            if !isQuoted { isSameString = index > 0 && part.isEmpty }
        }
        sourceLine = shown
    }

    package var description: String {
        var text = line > 0 ? "line \(line), column \(column): \(message)" : message
        if line > 0 {
            let indent = sourceLine.prefix(margin).map { $0 == "\t" ? "\t" : " " }.joined()
            text += "\n  \(sourceLine)\n  \(indent)" + String(repeating: "^", count: length)
        }
        if !expected.isEmpty { text += "\nexpected " + enumerate(expected, last: "or") }
        if let hint { text += "\n" + hint }
        return text
    }
}

private let newline = UInt8(ascii: "\n")

private func characters(_ bytes: ArraySlice<UInt8>) -> Int { String(decoding: bytes, as: UTF8.self).count }

/// `["a", "b", "c"]` as `a, b or c`.
func enumerate(_ words: [String], last: String) -> String {
    guard let end = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " \(last) " + end
}

/// Names in quotes with commas between them.
func listing(_ names: [String], atMost count: Int = 12) -> String {
    names.prefix(count).map { "'\($0)'" }.joined(separator: ", ") + (names.count > count ? ", …" : "")
}
