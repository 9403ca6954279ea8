import Columnar
import Dataflow
import Testing
import Wire

struct WireTests {
    @Test func workerMessagesComeBack() throws {
        for message in MessageSamples.worker { #expect(try WorkerMessage.decode(message.encode()) == message) }
    }

    @Test func leaderMessagesComeBackWithTheirEpoch() throws {
        for (epoch, message) in MessageSamples.leader.enumerated() {
            let (found, decoded) = try LeaderMessage.decode(message.encode(epoch: UInt64(epoch)))
            #expect(found == UInt64(epoch))
            #expect(decoded == message)
        }
    }

    @Test func everyKindHasASample() {
        // The first byte is the kind; kinds are numbered from 1 without gaps.
        #expect(Set(MessageSamples.worker.map { $0.encode()[0] }) == Set(1...22))
        #expect(Set(MessageSamples.leader.map { $0.encode(epoch: 0)[0] }) == Set(1...18))
        #expect(Set(MessageSamples.data.map { $0.encode()[0] }) == Set(1...8))
    }

    @Test func dataMessagesComeBack() throws {
        for message in MessageSamples.data {
            let decoded = try decode(message.encode())
            switch (message, decoded) {
            case (.credit(let channel, let batches), .credit(let found, let count)):
                #expect(channel == found && batches == count)
            case (.element(let channel, let sequence, let element), .element(let found, let number, let back)):
                #expect(channel == found && sequence == number)
                expectSame(element, back)
            case (.state(let parcel), .state(let found)): #expect(parcel == found)
            case (.credit, _), (.element, _), (.state, _):
                Issue.record("a message came back as something else")
            }
        }
    }

    @Test func batchesOfUnknownChannelsAreDropped() throws {
        for message in MessageSamples.data {
            let isBatch = if case .element(_, _, .batch) = message { true } else { false }
            let decoded = try message.encode().withUnsafeBytes { try DataMessage.decode($0) { _ in nil } }
            #expect((decoded == nil) == isBatch)
        }
    }

    @Test func everyPrefixIsRefused() {
        for message in MessageSamples.worker {
            let bytes = message.encode()
            for count in bytes.indices { #expect(throws: MalformedBytes.self) { try WorkerMessage.decode(Array(bytes.prefix(count))) } }
            #expect(throws: MalformedBytes.self) { try WorkerMessage.decode(bytes + [0]) }
        }
        for message in MessageSamples.leader {
            let bytes = message.encode(epoch: 5)
            for count in bytes.indices { #expect(throws: MalformedBytes.self) { try LeaderMessage.decode(Array(bytes.prefix(count))) } }
            #expect(throws: MalformedBytes.self) { try LeaderMessage.decode(bytes + [0]) }
        }
        for message in MessageSamples.data {
            let bytes = message.encode()
            for count in bytes.indices { #expect(throws: MalformedBytes.self) { try decode(Array(bytes.prefix(count))) } }
            #expect(throws: MalformedBytes.self) { try decode(bytes + [0]) }
        }
    }

    @Test func changedBytesAreReadOrRefusedAndNothingElse() {
        var generator = Chance(state: 42)
        let samples =
            MessageSamples.worker.map { $0.encode() } + MessageSamples.leader.map { $0.encode(epoch: 1) } + MessageSamples.data.map { $0.encode() }
        for _ in 0..<20_000 {
            var bytes = samples[Int(generator.next() % UInt64(samples.count))]
            for _ in 0...(generator.next() % 3) {
                bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
            }
            _ = try? WorkerMessage.decode(bytes)
            _ = try? LeaderMessage.decode(bytes)
            _ = try? decode(bytes)
        }
    }

    @Test func randomBytesAreReadOrRefusedAndNothingElse() {
        var generator = Chance(state: 7)
        for _ in 0..<20_000 {
            var bytes = (0..<generator.next() % 200).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            if !bytes.isEmpty { bytes[0] = UInt8(generator.next() % 16) }
            _ = try? WorkerMessage.decode(bytes)
            _ = try? LeaderMessage.decode(bytes)
            _ = try? decode(bytes)
        }
    }

    private func decode(_ bytes: [UInt8]) throws(MalformedBytes) -> DataMessage? {
        var result: Result<DataMessage?, MalformedBytes> = .success(nil)
        bytes.withUnsafeBytes { memory in
            do throws(MalformedBytes) { result = .success(try DataMessage.decode(memory) { _ in MessageSamples.types }) } catch { result = .failure(error) }
        }
        return try result.get()
    }

    private func expectSame(_ a: StreamElement, _ b: StreamElement) {
        switch (a, b) {
        case (.batch(let a), .batch(let b)):
            #expect(a.rows == b.rows)
            #expect((0..<a.count).map(a.kind) == (0..<b.count).map(b.kind))
        case (.watermark(let a), .watermark(let b)): #expect(a == b)
        case (.barrier(let a), .barrier(let b)): #expect(a == b)
        case (.idle, .idle), (.active, .active), (.end, .end): break
        case (.batch, _), (.watermark, _), (.barrier, _), (.idle, _), (.active, _), (.end, _): Issue.record("\(a) came back as \(b)")
        }
    }
}

/// SplitMix64.
private struct Chance {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
