import Columnar

/// `CAST` and `TRY_CAST` between all types that allow it. What cannot be read fails the row, or is NULL in TRY_CAST.
enum Cast {
    static func kernel(from: DataType, to: DataType, safe: Bool) -> Kernel? {
        let (source, target) = (from.kind, to.kind)
        if source == .null { return Kernel { call in Column.nulls(call.type, rows: call.rows) } }
        guard FunctionCatalogue.castSupported(from: source, to: target) else { return nil }
        switch (source.family, target.family) {
        case (.text, .text), (.bytes, .bytes), (.text, .bytes), (.bytes, .text): return CastText.resized(source, target)
        case (.text, _): return CastText.reading(target, safe: safe)
        case (_, .text): return CastText.writing(source, target)
        case (.number, _), (.boolean, _), (.interval, _): return CastNumbers.kernel(source, target)
        case (.date, _), (.time, _), (.timestamp, _): return CastTimes.kernel(source, target)
        default: return nil
        }
    }

    /// The column itself under the new type.
    static let retyped = Kernel { call in
        let operand = call.arguments[0]
        return operand.column.retyped(call.type)
    }
}

/// Between numbers, booleans and intervals.
enum CastNumbers {
    static func kernel(_ source: TypeKind, _ target: TypeKind) -> Kernel? {
        if source.physical == target.physical, !source.isDecimal, source != .boolean || target == .boolean { return Cast.retyped }
        switch source.physical {
        case .bool: return fromInteger(UInt8.self, target)
        case .int8: return fromInteger(Int8.self, target)
        case .int16: return fromInteger(Int16.self, target)
        case .int32: return fromInteger(Int32.self, target)
        case .int64: return fromInteger(Int64.self, target)
        case .float32: return fromFloat(Float.self, target)
        case .float64: return fromFloat(Double.self, target)
        case .int128: return fromDecimal(source, target)
        case .bytes: return nil
        }
    }

    @inline(__always)
    private static func fromInteger<T: FixedWidthInteger & Sendable>(_: T.Type, _ target: TypeKind) -> Kernel? {
        switch target.physical {
        case .bool: return Kernel { call in Maps.one(call, T.self) { $0 != 0 ? 1 as UInt8 : 0 } }
        case .int8: return Kernel { call in Maps.one(call, T.self) { Int8(truncatingIfNeeded: $0) } }
        case .int16: return Kernel { call in Maps.one(call, T.self) { Int16(truncatingIfNeeded: $0) } }
        case .int32: return Kernel { call in Maps.one(call, T.self) { Int32(truncatingIfNeeded: $0) } }
        case .int64: return Kernel { call in Maps.one(call, T.self) { Int64(truncatingIfNeeded: $0) } }
        case .float32: return Kernel { call in Maps.one(call, T.self) { Float($0) } }
        case .float64: return Kernel { call in Maps.one(call, T.self) { Double($0) } }
        case .int128:
            guard case .decimal(let precision, let scale) = target else { return nil }
            let unit = DecimalText.powers[scale], bound = DecimalText.powers[precision].magnitude
            // Whole numbers of 19 digits times 10^19 stay within 128 bits.
            if scale <= 18, precision - scale >= 19 { return Kernel { call in Maps.one(call, T.self) { Int128($0) &* unit } } }
            return Kernel { call in
                Maps.oneOrNull(call, T.self) { value -> Int128? in
                    let (scaled, over) = Int128(value).multipliedReportingOverflow(by: unit)
                    return !over && scaled.magnitude < bound ? scaled : nil
                }
            }
        case .bytes: return nil
        }
    }

    @inline(__always)
    private static func fromFloat<T: BinaryFloatingPoint & Sendable>(_: T.Type, _ target: TypeKind) -> Kernel? {
        switch target.physical {
        case .bool: return Kernel { call in Maps.one(call, T.self) { $0 != 0 ? 1 as UInt8 : 0 } }
        case .int8: return Kernel { call in Maps.one(call, T.self) { Int8(truncatingIfNeeded: integer($0, Int32.self)) } }
        case .int16: return Kernel { call in Maps.one(call, T.self) { Int16(truncatingIfNeeded: integer($0, Int32.self)) } }
        case .int32: return Kernel { call in Maps.one(call, T.self) { integer($0, Int32.self) } }
        case .int64: return Kernel { call in Maps.one(call, T.self) { integer($0, Int64.self) } }
        case .float32: return Kernel { call in Maps.one(call, T.self) { Float($0) } }
        case .float64: return Kernel { call in Maps.one(call, T.self) { Double($0) } }
        case .int128:
            guard case .decimal(let precision, let scale) = target else { return nil }
            return Kernel { call in Maps.oneOrNull(call, T.self) { decimal(Double($0), precision, scale) } }
        case .bytes: return nil
        }
    }

    /// As Java: towards zero, at the ends of the range where it is beyond, zero for NaN.
    @inline(__always) static func integer<T: BinaryFloatingPoint, R: FixedWidthInteger>(_ value: T, _: R.Type) -> R {
        if let exact = R(exactly: value.rounded(.towardZero)) { return exact }
        return value.isNaN ? 0 : value < 0 ? .min : .max
    }

    /// The decimal that the double prints as, rounded half up.
    static func decimal(_ value: Double, _ precision: Int, _ scale: Int) -> Int128? {
        guard value.isFinite else { return nil }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: DoubleText.maximumLength) { text in
            let start = text.baseAddress.unsafelyUnwrapped
            return DecimalText.parse(start, count: DoubleText.write(value, into: start), precision: precision, scale: scale)
        }
    }

    static func double(_ value: Int128, scale: Int) -> Double {
        // Both exact in a double, so that the division rounds once.
        if value.magnitude < 1 << 53, scale <= 22 { return Double(value) / Double(DecimalText.powers[scale]) }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: DecimalText.maximumLength) { text in
            let start = text.baseAddress.unsafelyUnwrapped
            return DoubleText.parse(start, count: DecimalText.write(value, scale: scale, into: start)) ?? .nan
        }
    }

    private static func fromDecimal(_ source: TypeKind, _ target: TypeKind) -> Kernel? {
        guard case .decimal(let fromPrecision, let from) = source else { return nil }
        let unit = DecimalText.powers[from]
        switch target.physical {
        case .bool: return Kernel { call in Maps.one(call, Int128.self) { $0 != 0 ? 1 as UInt8 : 0 } }
        case .int8: return Kernel { call in Maps.one(call, Int128.self) { Int8(truncatingIfNeeded: $0 / unit) } }
        case .int16: return Kernel { call in Maps.one(call, Int128.self) { Int16(truncatingIfNeeded: $0 / unit) } }
        case .int32: return Kernel { call in Maps.one(call, Int128.self) { Int32(truncatingIfNeeded: $0 / unit) } }
        case .int64: return Kernel { call in Maps.one(call, Int128.self) { Int64(truncatingIfNeeded: $0 / unit) } }
        case .float32: return Kernel { call in Maps.one(call, Int128.self) { Float(double($0, scale: from)) } }
        case .float64: return Kernel { call in Maps.one(call, Int128.self) { double($0, scale: from) } }
        case .int128:
            guard case .decimal(let precision, let scale) = target else { return nil }
            if scale == from, precision >= fromPrecision { return Cast.retyped }
            return Kernel { call in
                Maps.oneOrNull(call, Int128.self) { DecimalText.rescale($0, from: from, to: scale, precision: precision) }
            }
        case .bytes: return nil
        }
    }
}
