import Glibc

/// Owns a run of memory, aligned to 64 bytes, with `slack` readable bytes behind it so that kernels may load whole words.
///
/// Written while it has one owner (a builder), then only read. One reference count a buffer, never one a row.
package final class Buffer: @unchecked Sendable {
    package static let slack = 64

    package let pointer: UnsafeMutableRawPointer
    /// Bytes that may be used.
    package let capacity: Int

    package init(capacity: Int) {
        precondition(capacity >= 0)
        let rounded = (capacity + Buffer.slack + 63) & ~63
        guard let memory = aligned_alloc(64, rounded) else {
            preconditionFailure("out of memory: \(rounded) bytes")
        }
        self.pointer = memory
        self.capacity = capacity
        memset(memory + (rounded - Buffer.slack), 0, Buffer.slack)
    }

    deinit { free(pointer) }

    package static func zeroed(capacity: Int) -> Buffer {
        let buffer = Buffer(capacity: capacity)
        memset(buffer.pointer, 0, capacity)
        return buffer
    }

    /// A larger buffer with the first `count` bytes of this one.
    package func grown(to capacity: Int, keeping count: Int) -> Buffer {
        let larger = Buffer(capacity: max(capacity, self.capacity * 2))
        memcpy(larger.pointer, pointer, count)
        return larger
    }

    @inlinable package func typed<T>(_ type: T.Type = T.self) -> UnsafeMutablePointer<T> {
        pointer.assumingMemoryBound(to: T.self)
    }
}
