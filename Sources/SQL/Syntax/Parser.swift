/// The statements of a script, in order. Throws at the first place that is no Flink SQL.
///
/// Empty statements (`;;`) vanish. Nothing is looked up: unknown tables and functions parse.
package func parse(script: String) throws(SQLError) -> [StatementSyntax] {
    do {
        var parser = Parser(try Lexer.tokens(of: script))
        return try parser.parseScript()
    } catch {
        throw error.located(in: script)
    }
}

/// Recursive descent over the tokens; the grammar stands in the extensions, one file a part of the language.
///
/// What was asked for at the present token is noted, so that an error can say what could have stood there. Words of Flink SQL
/// that parse only to be refused by name later are not offered.
struct Parser {
    /// Parentheses, subqueries, CASEs and types within each other. Keeps the stack of parser and binder small.
    private static let deepestNesting = 200
    /// Bound of ExpressionSyntax.height: chains such as `a || b || c …` grow the tree without nesting.
    private static let greatestHeight = 400

    private let tokens: [Token]
    private var index = 0
    private var noted: [String] = []
    /// Those of them that are not offered.
    private var notOffered: Set<String> = []
    private var notedAt = -1
    /// Index of the last word that was taken for an alias without AS; likely a misspelt keyword if what follows makes no sense.
    private var bareAliasAt = -1
    private var nesting = 0
    /// Height of the tallest expression of the query that is being read.
    private var tallest = 0

    init(_ tokens: [Token]) { self.tokens = tokens }

    // MARK: Looking

    var current: Token { tokens[index] }

    func ahead(_ distance: Int) -> Token { tokens[min(index + distance, tokens.count - 1)] }

    /// Without noting it as expected.
    func isAt(_ keyword: String) -> Bool { current.keyword == keyword }

    func isAt(_ keywords: String...) -> Bool {
        keywords.indices.allSatisfy { ahead($0).keyword == keywords[$0] }
    }

    var previousRange: SourceRange { tokens[max(0, index - 1)].range }

    /// The keyword at the distance after the parenthesis that closes the one at `open`, or "" where none closes it.
    func keywordAfterParenthesis(openedAt open: Int) -> String {
        var depth = 0
        var position = index + open
        while position < tokens.count {
            if tokens[position].keyword == "(" { depth += 1 }
            if tokens[position].keyword == ")" {
                depth -= 1
                if depth == 0 { return position + 1 < tokens.count ? tokens[position + 1].keyword : "" }
            }
            position += 1
        }
        return ""
    }

    // MARK: Taking

    mutating func advance() { if index < tokens.count - 1 { index += 1 } }

    mutating func take() -> Token {
        let token = current
        advance()
        return token
    }

    /// Takes the word or symbol if it stands here, or notes that it could.
    mutating func accept(_ keyword: String) -> Bool {
        guard isAt(keyword) else {
            note(keyword.first?.isLetter == true ? keyword : "'\(keyword)'")
            return false
        }
        advance()
        return true
    }

    /// Takes all the words if all stand here.
    mutating func accept(_ first: String, _ rest: String...) -> Bool {
        guard isAt(first), rest.indices.allSatisfy({ ahead($0 + 1).keyword == rest[$0] }) else {
            note(([first] + rest).joined(separator: " "))
            return false
        }
        for _ in 0...rest.count { advance() }
        return true
    }

    /// As `accept`, for words that are understood but refused once the statement is.
    mutating func acceptRefused(_ keyword: String) -> Bool {
        guard isAt(keyword) else {
            note(keyword, isOffered: false)
            return false
        }
        advance()
        return true
    }

    mutating func expect(_ keywords: String...) throws(SQLError) {
        for keyword in keywords {
            guard accept(keyword) else { throw unexpected() }
        }
    }

    mutating func note(_ expectation: String, isOffered: Bool = true) {
        if notedAt != index {
            noted = []
            notOffered = []
            notedAt = index
        }
        if isOffered { notOffered.remove(expectation) } else if !noted.contains(expectation) { notOffered.insert(expectation) }
        if !noted.contains(expectation) { noted.append(expectation) }
    }

