import Columnar

/// One argument of a kernel: a column, or a constant as a column of one row.
struct Operand {
    let column: Column
    let isConstant: Bool

    init(_ column: Column, isConstant: Bool = false) {
        self.column = column
        self.isConstant = isConstant
    }

    var isNullConstant: Bool { isConstant && column.isNull(0) }

    /// 0 for a constant, so that `row * stride` is the place of a row's value.
    @inline(__always) var stride: Int { isConstant ? 0 : 1 }

    @inline(__always) func isNull(_ row: Int) -> Bool { column.isNull(row * stride) }

    @inline(__always) func slice(_ row: Int) -> UnsafeBufferPointer<UInt8> { column.slice(row * stride) }
}

/// What a kernel is called with, once a batch.
struct Call {
    let arguments: [Operand]
    /// Rows to compute; 1 when all arguments are constants.
    let rows: Int
    let type: DataType
    /// Of the result as far as NULL arguments decide it; nil when nothing is null. For strict kernels only.
    let validity: Buffer?
    let context: EvaluationContext

    @inline(__always) func isNull(_ row: Int) -> Bool {
        guard let validity else { return false }
        return validity.typed(UInt64.self)[row >> 6] &>> UInt64(row & 63) & 1 == 0
    }

    /// A fixed-width result with the nulls of the arguments.
    func result(_ values: Buffer) -> Column { Column(type: type, count: rows, values: values, validity: validity) }
}

/// A vectorised function: columns in, one column out. The loop over rows is inside, over raw memory.
struct Kernel: Sendable {
    typealias Body = @Sendable (Call) throws(EvaluationError) -> Column

    let body: Body
    /// NULL for any NULL argument: the evaluator then works out validity and empties the null rows.
    var isStrict = true
    /// Some values make it fail, so it must only see rows that need it.
    var canFail = false
    /// Dear enough to gather the rows that need it first.
    var isCostly = false
    /// Gives another value for each row even without arguments.
    var isPerRow = false
    /// Reads the context, so it is no constant over the batches.
    var isContextual = false
}

/// Validity bits of results.
enum Validity {
    /// Rows where no operand is null; nil when there are no nulls. Null constants are not asked about here.
    static func both(_ operands: [Operand], rows: Int) -> Buffer? {
        var found: Buffer?
        var owned = false
        for operand in operands where !operand.isConstant {
            guard let validity = operand.column.validity else { continue }
            guard let present = found else { found = validity; continue }
            let target = owned ? present : Buffer(capacity: Column.validityBytes(rows))
            let to = target.typed(UInt64.self), a = present.typed(UInt64.self), b = validity.typed(UInt64.self)
            for word in 0..<(rows + 63) >> 6 { to[word] = a[word] & b[word] }
            (found, owned) = (target, true)
        }
        return found
    }

    static func allPresent(_ rows: Int) -> Buffer {
        let buffer = Buffer(capacity: Column.validityBytes(rows))
        buffer.pointer.initializeMemory(as: UInt8.self, repeating: 0xFF, count: buffer.capacity)
        return buffer
    }

    /// A copy to clear bits in.
    static func copy(_ validity: Buffer?, rows: Int) -> Buffer {
        guard let validity else { return allPresent(rows) }
        let buffer = Buffer(capacity: Column.validityBytes(rows))
        buffer.pointer.copyMemory(from: validity.pointer, byteCount: buffer.capacity)
        return buffer
    }

    @inline(__always) static func clear(_ words: UnsafeMutablePointer<UInt64>, _ row: Int) {
        words[row >> 6] &= ~(1 << UInt64(row & 63))
    }
}

/// Clears bits of a result's validity as rows turn out to be NULL; copies what it starts from only then.
struct NullMarks {
    private let start: Buffer?
    private let rows: Int
    private(set) var buffer: Buffer?

    init(_ call: Call) {
        start = call.validity
        buffer = call.validity
        rows = call.rows
    }

    mutating func set(_ row: Int) {
        if buffer === start || buffer == nil { buffer = Validity.copy(start, rows: rows) }
        if let buffer { Validity.clear(buffer.typed(UInt64.self), row) }
    }
}

extension Column {
    static func nulls(_ type: DataType, rows: Int) -> Column {
        let fixed = type.kind.physical != .bytes
        let values = Buffer.zeroed(capacity: (rows + (fixed ? 0 : 1)) * type.kind.physical.width)
        return Column(
            type: type, count: rows, values: values, bytes: fixed ? nil : Buffer(capacity: 0),
            validity: Buffer.zeroed(capacity: Column.validityBytes(rows)))
    }

    /// Zeroes the values of null rows of a fixed-width column: kernels compute all rows and leave anything there.
    func emptyingNulls() -> Column {
        guard let validity, bytes == nil else { return self }
        let words = validity.typed(UInt64.self), width = physical.width
        for word in 0..<(count + 63) >> 6 {
            var absent = ~words[word]
            if word == count >> 6 { absent &= (1 << UInt64(count & 63)) - 1 }
            while absent != 0 {
                let row = word << 6 + absent.trailingZeroBitCount
                (values.pointer + row * width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
                absent &= absent - 1
            }
        }
        return self
    }

    /// One row as `rows` rows.
    func repeated(_ rows: Int) -> Column {
        if rows == 1 { return self }
        if isNull(0) { return Column.nulls(type, rows: rows) }
        func fill<T>(_: T.Type) -> Column {
            let buffer = Buffer(capacity: rows * MemoryLayout<T>.stride)
            buffer.typed(T.self).initialize(repeating: pointer(T.self)[0], count: rows)
            return Column(type: type, count: rows, values: buffer)
        }
        switch physical {
        case .bool, .int8: return fill(UInt8.self)
        case .int16: return fill(UInt16.self)
        case .int32, .float32: return fill(UInt32.self)
        case .int64, .float64: return fill(UInt64.self)
        case .int128: return fill(UInt128.self)
        case .bytes:
            let text = slice(0)
            var builder = TextBuilder(type: type, rows: rows, bytes: rows * text.count)
            for _ in 0..<rows { builder.append(text) }
            return builder.finish(validity: nil)
        }
    }
}
