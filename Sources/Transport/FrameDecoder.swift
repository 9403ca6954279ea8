import NIOCore

/// Cuts a stream of bytes into frames: `length: u32 | payload`, little endian; `length` counts the payload alone and may be 0.
///
/// A payload is a slice of what was read, not a copy: whoever keeps it keeps the whole read (up to 128 KiB) alive.
package struct FrameDecoder {
    private let limitBytes: Int
    private var unread = ByteBuffer()
    /// A slice of `unread` may be alive elsewhere, so that writing into it would copy it.
    private var isShared = false

    static let headerBytes = 4

    package init(limitBytes: Int) { self.limitBytes = limitBytes }

    package struct Oversized: Error, Equatable {
        package let length: Int

        package init(length: Int) { self.length = length }
    }

    package mutating func append(_ bytes: ByteBuffer) {
        var bytes = bytes
        if unread.readableBytes == 0 {
            unread = bytes
            isShared = false
        } else if isShared {
            // Room for the frame that has begun, but no more than the peer has shown it can send: it only claims the rest.
            var fresh = ByteBufferAllocator().buffer(capacity: max(unread.readableBytes + bytes.readableBytes, min(missingBytes, 1 << 20)))
            fresh.writeBuffer(&unread)
            fresh.writeBuffer(&bytes)
            unread = fresh
            isShared = false
        } else {
            unread.writeBuffer(&bytes)
        }
    }

    /// Nil when no whole frame is there yet. After `Oversized` the stream cannot be read further.
    package mutating func next() throws(Oversized) -> ByteBuffer? {
        guard let length = announcedLength else { return nil }
        if length > limitBytes { throw Oversized(length: length) }
        guard unread.readableBytes >= Self.headerBytes + length else { return nil }
        unread.moveReaderIndex(forwardBy: Self.headerBytes)
        guard let payload = unread.readSlice(length: length) else { preconditionFailure("a frame that was there is gone") }
        isShared = true
        return payload
    }

    /// What is there of a frame that has begun: bytes read, and bytes it should have where its length is known. Nil between frames.
    package var begun: (read: Int, of: Int?)? {
        if unread.readableBytes == 0 { return nil }
        return (unread.readableBytes, announcedLength.map { $0 + Self.headerBytes })
    }

    private var announcedLength: Int? { unread.getInteger(at: unread.readerIndex, endianness: .little, as: UInt32.self).map(Int.init) }

    private var missingBytes: Int { (announcedLength ?? 0) + Self.headerBytes }
}
