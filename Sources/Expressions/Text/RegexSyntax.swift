/// What a regular expression says, before it becomes a program.
///
/// The dialect is the common part of Java's: literals, `.`, classes (`[a-z]`, `[^…]`, `\d \w \s \D \W \S`), `^ $ \b \B`, groups
/// (`(…)`, `(?:…)`, `(?<name>…)`), `|`, and `* + ? {n} {n,} {n,m}` greedy or lazy (possessive ones are read as greedy), `(?i)` and
/// `(?s)` at the start. No back references and no looking around.
indirect enum RegexSyntax {
    case empty
    case character(UInt32)
    case any
    case set(CharacterSet)
    case lineStart, lineEnd
    case wordBorder(Bool)
    case group(RegexSyntax, number: Int?)
    case sequence([RegexSyntax])
    case choice([RegexSyntax])
    case repeated(RegexSyntax, atLeast: Int, atMost: Int?, lazy: Bool)

    /// Code points: bits for ASCII, ranges for the rest.
    struct CharacterSet: Sendable {
        private var low: UInt64 = 0
        private var high: UInt64 = 0
        private var ranges: [ClosedRange<UInt32>] = []
        var isNegated = false

        mutating func insert(_ range: ClosedRange<UInt32>) {
            for point in range.lowerBound...min(range.upperBound, 127) where range.lowerBound <= 127 {
                if point < 64 { low |= 1 << UInt64(point) } else { high |= 1 << UInt64(point - 64) }
            }
            if range.upperBound > 127 { ranges.append(max(range.lowerBound, 128)...range.upperBound) }
        }

        mutating func insert(_ set: CharacterSet) {
            if set.isNegated {
                for point in 0...127 as ClosedRange<UInt32> where set.contains(point) { insert(point...point) }
                ranges.append(128...0x10FFFF)
            } else {
                low |= set.low
                high |= set.high
                ranges += set.ranges
            }
        }

        @inline(__always) func contains(_ point: UInt32) -> Bool {
            let found = point < 64 ? low >> UInt64(point) & 1 != 0
                : point < 128 ? high >> UInt64(point - 64) & 1 != 0 : ranges.contains { $0.contains(point) }
            return found != isNegated
        }

        static func of(_ ranges: ClosedRange<UInt32>..., negated: Bool = false) -> CharacterSet {
            var set = CharacterSet()
            for range in ranges { set.insert(range) }
            set.isNegated = negated
            return set
        }
    }
}

/// Reads the text of a regular expression.
struct RegexParser {
    private let pattern: [UInt32]
    private var at = 0
    private(set) var groups = 0
    private(set) var ignoresCase = false
    private(set) var dotAll = false

    init(_ pattern: String) { self.pattern = pattern.unicodeScalars.map(\.value) }

    mutating func parse() throws(EvaluationError) -> RegexSyntax {
        if pattern.starts(with: "(?".unicodeScalars.map(\.value)), let end = pattern.firstIndex(of: 0x29),
            pattern[2..<end].allSatisfy({ $0 == 0x69 || $0 == 0x73 }), end > 2 {
            ignoresCase = pattern[2..<end].contains(0x69)
            dotAll = pattern[2..<end].contains(0x73)
            at = end + 1
        }
        let syntax = try choice(depth: 0)
        guard at == pattern.count else { throw wrong("unmatched )") }
        return syntax
    }

