/// A regular expression over UTF-8 (dialect: `RegexSyntax`). The first match from the left, earlier branches first, as in Java.
///
/// Tries states depth first and never the same state at the same place twice, so its time is bounded by pattern times text.
struct Regex: Sendable {
    enum Step: Sendable {
        case byte(UInt8)
        case any
        case set(RegexSyntax.CharacterSet)
        case lineStart, lineEnd
        case wordBorder(Bool)
        /// Tries the first target before the second.
        case split(Int, Int)
        case jump(Int)
        case save(Int)
        case accept
    }

    private var steps: [Step] = []
    private var dotAll: Bool
    /// Groups in parentheses, without the whole match.
    let groups: Int
    /// The whole text must match.
    private let isWhole: Bool
    /// A text that every match contains; for a quick look whether there can be one.
    private var needle: [UInt8] = []

    init(_ pattern: String, whole: Bool = false, dotAll: Bool = false) throws(EvaluationError) {
        var parser = RegexParser(pattern)
        let syntax = try parser.parse()
        groups = parser.groups
        isWhole = whole
        self.dotAll = dotAll || parser.dotAll
        try emit(syntax)
        steps.append(.accept)
        findNeedle(syntax)
    }

    private mutating func emit(_ syntax: RegexSyntax) throws(EvaluationError) {
        guard steps.count < 20_000 else { throw EvaluationError("the regular expression is too long") }
        switch syntax {
        case .empty: break
        case .character(let point): for byte in Regex.bytes(point) { steps.append(.byte(byte)) }
        case .any: steps.append(.any)
        case .set(let set): steps.append(.set(set))
        case .lineStart: steps.append(.lineStart)
        case .lineEnd: steps.append(.lineEnd)
        case .wordBorder(let wanted): steps.append(.wordBorder(wanted))
        case .group(let inner, let number):
            if let number { steps.append(.save(number * 2)) }
            try emit(inner)
            if let number { steps.append(.save(number * 2 + 1)) }
        case .sequence(let parts): for part in parts { try emit(part) }
        case .choice(let branches):
            var jumps: [Int] = []
            for (index, branch) in branches.enumerated() {
                guard index + 1 < branches.count else { try emit(branch); break }
                let split = steps.count
                steps.append(.accept)
                try emit(branch)
                jumps.append(steps.count)
                steps.append(.accept)
                steps[split] = .split(split + 1, steps.count)
            }
            for jump in jumps { steps[jump] = .jump(steps.count) }
        case .repeated(let inner, let least, let most, let lazy):
            for _ in 0..<least { try emit(inner) }
            guard let most else {
                let split = steps.count
                steps.append(.accept)
                try emit(inner)
                steps.append(.jump(split))
                steps[split] = lazy ? .split(steps.count, split + 1) : .split(split + 1, steps.count)
                return
            }
            var splits: [Int] = []
            for _ in least..<max(least, most) {
                splits.append(steps.count)
                steps.append(.accept)
                try emit(inner)
            }
            for split in splits { steps[split] = lazy ? .split(steps.count, split + 1) : .split(split + 1, steps.count) }
        }
    }

    private static func bytes(_ point: UInt32) -> [UInt8] { UnicodeScalar(point).map { Array(String($0).utf8) } ?? [] }

