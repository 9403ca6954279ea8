import Hummingbird

extension Parameters {
    /// A part of the path with its percent escapes read; empty when there is none of the name or it is no UTF-8.
    func decoded(_ name: String) -> String {
        guard let text = get(name) else { return "" }
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let digit = { (byte: UInt8) in Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init) }
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%") {
                guard at + 2 < bytes.count, let high = digit(bytes[at + 1]), let low = digit(bytes[at + 2]) else { return "" }
                decoded.append(high << 4 | low)
                at += 3
            } else {
                decoded.append(bytes[at])
                at += 1
            }
        }
        return String(validating: decoded, as: UTF8.self) ?? ""
    }
}
