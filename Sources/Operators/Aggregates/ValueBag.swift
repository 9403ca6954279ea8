import Columnar

/// The values of one key with how often each was seen: for DISTINCT, and for MIN and MAX that take rows back.
struct ValueBag {
    /// As state has it.
    static let type = DataType(.bytes, nullable: false)

    private(set) var counts: [Value: Int64] = [:]

    /// True when the value was not there before.
    mutating func add(_ value: Value, times: Int64 = 1) -> Bool {
        let before = counts[value] ?? 0
        counts[value] = before + times == 0 ? nil : before + times
        return before == 0
    }

    /// True when the value is gone.
    mutating func remove(_ value: Value) -> Bool {
        guard let before = counts[value] else { return false }
        counts[value] = before == 1 ? nil : before - 1
        return before == 1
    }

    /// In the order of `Value.isOrderedBefore`, so that equal bags have equal bytes.
    var sorted: [(value: Value, count: Int64)] {
        counts.map { (value: $0.key, count: $0.value) }.sorted { $0.value.isOrderedBefore($1.value) }
    }

    /// A list of `kind: u8 | value | count: i64`.
    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.putList(sorted) { writer, entry in
            switch entry.value {
            case .null: writer.put(UInt8(0))
            case .boolean(let flag):
                writer.put(UInt8(1))
                writer.put(flag)
            case .integer(let number):
                writer.put(UInt8(2))
                writer.put(number)
            case .double(let number):
                writer.put(UInt8(3))
                writer.put(number)
            case .decimal(let number):
                writer.put(UInt8(4))
                writer.put(number)
            case .bytes(let run):
                writer.put(UInt8(5))
                writer.put(run)
            }
            writer.put(entry.count)
        }
        return writer.bytes
    }

    /// Sorts all of them: not for a task's thread, where bags may be large.
    static func column(_ bags: ArraySlice<ValueBag>) -> Column {
        var builder = ColumnBuilder(type: type, capacity: bags.count)
        for bag in bags { bag.bytes.withUnsafeBufferPointer { builder.appendBytes($0) } }
        return builder.finish()
    }

    /// - Parameter type: what the values must be, so that no damaged bag reaches a column that cannot hold it.
    static func entries(of bytes: UnsafeBufferPointer<UInt8>, type: DataType) throws(MalformedBytes) -> [(value: Value, count: Int64)] {
        var reader = ByteReader(UnsafeRawBufferPointer(bytes))
        let entries = try reader.list { (reader: inout ByteReader) throws(MalformedBytes) in
            let value: Value
            switch try reader.number(UInt8.self) {
            case 0: value = .null
            case 1: value = .boolean(try reader.bool())
            case 2: value = .integer(try reader.number())
            case 3: value = .double(try reader.double())
            case 4: value = .decimal(try reader.number())
            case 5: value = .bytes(try reader.run())
            case let other: throw MalformedBytes("\(other) is no kind of value")
            }
            guard value.fits(type) else { throw MalformedBytes("a \(value) is no \(type)") }
            return (value: value, count: try reader.number(Int64.self))
        }
        try reader.end()
        return entries
    }
}

extension Value {
    /// NaN differs from itself and would never be found again: in a bag NULL stands for it, which is never in one.
    static func keyed(_ column: Column, row: Int) -> Value {
        let value = column.value(row)
        if case .double(let number) = value, number.isNaN { return .null }
        return value
    }

    var unkeyed: Value { isNull ? .double(.nan) : self }

    func fits(_ type: DataType) -> Bool {
        switch (self, type.kind.physical) {
        case (.boolean, .bool), (.integer, .int8), (.integer, .int16), (.integer, .int32), (.integer, .int64), (.decimal, .int128),
            (.double, .float32), (.double, .float64), (.null, .float32), (.null, .float64), (.bytes, .bytes):
            true
        default: false
        }
    }

    /// Within one type: by value, NaN (as NULL) last.
    func isOrderedBefore(_ other: Value) -> Bool {
        switch (self, other) {
        case (.boolean(let a), .boolean(let b)): !a && b
        case (.integer(let a), .integer(let b)): a < b
        case (.double(let a), .double(let b)): a < b
        case (.decimal(let a), .decimal(let b)): a < b
        case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
        case (.null, _): false
        case (_, .null): true
        default: false
        }
    }
}
