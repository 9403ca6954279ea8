import Columnar

/// The loops over rows. Inlined into each kernel with its body, so that every loop is concrete and most of them vectorise.
enum Maps {
    @inline(__always)
    static func one<A, R>(_ call: Call, _: A.Type, _ body: (A) -> R) -> Column {
        let rows = call.rows, values = Buffer(capacity: rows * MemoryLayout<R>.stride)
        let to = values.typed(R.self), from = call.arguments[0].column.pointer(A.self)
        for row in 0..<rows { to[row] = body(from[row]) }
        return call.result(values)
    }

    @inline(__always)
    static func two<A, B, R>(_ call: Call, _: A.Type, _: B.Type, _ body: (A, B) -> R) -> Column {
        let rows = call.rows, values = Buffer(capacity: rows * MemoryLayout<R>.stride)
        let to = values.typed(R.self)
        let left = call.arguments[0], right = call.arguments[1]
        let a = left.column.pointer(A.self), b = right.column.pointer(B.self)
        switch (left.isConstant, right.isConstant) {
        case (false, false): for row in 0..<rows { to[row] = body(a[row], b[row]) }
        case (false, true):
            let constant = b[0]
            for row in 0..<rows { to[row] = body(a[row], constant) }
        case (true, _):
            let constant = a[0], stride = right.stride
            for row in 0..<rows { to[row] = body(constant, b[row * stride]) }
        }
        return call.result(values)
    }

    /// A body that may find no value: NULL then.
    @inline(__always)
    static func oneOrNull<A, R: AdditiveArithmetic>(_ call: Call, _: A.Type, _ body: (A) -> R?) -> Column {
        let rows = call.rows, values = Buffer(capacity: rows * MemoryLayout<R>.stride)
        let to = values.typed(R.self), from = call.arguments[0].column.pointer(A.self)
        var nulls = NullMarks(call)
        for row in 0..<rows {
            if let value = body(from[row]) { to[row] = value } else { to[row] = .zero; nulls.set(row) }
        }
        return Column(type: call.type, count: rows, values: values, validity: nulls.buffer)
    }

    /// The same over two arguments; null rows are passed over.
    @inline(__always)
    static func twoOrNull<A, B, R: AdditiveArithmetic>(
        _ call: Call, _: A.Type, _: B.Type, _ body: (A, B) throws(EvaluationError) -> R?
    ) throws(EvaluationError) -> Column {
        let rows = call.rows, values = Buffer(capacity: rows * MemoryLayout<R>.stride)
        let to = values.typed(R.self)
        let left = call.arguments[0], right = call.arguments[1]
        let a = left.column.pointer(A.self), b = right.column.pointer(B.self)
        let strideA = left.stride, strideB = right.stride
        var nulls = NullMarks(call)
        for row in 0..<rows {
            if call.isNull(row) { to[row] = .zero; continue }
            if let value = try body(a[row * strideA], b[row * strideB]) { to[row] = value } else { to[row] = .zero; nulls.set(row) }
        }
        return Column(type: call.type, count: rows, values: values, validity: nulls.buffer)
    }

    /// Text in, a number out; null rows are passed over.
    @inline(__always)
    static func fromText<R: AdditiveArithmetic>(
        _ call: Call, _: R.Type, _ body: (UnsafeBufferPointer<UInt8>) throws(EvaluationError) -> R?
    ) throws(EvaluationError) -> Column {
        let rows = call.rows, values = Buffer(capacity: rows * MemoryLayout<R>.stride)
        let to = values.typed(R.self), column = call.arguments[0].column
        var nulls = NullMarks(call)
        for row in 0..<rows {
            if call.isNull(row) { to[row] = .zero; continue }
            if let value = try body(column.slice(row)) { to[row] = value } else { to[row] = .zero; nulls.set(row) }
        }
        return Column(type: call.type, count: rows, values: values, validity: nulls.buffer)
    }
}

/// Builds a column of text or bytes row by row.
struct TextBuilder {
    private let type: DataType
    private let offsets: Buffer
    private var bytes: Buffer
    private var row = 0
    /// Bytes written so far.
    private(set) var used = 0
    /// Whether `put` keeps to the bounds below; who says so asks `isTooLong` after each row.
    private let isBounded: Bool
    /// A value, or all of the column, outgrew its bound: what came then was not written, and the column must not be used.
    private(set) var isTooLong = false

    /// Bytes that one value may have.
    static let longestValue = 64 << 20
    /// Bytes that a column may have: its offsets are 32 bits wide.
    static let longestColumn = 1 << 30

    init(type: DataType, rows: Int, bytes: Int, isBounded: Bool = false) {
        self.type = type
        self.isBounded = isBounded
        offsets = Buffer(capacity: (rows + 1) * 4)
        offsets.typed(Int32.self)[0] = 0
        self.bytes = Buffer(capacity: bytes)
    }

    /// Where the next bytes go, with room for at least `count`.
    @inline(__always) mutating func room(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        if used + count > bytes.capacity { bytes = bytes.grown(to: used + count, keeping: used) }
        return bytes.typed(UInt8.self) + used
    }

    /// Says how many bytes were written into `room`.
    @inline(__always) mutating func advance(_ count: Int) { used += count }

    /// Ends the row.
    @inline(__always) mutating func endRow() {
        row += 1
        offsets.typed(Int32.self)[row] = Int32(truncatingIfNeeded: used)
    }

    @inline(__always) mutating func put(_ text: UnsafeBufferPointer<UInt8>) {
        guard let source = text.baseAddress, text.count > 0 else { return }
        if isBounded, used + text.count > TextBuilder.longestValue, !fits(text.count) { return }
        room(text.count).update(from: source, count: text.count)
        used += text.count
    }

    @inline(__always) mutating func put(_ byte: UInt8) {
        room(1)[0] = byte
        used += 1
    }

    @inline(__always) mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        put(text)
        endRow()
    }

    /// Whether so many more bytes stay within the bounds; false marks the column. Ask before a long loop of `put`.
    mutating func fits(_ count: Int) -> Bool {
        let start = Int(offsets.typed(Int32.self)[row])
        if !isTooLong, count <= TextBuilder.longestValue - (used - start), count <= TextBuilder.longestColumn - used { return true }
        isTooLong = true
        return false
    }

    /// Takes back what was written since the row began.
    mutating func rewindRow() { used = Int(offsets.typed(Int32.self)[row]) }

    func finish(validity: Buffer?) -> Column {
        Column(type: type, count: row, values: offsets, bytes: bytes, validity: validity)
    }
}