    /// The longest run of plain characters at the top of the pattern.
    private mutating func findNeedle(_ syntax: RegexSyntax) {
        let parts: [RegexSyntax] = if case .sequence(let parts) = syntax { parts } else { [syntax] }
        var run: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if case .character(let point) = part {
                run += Regex.bytes(point)
                if index + 1 < parts.count { continue }
            }
            if run.count > needle.count { needle = run }
            run = []
        }
    }

    /// Working memory of searches; one for a batch.
    struct Scratch {
        fileprivate var visited: [UInt64] = []
        fileprivate var stack: [(step: Int, at: Int)] = []
        /// Byte ranges of the whole match (0, 1) and of the groups; −1 where a group took no part.
        fileprivate(set) var captures: [Int] = []

        init() {}

        func range(_ group: Int) -> Range<Int>? {
            guard captures[group * 2] >= 0, captures[group * 2 + 1] >= 0 else { return nil }
            return captures[group * 2]..<captures[group * 2 + 1]
        }
    }

    /// Looks for the first match at or after `from`; its groups are in `scratch` then.
    func search(_ text: Text.Slice, from: Int = 0, _ scratch: inout Scratch) -> Bool {
        if !needle.isEmpty, needle.withUnsafeBufferPointer({ Text.find($0, in: text, from: from) }) == nil { return false }
        let words = (steps.count * (text.count + 1) + 63) >> 6
        if scratch.visited.count < words { scratch.visited = Array(repeating: 0, count: words) } else {
            for word in 0..<words { scratch.visited[word] = 0 }
        }
        var start = from
        while start <= text.count {
            if run(text, start, &scratch) { return true }
            if isWhole || start == text.count { return false }
            start = min(start + Text.width(text[start]), text.count)
        }
        return false
    }

    private func run(_ text: Text.Slice, _ start: Int, _ scratch: inout Scratch) -> Bool {
        scratch.captures.removeAll(keepingCapacity: true)
        for _ in 0..<(groups + 1) * 2 { scratch.captures.append(-1) }
        scratch.stack.removeAll(keepingCapacity: true)
        scratch.stack.append((0, start))
        let width = text.count + 1
        while let job = scratch.stack.popLast() {
            var (step, at) = job
            if step < 0 {
                // Puts back a group's border that a failed attempt had moved.
                scratch.captures[-step - 1] = at
                continue
            }
            follow: while true {
                let bit = step * width + at
                if scratch.visited[bit >> 6] >> UInt64(bit & 63) & 1 != 0 { break }
                scratch.visited[bit >> 6] |= 1 << UInt64(bit & 63)
                switch steps[step] {
                case .byte(let byte):
                    guard at < text.count, text[at] == byte else { break follow }
                    at += 1
                case .any:
                    guard at < text.count, dotAll || text[at] != 0x0A && text[at] != 0x0D else { break follow }
                    at = min(at + Text.width(text[at]), text.count)
                case .set(let set):
                    guard at < text.count else { break follow }
                    let (point, length) = Text.character(text, at)
                    guard set.contains(point) else { break follow }
                    at += length
                case .lineStart: guard at == 0 else { break follow }
                case .lineEnd:
                    guard at == text.count || (at == text.count - 1 && text[at] == 0x0A) else { break follow }
                case .wordBorder(let wanted):
                    let before = at > 0 && Text.isWord(text[at - 1]), after = at < text.count && Text.isWord(text[at])
                    guard (before != after) == wanted else { break follow }
                case .split(let first, let second):
                    scratch.stack.append((second, at))
                    step = first
                    continue follow
                case .jump(let target):
                    step = target
                    continue follow
                case .save(let slot):
                    scratch.stack.append((-slot - 1, scratch.captures[slot]))
                    scratch.captures[slot] = at
                case .accept:
                    guard !isWhole || at == text.count else { break follow }
                    scratch.captures[0] = start
                    scratch.captures[1] = at
                    return true
                }
                step += 1
            }
        }
        return false
    }
}

extension Text {
    static func isWord(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == 0x5F
    }

    /// The code point at a place, and its bytes. Malformed bytes are code points of their own.
    @inline(__always) static func character(_ text: Slice, _ at: Int) -> (UInt32, Int) {
        let first = text[at]
        let length = width(first)
        if first < 0x80 || at + length > text.count || length == 1 { return (UInt32(first), 1) }
        var point = UInt32(first) & (0x7F >> UInt32(length))
        for offset in 1..<length { point = point << 6 | UInt32(text[at + offset] & 0x3F) }
        return (point, length)
    }
}

extension Regex {
    /// SIMILAR TO as a regular expression over the whole text: `%` and `_` are its wildcards, `.` `^` `$` and `\` plain characters.
    static func similar(_ pattern: String, escape: Character?) throws(EvaluationError) -> Regex {
        var translated = "", inSet = false
        var rest = Array(pattern)[...]
        while let character = rest.popFirst() {
            if character == escape {
                guard let next = rest.popFirst() else { throw EvaluationError("Invalid escape sequence '\(pattern)'") }
                translated += next.isLetter || next.isNumber ? String(next) : "\\\(next)"
                continue
            }
            switch character {
            case "[": inSet = true; translated.append(character)
            case "]": inSet = false; translated.append(character)
            case "%" where !inSet: translated += ".*"
            case "_" where !inSet: translated += "."
            case "\\": translated += "\\\\"
            case ".", "$", "^": translated += inSet ? String(character) : "\\\(character)"
            default: translated.append(character)
            }
        }
        return try Regex(translated, whole: true, dotAll: true)
    }
}
