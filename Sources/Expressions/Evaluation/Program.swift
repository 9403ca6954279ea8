import Columnar

/// Expressions compiled into nodes that name their inputs by index. Equal parts are one node, computed once a batch.
struct Program: Sendable {
    struct Node: Sendable {
        let type: DataType
        let form: Form
        /// For errors.
        let expression: Expression
        /// Must only see the rows that need it: some value of it, or of a part, fails.
        let canFail: Bool
        /// Worth gathering the rows that need it.
        let isCostly: Bool

        /// Whether rows that do not need the value should be kept from it.
        var isSelective: Bool { canFail || isCostly }
    }

    enum Form: Sendable {
        case column(Int)
        /// One row.
        case constant(Column)
        case call(Kernel, [Int])
        /// AND or OR, left to right.
        case logical(and: Bool, [Int])
        /// Conditions with values, and the value otherwise.
        case conditional([(condition: Int, value: Int)], otherwise: Int)
        /// COALESCE: the first that is not null.
        case firstPresent([Int])
    }

    var nodes: [Node] = []
    var roots: [Int] = []

    func value(_ index: Int, _ frame: Frame) throws(EvaluationError) -> Operand {
        if let known = frame.memo[index] { return known }
        let node = nodes[index]
        let operand: Operand
        do {
            operand = try compute(node, index, frame)
        } catch {
            throw error.expression == nil ? EvaluationError(error.reason, expression: node.expression.description) : error
        }
        frame.memo[index] = operand
        return operand
    }

    private func compute(_ node: Node, _ index: Int, _ frame: Frame) throws(EvaluationError) -> Operand {
        // A part that the whole batch has already computed is only gathered; a column always is.
        if let outer = frame.outer, let known = outer.memo[index] { return frame.gather(known) }
        switch node.form {
        case .column(let column):
            if let outer = frame.outer { return frame.gather(try value(index, outer)) }
            return Operand(frame.columns[column])
        case .constant(let column):
            return Operand(column, isConstant: true)
        case .call(let kernel, let inputs):
            var arguments: [Operand] = []
            arguments.reserveCapacity(inputs.count)
            for input in inputs { arguments.append(try value(input, frame)) }
            return try call(kernel, arguments, node.type, frame)
        case .logical(let and, let inputs):
            return try logical(and, inputs, node.type, frame)
        case .conditional(let branches, let otherwise):
            return try conditional(branches, otherwise, node.type, frame)
        case .firstPresent(let inputs):
            return try firstPresent(inputs, node.type, frame)
        }
    }

    private func call(_ kernel: Kernel, _ arguments: [Operand], _ type: DataType, _ frame: Frame) throws(EvaluationError) -> Operand {
        let isConstant = !kernel.isPerRow && arguments.allSatisfy(\.isConstant)
        let rows = isConstant ? 1 : frame.rows
        guard kernel.isStrict else {
            let call = Call(arguments: arguments, rows: rows, type: type, validity: nil, context: frame.context)
            return Operand(try kernel.body(call), isConstant: isConstant)
        }
        if arguments.contains(where: \.isNullConstant) { return Operand(Column.nulls(type, rows: 1), isConstant: true) }
        let validity = isConstant ? nil : Validity.both(arguments, rows: rows)
        let call = Call(arguments: arguments, rows: rows, type: type, validity: validity, context: frame.context)
        return Operand(try kernel.body(call).emptyingNulls(), isConstant: isConstant)
    }

