import Glibc

/// Bytes that grow at the end, with 64 of slack so that writers may store whole words.
package final class TextBuffer {
    package private(set) var pointer: UnsafeMutablePointer<UInt8>
    package private(set) var capacity: Int
    package var count = 0

    package init(capacity: Int = 4096) {
        self.capacity = max(capacity, 64)
        self.pointer = .allocate(capacity: self.capacity + 64)
    }

    deinit { pointer.deallocate() }

    /// Makes room for so many more bytes and returns where they go.
    @inline(__always) package func reserve(_ more: Int) -> UnsafeMutablePointer<UInt8> {
        if count + more > capacity { grow(more) }
        return pointer + count
    }

    @inline(never) private func grow(_ more: Int) {
        let wanted = max(count + more, capacity * 2)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted + 64)
        larger.update(from: pointer, count: count)
        pointer.deallocate()
        pointer = larger
        capacity = wanted
    }

    /// Gives the memory back, with whatever is in it.
    package func release() {
        pointer.deallocate()
        (capacity, count) = (64, 0)
        pointer = .allocate(capacity: capacity + 64)
    }

    package func append(_ byte: UInt8) {
        reserve(1)[0] = byte
        count += 1
    }

    package func append(_ bytes: UnsafePointer<UInt8>, _ length: Int) {
        reserve(length).update(from: bytes, count: length)
        count += length
    }

    package func append(_ text: String) {
        var text = text
        text.withUTF8 { if let base = $0.baseAddress { append(base, $0.count) } }
    }

    package var text: String { String(decoding: UnsafeBufferPointer(start: pointer, count: count), as: UTF8.self) }
}
