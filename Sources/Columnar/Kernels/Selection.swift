/// Row numbers that passed a condition, in order: what a filter hands to `gather`.
package struct Selection: ~Copyable {
    private let memory: UnsafeMutablePointer<Int32>
    package private(set) var count = 0

    package init(capacity: Int) { memory = .allocate(capacity: capacity) }

    deinit { memory.deallocate() }

    /// Rows where a BOOLEAN column is true: neither false nor null.
    package init(whereTrue column: Column) {
        self.init(capacity: column.count)
        let flags = column.pointer(UInt8.self)
        var at = 0
        if column.validity == nil {
            for row in 0..<column.count {
                memory[at] = Int32(truncatingIfNeeded: row)
                at &+= Int(flags[row] & 1)
            }
        } else {
            for row in 0..<column.count where flags[row] != 0 && !column.isNull(row) {
                memory[at] = Int32(truncatingIfNeeded: row)
                at &+= 1
            }
        }
        count = at
    }

    package mutating func append(_ row: Int) {
        memory[count] = Int32(truncatingIfNeeded: row)
        count += 1
    }

    package var indices: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(start: memory, count: count) }
}
