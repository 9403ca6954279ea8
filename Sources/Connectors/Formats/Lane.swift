import Columnar

/// A column as raw memory, for writers' loops: a `Column` in a hot loop costs reference counts. Valid while its batch lives.
struct Lane {
    let kind: FieldKind
    /// Whether a timestamp or time has decimals, and how many.
    let precision: Int
    /// Position in the batch.
    let index: Int
    private let values: UnsafeRawPointer
    private let bytes: UnsafePointer<UInt8>?
    private let validity: UnsafePointer<UInt64>?

    init(_ column: Column, index: Int) {
        self.kind = FieldKind(column.type.kind)
        self.precision = Int(FieldKind.precision(column.type.kind))
        self.index = index
        self.values = UnsafeRawPointer(column.values.pointer)
        self.bytes = column.bytes.map { UnsafePointer($0.typed()) }
        self.validity = column.validity.map { UnsafePointer($0.typed()) }
    }

    @inline(__always) func isNull(_ row: Int) -> Bool {
        guard let validity else { return false }
        return validity[row >> 6] &>> UInt64(row & 63) & 1 == 0
    }

    @inline(__always) func value<T>(_ row: Int, as type: T.Type = T.self) -> T { values.assumingMemoryBound(to: T.self)[row] }

    @inline(__always) func text(_ row: Int) -> (UnsafePointer<UInt8>, Int) {
        let offsets = values.assumingMemoryBound(to: Int32.self)
        let start = Int(offsets[row])
        return (bytes.unsafelyUnwrapped + start, Int(offsets[row + 1]) - start)
    }
}
