import Columnar
import Glibc

/// `= <> < <= > >=`. Doubles compare as in Java (NaN equals nothing); text by its UTF-8 bytes.
enum Comparison {
    static func kernel(_ sign: String, _ arguments: [DataType]) -> Kernel? {
        guard arguments.count == 2 else { return nil }
        switch arguments[0].kind.physical {
        case .bool: return numbers(sign, UInt8.self)
        case .int8: return numbers(sign, Int8.self)
        case .int16: return numbers(sign, Int16.self)
        case .int32: return numbers(sign, Int32.self)
        case .int64: return numbers(sign, Int64.self)
        case .int128: return numbers(sign, Int128.self)
        case .float32: return numbers(sign, Float.self)
        case .float64: return numbers(sign, Double.self)
        case .bytes: return texts(sign)
        }
    }

    /// Bool is one byte of 0 or 1; going through its bits keeps the loop free of branches.
    @inline(__always) private static func byte(_ flag: Bool) -> UInt8 { unsafeBitCast(flag, to: UInt8.self) }

    @inline(__always)
    private static func numbers<T: Comparable & Sendable>(_ sign: String, _: T.Type) -> Kernel? {
        switch sign {
        case "=": Kernel { call in Maps.two(call, T.self, T.self) { byte($0 == $1) } }
        case "<>": Kernel { call in Maps.two(call, T.self, T.self) { byte($0 != $1) } }
        case "<": Kernel { call in Maps.two(call, T.self, T.self) { byte($0 < $1) } }
        case "<=": Kernel { call in Maps.two(call, T.self, T.self) { byte($0 <= $1) } }
        case ">": Kernel { call in Maps.two(call, T.self, T.self) { byte($0 > $1) } }
        case ">=": Kernel { call in Maps.two(call, T.self, T.self) { byte($0 >= $1) } }
        default: nil
        }
    }

    private static func texts(_ sign: String) -> Kernel? {
        switch sign {
        case "=": Kernel { call in equality(call) { $0 } }
        case "<>": Kernel { call in equality(call) { !$0 } }
        case "<": Kernel { call in order(call) { $0 < 0 } }
        case "<=": Kernel { call in order(call) { $0 <= 0 } }
        case ">": Kernel { call in order(call) { $0 > 0 } }
        case ">=": Kernel { call in order(call) { $0 >= 0 } }
        default: nil
        }
    }

    @inline(__always)
    private static func equality(_ call: Call, _ body: (Bool) -> Bool) -> Column {
        let values = Buffer(capacity: call.rows), to = values.typed(UInt8.self)
        let a = call.arguments[0], b = call.arguments[1]
        for row in 0..<call.rows { to[row] = byte(body(equal(a.slice(row), b.slice(row)))) }
        return call.result(values)
    }

    @inline(__always)
    private static func order(_ call: Call, _ body: (Int) -> Bool) -> Column {
        let values = Buffer(capacity: call.rows), to = values.typed(UInt8.self)
        let a = call.arguments[0], b = call.arguments[1]
        for row in 0..<call.rows { to[row] = byte(body(compare(a.slice(row), b.slice(row)))) }
        return call.result(values)
    }

    @inline(__always) static func equal(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
        a.count == b.count && memcmp(a.baseAddress.unsafelyUnwrapped, b.baseAddress.unsafelyUnwrapped, a.count) == 0
    }

    /// Negative, zero or positive.
    @inline(__always) static func compare(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Int {
        let order = memcmp(a.baseAddress.unsafelyUnwrapped, b.baseAddress.unsafelyUnwrapped, min(a.count, b.count))
        return order != 0 ? Int(order) : a.count - b.count
    }

    /// GREATEST and LEAST: the value itself, of two.
    static func extreme(_ kind: TypeKind, greatest: Bool) -> Kernel? {
        switch kind.physical {
        case .bool: larger(greatest, UInt8.self)
        case .int8: larger(greatest, Int8.self)
        case .int16: larger(greatest, Int16.self)
        case .int32: larger(greatest, Int32.self)
        case .int64: larger(greatest, Int64.self)
        case .int128: larger(greatest, Int128.self)
        case .float32: larger(greatest, Float.self)
        case .float64: larger(greatest, Double.self)
        case .bytes:
            Kernel { call in
                let a = call.arguments[0], b = call.arguments[1]
                var builder = TextBuilder(type: call.type, rows: call.rows, bytes: 0)
                for row in 0..<call.rows {
                    if call.isNull(row) { builder.endRow(); continue }
                    let left = a.slice(row), right = b.slice(row)
                    builder.append((compare(left, right) >= 0) == greatest ? left : right)
                }
                return builder.finish(validity: call.validity)
            }
        }
    }

    @inline(__always)
    private static func larger<T: Comparable & Sendable>(_ greatest: Bool, _: T.Type) -> Kernel {
        greatest
            ? Kernel { call in Maps.two(call, T.self, T.self) { $0 >= $1 ? $0 : $1 } }
            : Kernel { call in Maps.two(call, T.self, T.self) { $0 <= $1 ? $0 : $1 } }
    }
}
