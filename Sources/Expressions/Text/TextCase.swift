/// Upper and lower case: ASCII byte by byte, other characters by Unicode's simple rules.
enum TextCase {
    static func upper(_ text: Text.Slice, into out: inout TextBuilder) {
        mapped(text, into: &out, ascii: { $0 &- 0x61 < 26 ? $0 ^ 0x20 : $0 }, other: { $0.properties.uppercaseMapping })
    }

    static func lower(_ text: Text.Slice, into out: inout TextBuilder) {
        mapped(text, into: &out, ascii: { $0 &- 0x41 < 26 ? $0 ^ 0x20 : $0 }, other: { $0.properties.lowercaseMapping })
    }

    /// The first letter of each word in upper case, the others in lower case; words are runs of letters and digits.
    static func capitalized(_ text: Text.Slice, into out: inout TextBuilder) {
        var at = 0, inWord = false
        while at < text.count {
            let (point, length) = Text.character(text, at)
            let scalar = UnicodeScalar(point)
            let isPart = point < 128 ? Text.isWord(UInt8(point)) && point != 0x5F : scalar?.properties.isAlphabetic ?? false
            let slice = Text.part(text, at, at + length)
            if !isPart { out.put(slice) } else if inWord { lower(slice, into: &out) } else { upper(slice, into: &out) }
            inWord = isPart
            at += length
        }
    }

    static func put(_ point: UInt32, into out: inout TextBuilder) {
        guard let scalar = UnicodeScalar(point) else { return }
        for byte in String(scalar).utf8 { out.put(byte) }
    }

    @inline(__always)
    private static func mapped(
        _ text: Text.Slice, into out: inout TextBuilder, ascii: (UInt8) -> UInt8, other: (UnicodeScalar) -> String
    ) {
        let room = out.room(text.count)
        var at = 0
        while at < text.count, text[at] < 0x80 {
            room[at] = ascii(text[at])
            at += 1
        }
        out.advance(at)
        while at < text.count {
            let (point, length) = Text.character(text, at)
            if length == 1 { out.put(point < 128 ? ascii(UInt8(point)) : text[at]) } else if let scalar = UnicodeScalar(point) {
                for byte in other(scalar).utf8 { out.put(byte) }
            } else { out.put(Text.part(text, at, at + length)) }
            at += length
        }
    }
}
