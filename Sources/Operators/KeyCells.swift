import Columnar

/// Where the cells of a key are read: in the row that came, or, where equal keys may look different, in the state.
struct KeyCells {
    private let columns: [Column]
    /// For each of them whether it is read in the state; nil: none is.
    private let isStored: [Bool]?

    init(given: [Column], stored: () -> [Column]) {
        let floats = given.map { $0.physical == .float64 || $0.physical == .float32 }
        isStored = floats.contains(true) ? floats : nil
        columns = isStored == nil ? given : zip(zip(given, stored()), floats).map { $1 ? $0.1 : $0.0 }
    }

    /// The keys of some rows.
    func gather(_ rows: UnsafeBufferPointer<Int32>, ids: UnsafePointer<Int32>) -> [Column] {
        guard let isStored else { return columns.map { $0.gather(rows) } }
        let owners = rows.map { ids[Int($0)] }
        return owners.withUnsafeBufferPointer { owners in columns.indices.map { columns[$0].gather(isStored[$0] ? owners : rows) } }
    }

    func append(row: Int, id: Int, to builders: inout [ColumnBuilder]) {
        guard let isStored else {
            for (index, column) in columns.enumerated() { builders[index].append(column, row: row) }
            return
        }
        for (index, column) in columns.enumerated() { builders[index].append(column, row: isStored[index] ? id : row) }
    }
}