    /// A later part that could fail or is costly sees only rows that the earlier ones leave open.
    private func logical(_ and: Bool, _ inputs: [Int], _ type: DataType, _ frame: Frame) throws(EvaluationError) -> Operand {
        var result = try value(inputs[0], frame)
        for input in inputs.dropFirst() {
            let rows = frame.rows
            if result.isConstant, !result.column.isNull(0), (result.column.pointer(UInt8.self)[0] == 0) == and { return result }
            let next: Operand
            if nodes[input].isSelective, frame.memo[input] == nil {
                let flags = result.column.pointer(UInt8.self), decisive: UInt8 = and ? 0 : 1
                var open: [Int32] = []
                for row in 0..<rows where result.isNull(row) || flags[row * result.stride] != decisive { open.append(Int32(row)) }
                if open.isEmpty { continue }
                if open.count == rows { next = try value(input, frame) } else {
                    let inner = Frame(frame, open)
                    let decided = Operand(Column.constant(.boolean(!and), type: DataType(.boolean), count: 1), isConstant: true)
                    var merge = Merge(rows: rows, fallback: decided)
                    merge.put(try value(input, inner), at: open)
                    next = Operand(merge.finish(type: type))
                }
            } else { next = try value(input, frame) }
            let isConstant = result.isConstant && next.isConstant
            result = Operand(
                Logic.combine(result, next, and: and, rows: isConstant ? 1 : rows, type: type), isConstant: isConstant)
        }
        return result
    }

    private func conditional(
        _ branches: [(condition: Int, value: Int)], _ otherwise: Int, _ type: DataType, _ frame: Frame
    ) throws(EvaluationError) -> Operand {
        var open = Array(0..<Int32(frame.rows))
        var merge: Merge?
        for branch in branches {
            if open.isEmpty { break }
            let whole = open.count == frame.rows
            let inner = !whole && nodes[branch.condition].isSelective ? Frame(frame, open) : frame
            let condition = try value(branch.condition, inner)
            let flags = condition.column.pointer(UInt8.self)
            if condition.isConstant {
                guard !condition.column.isNull(0), flags[0] != 0 else { continue }
                if whole, merge == nil { return try value(branch.value, frame) }
                merge = try take(open, branch.value, frame, merge)
                open = []
                break
            }
            var taken: [Int32] = [], left: [Int32] = []
            taken.reserveCapacity(open.count)
            for (place, row) in open.enumerated() {
                let at = inner === frame ? Int(row) : place
                if flags[at] != 0, !condition.column.isNull(at) { taken.append(row) } else { left.append(row) }
            }
            if taken.isEmpty { continue }
            if taken.count == frame.rows { return try value(branch.value, frame) }
            merge = try take(taken, branch.value, frame, merge)
            open = left
        }
        guard !open.isEmpty || merge == nil else { return Operand(merge.unsafelyUnwrapped.finish(type: type)) }
        if open.count == frame.rows { return try value(otherwise, frame) }
        return Operand(try take(open, otherwise, frame, merge).finish(type: type))
    }

    /// The value of a node for some rows of a frame, put where they belong.
    private func take(_ rows: [Int32], _ node: Int, _ frame: Frame, _ merge: Merge?) throws(EvaluationError) -> Merge {
        var merge = merge ?? Merge(rows: frame.rows, fallback: nil)
        if nodes[node].isSelective, frame.memo[node] == nil {
            merge.put(try value(node, Frame(frame, rows)), at: rows)
        } else {
            merge.putSame(try value(node, frame), at: rows)
        }
        return merge
    }

    private func firstPresent(_ inputs: [Int], _ type: DataType, _ frame: Frame) throws(EvaluationError) -> Operand {
        var first = try value(inputs[0], frame)
        var rest = inputs.dropFirst()
        while first.isNullConstant, let next = rest.popFirst() { first = try value(next, frame) }
        if first.isConstant || first.column.validity == nil { return first }
        var open: [Int32] = []
        for row in 0..<frame.rows where first.isNull(row) { open.append(Int32(row)) }
        var merge = Merge(rows: frame.rows, fallback: first)
        while !open.isEmpty, let next = rest.popFirst() {
            merge = try take(open, next, frame, merge)
            let known = frame.memo[next]
            guard let operand = known else {
                // Computed for the open rows only: what is still null shows in the merged column.
                let column = merge.finish(type: type)
                open = open.filter { column.isNull(Int($0)) }
                continue
            }
            open = open.filter { operand.isNull(Int($0)) }
        }
        return Operand(merge.finish(type: type))
    }
}
