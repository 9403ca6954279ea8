import Columnar

/// `x IN (constants)`: a search in what was sorted once. NULL in the list turns "not found" into NULL.
enum Membership {
    static func kernel(_ type: DataType, _ list: [Column]) -> Kernel? {
        let present = list.filter { !$0.isNull(0) }
        let hasNull = present.count < list.count
        switch type.kind.physical {
        case .bool, .int8: return integers(present, UInt8.self, hasNull)
        case .int16: return integers(present, Int16.self, hasNull)
        case .int32: return integers(present, Int32.self, hasNull)
        case .int64: return integers(present, Int64.self, hasNull)
        case .int128: return integers(present, Int128.self, hasNull)
        case .bytes:
            let items = present.map { Array($0.slice(0)) }.sorted { $0.lexicographicallyPrecedes($1) }
            return Kernel { call in
                let argument = call.arguments[0]
                return answers(call, hasNull) { row in contains(items, argument.slice(row)) }
            }
        case .float32, .float64: return nil
        }
    }

    @inline(__always)
    private static func integers<T: FixedWidthInteger & Sendable>(_ list: [Column], _: T.Type, _ hasNull: Bool) -> Kernel {
        let items = Set(list.map { $0.pointer(T.self)[0] }).sorted()
        return Kernel { call in
            let from = call.arguments[0].column.pointer(T.self)
            return items.withUnsafeBufferPointer { items in
                guard items.count > 8 else {
                    return answers(call, hasNull) { row in
                        let value = from[row]
                        var found = false
                        for item in items { found = found || item == value }
                        return found
                    }
                }
                return answers(call, hasNull) { row in
                    var low = 0, high = items.count
                    while low < high {
                        let middle = (low + high) >> 1
                        if items[middle] < from[row] { low = middle + 1 } else { high = middle }
                    }
                    return low < items.count && items[low] == from[row]
                }
            }
        }
    }

    @inline(__always)
    private static func answers(_ call: Call, _ hasNull: Bool, _ body: (Int) -> Bool) -> Column {
        let values = Buffer(capacity: call.rows), to = values.typed(UInt8.self)
        var nulls = NullMarks(call)
        for row in 0..<call.rows {
            let found = body(row)
            to[row] = found ? 1 : 0
            if hasNull, !found { nulls.set(row) }
        }
        return Column(type: call.type, count: call.rows, values: values, validity: nulls.buffer)
    }

    private static func contains(_ items: [[UInt8]], _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var low = 0, high = items.count
        while low < high {
            let middle = (low + high) >> 1
            let order = items[middle].withUnsafeBufferPointer { item in
                item.count == 0 || text.count == 0 ? item.count - text.count : Comparison.compare(item, text)
            }
            if order == 0 { return true }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return false
    }
}
