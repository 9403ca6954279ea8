import Glibc

/// A pattern of LIKE: `%` any run of characters, `_` one character; an escape character makes the next one stand for itself.
struct LikePattern: Sendable {
    private enum Shape { case exact, prefix, suffix, contains, general }

    private enum Part { case text([UInt8]), one, run }

    private let parts: [Part]
    private let shape: Shape
    /// The text of all shapes but the general one.
    private let text: [UInt8]

    init(_ pattern: Text.Slice, escape: UInt8?) throws(EvaluationError) {
        var parts: [Part] = [], literal: [UInt8] = []
        func flush() {
            if !literal.isEmpty { parts.append(.text(literal)) }
            literal = []
        }
        var at = 0
        while at < pattern.count {
            let byte = pattern[at]
            if byte == escape {
                at += 1
                guard at < pattern.count, pattern[at] == 0x25 || pattern[at] == 0x5F || pattern[at] == escape else {
                    throw EvaluationError("Invalid escape sequence '\(String(decoding: pattern, as: UTF8.self))'")
                }
                literal.append(pattern[at])
            } else if byte == 0x25 {
                flush()
                if case .run? = parts.last {} else { parts.append(.run) }
            } else if byte == 0x5F {
                flush()
                parts.append(.one)
            } else { literal.append(byte) }
            at += 1
        }
        flush()
        self.parts = parts
        switch parts.count {
        case 0: (shape, text) = (.exact, [])
        case 1:
            if case .text(let only) = parts[0] { (shape, text) = (.exact, only) } else if case .run = parts[0] { (shape, text) = (.prefix, []) } else {
                (shape, text) = (.general, [])
            }
        case 2:
            if case .text(let head) = parts[0], case .run = parts[1] { (shape, text) = (.prefix, head) }
            else if case .run = parts[0], case .text(let tail) = parts[1] { (shape, text) = (.suffix, tail) } else { (shape, text) = (.general, []) }
        case 3:
            if case .run = parts[0], case .text(let inner) = parts[1], case .run = parts[2] { (shape, text) = (.contains, inner) } else {
                (shape, text) = (.general, [])
            }
        default: (shape, text) = (.general, [])
        }
    }

    func matches(_ value: Text.Slice) -> Bool {
        text.withUnsafeBufferPointer { text in
            switch shape {
            case .exact: value.count == text.count && LikePattern.lies(text, in: value, at: 0)
            case .prefix: LikePattern.lies(text, in: value, at: 0)
            case .suffix: LikePattern.lies(text, in: value, at: value.count - text.count)
            case .contains: Text.find(text, in: value, from: 0) != nil
            case .general: general(value)
            }
        }
    }

    private static func lies(_ text: Text.Slice, in value: Text.Slice, at: Int) -> Bool {
        guard at >= 0, at + text.count <= value.count else { return false }
        guard let start = text.baseAddress, let from = value.baseAddress else { return text.count == 0 }
        return memcmp(from + at, start, text.count) == 0
    }

    /// Left to right; after a mismatch the last run takes one character more.
    private func general(_ value: Text.Slice) -> Bool {
        var at = 0, part = 0
        var resumePart = -1, resumeAt = 0
        while true {
            var advanced = false
            if part < parts.count {
                switch parts[part] {
                case .run:
                    resumePart = part + 1
                    resumeAt = at
                    part += 1
                    continue
                case .one:
                    if at < value.count {
                        at = min(at + Text.width(value[at]), value.count)
                        part += 1
                        advanced = true
                    }
                case .text(let text):
                    if text.withUnsafeBufferPointer({ LikePattern.lies($0, in: value, at: at) }) {
                        at += text.count
                        part += 1
                        advanced = true
                    }
                }
            } else if at == value.count { return true }
            if advanced { continue }
            guard resumePart >= 0, resumeAt < value.count else { return false }
            resumeAt = min(resumeAt + Text.width(value[resumeAt]), value.count)
            at = resumeAt
            part = resumePart
        }
    }
}

extension Text {
    /// Where `text` first lies at or after `from`. An empty text lies everywhere.
    static func find(_ text: Slice, in value: Slice, from: Int) -> Int? {
        guard from <= value.count, text.count <= value.count - from else { return nil }
        guard text.count > 0, let start = value.baseAddress, let wanted = text.baseAddress else { return from }
        var at = from
        let last = value.count - text.count
        while at <= last, let found = memchr(start + at, Int32(wanted[0]), last - at + 1) {
            at = UnsafeRawPointer(found) - UnsafeRawPointer(start)
            if memcmp(start + at, wanted, text.count) == 0 { return at }
            at += 1
        }
        return nil
    }
}
