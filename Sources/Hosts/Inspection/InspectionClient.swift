import Columnar
import Dataflow
import NIOCore
import NIOPosix
import Settings
import Synchronization
import Transport

/// Asks TaskManagers about themselves, for people: figures, logs, threads. Never on the connection that heartbeats use.
package final class InspectionClient: Sendable {
    private let group: any EventLoopGroup
    private let tls: TLSCredentials?
    private let options: TransportOptions
    /// More at once wait for nobody: they are refused.
    private let open = Atomic<Int>(0)
    private static let maximumOpen = 64

    package init(configuration: Configuration, group: any EventLoopGroup) throws(StreamError) {
        self.group = group
        tls = try internalTLS(configuration)
        var options = TransportOptions(configuration)
        options.handshakeTimeout = .seconds(3)
        self.options = options
    }

    /// Connects, and hands over what answers questions until `body` is done.
    package func with<Result: Sendable>(
        host: String, port: UInt16, _ body: @Sendable (Conversation) async throws -> Result
    ) async throws -> Result {
        let held = open.add(1, ordering: .relaxed).newValue
        defer { open.subtract(1, ordering: .relaxed) }
        guard held <= InspectionClient.maximumOpen else {
            throw StreamError(.externalSystem, retry: true, "too much is asked of TaskManagers at once; try again")
        }
        let conversation = Conversation()
        let connection = try await Transport.connect(
            group: group, host: host, port: Int(port), tls: tls, role: Role.inspection, options: options,
            accept: { _ in
                FrameHandler(onFrame: { conversation.received(Array($0.readableBytesView)) }, onClosed: { conversation.closed($0.description) })
            }
        ).get()
        conversation.began(connection)
        defer { connection.close(reason: "nothing more is asked") }
        return try await body(conversation)
    }

    /// One question alone.
    package func ask(_ question: Question, host: String, port: UInt16, within: Duration = .seconds(10)) async throws -> Answer {
        try await with(host: host, port: port) { try await $0.ask(question, within: within) }
    }
}

/// An open connection: one question at a time.
package final class Conversation: Sendable {
    private struct State {
        var connection: FrameConnection?
        var waiting: CheckedContinuation<Answer, any Error>?
        /// Grows with each question: a deadline knows whether it is still about its own.
        var number = 0
        var end: String?
    }

    private let state = Mutex(State())

    fileprivate init() {}

    fileprivate func began(_ connection: FrameConnection) { state.withLock { $0.connection = connection } }

    package func ask(_ question: Question, within: Duration = .seconds(10)) async throws -> Answer {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Answer, any Error>) in
            let (connection, number, end) = state.withLock { state -> (FrameConnection?, Int, String?) in
                precondition(state.waiting == nil, "one question at a time")
                state.number += 1
                if state.end == nil { state.waiting = continuation }
                return (state.connection, state.number, state.end)
            }
            guard let connection, end == nil else {
                continuation.resume(throwing: StreamError(.connection, retry: true, end ?? "not connected"))
                return
            }
            connection.send(question.encode())
            connection.eventLoop.scheduleTask(in: .milliseconds(within.milliseconds)) { [self] in
                guard state.withLock({ $0.number == number && $0.waiting != nil }) else { return }
                finish(.failure(StreamError(.connection, retry: true, "no answer within \(within.milliseconds) ms")))
                connection.close(reason: "no answer")
            }
        }
    }

    fileprivate func received(_ bytes: [UInt8]) {
        do throws(MalformedBytes) {
            finish(.success(try Answer.decode(bytes)))
        } catch {
            finish(.failure(StreamError(.connection, retry: false, "an answer that cannot be read: \(error)")))
        }
    }

    fileprivate func closed(_ reason: String) {
        state.withLock { $0.end = reason }
        finish(.failure(StreamError(.connection, retry: true, reason)))
    }

    private func finish(_ result: Result<Answer, any Error>) {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(with: result)
    }
}
