import NIOCore
import Testing

import Transport

@Suite struct FrameDecoderTests {
    private func stream(_ payloads: [[UInt8]]) -> [UInt8] {
        payloads.flatMap { payload in
            let length = UInt32(payload.count)
            return [UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length >> 16), UInt8(length >> 24)] + payload
        }
    }

    @Test func framesSurviveEveryCutting() throws {
        var random = SplitMix(seed: 11)
        let payloads = (0..<60).map { _ in (0..<Int(random.next() % 900)).map { _ in UInt8(truncatingIfNeeded: random.next()) } } + [[]]
        let bytes = stream(payloads)
        for largest in [1, 3, 7, 64, 5000, bytes.count] {
            var decoder = FrameDecoder(limitBytes: 1 << 20)
            var frames: [ByteBuffer] = []
            var position = 0
            while position < bytes.count {
                let end = min(bytes.count, position + 1 + Int(random.next() % UInt64(largest)))
                decoder.append(ByteBuffer(bytes: bytes[position..<end]))
                while let frame = try decoder.next() { frames.append(frame) }
                position = end
            }
            // Compared at the end: a later read must not have written into a slice that was handed out.
            #expect(frames.map { Array($0.readableBytesView) } == payloads)
            #expect(decoder.begun == nil)
        }
    }

    @Test func everyPrefixWaitsForMore() throws {
        let bytes = stream([[1, 2, 3]])
        for count in 0..<bytes.count {
            var decoder = FrameDecoder(limitBytes: 10)
            decoder.append(ByteBuffer(bytes: bytes[..<count]))
            #expect(try decoder.next() == nil)
            #expect((decoder.begun != nil) == (count > 0))
        }
    }

    @Test func anOversizedFrameIsRefusedByItsLengthAlone() throws {
        var decoder = FrameDecoder(limitBytes: 100)
        decoder.append(ByteBuffer(bytes: stream([[UInt8](repeating: 0, count: 100)]) + [101, 0, 0, 0]))
        #expect(try decoder.next()?.readableBytes == 100)
        #expect(throws: FrameDecoder.Oversized(length: 101)) { try decoder.next() }
    }

    @Test func randomBytesNeverTrap() {
        for seed in 0..<2000 {
            var random = SplitMix(seed: UInt64(seed))
            var decoder = FrameDecoder(limitBytes: 4096)
            var hello = ByteBuffer()
            for _ in 0..<20 {
                let bytes = ByteBuffer(bytes: (0..<Int(random.next() % 40)).map { _ in UInt8(truncatingIfNeeded: random.next() & random.next() & random.next()) })
                decoder.append(bytes)
                hello.writeImmutableBuffer(bytes)
                _ = Hello.read(from: &hello)
                do { while try decoder.next() != nil {} } catch { break }
            }
        }
    }

    @Test func greetingsAreReadWholeOrNotAtAll() {
        let refusal = Hello(version: 7, role: 2, refusal: "not today: größer")
        for hello in [Hello(version: 513, role: 9), refusal] {
            let bytes = Array(hello.bytes.readableBytesView)
            for count in 0..<bytes.count {
                var cut = ByteBuffer(bytes: bytes[..<count])
                #expect(Hello.read(from: &cut) == .incomplete)
                #expect(cut.readableBytes == count)
            }
            var whole = ByteBuffer(bytes: bytes + [42])
            #expect(Hello.read(from: &whole) == .hello(hello))
            #expect(Array(whole.readableBytesView) == [42])
        }
        var http = ByteBuffer(string: "GET / HTTP/1.1\r\n")
        #expect(Hello.read(from: &http) == .foreign)
        var near = ByteBuffer(string: "SWX")
        #expect(Hello.read(from: &near) == .foreign)
    }
}

struct SplitMix {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
