import Glibc

extension Column {
    /// The rows named by `indices`, in that order.
    package func gather(_ indices: UnsafeBufferPointer<Int32>) -> Column {
        let rows = indices.count
        var taken: Buffer?
        if validity != nil {
            let bits = Buffer.zeroed(capacity: Column.validityBytes(rows))
            let words = bits.typed(UInt64.self)
            for row in 0..<rows where !isNull(Int(indices[row])) { words[row >> 6] |= 1 << UInt64(row & 63) }
            taken = bits
        }
        guard physical == .bytes else {
            return Column(type: type, count: rows, values: gatherFixed(indices), validity: taken)
        }
        let from = offsets
        let target = Buffer(capacity: (rows + 1) * 4)
        let to = target.typed(Int32.self)
        to[0] = 0
        var total: Int32 = 0
        for row in 0..<rows {
            let index = Int(indices[row])
            total += from[index + 1] - from[index]
            to[row + 1] = total
        }
        let run = Buffer(capacity: Int(total))
        let source = bytes.unsafelyUnwrapped.pointer
        for row in 0..<rows {
            let start = from[Int(indices[row])]
            let length = Int(to[row + 1] - to[row])
            // Short strings are one unaligned 16-byte move into the slack; the next row overwrites what is too much.
            if length <= 16 {
                let word = (source + Int(start)).loadUnaligned(as: SIMD16<UInt8>.self)
                (run.pointer + Int(to[row])).storeBytes(of: word, as: SIMD16<UInt8>.self)
            } else {
                memcpy(run.pointer + Int(to[row]), source + Int(start), length)
            }
        }
        return Column(type: type, count: rows, values: target, bytes: run, validity: taken)
    }

    private func gatherFixed(_ indices: UnsafeBufferPointer<Int32>) -> Buffer {
        let target = Buffer(capacity: indices.count * physical.width)
        func move<T>(_ type: T.Type) {
            let from = values.typed(T.self), to = target.typed(T.self)
            for row in 0..<indices.count { to[row] = from[Int(indices[row])] }
        }
        switch physical {
        case .bool, .int8: move(UInt8.self)
        case .int16: move(UInt16.self)
        case .int32, .float32: move(UInt32.self)
        case .int64, .float64: move(UInt64.self)
        case .int128: move(UInt128.self)
        case .bytes: preconditionFailure("variable-length columns are gathered by offsets")
        }
        return target
    }

    /// Rows `range`, copied.
    package func slice(_ range: Range<Int>) -> Column {
        let indices = Array(Int32(range.lowerBound)..<Int32(range.upperBound))
        return indices.withUnsafeBufferPointer { gather($0) }
    }
}

extension Batch {
    package func gather(_ indices: UnsafeBufferPointer<Int32>) -> Batch {
        var taken: Buffer?
        if let kinds {
            let bytes = Buffer(capacity: indices.count)
            for row in 0..<indices.count { bytes.typed(UInt8.self)[row] = kinds.typed(UInt8.self)[Int(indices[row])] }
            taken = bytes
        }
        return Batch(count: indices.count, columns: columns.map { $0.gather(indices) }, kinds: taken)
    }

    package func slice(_ range: Range<Int>) -> Batch {
        if range == 0..<count { return self }
        let indices = Array(Int32(range.lowerBound)..<Int32(range.upperBound))
        return indices.withUnsafeBufferPointer { gather($0) }
    }

    /// All rows of batches of one schema, in order.
    package static func concatenate(_ batches: [Batch]) -> Batch {
        guard batches.count > 1, let first = batches.first else { return batches[0] }
        let count = batches.reduce(0) { $0 + $1.count }
        let columns = first.columns.indices.map { index in
            var builder = ColumnBuilder(type: first.columns[index].type, capacity: count)
            for batch in batches { for row in 0..<batch.count { builder.append(batch.columns[index], row: row) } }
            return builder.finish()
        }
        guard batches.contains(where: { $0.kinds != nil }) else { return Batch(count: count, columns: columns) }
        let kinds = Buffer(capacity: count)
        var at = 0
        for batch in batches { for row in 0..<batch.count { kinds.typed(UInt8.self)[at] = batch.kind(row).rawValue; at += 1 } }
        return Batch(count: count, columns: columns, kinds: kinds)
    }
}
