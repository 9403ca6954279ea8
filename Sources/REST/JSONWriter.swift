/// JSON text as it grows, for what an answer has hundreds of times: no values in between. (`JSON.written` takes it into an answer.)
///
/// Names need no escapes.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    /// Something stands before what comes next, on the same level.
    private var isBehind = false

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func array<Element>(_ elements: some Sequence<Element>, _ write: (inout JSONWriter, Element) -> Void) {
        nested("[", "]") { out in
            for element in elements { out.object { write(&$0, element) } }
        }
    }

    mutating func object(_ members: (inout JSONWriter) -> Void) { nested("{", "}", members) }

    mutating func member(_ name: StaticString, _ number: Int64) {
        begin(name)
        bytes.append(digitsOf: number)
    }

    mutating func member(_ name: StaticString, _ flag: Bool) {
        begin(name)
        bytes += flag ? "true".utf8 : "false".utf8
    }

    mutating func member(_ name: StaticString, _ text: String) {
        begin(name)
        bytes.append(quoted: text)
    }

    mutating func member(_ name: StaticString, _ members: (inout JSONWriter) -> Void) {
        begin(name)
        isBehind = false
        object(members)
    }

    private mutating func begin(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func nested(_ first: Unicode.Scalar, _ last: Unicode.Scalar, _ write: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(UInt8(ascii: first))
        isBehind = false
        write(&self)
        bytes.append(UInt8(ascii: last))
        isBehind = true
    }

    private mutating func separate() {
        if isBehind { bytes.append(UInt8(ascii: ",")) }
        isBehind = true
    }
}

extension [UInt8] {
    mutating func append(digitsOf number: Int64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var first = digits.count
            var rest = number.magnitude
            repeat {
                first -= 1
                digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                first -= 1
                digits[first] = UInt8(ascii: "-")
            }
            self += UnsafeBufferPointer(rebasing: digits[first...])
        }
    }

    /// Also `<`, `>` and `&`, so that nothing in an answer runs when somebody puts it into a page.
    mutating func append(quoted text: String) {
        func isPlain(_ byte: UInt8) -> Bool {
            byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">") && byte != UInt8(ascii: "&")
        }
        append(UInt8(ascii: "\""))
        // Nearly every text needs nothing, and answers are mostly texts.
        var text = text
        let isDone = text.withUTF8 { bytes in
            for byte in bytes where !isPlain(byte) { return false }
            append(contentsOf: bytes)
            return true
        }
        if !isDone {
            for byte in text.utf8 {
                switch byte {
                case UInt8(ascii: "\""): self += "\\\"".utf8
                case UInt8(ascii: "\\"): self += "\\\\".utf8
                case UInt8(ascii: "\n"): self += "\\n".utf8
                case UInt8(ascii: "\r"): self += "\\r".utf8
                case UInt8(ascii: "\t"): self += "\\t".utf8
                case _ where isPlain(byte): append(byte)
                default: self += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
                }
            }
        }
        append(UInt8(ascii: "\""))
    }
}
