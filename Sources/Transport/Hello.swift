import NIOCore

/// The first bytes in both directions: `"SWFT" | version: u16 | role: u8 | status: u8`, little endian. The client speaks first.
///
/// Status 0 greets. Status 1 refuses and is followed by `length: u16 | text`, words for the other side's log; then the connection is closed. This shape
/// never changes, whatever the version: it is how versions tell each other that they differ.
package struct Hello: Equatable {
    package let version: UInt16
    package let role: UInt8
    /// Nil in a greeting.
    package var refusal: String?

    package init(version: UInt16, role: UInt8, refusal: String? = nil) {
        self.version = version
        self.role = role
        self.refusal = refusal
    }

    private static let magic = Array("SWFT".utf8)
    private static let textLimitBytes = 1024

    package var bytes: ByteBuffer {
        var buffer = ByteBuffer(bytes: Self.magic)
        buffer.writeInteger(version, endianness: .little)
        buffer.writeInteger(role)
        buffer.writeInteger(UInt8(refusal == nil ? 0 : 1))
        if let refusal {
            let text = Array(refusal.utf8.prefix(Self.textLimitBytes))
            buffer.writeInteger(UInt16(text.count), endianness: .little)
            buffer.writeBytes(text)
        }
        return buffer
    }

    package enum Found: Equatable {
        case hello(Hello)
        /// A beginning that may still become a hello.
        case incomplete
        /// Some other protocol.
        case foreign
    }

    /// Consumes a whole hello from the front; leaves the bytes alone otherwise.
    package static func read(from buffer: inout ByteBuffer) -> Found {
        guard buffer.readableBytesView.prefix(magic.count).elementsEqual(magic.prefix(buffer.readableBytes)) else { return .foreign }
        var rest = buffer
        rest.moveReaderIndex(forwardBy: min(magic.count, rest.readableBytes))
        guard let version = rest.readInteger(endianness: .little, as: UInt16.self), let role = rest.readInteger(as: UInt8.self),
            let status = rest.readInteger(as: UInt8.self) else { return .incomplete }
        var hello = Hello(version: version, role: role)
        switch status {
        case 0: break
        case 1:
            guard let length = rest.readInteger(endianness: .little, as: UInt16.self) else { return .incomplete }
            if length > textLimitBytes { return .foreign }
            guard let text = rest.readString(length: Int(length)) else { return .incomplete }
            hello.refusal = text
        default: return .foreign
        }
        buffer = rest
        return .hello(hello)
    }
}
