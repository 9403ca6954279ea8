/// Rows of a batch in the order to visit them: the first `count`, or those that `pointer` lists.
///
/// Valid as long as the memory that it points to; made and used within one call.
@frozen package struct RowList {
    /// Nil: row numbers are positions.
    package let pointer: UnsafePointer<Int32>?
    package let count: Int

    @inlinable package init(first count: Int) {
        self.pointer = nil
        self.count = count
    }

    @inlinable package init(_ pointer: UnsafePointer<Int32>, count: Int) {
        self.pointer = pointer
        self.count = count
    }

    @inlinable package subscript(_ index: Int) -> Int {
        @inline(__always) get {
            guard let pointer else { return index }
            return Int(pointer[index])
        }
    }
}

/// Memory for one call's intermediate results, kept from call to call. Contents do not survive `reserve`.
package final class Scratch<Element: BitwiseCopyable> {
    package private(set) var pointer: UnsafeMutablePointer<Element>
    private var capacity: Int

    package init(capacity: Int = 64) {
        self.capacity = capacity
        self.pointer = .allocate(capacity: capacity)
    }

    deinit { pointer.deallocate() }

    package func reserve(_ count: Int) -> UnsafeMutablePointer<Element> {
        if count > capacity {
            pointer.deallocate()
            capacity = max(count, capacity * 2)
            pointer = .allocate(capacity: capacity)
        }
        return pointer
    }
}
