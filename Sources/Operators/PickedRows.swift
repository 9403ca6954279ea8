import Columnar

/// What of a trace (each row's results before and after it, in turn) goes into the changelog, in order.
struct PickedRows {
    private(set) var kinds: [RowKind] = []
    /// The row of the batch.
    private var rows: [Int32] = []
    /// Its place in the trace.
    private var places: [Int32] = []

    /// `+I` for a key's first row, `-U` (when wanted) and `+U` where a result changed.
    init(_ results: [Column], count: Int, isFirst: UnsafePointer<UInt8>, withBefore: Bool) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { changed in
            changed.initialize(repeating: 0)
            for result in results { result.markChangedPairs(changed) }
            for row in 0..<count {
                if isFirst[row] != 0 { append(.insert, row, row * 2 + 1) } else if changed[row] != 0 {
                    if withBefore { append(.updateBefore, row, row * 2) }
                    append(.updateAfter, row, row * 2 + 1)
                }
            }
        }
    }

    func batch(_ range: Range<Int>, keys: KeyCells, ids: UnsafePointer<Int32>, results: [Column]) -> Batch {
        let buffer = Buffer(capacity: range.count)
        for (at, kind) in kinds[range].enumerated() { buffer.typed(UInt8.self)[at] = kind.rawValue }
        let keyColumns = rows[range].withUnsafeBufferPointer { keys.gather($0, ids: ids) }
        let resultColumns = places[range].withUnsafeBufferPointer { places in results.map { $0.gather(places) } }
        return Batch(
            count: range.count, columns: keyColumns + resultColumns, kinds: kinds[range].allSatisfy { $0 == .insert } ? nil : buffer)
    }

    private mutating func append(_ kind: RowKind, _ row: Int, _ place: Int) {
        kinds.append(kind)
        rows.append(Int32(truncatingIfNeeded: row))
        places.append(Int32(truncatingIfNeeded: place))
    }
}

extension Column {
    /// Sets the mark of each pair of rows 2n and 2n + 1 that differ, bit by bit.
    fileprivate func markChangedPairs(_ marks: UnsafeMutableBufferPointer<UInt8>) {
        func mark<T: Equatable>(_ type: T.Type) {
            let values = pointer(T.self)
            for pair in marks.indices where values[pair * 2] != values[pair * 2 + 1] { marks[pair] = 1 }
        }
        switch physical {
        case .bool, .int8: mark(UInt8.self)
        case .int16: mark(UInt16.self)
        case .int32, .float32: mark(UInt32.self)
        case .int64, .float64: mark(UInt64.self)
        case .int128: mark(UInt128.self)
        case .bytes: for pair in marks.indices where !slice(pair * 2).elementsEqual(slice(pair * 2 + 1)) { marks[pair] = 1 }
        }
        // A null row's value is zero, so that it may look like one that is not null.
        guard validity != nil else { return }
        for pair in marks.indices where isNull(pair * 2) != isNull(pair * 2 + 1) { marks[pair] = 1 }
    }
}
