import NIOCore
import NIOEmbedded
import NIOHTTP1
import REST
import Testing

/// What goes over one connection, byte by byte, when it is the server's turn to say more than answers.
struct ConnectionGuardTests {
    @Test func aBodyThatIsHeldBackIsAskedFor() throws {
        var client = try Client()
        try client.send("POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        #expect(try client.received() == "HTTP/1.1 100 Continue\r\n\r\n")
        try client.send("hello")
        #expect(try client.requests() == ["POST /jobs", "5 bytes", "end"])
        try client.answer("{}")
        #expect(try client.received() == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        #expect(client.isOpen)
    }

    @Test func onlyTheOldestRequestIsToldToGoOn() throws {
        var client = try Client()
        try client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n")
        #expect(try client.received() == "")
        try client.answer("first")
        #expect(try client.received() == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 100 Continue\r\n\r\n")
    }

    @Test func whoSendsTheBodyUnaskedIsNotAskedForIt() throws {
        var client = try Client()
        try client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx")
        try client.answer("first")
        #expect(try client.received() == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst")
    }

    /// Else the next request could not be told from the body that was not asked for.
    @Test func whatIsTooLongIsNotAskedForAndItsAnswerIsTheLast() throws {
        var client = try Client()
        try client.send("POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
        #expect(try client.received() == "")
        try client.answer("no", status: .payloadTooLarge)
        #expect(try client.received() == "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        try client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.requests() == ["POST /jobs"])
        client.later(.seconds(1))
        #expect(!client.isOpen)
    }

    @Test func oldClientsGetNoChunksAndTheConnectionsEnd() throws {
        var client = try Client()
        try client.send("GET /log HTTP/1.0\r\n\r\n")
        #expect(try client.requests() == ["GET /log", "end"])
        try client.answer("a line", length: nil)
        #expect(try client.received() == "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\na line")
        client.later(.seconds(1))
        #expect(!client.isOpen)
    }

    @Test func newClientsGetChunks() throws {
        var client = try Client()
        try client.send("GET /log HTTP/1.1\r\nHost: a\r\n\r\n")
        try client.answer("a line", length: nil)
        #expect(try client.received() == "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\na line\r\n0\r\n\r\n")
        #expect(client.isOpen)
    }

    @Test func whatComesAfterALastRequestIsThrownAway() throws {
        var client = try Client()
        try client.send("GET /a HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.requests() == ["GET /a", "end"])
        try client.answer("last")
        #expect(try client.received() == "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast")
        client.later(.seconds(1))
        #expect(!client.isOpen)
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "nonsense\r\n\r\n", "GET / HTTP/1.1\r\nHost"])
    func whatIsNoRequestIsRefusedInWordsAfterTheAnswersBefore(bytes: String) throws {
        for isAlone in [true, false] {
            var client = try Client()
            if !isAlone { try client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n") }
            try client.send(bytes)
            client.endsSending()
            if !isAlone {
                #expect(try client.received() == "")
                #expect(try client.requests() == ["GET /a", "end"])
                try client.answer("first")
            }
            let received = try client.received()
            #expect(received.hasPrefix(isAlone ? "HTTP/1.1 400 Bad Request\r\n" : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 400 Bad Request\r\n"), "\(received)")
            #expect(received.contains("Connection: close\r\n") && received.hasSuffix("\"]}") && received.contains("{\"errors\":[\""), "\(received)")
            #expect(try client.requests() == [])
            client.later(.seconds(1))
            #expect(!client.isOpen)
        }
    }

    @Test func aConnectionThatOnlyEndsIsNotRefused() throws {
        var client = try Client()
        client.endsSending()
        #expect(try client.received() == "")
        try client.send("")
        #expect(try client.received() == "")
    }

    @Test func aBodyThatBreaksOffAfterItsAnswerEndsTheConnection() throws {
        var client = try Client()
        try client.send("POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
        try client.answer("no", status: .unauthorized)
        _ = try client.received()
        client.endsSending()
        #expect(try client.received() == "")
        client.later(.seconds(1))
        #expect(!client.isOpen)
    }
}

/// A client at the other end of a connection, and a server that answers when it is told to.
private struct Client {
    private let channel: EmbeddedChannel

    init() throws {
        channel = EmbeddedChannel()
        let desk = ConnectionDesk(ConnectionTable(most: 10, mostOfOneAddress: 10), requestTimeout: .seconds(20), idleTimeout: .seconds(30))
        try channel.pipeline.syncOperations.addHandlers([HTTPResponseEncoder(), ByteToMessageHandler(HTTPRequestDecoder()), ConnectionGuard(desk)])
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/client")).wait()
    }

    var isOpen: Bool { channel.isActive }

    mutating func send(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }
    mutating func endsSending() { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    func later(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }

    /// What has reached the server since the last look.
    func requests() throws -> [String] {
        var parts: [String] = []
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head): parts.append("\(head.method) \(head.uri)")
            case .body(let bytes): parts.append("\(bytes.readableBytes) bytes")
            case .end: parts.append("end")
            }
        }
        return parts
    }

    /// `length`: nil for an answer whose length is not known.
    func answer(_ text: String, status: HTTPResponseStatus = .ok, length: Int? = 0) throws {
        let headers: HTTPHeaders = length == nil ? [:] : ["Content-Length": "\(text.utf8.count)"]
        channel.write(HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)), promise: nil)
        channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        channel.embeddedEventLoop.run()
    }

    func received() throws -> String {
        var text = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
        return text
    }
}
