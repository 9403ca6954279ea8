import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import REST
import Synchronization
import Testing

/// What one connection answers, byte by byte, with a router behind it.
struct RequestHandlerTests {
    @Test func whatNeedsNoWaitingIsAnsweredAtOnce() throws {
        let client = try Client()
        try client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.received() == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: D\r\n\r\nhello")
        #expect(client.isOpen)
    }

    @Test func requestsInOnePieceAreAnsweredInTheirOrder() throws {
        let client = try Client()
        try client.send((1...500).map { "GET /say/\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
        client.later(.milliseconds(10))
        #expect(try client.bodies() == (1...500).map { "\($0)" })
    }

    /// Who sends many at once lets others be answered between.
    @Test func manyRequestsAreAnsweredInTurns() throws {
        let client = try Client()
        try client.send((1...40).map { "GET /say/\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
        #expect(try client.bodies() == (1...16).map { "\($0)" })
        client.later(.microseconds(100))
        #expect(try client.bodies() == (17...32).map { "\($0)" })
        client.later(.microseconds(100))
        #expect(try client.bodies() == (33...40).map { "\($0)" })
    }

    @Test func answersThatNobodyTakesDoNotPileUp() throws {
        let client = try Client()
        client.isSlow = true
        try client.send(String(repeating: "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n", count: 10))
        #expect(try client.received() == "")
        #expect(!client.reads.isWanted)
        client.isSlow = false
        #expect(try client.received().ranges(of: "HTTP/1.1 200 OK\r\n").count == 10)
        #expect(client.reads.isWanted)
    }

    @Test func whoWaitsHoldsUpTheNext() throws {
        let client = try Client()
        try client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /say/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        try client.send("GET /say/2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.received() == "")
        client.gate.open()
        #expect(try client.bodies() == ["late", "1", "2"])
    }

    @Test(arguments: ["Content-Length: 10", "Transfer-Encoding: chunked"])
    func bodiesComeInPieces(framing: String) throws {
        let client = try Client()
        let pieces = framing.hasPrefix("T") ? ["4\r\nabcd\r\n", "6\r\nefghij\r\n0\r\n\r\n"] : ["abcd", "efghij"]
        try client.send("POST /echo HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
        #expect(try client.received() == "")
        for piece in pieces { try client.send(piece) }
        try client.send("GET /say/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.bodies() == ["abcdefghij", "1"])
    }

    /// Its body comes nevertheless, and is not taken for a request.
    @Test func anAnswerBeforeTheBodysEndStandsAlone() throws {
        let client = try Client()
        try client.send("POST /say/no HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nGET /say/1")
        #expect(try client.bodies() == ["no"])
        try client.send(" HTTP/1.1\r\nabcdefghi" + "GET /say/2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.bodies() == ["2"])
    }

    /// The socket is read no further; nothing is lost.
    @Test func aBodyThatNobodyReadsIsHeldBack() throws {
        let client = try Client()
        try client.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n")
        for _ in 0..<20 { try client.send("ab") }
        #expect(!client.reads.isWanted)
        client.gate.open()
        #expect(try client.bodies() == [String(repeating: "ab", count: 20)])
        #expect(client.reads.isWanted)
    }

    @Test func aBodyThatBreaksOffIsAnsweredInWordsForTheLastTime() throws {
        let client = try Client()
        try client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
        let received = try client.received()
        #expect(received.hasPrefix("HTTP/1.1 400 Bad Request\r\n") && received.contains("Connection: close\r\n") && received.hasSuffix("broken"), "\(received)")
        client.later(.seconds(1))
        #expect(!client.isOpen)
    }

    @Test func aBrokenBodyIsAnsweredWhenItIsItsTurn() throws {
        for endsSending in [false, true] {
            let client = try Client()
            try client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + (endsSending ? "4\r\nab" : "nonsense\r\n"))
            if endsSending { client.endsSending() }
            #expect(try client.received() == "")
            client.gate.open()
            #expect(try client.bodies() == ["late", "broken"])
        }
    }

    @Test(arguments: ["GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"])
    func whereAnotherProtocolMayFollowTheAnswerIsTheLast(request: String) throws {
        let client = try Client()
        try client.send(request)
        #expect(try client.received().contains("Connection: close\r\n"))
        client.later(.seconds(1))
        #expect(!client.isOpen)
    }

    @Test func aLongAnswerWaitsForItsClient() throws {
        let client = try Client()
        try client.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
        client.isSlow = true
        client.gate.open()
        #expect(try client.received().hasSuffix("7\r\npiece 0\r\n"))
        #expect(try client.received() == "")
        client.isSlow = false
        #expect(try client.received().replacing("\r\n", with: " ") == (1..<9).map { "7 piece \($0) " }.joined() + "0  ")
    }

    @Test func whenTheClientGoesItsQuestionIsCancelled() throws {
        let client = try Client()
        try client.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
        client.isSlow = true
        client.gate.open()
        _ = try client.received()
        #expect(client.ends.value == 0)
        client.leaves()
        #expect(client.ends.value == 1)
    }

    @Test func whoEndsSendingGetsTheAnswerAndTheEnd() throws {
        let client = try Client()
        try client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
        client.endsSending()
        #expect(client.isOpen)
        client.gate.open()
        #expect(try client.bodies() == ["late"])
        client.later(.seconds(1))
        #expect(!client.isOpen)
        let idle = try Client()
        idle.endsSending()
        idle.later(.seconds(1))
        #expect(!idle.isOpen)
    }

    @Test func whatFailsIsToldWithoutItsInsides() throws {
        let client = try Client()
        try client.send("GET /fails HTTP/1.1\r\nHost: a\r\n\r\nGET /say/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        let received = try client.received()
        #expect(received.hasPrefix("HTTP/1.1 500 Internal Server Error\r\n") && !received.contains("a secret"), "\(received)")
        #expect(received.hasSuffix("\r\n1"), "\(received)")
    }

    @Test func whoAsksNothingForLongIsSentAway() throws {
        let client = try Client()
        try client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        client.later(.seconds(29))
        #expect(client.isOpen)
        try client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        client.later(.seconds(29))
        #expect(client.isOpen)
        client.later(.seconds(2))
        #expect(!client.isOpen)
        // Not while it is being answered, nor while the server does not read what the client sends.
        let uploading = try Client()
        try uploading.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n")
        for _ in 0..<20 { try uploading.send("ab") }
        uploading.later(.seconds(50))
        uploading.gate.open()
        try uploading.send(String(repeating: "ab", count: 10))
        #expect(try uploading.bodies() == [String(repeating: "ab", count: 30)])
        let patient = try Client()
        try patient.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n")
        patient.later(.seconds(100))
        #expect(patient.isOpen)
    }
}

/// Lets those through who wait, once it is open.
private final class Gate: Sendable {
    private let waiting = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    func pass() async {
        await withCheckedContinuation { continuation in
            let passes = waiting.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if passes { continuation.resume() }
        }
    }

    func open() {
        let waiting = waiting.withLock { state in
            state.isOpen = true
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}

/// Where the socket would be: knows whether more is wanted.
private final class Reads: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    /// Since the last piece came.
    var isWanted = false

    func read(context: ChannelHandlerContext) {
        isWanted = true
        context.read()
    }
}

/// A client at the other end of a connection.
private final class Client {
    private let channel = EmbeddedChannel()
    let gate = Gate()
    let ends = Counter()
    let reads = Reads()

    init() throws {
        let (gate, ends) = (gate, ends)
        let router = Router()
        @Sendable func text(_ text: String, _ status: HTTPResponse.Status = .ok) -> Response { Response(status: status, body: .init(byteBuffer: ByteBuffer(string: text))) }
        router.get("hello") { _, _ in text("hello") }
        router.head("hello") { _, _ in text("hello").createHeadResponse() }
        router.get("say/:what") { _, context in text(context.parameters.get("what") ?? "") }
        router.post("say/:what") { _, context in text(context.parameters.get("what") ?? "") }
        router.get("fails") { _, _ -> Response in throw StrangeError(words: "a secret") }
        router.get("later") { _, _ in
            await gate.pass()
            return text("late")
        }
        @Sendable func echo(_ request: Request) async -> Response {
            do { return text(String(buffer: try await request.body.collect(upTo: 1000))) } catch { return text("broken", .badRequest) }
        }
        router.post("echo") { request, _ in await echo(request) }
        router.post("slow") { request, _ in
            await gate.pass()
            return await echo(request)
        }
        router.get("long") { _, _ in
            await gate.pass()
            return Response(status: .ok, body: ResponseBody { writer in
                defer { ends.add() }
                for piece in 0..<9 { try await writer.write(ByteBuffer(string: "piece \(piece)")) }
                try await writer.finish(nil)
            })
        }
        let desk = ConnectionDesk(ConnectionTable(most: 10, mostOfOneAddress: 10), requestTimeout: .seconds(20), idleTimeout: .seconds(30))
        try channel.pipeline.syncOperations.addHandlers([
            reads, HTTPResponseEncoder(), ByteToMessageHandler(HTTPRequestDecoder()), ConnectionGuard(desk),
            RequestHandler(router.buildResponder(), isSecure: false, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, on: channel.eventLoop),
        ])
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/client")).wait()
    }

    private struct StrangeError: Error { let words: String }

    var isOpen: Bool { channel.isActive }
    var isSlow = false {
        didSet {
            channel.isWritable = !isSlow
            channel.pipeline.fireChannelWritabilityChanged()
        }
    }

    func send(_ text: String) throws {
        reads.isWanted = false
        try channel.writeInbound(ByteBuffer(string: text))
        channel.pipeline.fireChannelReadComplete()
        channel.read()
        channel.embeddedEventLoop.run()
    }

    func endsSending() { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    func leaves() {
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
    }
    func later(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }

    /// Since the last look. The date is the clock's: `D`.
    func received() throws -> String {
        channel.embeddedEventLoop.run()
        var text = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
        return text.replacing(try Regex("Date: [^\r]+"), with: "Date: D")
    }

    /// Of complete answers with a length.
    func bodies() throws -> [String] {
        var rest = try received()[...]
        var bodies: [String] = []
        while let end = rest.firstRange(of: "\r\n\r\n") {
            let length = try #require(rest[..<end.lowerBound].split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }.flatMap { Int($0.dropFirst(16)) })
            bodies.append(String(rest[end.upperBound...].prefix(length)))
            rest = rest[end.upperBound...].dropFirst(length)
        }
        #expect(rest.isEmpty)
        return bodies
    }
}
