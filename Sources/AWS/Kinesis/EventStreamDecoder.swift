import CZlib

/// Cuts `vnd.amazon.eventstream` into messages. A message: length of all (u32), length of its headers (u32), CRC-32 of these eight bytes,
/// headers, payload, CRC-32 of everything before; big endian. Source: "Event Stream Encoding", Amazon Transcribe and Kinesis guides.
package struct EventStreamDecoder {
    package struct Message: Hashable, Sendable {
        /// Those with text as their value; others are passed over.
        package var headers: [String: String]
        package var payload: [UInt8]
    }

    package struct Malformed: Error, Hashable {
        package let reason: String
    }

    /// A message is no longer than this.
    private static let maximumLength = 24 << 20

    private var buffer: [UInt8] = []
    private var at = 0

    package init() {}

    package mutating func append(_ bytes: some Collection<UInt8>) {
        if at > 0, at == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            at = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Bytes of a message that is not whole yet.
    package var hasRest: Bool { at < buffer.count }

    /// The next whole message; nil: more bytes are wanted.
    package mutating func next() throws(Malformed) -> Message? {
        guard buffer.count - at >= 12 else { return nil }
        let total = Int(word(at)), headersLength = Int(word(at + 4))
        guard crc(at, 8) == word(at + 8) else { throw Malformed(reason: "the checksum of a message's prelude is wrong") }
        guard total >= 16 + headersLength, total <= EventStreamDecoder.maximumLength else { throw Malformed(reason: "a message of \(total) bytes") }
        guard buffer.count - at >= total else { return nil }
        guard crc(at, total - 4) == word(at + total - 4) else { throw Malformed(reason: "the checksum of a message is wrong") }
        let headers = try headers(at + 12, at + 12 + headersLength)
        let message = Message(headers: headers, payload: Array(buffer[at + 12 + headersLength..<at + total - 4]))
        at += total
        if at > 1 << 20 {
            buffer.removeFirst(at)
            at = 0
        }
        return message
    }

    private func headers(_ from: Int, _ to: Int) throws(Malformed) -> [String: String] {
        var headers: [String: String] = [:]
        var at = from
        let short = Malformed(reason: "a header is cut off")
        while at < to {
            let nameEnd = at + 1 + Int(buffer[at])
            guard nameEnd < to else { throw short }
            let name = String(decoding: buffer[at + 1..<nameEnd], as: UTF8.self)
            at = nameEnd + 1
            switch buffer[nameEnd] {
            case 0, 1: break  // true, false
            case 2: at += 1
            case 3: at += 2
            case 4: at += 4
            case 5, 8: at += 8
            case 9: at += 16
            case 6, 7:
                guard at + 2 <= to else { throw short }
                let end = at + 2 + Int(buffer[at]) << 8 + Int(buffer[at + 1])
                guard end <= to else { throw short }
                if buffer[nameEnd] == 7 { headers[name] = String(decoding: buffer[at + 2..<end], as: UTF8.self) }
                at = end
            default: throw Malformed(reason: "a header of unknown type \(buffer[nameEnd])")
            }
            guard at <= to else { throw short }
        }
        return headers
    }

    private func word(_ at: Int) -> UInt32 {
        UInt32(buffer[at]) << 24 | UInt32(buffer[at + 1]) << 16 | UInt32(buffer[at + 2]) << 8 | UInt32(buffer[at + 3])
    }

    private func crc(_ from: Int, _ count: Int) -> UInt32 {
        buffer.withUnsafeBufferPointer { bytes in UInt32(truncatingIfNeeded: crc32(0, bytes.baseAddress.unsafelyUnwrapped + from, UInt32(count))) }
    }
}