    mutating func takeName(_ what: String) throws(SQLError) -> NameSyntax {
        note(what)
        switch current.kind {
        case .quotedName: break
        case .word where !Token.reserved.contains(current.keyword): break
        case .word where nearName(to: current.keyword, among: noted.filter { $0 != current.keyword }) == nil:
            throw SQLError("\(current.shown) is a reserved word", at: current.range, expected: [what], hint: "in backticks it is a name: `\(current.text)`")
        case .word, .number, .string, .hexString, .symbol, .hintStart, .hintEnd, .end: throw unexpected()
        }
        let token = take()
        return NameSyntax(text: token.text, range: token.range)
    }

    mutating func takeString(_ what: String) throws(SQLError) -> Token {
        note(what)
        guard current.kind == .string else { throw unexpected() }
        return take()
    }

    mutating func takeInteger(_ what: String) throws(SQLError) -> Int {
        note(what)
        guard current.kind == .number, let value = Int(current.text), value <= Int32.max else { throw unexpected() }
        advance()
        return value
    }

    mutating func takeObjectName(_ what: String) throws(SQLError) -> ObjectNameSyntax {
        var parts = [try takeName(what)]
        while isAt("."), parts.count < 8 {
            advance()
            parts.append(try takeName(what))
        }
        return ObjectNameSyntax(parts: parts)
    }

    /// An alias that no AS introduces.
    mutating func takeBareAlias() -> NameSyntax? {
        guard current.kind == .quotedName || (current.kind == .word && !Token.reserved.contains(current.keyword)) else { return nil }
        bareAliasAt = index
        let token = take()
        return NameSyntax(text: token.text, range: token.range)
    }

    mutating func takeNames(_ what: String) throws(SQLError) -> [NameSyntax] {
        try expect("(")
        var names: [NameSyntax] = []
        repeat { names.append(try takeName(what)) } while accept(",")
        try expect(")")
        return names
    }

    // MARK: Refusing

    /// The present token has no place here.
    func unexpected() -> SQLError {
        let asked = notedAt == index ? noted : []
        let words = asked.filter { $0.first?.isUppercase == true }
        if bareAliasAt == index - 1, index > 0, let near = nearName(to: tokens[index - 1].keyword, among: words) {
            return SQLError("unexpected \(tokens[index - 1].shown)", at: tokens[index - 1].range, expected: [near], hint: "did you mean \(near)?")
        }
        let starters = ["SELECT", "INSERT", "CREATE", "DROP", "SET", "EXPLAIN", "EXECUTE", "SHOW"]
        if asked.contains("';'"), starters.contains(current.keyword) {
            return SQLError("unexpected \(current.shown)", at: current.range, expected: ["';'"], hint: "each statement ends with ';'")
        }
        let near = current.kind == .word ? nearName(to: current.keyword, among: words) : nil
        return SQLError("unexpected \(current.shown)", at: current.range, expected: Array(asked.filter { !notOffered.contains($0) }.prefix(8)), hint: near.map { "did you mean \($0)?" })
    }

    // MARK: Bounds

    /// Call once on the way into anything that may contain itself, and `leave` on the way out.
    mutating func enter() throws(SQLError) {
        nesting += 1
        guard nesting <= Self.deepestNesting else {
            throw SQLError("nested more than \(Self.deepestNesting) levels deep", at: current.range)
        }
    }

    mutating func leave() { nesting -= 1 }

    mutating func make(_ kind: ExpressionSyntax.Kind, _ range: SourceRange) throws(SQLError) -> ExpressionSyntax {
        let expression = ExpressionSyntax(kind, range)
        try grow(to: expression.height, at: range)
        return expression
    }

    /// Notes that something in the present query reaches this height.
    mutating func grow(to height: Int, at range: SourceRange) throws(SQLError) {
        guard height <= Self.greatestHeight else {
            throw SQLError("expression of more than \(Self.greatestHeight) levels", at: range)
        }
        tallest = max(tallest, height)
    }

    /// One level more on top of everything so far in the present query: for joins and set operations.
    mutating func growByOne(at range: SourceRange) throws(SQLError) { try grow(to: tallest + 1, at: range) }

    /// What `tallest` was outside; hand it to `endQuery`.
    mutating func beginQuery() -> Int {
        defer { tallest = 0 }
        return tallest
    }

    /// The height of the query that ends here.
    mutating func endQuery(outside: Int) -> Int {
        let height = tallest + 1
        tallest = max(outside, height)
        return height
    }
}
