import AWS
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// Calls of tasks that run where their connections do.
@Suite struct KeptConnectionTests {
    /// What a server does with a call.
    private enum Deed {
        case answer, answerAndEnd, endAtOnce, nothing
        /// These bytes, each on their own, and then the connection's end.
        case bytes([String])
    }

    /// Numbers its connections from 1 and its calls from 0; an answer's body is `connection:body of the call`.
    private final class Server: ChannelInboundHandler, @unchecked Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let deeds: [Deed]
        private let counts: Counts
        private var number = 0
        private var received = ""

        final class Counts: Sendable { let state = Mutex((connections: 0, calls: 0)) }

        init(_ deeds: [Deed], _ counts: Counts) { (self.deeds, self.counts) = (deeds, counts) }

        func channelActive(context: ChannelHandlerContext) {
            number = counts.state.withLock { state in
                state.connections += 1
                return state.connections
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            guard received.hasSuffix("!") else { return }
            let text = "\(number):" + (received.split(separator: "\r\n").last ?? "")
            received = ""
            let call = counts.state.withLock { state in
                state.calls += 1
                return state.calls - 1
            }
            let answer = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
            switch deeds[call] {
            case .answer: context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
            case .answerAndEnd:
                context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
                context.close(promise: nil)
            case .endAtOnce: context.close(promise: nil)
            case .nothing: break
            case .bytes(let pieces):
                for piece in pieces { context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: piece)), promise: nil) }
                context.close(promise: nil)
            }
        }
    }

    /// Bodies of the answers, or what became of the call instead.
    private func calls(_ deeds: [Deed], timeout: Duration = .seconds(60), cancelled: Bool = false, limit: Int = 1_000, collected: Int? = nil) async throws -> [String] {
        let counts = Server.Counts()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Server(deeds, counts)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let endpoint = Endpoint(isTLS: false, host: "127.0.0.1", port: try #require(server.localAddress?.port))
        let executor = LoopExecutor.next()
        let task = Task(executorPreference: executor) {
            var outcomes: [String] = []
            while counts.state.withLock({ $0.calls }) < deeds.count {
                var request = HTTPRequest("POST", endpoint, headers: [("host", endpoint.authority)], body: ByteBuffer(string: "call \(outcomes.count)!"))
                (request.executor, request.timeout, request.answerLimitBytes) = (executor, timeout, limit)
                do throws(HTTPFailure) {
                    let answer = try await Surroundings.machine.open(request).collected(limitBytes: collected ?? limit)
                    let said = answer.status == 200 ? "" : "\(answer.status) "
                    outcomes.append(said + (answer.header("content-type").map { "\($0): " } ?? "") + String(decoding: answer.body, as: UTF8.self))
                } catch {
                    outcomes.append("\(error.kind)\(error.mayHaveArrived ? "" : ", unsent")")
                    if error.kind == .cancelled || error.kind == .timeout { break }
                }
            }
            return outcomes
        }
        if cancelled { task.cancel() }
        let outcomes = await task.value
        try await server.close().get()
        return outcomes
    }

    @Test func callsFollowEachOtherOnOneConnection() async throws {
        #expect(try await calls([.answer, .answer, .answer]) == ["1:call 0!", "1:call 1!", "1:call 2!"])
    }

    @Test func aConnectionThatTheServerEndedIsReplacedUnnoticed() async throws {
        #expect(try await calls([.answer, .answerAndEnd, .answer]) == ["1:call 0!", "1:call 1!", "2:call 2!"])
        // It ends just when it is used again: what was sent is sent anew.
        #expect(try await calls([.answer, .endAtOnce, .answer]) == ["1:call 0!", "2:call 1!"])
    }

    @Test func aNewConnectionThatEndsWithoutAnAnswerIsAFailure() async throws {
        #expect(try await calls([.endAtOnce, .answer]) == ["broken", "2:call 1!"])
    }

    @Test func silenceAndCancellationEndACall() async throws {
        // Whether it was sent by then depends on the machine.
        let silent = try await calls([.nothing], timeout: .milliseconds(20))
        #expect(silent == ["timeout"] || silent == ["timeout, unsent"])
        #expect(try await calls([.nothing], cancelled: true).allSatisfy { $0.hasPrefix("cancelled") })
    }

    private static let answers = [
        ("HTTP/1.1 200 OK\r\nContent-Type:  text/x\r\nContent-Length: 5\r\n\r\nhello", "text/x: hello"),
        ("HTTP/1.1 400 \r\ncontent-length: 0\r\nConnection: Close\r\n\r\n", "400 "),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi"),
        ("HTTP/1.1 204 None\r\n\r\n", "204 "),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "x"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nWiki\r\nC\r\npedia in\r\n12\r\n0\r\nX-Trailer: 1\r\n\r\n", "Wikipedia in\r\n12"),
        ("HTTP/1.1 200 OK\r\n\r\nsome more", "some more"),
    ]

    @Test(arguments: answers) func answersAreFoundHoweverTheyAreCut(text: String, expected: String) async throws {
        #expect(try await calls([.bytes([text])]) == [expected])
        #expect(try await calls([.bytes(text.utf8.map { String(decoding: [$0], as: UTF8.self) })]) == [expected])
    }

    @Test(arguments: [
        "hello there\r\n\r\n", "HTTP/1.1 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 101 Switch\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnope\r\n", String(repeating: "x", count: 70_000),
        // Cut off.
        "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx",
    ]) func whatIsNoAnswerIsSaidToBeNone(text: String) async throws {
        #expect(try await calls([.bytes([text])]) == ["broken"])
    }

    @Test func whatFollowsAnAnswerIsNotTheNextOne() async throws {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
        #expect(try await calls([.bytes([answer + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny"]), .answer]) == ["x", "2:call 1!"])
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789",
        "HTTP/1.1 200 OK\r\n\r\n123456789",
    ]) func noMoreIsTakenThanTheLimit(text: String) async throws {
        #expect(try await calls([.bytes([text])], limit: 8) == ["tooLarge"])
    }

    /// The request would take it, and it has come; whoever collects it takes less.
    @Test func noMoreIsCollectedThanTheLimit() async throws {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789"
        #expect(try await calls([.bytes([answer])], collected: 8) == ["tooLarge"])
        #expect(try await calls([.bytes([answer])], collected: 9) == ["123456789"])
    }
}
