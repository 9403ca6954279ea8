import Columnar

extension CastText {
    /// Text to another type. What cannot be read fails the row, or is NULL with `safe`.
    static func reading(_ target: TypeKind, safe: Bool) -> Kernel? {
        switch target {
        case .boolean: return kernel(target, safe) { boolean($0) }
        case .tinyint: return kernel(target, safe) { whole($0).flatMap { Int8(exactly: $0) } }
        case .smallint: return kernel(target, safe) { whole($0).flatMap { Int16(exactly: $0) } }
        case .integer: return kernel(target, safe) { whole($0).flatMap { Int32(exactly: $0) } }
        case .bigint: return kernel(target, safe) { whole($0) }
        case .float: return kernel(target, safe) { double($0).map { Float($0) } }
        case .double: return kernel(target, safe) { double($0) }
        case .decimal(let precision, let scale):
            // Too many digits are NULL in both casts; only what is no number fails.
            return Kernel(
                body: { call throws(EvaluationError) in
                    try Maps.fromText(call, Int128.self) { text throws(EvaluationError) -> Int128? in
                        let trimmed = Text.trimmed(text)
                        guard let start = trimmed.baseAddress else { return nil }
                        if let value = DecimalText.parse(start, count: trimmed.count, precision: precision, scale: scale) { return value }
                        let isNumber = double(text).map { $0.isFinite } ?? false
                        if !safe, !isNumber { throw malformed(text, target) }
                        return nil
                    }
                }, canFail: !safe)
        case .date: return kernel(target, safe) { LenientTime.date($0).map { Int32($0) } }
        case .time(let precision):
            let step = Int32(CastTimes.power(3 - min(precision, 3)))
            return kernel(target, safe) { LenientTime.time($0).map { $0 / step * step } }
        case .timestamp(let precision):
            return kernel(target, safe) { timestamp($0, precision) }
        case .timestampLTZ(let precision):
            let second = TimeUnit.of(precision: precision).ticksPerSecond
            return Kernel(
                body: { call throws(EvaluationError) in
                    let zone = call.context.zone
                    return try Maps.fromText(call, Int64.self) { text throws(EvaluationError) -> Int64? in
                        if let local = timestamp(text, precision) { return zone.instant(ofLocal: local, perSecond: second) }
                        if safe { return nil }
                        throw malformed(text, target)
                    }
                }, canFail: !safe, isContextual: true)
        default: return nil
        }
    }

    @inline(__always)
    private static func kernel<R: AdditiveArithmetic & SendableMetatype>(
        _ target: TypeKind, _ safe: Bool, _ body: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> R?
    ) -> Kernel {
        Kernel(
            body: { call throws(EvaluationError) in
                try Maps.fromText(call, R.self) { text throws(EvaluationError) -> R? in
                    if let value = body(text) { return value }
                    if safe { return nil }
                    throw malformed(text, target)
                }
            }, canFail: !safe)
    }

    private static func malformed(_ text: UnsafeBufferPointer<UInt8>, _ target: TypeKind) -> EvaluationError {
        EvaluationError("cannot read '\(String(decoding: text.prefix(100), as: UTF8.self))' as \(target)")
    }

    private static func timestamp(_ text: UnsafeBufferPointer<UInt8>, _ precision: Int) -> Int64? {
        guard let ticks = LenientTime.timestamp(text, precision: precision) else { return nil }
        let step = CastTimes.Ticks.step(precision)
        return step == 1 ? ticks : TimestampText.floorDivide(ticks, step).0 * step
    }

    /// Blanks around it do not matter; decimals are cut off (`-3.99` is -3).
    private static func whole(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        let trimmed = Text.trimmed(text)
        guard let start = trimmed.baseAddress else { return nil }
        guard let point = trimmed.firstIndex(of: 0x2E) else { return IntegerText.parse(start, count: trimmed.count) }
        for byte in trimmed[(point + 1)...] where byte &- 0x30 > 9 { return nil }
        if point == 0 { return trimmed.count > 1 ? 0 : nil }
        return IntegerText.parse(start, count: point)
    }

    private static func double(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        let trimmed = Text.trimmed(text)
        guard let start = trimmed.baseAddress else { return nil }
        return DoubleText.parse(start, count: trimmed.count)
    }

    private static func boolean(_ text: UnsafeBufferPointer<UInt8>) -> UInt8? {
        let trimmed = Text.trimmed(text)
        guard trimmed.count <= 5 else { return nil }
        var word: UInt64 = 0
        for byte in trimmed { word = word << 8 | UInt64(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte) }
        return switch word {
        case 0x74, 0x7472_7565, 0x79, 0x79_6573, 0x31: 1  // t, true, y, yes, 1
        case 0x66, 0x66_616C_7365, 0x6E, 0x6E6F, 0x30: 0  // f, false, n, no, 0
        default: nil
        }
    }
}
