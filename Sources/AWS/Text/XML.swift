/// One element of a small XML document: no namespaces, no attributes, no DTDs; text is that of the element itself, without that of its children.
package struct XML: Hashable, Sendable {
    package let name: String
    package private(set) var text = ""
    package private(set) var children: [XML] = []

    package func first(_ name: String) -> XML? { children.first { $0.name == name } }
    package func all(_ name: String) -> [XML] { children.filter { $0.name == name } }
    /// The text of the first child of this name; nil when there is none.
    package func text(_ name: String) -> String? { first(name)?.text }

    /// The root. Nil when the bytes are not well-formed, nest deeper than 64, or hold a DTD.
    package static func parse(_ bytes: [UInt8]) -> XML? {
        var parser = Parser(bytes: bytes)
        return parser.document()
    }

    /// For text between tags.
    package static func escape(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "\r": out += "&#13;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private struct Parser {
        let bytes: [UInt8]
        var position = 0

        mutating func document() -> XML? {
            guard skipMisc(), let root = element(depth: 0), skipMisc(), position == bytes.count else { return nil }
            return root
        }

        /// Space, declarations and comments between elements.
        private mutating func skipMisc() -> Bool {
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]), position == 0 { position = 3 }
            while true {
                while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
                if looking(at: "<?") {
                    guard skip(through: "?>") else { return false }
                } else if looking(at: "<!--") {
                    guard skip(through: "-->") else { return false }
                } else {
                    return true
                }
            }
        }

        private func looking(at word: String) -> Bool { bytes[position...].starts(with: word.utf8) }

        private mutating func skip(through word: String) -> Bool {
            while position < bytes.count {
                if looking(at: word) {
                    position += word.utf8.count
                    return true
                }
                position += 1
            }
            return false
        }

        private mutating func element(depth: Int) -> XML? {
            guard depth < 64, looking(at: "<") else { return nil }
            position += 1
            guard let name = tagName() else { return nil }
            // Attributes are passed over; their quotes may hold a `>`.
            var quote: UInt8?
            while position < bytes.count {
                let byte = bytes[position]
                if let open = quote {
                    if byte == open { quote = nil }
                } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                    quote = byte
                } else if byte == UInt8(ascii: ">") {
                    break
                }
                position += 1
            }
            guard position < bytes.count else { return nil }
            position += 1
            var element = XML(name: name)
            if bytes[position - 2] == UInt8(ascii: "/") { return element }
            return content(of: &element, depth: depth) ? element : nil
        }

        private mutating func tagName() -> String? {
            let start = position
            while position < bytes.count, !" \t\r\n/>".utf8.contains(bytes[position]) { position += 1 }
            let name = String(decoding: bytes[start..<position], as: UTF8.self)
            return name.isEmpty || name.hasPrefix("!") ? nil : name.split(separator: ":").last.map(String.init)
        }

        /// Up to and including the closing tag.
        private mutating func content(of element: inout XML, depth: Int) -> Bool {
            var text: [UInt8] = []
            while position < bytes.count {
                if looking(at: "</") {
                    position += 2
                    guard tagName() == element.name, skip(through: ">") else { return false }
                    element.text = String(decoding: text, as: UTF8.self)
                    return true
                } else if looking(at: "<!--") {
                    guard skip(through: "-->") else { return false }
                } else if looking(at: "<![CDATA[") {
                    let start = position + 9
                    guard skip(through: "]]>") else { return false }
                    text += bytes[start..<(position - 3)]
                } else if looking(at: "<?") {
                    guard skip(through: "?>") else { return false }
                } else if looking(at: "<") {
                    guard let child = self.element(depth: depth + 1) else { return false }
                    element.children.append(child)
                } else if looking(at: "&") {
                    guard let scalar = entity() else { return false }
                    text += Array(String(scalar).utf8)
                } else {
                    text.append(bytes[position])
                    position += 1
                }
            }
            return false
        }

        private mutating func entity() -> Character? {
            guard let end = bytes[position...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else { return nil }
            let name = String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
            position = end + 1
            switch name {
            case "amp": return "&"
            case "lt": return "<"
            case "gt": return ">"
            case "quot": return "\""
            case "apos": return "'"
            default:
                guard name.hasPrefix("#") else { return nil }
                let number = name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : UInt32(name.dropFirst())
                return number.flatMap { Unicode.Scalar($0) }.map { Character($0) }
            }
        }
    }
}
