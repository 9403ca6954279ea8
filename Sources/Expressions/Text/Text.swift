/// UTF-8 in raw memory. Malformed bytes count as one character each, and nothing reads past the end.
enum Text {
    typealias Slice = UnsafeBufferPointer<UInt8>

    /// Bytes of the character that starts with this byte.
    @inline(__always) static func width(_ first: UInt8) -> Int {
        first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    }

    /// Characters (code points).
    static func length(_ text: Slice) -> Int {
        var count = 0
        for byte in text where byte & 0xC0 != 0x80 { count += 1 }
        return count
    }

    /// Characters as Java counts them, in UTF-16 units: those past U+FFFF are two. At least 1 for any text but the empty one.
    static func units(_ text: Slice) -> Int {
        var count = 0, at = 0
        while at < text.count {
            count += text[at] >= 0xF0 ? 2 : 1
            at += width(text[at])
        }
        return count
    }

    /// The longest start of at most so many UTF-16 units.
    static func prefix(_ text: Slice, units: Int) -> Slice {
        var left = units, at = 0
        while at < text.count {
            left -= text[at] >= 0xF0 ? 2 : 1
            if left < 0 { break }
            at = min(at + width(text[at]), text.count)
        }
        return part(text, 0, at)
    }

    /// Where the character of this number starts; the end when there are fewer.
    static func place(ofCharacter number: Int, in text: Slice) -> Int {
        var at = 0, left = number
        while left > 0, at < text.count {
            at = min(at + width(text[at]), text.count)
            left -= 1
        }
        return at
    }

    static func part(_ text: Slice, _ from: Int, _ to: Int) -> Slice { Slice(rebasing: text[from..<to]) }

    /// Without the blanks (and control characters) at both ends, as Java's `trim`.
    static func trimmed(_ text: Slice) -> Slice {
        var from = 0, to = text.count
        while from < to, text[from] <= 0x20 { from += 1 }
        while to > from, text[to - 1] <= 0x20 { to -= 1 }
        return part(text, from, to)
    }
}
