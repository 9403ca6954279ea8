import NIOCore
import Testing

import Transport

@Suite struct TransportTests {
    @Test func framesTravelBothWays() async throws {
        let (loopback, client) = (try await Loopback(), Recorder())
        let connection = try await loopback.connect(client)
        connection.send([1, 2, 3])
        connection.send(header: [4], body: [5, 6])
        connection.send(header: [7], body: ByteBuffer(bytes: [8]))
        connection.send([])
        #expect(await loopback.recorder.events(5) == [.opened(peerRole: 2), .frame([1, 2, 3]), .frame([4, 5, 6]), .frame([7, 8]), .frame([])])
        loopback.recorder.connection.send([9])
        #expect(await client.events(2) == [.opened(peerRole: 1), .frame([9])])
        connection.close(reason: "done")
        #expect(await client.events(3).last == .closed(.here("done")))
        #expect(await loopback.recorder.events(6).last == .closed(.byPeer))
        #expect(connection.pendingBytes == 0)
    }

    @Test func aHundredThousandSmallFramesStayInOrder() async throws {
        let (loopback, client) = (try await Loopback(), Recorder())
        let connection = try await loopback.connect(client)
        let count = 100_000
        for number in 0..<count { connection.send([UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number >> 16)]) }
        let events = await loopback.recorder.events(count + 1)
        let isInOrder = events.dropFirst().enumerated().allSatisfy { number, event in
            event == .frame([UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number >> 16)])
        }
        #expect(isInOrder)
        connection.close(reason: "done")
    }

    @Test func largeFramesArriveWhole() async throws {
        let (loopback, client) = (try await Loopback(), Recorder())
        let connection = try await loopback.connect(client)
        let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        connection.send(header: [1, 2], body: ByteBuffer(bytes: large))
        connection.send(large)
        connection.close(reason: "sent before closing")
        let events = await loopback.recorder.events(4)
        // Of millions of bytes no failure shall print each.
        let areWhole = events == [.opened(peerRole: 2), .frame([1, 2] + large), .frame(large), .closed(.byPeer)]
        #expect(areWhole, "the last: \(events.last.map { if case .closed(let reason) = $0 { reason.description } else { "a frame" } } ?? "")")
    }

    @Test func anotherVersionIsRefusedInWordsOnBothSides() async throws {
        let (loopback, client) = (try await Loopback(), Recorder())
        var newer = Loopback.patient
        newer.version = 9
        let error = await #expect(throws: TransportError.self) { _ = try await loopback.connect(client, options: newer) }
        #expect(error?.description.hasSuffix("refused the connection: protocol version 9 is not spoken here, this process speaks version \(TransportOptions().version)") == true)
        guard case .logged(let line) = await loopback.recorder.events(1)[0] else { return #expect(Bool(false), "no line was logged") }
        #expect(line.contains("refused: protocol version 9"))
        #expect(client.all.isEmpty)
    }

    @Test func strangersAreAnsweredAndLogged() async throws {
        let loopback = try await Loopback()
        let stranger = try await loopback.connectRaw()
        try await stranger.writeAndFlush(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
        try await stranger.closeFuture.get()
        guard case .logged(let line) = await loopback.recorder.events(1)[0] else { return #expect(Bool(false), "no line was logged") }
        #expect(line.contains("this port speaks Swiftwater's protocol"))
        #expect(await worksStill(loopback))
    }

    @Test func probesAreNotWorthALine() async throws {
        let loopback = try await Loopback()
        for _ in 0..<5 { try await loopback.connectRaw().close().get() }
        #expect(await worksStill(loopback))
        #expect(loopback.recorder.all.allSatisfy { if case .logged = $0 { false } else { true } })
    }

    @Test func anOversizedFrameClosesItsConnectionOnly() async throws {
        let loopback = try await Loopback()
        let attacker = try await loopback.connectRaw()
        let limit = TransportOptions().frameLimitBytes
        var bytes = Hello(version: TransportOptions().version, role: 7).bytes
        bytes.writeInteger(UInt32(limit + 1), endianness: .little)
        try await attacker.writeAndFlush(bytes)
        #expect(await loopback.recorder.events(2) == [
            .opened(peerRole: 7), .closed(.brokenFrame("a frame of \(limit + 1) bytes was announced, the limit is \(limit)")),
        ])
        guard case .logged(let line) = await loopback.recorder.events(3)[2] else { return #expect(Bool(false), "no line was logged") }
        #expect(line.hasSuffix("a frame of \(limit + 1) bytes was announced, the limit is \(limit)"))
        try await attacker.closeFuture.get()
        #expect(await worksStill(loopback))
    }

    @Test func framesAfterTheOneThatAHandlerClosesOnAreNotDelivered() async throws {
        let loopback = try await Loopback()
        loopback.recorder.closes(on: [13])
        let peer = try await loopback.connectRaw()
        var bytes = Hello(version: TransportOptions().version, role: 7).bytes
        for number in 12...15 {
            bytes.writeInteger(UInt32(1), endianness: .little)
            bytes.writeInteger(UInt8(number))
        }
        try await peer.writeAndFlush(bytes)
        try await peer.closeFuture.get()
        #expect(await loopback.recorder.events(4) == [.opened(peerRole: 7), .frame([12]), .frame([13]), .closed(.here("unreadable"))])
    }

    @Test func aFrameCutOffByThePeersEndIsSaidSo() async throws {
        let loopback = try await Loopback()
        let peer = try await loopback.connectRaw()
        var bytes = Hello(version: TransportOptions().version, role: 7).bytes
        bytes.writeInteger(UInt32(10), endianness: .little)
        bytes.writeBytes([1, 2, 3])
        try await peer.writeAndFlush(bytes)
        try await peer.close().get()
        #expect(await loopback.recorder.events(2).last == .closed(.brokenFrame("the connection ended inside a frame, after 7 of 14 bytes")))
    }

    @Test func randomBytesAfterTheGreetingDisturbNobodyElse() async throws {
        let (loopback, client) = (try await Loopback(), Recorder())
        _ = try await loopback.connect(client)
        for seed in 0..<30 {
            var random = SplitMix(seed: UInt64(seed))
            let peer = try await loopback.connectRaw()
            var bytes = seed % 2 == 0 ? Hello(version: TransportOptions().version, role: 7).bytes : ByteBuffer()
            bytes.writeBytes((0..<200).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            try? await peer.writeAndFlush(bytes)
            try? await peer.close().get()
        }
        client.connection.send([77])
        loopback.recorder.connection.send([78])
        #expect(await client.events(2).last == .frame([78]))
        #expect(await worksStill(loopback))
    }

    @Test func aPeerThatTakesNothingIsGivenUp() async throws {
        var options = Loopback.patient
        options.pendingLimitBytes = 1 << 20
        let loopback = try await Loopback(options: options)
        let deaf = try await loopback.connectRaw()
        try await deaf.setOption(.autoRead, value: false).get()
        try await deaf.writeAndFlush(Hello(version: TransportOptions().version, role: 7).bytes)
        _ = await loopback.recorder.events(1)
        let payload = [UInt8](repeating: 1, count: 1 << 20 - 100)
        while loopback.recorder.all.count < 2 { loopback.recorder.connection.send(payload) }
        guard case .closed(.overflow(let words)) = await loopback.recorder.events(2)[1] else { return #expect(Bool(false), "not given up") }
        #expect(words.contains("the peer does not take what is sent"))
        try await deaf.close().get()
    }

    @Test func nobodyListeningIsSaidWithTheAddress() async throws {
        let error = await #expect(throws: TransportError.self) {
            _ = try await connect(group: Loopback.group, host: "127.0.0.1", port: 1, role: 2, accept: Recorder().accept).get()
        }
        #expect(error?.description == "cannot connect to 127.0.0.1:1: Connection refused")
    }

    @Test func aServerThatNeverGreetsIsGivenUp() async throws {
        let silent = try await Loopback.silentServer()
        var options = TransportOptions()
        options.handshakeTimeout = .milliseconds(50)
        let error = await #expect(throws: TransportError.self) {
            _ = try await connect(group: Loopback.group, host: "127.0.0.1", port: silent.localAddress!.port!, role: 2, options: options, accept: Recorder().accept).get()
        }
        #expect(error?.description.hasSuffix("no greeting within 50 ms") == true)
        try await silent.close().get()
    }

    /// A new client still gets through.
    private func worksStill(_ loopback: Loopback) async -> Bool {
        let client = Recorder()
        guard let connection = try? await loopback.connect(client) else { return false }
        let before = loopback.recorder.all.filter { $0 == .frame([200]) }.count
        connection.send([200])
        connection.close(reason: "test over")
        _ = await client.events(2)
        return before == 0
    }
}
