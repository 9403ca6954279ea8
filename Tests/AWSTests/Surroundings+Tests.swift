import AWS
import NIOCore
import Synchronization

/// A world in a test's hands: variables, files, a clock that only sleeping moves, and a server that is a function.
final class TestWorld: Sendable {
    private struct State {
        var requests: [HTTPRequest] = []
        var now = UnixTime(seconds: 1_800_000_000)
        var slept: [Duration] = []
        var files: [String: String]
    }
    private let state: Mutex<State>
    private let variables: [String: String]
    private let answer: @Sendable (HTTPRequest, Int) throws(HTTPFailure) -> HTTPResponse
    /// What commands print; others fail.
    private let commands: [String: String]

    /// `answer` is given the request and how many came before it.
    init(
        variables: [String: String] = [:], files: [String: String] = [:], commands: [String: String] = [:],
        answer: @escaping @Sendable (HTTPRequest, Int) throws(HTTPFailure) -> HTTPResponse = { (_, _) throws(HTTPFailure) in
            throw HTTPFailure(.connect, "nobody listens", mayHaveArrived: false)
        }
    ) {
        (self.variables, self.commands, self.answer) = (variables, commands, answer)
        state = Mutex(State(files: files))
    }

    var requests: [HTTPRequest] { state.withLock { $0.requests } }
    var slept: [Duration] { state.withLock { $0.slept } }
    var now: UnixTime { state.withLock { $0.now } }
    func write(_ file: String, _ text: String) { state.withLock { $0.files[file] = text } }
    func pass(seconds: Int64) { state.withLock { $0.now = $0.now.adding(seconds) } }

    var surroundings: Surroundings {
        Surroundings(
            variable: { self.variables[$0] },
            file: { name in self.state.withLock { $0.files[name] }.map { Array($0.utf8) } },
            open: { (request: HTTPRequest) async throws(HTTPFailure) in
                let before = self.state.withLock { state in
                    state.requests.append(request)
                    return state.requests.count - 1
                }
                let response = try self.answer(request, before)
                let rest = Mutex<ByteBuffer?>(response.body.isEmpty ? nil : ByteBuffer(bytes: response.body))
                let chunks = ByteChunks { () async throws(HTTPFailure) in
                    rest.withLock { rest in
                        defer { rest = nil }
                        return rest
                    }
                }
                return HTTPAnswer(status: response.status, headers: response.headers, body: chunks)
            },
            now: { self.now },
            elapsed: { .seconds(self.now.seconds) },
            sleep: { pause in self.state.withLock { $0.slept.append(pause) } },
            random: { 0.5 },
            run: { command in self.commands[command].map { (0, Array($0.utf8)) } ?? (3, []) })
    }
}

func xml(_ status: Int, _ body: String, _ headers: [(name: String, value: String)] = []) -> HTTPResponse {
    HTTPResponse(status: status, headers: headers, body: Array(body.utf8))
}

let someCredentials = Credentials(accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", origin: "the test")
