/// Rows on their way: columns of equal length, and what each row does to the table (`kinds`).
package struct Batch: Sendable {
    package let count: Int
    package let columns: [Column]
    /// One `RowKind` raw value a row; nil when every row is an insert.
    package let kinds: Buffer?

    package init(count: Int, columns: [Column], kinds: Buffer? = nil) {
        for column in columns { precondition(column.count == count, "columns of one batch have one length") }
        self.count = count
        self.columns = columns
        self.kinds = kinds
    }

    @inlinable package func kind(_ row: Int) -> RowKind {
        guard let kinds else { return .insert }
        return RowKind(rawValue: kinds.typed(UInt8.self)[row]).unsafelyUnwrapped
    }

    package var byteCount: Int {
        columns.reduce(kinds == nil ? 0 : count) { $0 + $1.byteCount }
    }

    package var isInsertOnly: Bool { kinds == nil }

    /// One row as values; slow, for printing and tests.
    package func row(_ index: Int) -> [Value] { columns.map { $0.value(index) } }

    package var rows: [[Value]] { (0..<count).map(row) }

    package static func of(_ types: [DataType], _ rows: [[Value]], kinds: [RowKind]? = nil) -> Batch {
        let columns = types.indices.map { index in Column.of(types[index], rows.map { $0[index] }) }
        var buffer: Buffer?
        if let kinds {
            let bytes = Buffer(capacity: kinds.count)
            for (row, kind) in kinds.enumerated() { bytes.typed(UInt8.self)[row] = kind.rawValue }
            buffer = bytes
        }
        return Batch(count: rows.count, columns: columns, kinds: buffer)
    }
}