    private func wrong(_ what: String) -> EvaluationError {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: pattern.compactMap(UnicodeScalar.init))
        return EvaluationError("regular expression '\(String(text))': \(what) at character \(at + 1)")
    }

    private var next: UInt32? { at < pattern.count ? pattern[at] : nil }

    private mutating func eat(_ character: Character) -> Bool {
        guard next == character.unicodeScalars.first?.value else { return false }
        at += 1
        return true
    }

    private mutating func choice(depth: Int) throws(EvaluationError) -> RegexSyntax {
        guard depth < 100 else { throw wrong("too deep") }
        var branches = [try sequence(depth)]
        while eat("|") { branches.append(try sequence(depth)) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence(_ depth: Int) throws(EvaluationError) -> RegexSyntax {
        var parts: [RegexSyntax] = []
        while let character = next, character != 0x7C, character != 0x29 { parts.append(try quantified(try atom(depth))) }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func quantified(_ atom: RegexSyntax) throws(EvaluationError) -> RegexSyntax {
        var syntax = atom
        while let character = next {
            var bounds: (Int, Int?)
            switch character {
            case 0x2A: bounds = (0, nil)
            case 0x2B: bounds = (1, nil)
            case 0x3F: bounds = (0, 1)
            case 0x7B:
                at += 1
                guard let least = number() else { throw wrong("no number in {}") }
                bounds = (least, least)
                if eat(",") { bounds.1 = next == 0x7D ? nil : number() }
                guard next == 0x7D, least <= 1_000, bounds.1.map({ $0 >= least && $0 <= 1_000 }) ?? true else { throw wrong("malformed {}") }
            default: return syntax
            }
            at += 1
            let lazy = eat("?")
            if !lazy { _ = eat("+") }
            syntax = .repeated(syntax, atLeast: bounds.0, atMost: bounds.1, lazy: lazy)
        }
        return syntax
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let character = next, (0x30...0x39).contains(character) {
            value = min((value ?? 0) * 10 + Int(character - 0x30), 100_000)
            at += 1
        }
        return value
    }

    private mutating func atom(_ depth: Int) throws(EvaluationError) -> RegexSyntax {
        let character = pattern[at]
        at += 1
        switch character {
        case 0x2E: return .any
        case 0x5E: return .lineStart
        case 0x24: return .lineEnd
        case 0x5B: return .set(try set())
        case 0x5C: return try escape()
        case 0x28:
            var number: Int?
            if eat("?") {
                if eat("<") {
                    guard let letter = next, letter != 0x3D, letter != 0x21 else { throw wrong("looking around is not supported") }
                    while let letter = next, letter != 0x3E { at += 1 }
                    at += 1
                    groups += 1
                    number = groups
                } else if !eat(":") { throw wrong("only (?:…) and (?<name>…) are supported") }
            } else {
                groups += 1
                number = groups
            }
            let inner = try choice(depth: depth + 1)
            guard eat(")") else { throw wrong("missing )") }
            return .group(inner, number: number)
        case 0x2A, 0x2B, 0x3F: throw wrong("nothing to repeat")
        default: return literal(character)
        }
    }

    private func literal(_ character: UInt32) -> RegexSyntax {
        guard ignoresCase, let folded = RegexParser.otherCase(character) else { return .character(character) }
        return .set(.of(character...character, folded...folded))
    }

    private static func otherCase(_ character: UInt32) -> UInt32? {
        (0x41...0x5A).contains(character) || (0x61...0x7A).contains(character) ? character ^ 0x20 : nil
    }

    private mutating func escape() throws(EvaluationError) -> RegexSyntax {
        guard let character = next else { throw wrong("a single \\ at the end") }
        if character == 0x62 || character == 0x42 {
            at += 1
            return .wordBorder(character == 0x62)
        }
        if let set = try classOrPoint().0 { return .set(set) }
        return literal(lastPoint)
    }

    /// The character that `classOrPoint` read last when it was no class.
    private var lastPoint: UInt32 = 0

    /// What follows a backslash: a class, or one character.
    private mutating func classOrPoint() throws(EvaluationError) -> (RegexSyntax.CharacterSet?, UInt32) {
        guard let character = next else { throw wrong("a single \\ at the end") }
        at += 1
        lastPoint = character
        switch character {
        case 0x64, 0x44: return (.of(0x30...0x39, negated: character == 0x44), 0)
        case 0x77, 0x57: return (.of(0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A, negated: character == 0x57), 0)
        case 0x73, 0x53: return (.of(0x09...0x0D, 0x20...0x20, negated: character == 0x53), 0)
        case 0x74: lastPoint = 0x09
        case 0x6E: lastPoint = 0x0A
        case 0x72: lastPoint = 0x0D
        case 0x66: lastPoint = 0x0C
        case 0x30: lastPoint = 0
        case 0x78, 0x75:
            let width = character == 0x78 ? 2 : 4
            guard at + width <= pattern.count else { throw wrong("cut off number") }
            var value: UInt32 = 0
            for _ in 0..<width {
                guard let digit = UnicodeScalar(pattern[at]).flatMap({ Character($0).hexDigitValue }) else { throw wrong("no hexadecimal digit") }
                value = value * 16 + UInt32(digit)
                at += 1
            }
            lastPoint = value
        default:
            let isLetter = (0x41...0x5A).contains(character & ~0x20)
            if isLetter || (0x31...0x39).contains(character) { throw wrong("\\\(UnicodeScalar(character).map { String($0) } ?? "") is not supported") }
        }
        return (nil, lastPoint)
    }

    private mutating func set() throws(EvaluationError) -> RegexSyntax.CharacterSet {
        var set = RegexSyntax.CharacterSet()
        let negated = eat("^")
        var first = true
        while let character = next, character != 0x5D || first {
            first = false
            at += 1
            var low = character
            if character == 0x5B, next == 0x3A {
                set.insert(try named())
                continue
            }
            if character == 0x5C {
                let (inner, point) = try classOrPoint()
                if let inner { set.insert(inner); continue }
                low = point
            }
            var high = low
            if next == 0x2D, at + 1 < pattern.count, pattern[at + 1] != 0x5D {
                at += 1
                high = pattern[at]
                at += 1
                if high == 0x5C { high = try classOrPoint().1 }
            }
            guard low <= high else { throw wrong("a range that falls") }
            set.insert(low...high)
            if ignoresCase, high - low < 128 { for point in low...high { if let other = RegexParser.otherCase(point) { set.insert(other...other) } } }
        }
        guard eat("]") else { throw wrong("missing ]") }
        set.isNegated = negated
        return set
    }

    /// `[:ALPHA:]` and its like, of SIMILAR TO.
    private mutating func named() throws(EvaluationError) -> RegexSyntax.CharacterSet {
        at += 1
        var name = ""
        while let letter = next, letter != 0x3A, let scalar = UnicodeScalar(letter) { name.unicodeScalars.append(scalar); at += 1 }
        guard eat(":"), eat("]") else { throw wrong("missing :]") }
        switch name.uppercased() {
        case "ALPHA": return .of(0x41...0x5A, 0x61...0x7A)
        case "UPPER": return .of(0x41...0x5A)
        case "LOWER": return .of(0x61...0x7A)
        case "DIGIT": return .of(0x30...0x39)
        case "ALNUM": return .of(0x30...0x39, 0x41...0x5A, 0x61...0x7A)
        case "SPACE": return .of(0x20...0x20)
        case "WHITESPACE": return .of(0x09...0x0D, 0x20...0x20)
        default: throw wrong("no class is named \(name)")
        }
    }
}
