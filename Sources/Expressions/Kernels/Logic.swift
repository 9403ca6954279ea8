import Columnar

/// Tests that look at NULL themselves, and NOT.
enum Logic {
    static func kernel(_ name: String, _ arguments: [DataType]) -> Kernel? {
        switch name {
        case "NOT": Kernel { call in Maps.one(call, UInt8.self) { $0 ^ 1 } }
        case "IS NULL": Kernel(body: { call in test(call) { $0 ? 1 : 0 } }, isStrict: false)
        case "IS NOT NULL": Kernel(body: { call in test(call) { $0 ? 0 : 1 } }, isStrict: false)
        case "IS TRUE": Kernel(body: { call in flags(call) { value, null in null ? 0 : value } }, isStrict: false)
        case "IS NOT TRUE": Kernel(body: { call in flags(call) { value, null in null ? 1 : value ^ 1 } }, isStrict: false)
        case "IS FALSE": Kernel(body: { call in flags(call) { value, null in null ? 0 : value ^ 1 } }, isStrict: false)
        case Expression.notNull: mustBePresent
        case "IS NOT FALSE": Kernel(body: { call in flags(call) { value, null in null ? 1 : value } }, isStrict: false)
        default: nil
        }
    }

    @inline(__always) private static func test(_ call: Call, _ body: (Bool) -> UInt8) -> Column {
        let values = Buffer(capacity: call.rows), to = values.typed(UInt8.self), argument = call.arguments[0]
        let always = argument.column.type.kind == .null
        for row in 0..<call.rows { to[row] = body(always || argument.isNull(row)) }
        return Column(type: call.type, count: call.rows, values: values)
    }

    @inline(__always) private static func flags(_ call: Call, _ body: (UInt8, Bool) -> UInt8) -> Column {
        let values = Buffer(capacity: call.rows), to = values.typed(UInt8.self), argument = call.arguments[0]
        let from = argument.column.pointer(UInt8.self), stride = argument.stride
        for row in 0..<call.rows { to[row] = body(from[row * stride], argument.isNull(row)) }
        return Column(type: call.type, count: call.rows, values: values)
    }

    /// The value as it is; NULL fails the job in the words of Flink's `ConstraintEnforcer`.
    private static let mustBePresent = Kernel(
        body: { call throws(EvaluationError) in
            let value = call.arguments[0]
            if value.isConstant ? value.column.isNull(0) : value.column.validity != nil && value.column.nullCount > 0 {
                let name = String(decoding: call.arguments[1].slice(0), as: UTF8.self)
                throw EvaluationError(
                    "Column '\(name)' is NOT NULL, however, a null value is being written into it. You can set job configuration "
                        + "'table.exec.sink.not-null-enforcer'='DROP' to suppress this exception and drop such records silently.",
                    expression: "")
            }
            return (value.isConstant ? value.column.repeated(call.rows) : value.column).retyped(call.type)
        }, isStrict: false, canFail: true)

    /// `IS [NOT] DISTINCT FROM`, given both sides and whether they are equal.
    static func distinct(_ distinct: Bool) -> Kernel {
        Kernel(
            body: { call in
                let values = Buffer(capacity: call.rows), to = values.typed(UInt8.self)
                let a = call.arguments[0], b = call.arguments[1], equal = call.arguments[2]
                let flags = equal.column.pointer(UInt8.self)
                for row in 0..<call.rows {
                    let left = a.isNull(row), right = b.isNull(row)
                    let same = left || right ? left == right : flags[row * equal.stride] != 0
                    to[row] = same != distinct ? 1 : 0
                }
                return Column(type: call.type, count: call.rows, values: values)
            }, isStrict: false)
    }

    /// NULLIF, given the value and whether it equals the other.
    static let nullIf = Kernel(
        body: { call in
            let value = call.arguments[0], equal = call.arguments[1]
            let column = value.isConstant ? value.column.repeated(call.rows) : value.column
            let flags = equal.column.pointer(UInt8.self)
            var validity = column.validity
            for row in 0..<call.rows where flags[row * equal.stride] != 0 && !equal.isNull(row) {
                if validity === column.validity { validity = Validity.copy(column.validity, rows: call.rows) }
                if let validity { Validity.clear(validity.typed(UInt64.self), row) }
            }
            // Rows that became NULL still hold their bytes; they are moved out so that null rows are empty.
            guard validity !== column.validity else { return column.retyped(call.type) }
            return column.masked(validity, type: call.type)
        }, isStrict: false)

    /// AND and OR of two columns of equal length, three-valued.
    static func combine(_ a: Operand, _ b: Operand, and: Bool, rows: Int, type: DataType) -> Column {
        let values = Buffer(capacity: rows), to = values.typed(UInt8.self)
        let x = a.column.pointer(UInt8.self), y = b.column.pointer(UInt8.self)
        if a.column.validity == nil, b.column.validity == nil {
            if and { for row in 0..<rows { to[row] = x[row * a.stride] & y[row * b.stride] } } else {
                for row in 0..<rows { to[row] = x[row * a.stride] | y[row * b.stride] }
            }
            return Column(type: type, count: rows, values: values)
        }
        let validity = Validity.allPresent(rows), words = validity.typed(UInt64.self)
        let decisive: UInt8 = and ? 0 : 1
        for row in 0..<rows {
            let leftNull = a.isNull(row), rightNull = b.isNull(row)
            let left = x[row * a.stride], right = y[row * b.stride]
            let decided = !leftNull && left == decisive || !rightNull && right == decisive
            let null = !decided && (leftNull || rightNull)
            to[row] = null ? 0 : decided ? decisive : decisive ^ 1
            if null { Validity.clear(words, row) }
        }
        return Column(type: type, count: rows, values: values, validity: validity)
    }
}

extension Column {
    /// The same rows with another validity; newly null rows are emptied.
    func masked(_ validity: Buffer?, type: DataType) -> Column {
        guard bytes != nil else {
            let copy = Buffer(capacity: count * physical.width)
            copy.pointer.copyMemory(from: values.pointer, byteCount: count * physical.width)
            return Column(type: type, count: count, values: copy, validity: validity).emptyingNulls()
        }
        let bits = Column(type: type, count: count, values: values, bytes: bytes, validity: validity)
        var builder = TextBuilder(type: type, rows: count, bytes: Int(offsets[count]))
        for row in 0..<count { if bits.isNull(row) { builder.endRow() } else { builder.append(slice(row)) } }
        return builder.finish(validity: validity)
    }
}
