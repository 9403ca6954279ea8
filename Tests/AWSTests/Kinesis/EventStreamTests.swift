import AWS
import Testing

/// The messages were made by a Python program from the encoding's description.
struct EventStreamTests {
    private static let event = bytes(
        "000000bc000000658dcdafab0d3a6d6573736167652d747970650700056576656e740b3a6576656e742d74797065070015537562736372696265546f"
            + "53686172644576656e740d3a636f6e74656e742d7479706507001a6170706c69636174696f6e2f782d616d7a2d6a736f6e2d312e317b225265636f72"
            + "6473223a5b5d2c224d696c6c6973426568696e644c6174657374223a372c22436f6e74696e756174696f6e53657175656e63654e756d626572223a22"
            + "3439227ddcd6c4b2")
    private static let failure = bytes(
        "0000009300000071d486c3030d3a6d6573736167652d74797065070009657863657074696f6e0f3a657863657074696f6e2d74797065070019526573"
            + "6f757263654e6f74466f756e64457863657074696f6e0d3a636f6e74656e742d7479706507001a6170706c69636174696f6e2f782d616d7a2d6a736f"
            + "6e2d312e317b226d657373616765223a22676f6e65227db5f41b40")

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16) }
    }

    @Test func messagesComeBackHoweverTheyAreCut() throws {
        for piece in [1, 7, 100, 1000] {
            var decoder = EventStreamDecoder()
            var messages: [EventStreamDecoder.Message] = []
            let all = Self.event + Self.failure + Self.event
            for from in stride(from: 0, to: all.count, by: piece) {
                decoder.append(all[from..<min(from + piece, all.count)])
                while let message = try decoder.next() { messages.append(message) }
            }
            #expect(messages.map { $0.headers[":message-type"] } == ["event", "exception", "event"])
            #expect(messages[1].headers[":exception-type"] == "ResourceNotFoundException")
            let answer = try #require(KinesisAnswer(messages[2].payload))
            #expect(answer.continuation == "49")
            #expect(answer.millisBehindLatest == 7)
            #expect(!decoder.hasRest)
        }
    }

    @Test func everyFlippedBitIsNoticed() {
        for place in Self.event.indices {
            var decoder = EventStreamDecoder()
            var broken = Self.event
            broken[place] ^= 0x10
            decoder.append(broken)
            #expect(throws: EventStreamDecoder.Malformed.self) { try decoder.next() }
        }
    }
}
