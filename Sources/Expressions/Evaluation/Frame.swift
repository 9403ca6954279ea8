import Columnar

/// The rows that nodes are computed over: a batch, or some rows of an outer frame. Remembers what was computed.
final class Frame {
    let columns: [Column]
    let rows: Int
    let context: EvaluationContext
    /// The frame that `indices` point into.
    let outer: Frame?
    private let indices: [Int32]
    var memo: [Operand?]

    init(_ batch: Batch, nodes: Int, context: EvaluationContext) {
        columns = batch.columns
        rows = batch.count
        self.context = context
        outer = nil
        indices = []
        memo = Array(repeating: nil, count: nodes)
    }

    init(_ outer: Frame, _ indices: [Int32]) {
        columns = outer.columns
        rows = indices.count
        context = outer.context
        self.outer = outer
        self.indices = indices
        memo = Array(repeating: nil, count: outer.memo.count)
    }

    func gather(_ operand: Operand) -> Operand {
        if operand.isConstant { return operand }
        return Operand(indices.withUnsafeBufferPointer { operand.column.gather($0) })
    }
}

/// Puts values that were computed apart into one column, row by row.
struct Merge {
    private let rows: Int
    private var operands: [Operand] = []
    private var source: [Int32]
    private var place: [Int32]

    /// Rows that nothing is put at take the fallback's value at the same row.
    init(rows: Int, fallback: Operand?) {
        self.rows = rows
        source = Array(repeating: 0, count: rows)
        place = Array(repeating: 0, count: rows)
        if let fallback {
            operands.append(fallback)
            if !fallback.isConstant { for row in 0..<rows { place[row] = Int32(row) } }
        }
    }

    /// Values in the order of `at`.
    mutating func put(_ operand: Operand, at: [Int32]) {
        let number = Int32(operands.count), stride = Int32(operand.stride)
        operands.append(operand)
        for (index, row) in at.enumerated() {
            source[Int(row)] = number
            place[Int(row)] = Int32(index) * stride
        }
    }

    /// Values that lie at the same rows.
    mutating func putSame(_ operand: Operand, at: [Int32]) {
        let number = Int32(operands.count), stride = Int32(operand.stride)
        operands.append(operand)
        for row in at {
            source[Int(row)] = number
            place[Int(row)] = row * stride
        }
    }

    func finish(type: DataType) -> Column {
        var validity: Buffer?
        if operands.contains(where: { $0.column.validity != nil }) {
            let present = Validity.allPresent(rows), words = present.typed(UInt64.self)
            for row in 0..<rows where operands[Int(source[row])].column.isNull(Int(place[row])) { Validity.clear(words, row) }
            validity = present
        }
        func fixed<T>(_: T.Type) -> Column {
            let values = Buffer(capacity: rows * MemoryLayout<T>.stride), to = values.typed(T.self)
            let from = operands.map { $0.column.pointer(T.self) }
            for row in 0..<rows { to[row] = from[Int(source[row])][Int(place[row])] }
            return Column(type: type, count: rows, values: values, validity: validity)
        }
        switch type.kind.physical {
        case .bool, .int8: return fixed(UInt8.self)
        case .int16: return fixed(UInt16.self)
        case .int32, .float32: return fixed(UInt32.self)
        case .int64, .float64: return fixed(UInt64.self)
        case .int128: return fixed(UInt128.self)
        case .bytes:
            var builder = TextBuilder(type: type, rows: rows, bytes: 0)
            for row in 0..<rows { builder.append(operands[Int(source[row])].column.slice(Int(place[row]))) }
            return builder.finish(validity: validity)
        }
    }
}
