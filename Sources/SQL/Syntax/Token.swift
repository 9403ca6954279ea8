/// The smallest piece of a script that means something.
struct Token {
    enum Kind {
        /// An unquoted name or keyword; which of the two, the parser decides by its place.
        case word
        /// A name in backticks; `text` is without them.
        case quotedName
        /// `1`, `1.5`, `.5`, `1E3`; `text` as written.
        case number
        /// A character string; `text` is its value.
        case string
        /// `X'4869'`; `text` is the hexadecimal digits, an even number of them.
        case hexString
        case symbol
        /// `/*+` and the `*/` that ends it.
        case hintStart, hintEnd
        /// After the last token; its range is empty and at the script's end.
        case end
    }

    let kind: Kind
    let text: String
    /// For a word its upper-case form, for comparison with keywords; for a symbol its text; otherwise empty.
    let keyword: String
    let range: SourceRange

    /// The token as an error message names it.
    var shown: String {
        switch kind {
        case .end: "end of the script"
        case .string: "a string"  // Its text might be a secret; the caret points at it.
        case .hexString: "X'\(text.prefix(20))'"
        case .hintStart: "'/*+'"
        case .hintEnd: "'*/'"
        case .word, .quotedName, .number, .symbol: "'\(text.prefix(100))\(text.count > 100 ? "…" : "")'"
        }
    }
}

extension Token {
    /// Words that are no names unless they stand in backticks: those where taking them for a name would change what a statement
    /// means. Flink reserves more; a script that Flink accepts is read the same way here.
    static let reserved: Set<String> = [
        "ALL", "AND", "AS", "BETWEEN", "BY", "CASE", "CAST", "CREATE", "CROSS", "CUBE", "DISTINCT", "DROP", "ELSE", "ESCAPE", "EXCEPT",
        "EXISTS", "FALSE", "FETCH", "FOR", "FROM", "FULL", "GROUP", "GROUPING", "HAVING", "IN", "INNER", "INSERT", "INTERSECT", "INTERVAL",
        "INTO", "IS", "JOIN", "LATERAL", "LEFT", "LIKE", "LIMIT", "MATCH_RECOGNIZE", "NATURAL", "NOT", "NULL", "OFFSET", "ON", "OR",
        "ORDER", "OVER", "PARTITION", "PRIMARY", "QUALIFY", "RIGHT", "ROLLUP", "SELECT", "SIMILAR", "TABLE", "TABLESAMPLE", "THEN", "TRUE",
        "UNION", "UNNEST", "USING", "VALUES", "WATERMARK", "WHEN", "WHERE", "WINDOW", "WITH",
    ]

    /// Reserved words that are also the names of functions, when a parenthesis follows.
    static let reservedFunctions: Set<String> = ["LEFT", "RIGHT", "GROUPING"]
}
