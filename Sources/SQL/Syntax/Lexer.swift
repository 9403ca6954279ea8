/// Cuts a script into tokens. Comments and white space vanish; `/*+ … */` hints stay.
struct Lexer {
    private let bytes: [UInt8]
    private var position = 0
    private var insideHint = false
    private var tokens: [Token] = []

    /// Ends with a token of kind `.end`. Throws for an unclosed string, name or comment and for characters that begin no token.
    static func tokens(of script: String) throws(SQLError) -> [Token] {
        guard script.utf8.count <= ScriptLimits.bytes else {
            throw SQLError("a script has at most \(ScriptLimits.bytes >> 20) MiB", at: SourceRange(ScriptLimits.bytes, ScriptLimits.bytes))
        }
        var lexer = Lexer(script)
        while try lexer.scanToken() {
            guard lexer.tokens.count <= ScriptLimits.words else {
                throw SQLError(
                    "a script has at most \(ScriptLimits.words) words and signs", at: lexer.tokens[ScriptLimits.words].range,
                    hint: "put rows into a file and read it as a table")
            }
        }
        return lexer.tokens
    }

    private init(_ script: String) { bytes = Array(script.utf8) }

    private func byte(_ ahead: Int = 0) -> UInt8 { position + ahead < bytes.count ? bytes[position + ahead] : 0 }

