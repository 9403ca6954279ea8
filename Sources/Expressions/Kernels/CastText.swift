import Columnar
import Glibc

/// Between text and everything else, in Flink's formats.
enum CastText {
    /// Longest text of a value that is no text itself.
    static let maximumLength = 64

    /// Writes one cell; returns the bytes (at most `maximumLength`). Not for text and bytes.
    static func write(_ column: Column, row: Int, into target: UnsafeMutablePointer<UInt8>) -> Int {
        switch column.type.kind {
        case .null, .char, .varchar, .binary, .varbinary: return 0
        case .boolean:
            let word: StaticString = column.pointer(UInt8.self)[row] != 0 ? "TRUE" : "FALSE"
            memcpy(target, word.utf8Start, word.utf8CodeUnitCount)
            return word.utf8CodeUnitCount
        case .tinyint: return IntegerText.write(Int64(column.pointer(Int8.self)[row]), into: target)
        case .smallint: return IntegerText.write(Int64(column.pointer(Int16.self)[row]), into: target)
        case .integer: return IntegerText.write(Int64(column.pointer(Int32.self)[row]), into: target)
        case .bigint: return IntegerText.write(column.pointer(Int64.self)[row], into: target)
        case .float: return DoubleText.write(column.pointer(Float.self)[row], into: target)
        case .double: return DoubleText.write(column.pointer(Double.self)[row], into: target)
        case .decimal(_, let scale): return DecimalText.write(column.pointer(Int128.self)[row], scale: scale, into: target)
        case .date: return TimestampText.writeDate(Int(column.pointer(Int32.self)[row]), into: target)
        case .time(let precision): return TimestampText.writeTime(column.pointer(Int32.self)[row], precision: precision, into: target)
        case .timestamp(let precision), .timestampLTZ(let precision):
            return TimestampText.write(column.pointer(Int64.self)[row], precision: precision, into: target)
        case .intervalYearMonth: return writeMonths(column.pointer(Int32.self)[row], into: target)
        case .intervalDayTime: return writeMilliseconds(column.pointer(Int64.self)[row], into: target)
        }
    }

    /// `+1-02`
    private static func writeMonths(_ months: Int32, into target: UnsafeMutablePointer<UInt8>) -> Int {
        target[0] = months < 0 ? 0x2D : 0x2B
        let size = UInt64(months.magnitude)
        let at = 1 + IntegerText.write(size / 12, into: target + 1)
        target[at] = 0x2D
        IntegerText.writePadded(size % 12, digits: 2, into: target + at + 1)
        return at + 3
    }

    /// `+3 00:00:00.000`
    private static func writeMilliseconds(_ value: Int64, into target: UnsafeMutablePointer<UInt8>) -> Int {
        target[0] = value < 0 ? 0x2D : 0x2B
        let size = value.magnitude
        let at = 1 + IntegerText.write(size / 86_400_000, into: target + 1)
        target[at] = 0x20
        return at + 1 + TimestampText.writeTime(Int32(truncatingIfNeeded: size % 86_400_000), precision: 3, into: target + at + 1)
    }

    /// To text: cut to the length, and for CHAR filled up with blanks.
    static func writing(_ source: TypeKind, _ target: TypeKind) -> Kernel {
        let fit = Fit(target)
        var contextual = false
        var unit: Int64?
        if case .timestampLTZ(let precision) = source {
            contextual = true
            unit = TimeUnit.of(precision: precision).ticksPerSecond
        }
        let second = unit
        return Kernel(
            body: { call in
                var column = call.arguments[0].column
                if let second {
                    let zone = call.context.zone
                    column = Maps.one(
                        Call(arguments: call.arguments, rows: call.rows, type: column.type, validity: call.validity, context: call.context),
                        Int64.self) { zone.local($0, perSecond: second) }
                }
                var builder = TextBuilder(type: call.type, rows: call.rows, bytes: call.rows * 24)
                for row in 0..<call.rows {
                    if call.isNull(row) { builder.endRow(); continue }
                    let room = builder.room(maximumLength + fit.padding)
                    // Everything written here is ASCII: bytes are characters.
                    builder.advance(fit.ascii(room, write(column, row: row, into: room)))
                    builder.endRow()
                }
                return builder.finish(validity: call.validity)
            }, isContextual: contextual)
    }

    /// Text to text, bytes to bytes, and between both: the same bytes unless they must be cut or filled up.
    static func resized(_ source: TypeKind, _ target: TypeKind) -> Kernel {
        let fit = Fit(target)
        let from = source.length ?? .max, to = target.length ?? .max
        let sameFamily = source.isCharacter == target.isCharacter
        if !fit.isPadded, sameFamily && to >= from || to == Int(Int32.max) { return Cast.retyped }
        if fit.isPadded, source == target { return Cast.retyped }
        return Kernel { call in
            let argument = call.arguments[0]
            var builder = TextBuilder(type: call.type, rows: call.rows, bytes: call.rows * min(to, 32))
            for row in 0..<call.rows {
                if !call.isNull(row) { fit.put(argument.slice(row), into: &builder) }
                builder.endRow()
            }
            return builder.finish(validity: call.validity)
        }
    }

    /// The length of a text type, and how values are brought to it.
    struct Fit: Sendable {
        let length: Int
        let isPadded: Bool
        private let isBinary: Bool

        init(_ kind: TypeKind) {
            length = kind.length ?? .max
            isBinary = kind.isBinary
            switch kind {
            case .char, .binary: isPadded = true
            default: isPadded = false
            }
        }

        /// Bytes to hold free for blanks.
        var padding: Int { isPadded ? length : 0 }

        func ascii(_ text: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
            if count >= length { return length }
            if isPadded { memset(text + count, 0x20, length - count) }
            return isPadded ? length : count
        }

        func put(_ text: UnsafeBufferPointer<UInt8>, into builder: inout TextBuilder) {
            var end = 0, characters = 0
            while end < text.count, characters < length {
                end += isBinary ? 1 : Text.width(text[end])
                characters += 1
            }
            builder.put(UnsafeBufferPointer(start: text.baseAddress, count: min(end, text.count)))
            if isPadded { for _ in characters..<max(length, characters) { builder.put(isBinary ? 0 : 0x20) } }
        }
    }
}
