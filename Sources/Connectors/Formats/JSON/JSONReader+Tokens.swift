import CKernels
import Glibc

/// Passing over JSON text, with all of its grammar checked.
extension JSONReader {
    /// Objects and lists inside each other at most; Jackson's limit.
    static let maximumDepth = 1_000

    @inline(__always)
    func skipSpace(_ begin: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        var at = begin
        while at[0] == 0x20 || at[0] == 0x09 || at[0] == 0x0D { at += 1 }
        return at
    }

    /// The content of a string that begins at a quote: the text itself, or `scratch` when it has escapes.
    func readString(_ begin: UnsafePointer<UInt8>) -> (text: UnsafePointer<UInt8>, count: Int, next: UnsafePointer<UInt8>)? {
        var at = begin + 1
        while true {
            let length = Int(ck_string_stop16(at))
            at += length
            if length == 16 { continue }
            if at[0] == 0x22 { return (begin + 1, at - begin - 1, at + 1) }
            break
        }
        guard let next = unescape(begin + 1, upTo: at) else { return nil }
        return (UnsafePointer(scratch.pointer), scratch.count, next)
    }

    func skipString(_ begin: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        var at = begin + 1
        while true {
            let length = Int(ck_string_stop16(at))
            at += length
            if length == 16 { continue }
            if at[0] == 0x22 { return at + 1 }
            guard at[0] == 0x5C else { return fail(at, controlMessage(at[0])) }
            if at[1] == 0x75 {
                guard hexUnit(at + 2) != nil else { return fail(at, "\\u needs four hex digits") }
                at += 6
            } else {
                guard simpleEscape(at[1]) != nil else { return fail(at, "unknown escape") }
                at += 2
            }
        }
    }

    /// One value of any kind, passed over.
    func skipValue(_ begin: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        switch begin[0] {
        case 0x22: return skipString(begin)
        case 0x7B, 0x5B: return skipContainer(begin)
        case 0x74: return word(begin, "true")
        case 0x66: return word(begin, "false")
        case 0x6E: return word(begin, "null")
        default: return skipNumber(begin)
        }
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
    func skipNumber(_ begin: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        var at = begin[0] == 0x2D ? begin + 1 : begin
        guard isDigit(at[0]) else { return fail(begin, "expected a value") }
        if at[0] == 0x30 {
            at += 1
            if isDigit(at[0]) { return fail(begin, "a number does not begin with 0 and another digit") }
        } else {
            while isDigit(at[0]) { at += 1 }
        }
        if at[0] == 0x2E {
            at += 1
            guard isDigit(at[0]) else { return fail(at, "expected a digit behind '.'") }
            while isDigit(at[0]) { at += 1 }
        }
        if at[0] | 0x20 == 0x65 {
            at += 1
            if at[0] == 0x2B || at[0] == 0x2D { at += 1 }
            guard isDigit(at[0]) else { return fail(at, "expected the digits of an exponent") }
            while isDigit(at[0]) { at += 1 }
        }
        return at
    }

    @inline(__always) func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    func word(_ begin: UnsafePointer<UInt8>, _ text: StaticString) -> UnsafePointer<UInt8>? {
        // The newline that ends the line is in no word, so the comparison stops before the line's end is passed.
        for index in 0..<text.utf8CodeUnitCount where begin[index] != text.utf8Start[index] {
            return fail(begin, "expected a value")
        }
        return begin + text.utf8CodeUnitCount
    }

    /// An object or list and all that is in it. One bit a level tells which of them it is.
    private func skipContainer(_ begin: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        withUnsafeTemporaryAllocation(of: Bool.self, capacity: JSONReader.maximumDepth) { isObject in
            var depth = 0
            var at = begin
            value: while true {
                if at[0] == 0x7B || at[0] == 0x5B {
                    guard depth < JSONReader.maximumDepth else { return fail(at, "more than \(JSONReader.maximumDepth) levels") }
                    isObject[depth] = at[0] == 0x7B
                    depth += 1
                    at = skipSpace(at + 1)
                    if at[0] != (isObject[depth - 1] ? 0x7D : 0x5D) {
                        if isObject[depth - 1] {
                            guard let next = skipKey(at) else { return nil }
                            at = next
                        }
                        continue value
                    }
                    at += 1
                    depth -= 1
                } else {
                    guard let next = skipValue(at) else { return nil }
                    at = next
                }
                while depth > 0 {
                    at = skipSpace(at)
                    let inObject = isObject[depth - 1]
                    if at[0] == 0x2C {
                        at = skipSpace(at + 1)
                        if inObject {
                            guard let next = skipKey(at) else { return nil }
                            at = next
                        }
                        continue value
                    }
                    guard at[0] == (inObject ? 0x7D : 0x5D) else {
                        return fail(at, inObject ? "expected ',' or '}'" : "expected ',' or ']'")
                    }
                    at += 1
                    depth -= 1
                }
                return at
            }
        }
    }

    private func skipKey(_ begin: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        guard begin[0] == 0x22 else { return fail(begin, "expected a key in double quotes") }
        guard let next = skipString(begin) else { return nil }
        let at = skipSpace(next)
        guard at[0] == 0x3A else { return fail(at, "expected ':' behind a key") }
        return skipSpace(at + 1)
    }

    func controlMessage(_ byte: UInt8) -> String {
        byte == 0x0A ? "the line ends inside a string" : "a control character in a string must be escaped"
    }
}
