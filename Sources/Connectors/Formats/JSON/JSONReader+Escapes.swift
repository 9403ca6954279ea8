import CKernels

/// Strings with escapes. Half a surrogate pair becomes `?`, as where Java turns it into bytes.
extension JSONReader {
    /// Decodes the string whose content begins at `begin` into `scratch`; up to `plain` it has no escape. Returns what follows the
    /// closing quote.
    func unescape(_ begin: UnsafePointer<UInt8>, upTo plain: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        scratch.count = 0
        scratch.append(begin, plain - begin)
        var at = plain
        while true {
            let length = Int(ck_string_stop16(at))
            if length > 0 {
                scratch.append(at, length)
                at += length
                continue
            }
            switch at[0] {
            case 0x22: return at + 1
            case 0x5C:
                if at[1] != 0x75 {
                    guard let byte = simpleEscape(at[1]) else { return fail(at, "unknown escape") }
                    scratch.append(byte)
                    at += 2
                    continue
                }
                guard let unit = hexUnit(at + 2) else { return fail(at, "\\u needs four hex digits") }
                at += 6
                if unit & 0xFC00 == 0xD800, at[0] == 0x5C, at[1] == 0x75, let low = hexUnit(at + 2), low & 0xFC00 == 0xDC00 {
                    at += 6
                    appendScalar(0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF))
                } else {
                    appendScalar(unit & 0xF800 == 0xD800 ? 0x3F : unit)
                }
            default: return fail(at, controlMessage(at[0]))
            }
        }
    }

    func simpleEscape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x22, 0x5C, 0x2F: byte
        case 0x6E: 0x0A
        case 0x74: 0x09
        case 0x72: 0x0D
        case 0x62: 0x08
        case 0x66: 0x0C
        default: nil
        }
    }

    func hexUnit(_ at: UnsafePointer<UInt8>) -> UInt32? {
        var unit: UInt32 = 0
        for index in 0..<4 {
            let byte = at[index]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x37
            case 0x61...0x66: digit = byte - 0x57
            default: return nil
            }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    private func appendScalar(_ scalar: UInt32) {
        func put(_ bits: UInt32) { scratch.append(UInt8(truncatingIfNeeded: bits)) }
        switch scalar {
        case ..<0x80: put(scalar)
        case ..<0x800:
            put(0xC0 | scalar >> 6)
            put(0x80 | scalar & 0x3F)
        case ..<0x10000:
            put(0xE0 | scalar >> 12)
            put(0x80 | scalar >> 6 & 0x3F)
            put(0x80 | scalar & 0x3F)
        default:
            put(0xF0 | scalar >> 18)
            put(0x80 | scalar >> 12 & 0x3F)
            put(0x80 | scalar >> 6 & 0x3F)
            put(0x80 | scalar & 0x3F)
        }
    }
}