    /// Returns false after the end token.
    private mutating func scanToken() throws(SQLError) -> Bool {
        try skipSpaceAndComments()
        let start = position
        guard start < bytes.count else {
            add(.end, "", from: start)
            return false
        }
        switch byte() {
        case UInt8(ascii: "'"): add(.string, try quoted(by: UInt8(ascii: "'"), what: "string"), from: start)
        case UInt8(ascii: "`"): try scanQuotedName(start)
        case UInt8(ascii: "\""):
            throw SQLError("unexpected '\"'", at: SourceRange(start, start + 1), hint: "names are quoted with backticks, strings with '…'")
        case UInt8(ascii: "x") where byte(1) == UInt8(ascii: "'"), UInt8(ascii: "X") where byte(1) == UInt8(ascii: "'"): try scanHexString(start)
        case UInt8(ascii: "u") where unicodeStringFollows, UInt8(ascii: "U") where unicodeStringFollows: try scanUnicodeString(start)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): try scanNumber(start)
        case UInt8(ascii: ".") where isDigit(byte(1)): try scanNumber(start)
        case let first where isNameStart(first): scanWord(start)
        default: try scanSymbol(start)
        }
        return true
    }

    private mutating func add(_ kind: Token.Kind, _ text: String, from start: Int) {
        let keyword = switch kind {
        case .word: text.uppercased()
        case .symbol: text
        case .quotedName, .number, .string, .hexString, .hintStart, .hintEnd, .end: ""
        }
        tokens.append(Token(kind: kind, text: text, keyword: keyword, range: SourceRange(start, position)))
    }

    private mutating func skipSpaceAndComments() throws(SQLError) {
        while position < bytes.count {
            switch byte() {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0C: position += 1
            case UInt8(ascii: "-") where byte(1) == UInt8(ascii: "-"):
                while position < bytes.count, byte() != UInt8(ascii: "\n") { position += 1 }
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*") && byte(2) != UInt8(ascii: "+"):
                let start = position
                position += 2
                while position < bytes.count, !(byte() == UInt8(ascii: "*") && byte(1) == UInt8(ascii: "/")) { position += 1 }
                guard position < bytes.count else {
                    throw SQLError("comment is not closed", at: SourceRange(start, start + 2), expected: ["'*/'"])
                }
                position += 2
            case 0xC2 where byte(1) == 0xA0: position += 2  // No-break space, as pasted from web pages.
            case 0xEF where byte(1) == 0xBB && byte(2) == 0xBF && position == 0: position += 3  // Byte order mark.
            default: return
            }
        }
    }

    /// The value between two quotes, a doubled quote standing for one.
    private mutating func quoted(by quote: UInt8, what: String) throws(SQLError) -> String {
        let start = position
        var value: [UInt8] = []
        position += 1
        while position < bytes.count {
            if byte() == quote {
                position += 1
                guard byte() == quote, position < bytes.count else { return String(decoding: value, as: UTF8.self) }
            }
            value.append(byte())
            position += 1
        }
        throw SQLError("\(what) is not closed", at: SourceRange(start, start + 1), expected: [quote == UInt8(ascii: "'") ? "a closing '" : "a closing `"])
    }

    private mutating func scanQuotedName(_ start: Int) throws(SQLError) {
        let name = try quoted(by: UInt8(ascii: "`"), what: "name")
        guard !name.isEmpty else { throw SQLError("a name must not be empty", at: SourceRange(start, position)) }
        add(.quotedName, name, from: start)
    }

    private mutating func scanHexString(_ start: Int) throws(SQLError) {
        position += 1
        let digits = try quoted(by: UInt8(ascii: "'"), what: "binary string")
        guard digits.utf8.allSatisfy({ hexValue($0) != nil }), digits.utf8.count.isMultiple(of: 2) else {
            throw SQLError("a binary string holds an even number of hexadecimal digits", at: SourceRange(start, position))
        }
        add(.hexString, digits, from: start)
    }

    private var unicodeStringFollows: Bool { byte(1) == UInt8(ascii: "&") && byte(2) == UInt8(ascii: "'") }

    /// `U&'…'`: `\hhhh` is a UTF-16 unit, `\+hhhhhh` a code point, `\\` a backslash.
    private mutating func scanUnicodeString(_ start: Int) throws(SQLError) {
        position += 2
        let raw = Array(try quoted(by: UInt8(ascii: "'"), what: "string").unicodeScalars)
        var units: [UInt16] = []
        var index = 0
        while index < raw.count {
            guard raw[index] == "\\" else {
                units.append(contentsOf: String(raw[index]).utf16)
                index += 1
                continue
            }
            if index + 1 < raw.count, raw[index + 1] == "\\" {
                units.append(UInt16(UInt8(ascii: "\\")))
                index += 2
                continue
            }
            let long = index + 1 < raw.count && raw[index + 1] == "+"
            let from = index + (long ? 2 : 1), to = from + (long ? 6 : 4)
            var code: UInt32 = 0
            for position in from..<to {
                guard position < raw.count, raw[position].isASCII, let digit = hexValue(UInt8(raw[position].value)) else {
                    throw SQLError("\\ in a U& string is followed by 4 hexadecimal digits, or by + and 6", at: SourceRange(start, self.position))
                }
                code = code * 16 + UInt32(digit)
            }
            if !long { units.append(UInt16(code)) } else if let scalar = Unicode.Scalar(code) { units.append(contentsOf: String(scalar).utf16) } else {
                throw SQLError("\\+\(String(code, radix: 16)) is no character", at: SourceRange(start, position))
            }
            index = to
        }
        add(.string, String(decoding: units, as: UTF16.self), from: start)
    }

    private mutating func scanNumber(_ start: Int) throws(SQLError) {
        skipDigits()
        if byte() == UInt8(ascii: "."), byte(1) != UInt8(ascii: ".") {
            position += 1
            skipDigits()
        }
        if byte() | 0x20 == UInt8(ascii: "e"), isDigit(byte(1)) || ((byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-")) && isDigit(byte(2))) {
            position += 2
            skipDigits()
        }
        let end = position
        while position < bytes.count, isNamePart(byte()) { position += 1 }
        guard position == end else {
            throw SQLError(
                "'\(text(start))' is neither a number nor a name", at: SourceRange(start, position),
                hint: "put a name that begins with a digit in backticks")
        }
        add(.number, text(start), from: start)
    }

    private mutating func skipDigits() { while isDigit(byte()) { position += 1 } }

    private mutating func scanWord(_ start: Int) {
        while position < bytes.count, isNamePart(byte()) { position += 1 }
        add(.word, text(start), from: start)
    }

    private func text(_ start: Int) -> String { String(decoding: bytes[start..<position], as: UTF8.self) }

    private mutating func scanSymbol(_ start: Int) throws(SQLError) {
        if byte() == UInt8(ascii: "/"), byte(1) == UInt8(ascii: "*"), byte(2) == UInt8(ascii: "+") {
            position += 3
            insideHint = true
            return add(.hintStart, "/*+", from: start)
        }
        if insideHint, byte() == UInt8(ascii: "*"), byte(1) == UInt8(ascii: "/") {
            position += 2
            insideHint = false
            return add(.hintEnd, "*/", from: start)
        }
        let pair = [byte(), byte(1)]
        if Self.pairs.contains(where: { $0 == pair }) {
            position += 2
            return add(.symbol, text(start), from: start)
        }
        guard Self.singles.contains(byte()) else { throw unknownCharacter(start) }
        position += 1
        add(.symbol, text(start), from: start)
    }

    private static let pairs: [[UInt8]] = ["<>", "<=", ">=", "!=", "||", "=>"].map { Array($0.utf8) }
    private static let singles: [UInt8] = Array("()[]{},;.+-*/%=<>?:".utf8)

    private func unknownCharacter(_ start: Int) -> SQLError {
        let character = String(decoding: bytes[start..<min(bytes.count, start + 4)], as: UTF8.self).first.map(String.init) ?? "?"
        return SQLError("unexpected character '\(character)'", at: SourceRange(start, start + 1))
    }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

/// Every non-ASCII letter counts as part of a name: scripts name columns in their own language.
private func isNameStart(_ byte: UInt8) -> Bool {
    (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")) || byte == UInt8(ascii: "_") || byte >= 0x80
}

private func isNamePart(_ byte: UInt8) -> Bool { isNameStart(byte) || isDigit(byte) || byte == UInt8(ascii: "$") }

/// The value of a hexadecimal digit, or nil.
func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
